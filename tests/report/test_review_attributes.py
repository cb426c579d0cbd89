"""Text of attributes on the review page: what is shown, and what comes first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydicom.dataset import Dataset
from tests.report.run_made import make_report, save

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.report import Review
from healthcare_deid.report.review.attributes import LONGEST, MOST, attribute_texts

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.report.review.attributes import AttributeText


@pytest.fixture
def review(tmp_path: Path) -> Review:
    """Return the review of one structured report, whose code holds the patient's number."""
    (tmp_path / "scans").mkdir()
    save(make_report(), tmp_path / "scans" / "sr.dcm")
    config = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
    Deidentifier(config, secret=b"0123456789abcdef").deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    return Review(tmp_path / "clean", originals=tmp_path / "scans")


def by_path(rows: tuple[AttributeText, ...]) -> dict[str, AttributeText]:
    return {row.path: row for row in rows}


def test_text_stands_beside_that_of_the_original_at_every_depth(review: Review) -> None:
    rows = by_path(review.attributes(0).rows)
    text = rows["ContentSequence[0]/TextValue"]
    assert (text.before, text.verdict) == ("Patient Ana Rivera has a nodule.", "changed")
    assert text.after is not None
    assert "Rivera" not in text.after
    assert rows["ContentSequence[0]/ConceptNameCodeSequence[0]/CodeMeaning"].after == "Finding"
    name = rows["PatientName"]
    assert (name.before, name.after, name.verdict) == ("Rivera^Ana", None, "removed")


def test_what_may_identify_comes_first_and_says_why(review: Review) -> None:
    rows = review.attributes(0).rows
    first = [row for row in rows if row.why]
    assert rows[: len(first)] == tuple(first)
    assert by_path(tuple(first))["PatientID"].why == "a name, number or date of the original"


def test_without_originals_the_results_own_text_is_shown_and_what_the_record_says_became_of_it(
    review: Review, tmp_path: Path
) -> None:
    rows = by_path(Review(tmp_path / "clean").attributes(0).rows)
    text = rows["ContentSequence[0]/TextValue"]
    assert (text.before, text.verdict) == (None, "transformed")
    assert text.after is not None
    assert rows["DeidentificationMethod"].verdict == "added"
    assert "PatientName" not in rows


def test_a_value_that_a_warning_is_about_is_listed_although_it_is_gone() -> None:
    changes = [{"path": "00100040", "action": "emptied", "rule": "malformed-value", "length": 9}]
    row = attribute_texts(Dataset(), None, changes).rows[0]
    assert (row.path, row.verdict, row.after) == ("PatientSex", "emptied", None)
    assert row.why == "a value that its VR cannot have was emptied"


def test_of_a_large_instance_the_same_text_is_one_row_numbers_are_counted_and_the_rest_is_told() -> None:
    large = Dataset()
    large.ROIContourSequence = [Dataset() for _ in range(MOST + 50)]
    for number, item in enumerate(large.ROIContourSequence):
        item.ContourGeometricType, item.ContourData, item.ROIDisplayColor = "POINT", [1.5, 2.5, 3.5], [1, 2, 3]
        item.ROIObservationLabel = f"label {number}"
    told = attribute_texts(large, None, [])
    assert (len(told.rows), told.more, told.others) == (MOST, 51, 2 * (MOST + 50))
    large.ROIContourSequence = large.ROIContourSequence[:20]
    rows = by_path(attribute_texts(large, None, []).rows)
    assert rows["ROIContourSequence[0]/ContourGeometricType"].places == 20
    long = Dataset()
    long.TextValue = "x" * (LONGEST + 7)
    assert attribute_texts(long, None, []).rows[0].after == "x" * LONGEST + "… (7 characters more)"


def test_values_are_neither_in_a_repr_nor_in_the_run_folder(review: Review, tmp_path: Path) -> None:
    texts = review.attributes(0)
    assert "Rivera" not in repr(texts) + repr(texts.rows) + repr(review.items)
    for file in (tmp_path / "clean.run").rglob("*.json*"):
        assert "Rivera" not in file.read_text()
        assert json.dumps("nodule") not in file.read_text()
