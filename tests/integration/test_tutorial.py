"""Google's tutorial, both use cases, through every layer: client, seam, emulator, engine, real DICOM, and back.

The answer key is `healthcare_deid.testing.sample_dicom`. What comes out is read back from disk with pydicom, and the
pixels with an OCR that is not the engine's.
"""

from __future__ import annotations

import difflib
import uuid
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels.utils import pixel_array

from healthcare_deid import DeidClient, DeidentifyConfig, presets
from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS, tag_number
from healthcare_deid.report import Verdict, compare
from healthcare_deid.testing import sample_dicom, write_samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import FileDataset

    from healthcare_deid.testing import Sample

KEY = bytes(range(32))

CONFIGS: dict[str, DeidentifyConfig] = {
    "keep-list": presets.keep_tags_and_redact_all_text(),
    "minimal": presets.remove_metadata_and_all_text(),
    "contents": presets.transform_contents_and_sensitive_text(crypto_key=KEY),
}
USE_CASE_ONE = ("keep-list", "minimal")


@dataclass(frozen=True)
class Pair:
    """A sample and what became of it."""

    sample: Sample
    before: FileDataset
    after: FileDataset
    raw: bytes


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Pair]]:
    """Run every config of the tutorial once over the samples, through the client."""
    folder = tmp_path_factory.mktemp("tutorial")
    write_samples(folder / "scans")
    found: dict[str, list[Pair]] = {}
    with DeidClient.local(folder / "lab", project="MyProj", location="us-central1") as client:
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/dicomstore1")
        client.upload("dataset1/dicomstore1", folder / "scans")
        for name, config in CONFIGS.items():
            operation = client.deidentify_dataset("dataset1", f"deid-{name}", config)
            operation.result(timeout=120, raise_on_partial=True)
            assert operation.progress.success == len(sample_dicom())
            client.download(f"deid-{name}/dicomstore1", folder / name)
            found[name] = _pairs(folder / name)
    return found


def _pairs(folder: Path) -> list[Pair]:
    after = {pydicom.dcmread(path).SOPInstanceUID: path for path in folder.rglob("*.dcm")}
    assert len(after) == len(sample_dicom())
    return [
        Pair(sample, sample.dataset, pydicom.dcmread(path), path.read_bytes())
        for sample in sample_dicom()
        for path in [after[_google_uid(sample.dataset.SOPInstanceUID)]]
    ]


def _google_uid(uid: str) -> str:
    """The UID rule of the fidelity table (F-01), computed here once more from its description."""
    return f"1.3.6.1.4.1.11129.5.1.{uuid.uuid3(uuid.UUID(int=0), uid).int}"


def _tags(dataset: pydicom.Dataset) -> set[int]:
    return {int(element.tag) for element in dataset.iterall()}


def _planted(sample: Sample) -> list[str]:
    """Return every identifying string that was planted in the headers."""
    person = sample.person
    family, given = person.name.split("^")
    return [
        family, given, person.patient_id, person.phone, person.address,
        person.physician.split("^")[0], "Harbour General Hospital",
    ]  # fmt: skip


# --- Use case I ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", USE_CASE_ONE)
def test_every_tag_but_the_documented_minimal_set_is_gone(pairs: dict[str, list[Pair]], name: str) -> None:
    documented = {tag_number(tag) for tag in MINIMAL_KEEP_TAGS} | {tag_number("SOPClassUID")}
    for pair in pairs[name]:
        assert _tags(pair.after) <= documented
        kept = {int(tag) for tag in (*pair.before.keys(), *pair.before.file_meta.keys())} & documented
        assert {int(tag) for tag in (*pair.after.keys(), *pair.after.file_meta.keys())} >= kept


@pytest.mark.parametrize("name", USE_CASE_ONE)
def test_no_planted_header_string_is_anywhere_in_the_file(pairs: dict[str, list[Pair]], name: str) -> None:
    for pair in pairs[name]:
        for text in _planted(pair.sample):
            assert text.encode() not in pair.raw, f"{pair.sample.name}: a planted value of {len(text)} characters"


def test_both_forms_of_the_config_give_the_same_files(pairs: dict[str, list[Pair]]) -> None:
    for keep_list, minimal in zip(pairs["keep-list"], pairs["minimal"], strict=True):
        assert keep_list.after == minimal.after


@pytest.mark.parametrize("name", USE_CASE_ONE)
def test_all_burned_in_text_is_unreadable(
    pairs: dict[str, list[Pair]], name: str, read_text: Callable[[NDArray[Any]], str]
) -> None:
    for pair in pairs[name]:
        lines = (*pair.sample.sensitive_text, *pair.sample.innocent_text)
        for index in (0, _frames(pair.after) - 1):
            before, after = _frame(pair.before, index), _frame(pair.after, index)
            words = _words(lines)
            assert len(_found(words, read_text(before))) >= len(words) / 2, "the OCR must be able to read the original"
            assert _found(words, read_text(after)) == set(), f"{pair.sample.name} frame {index}"
            for line in lines:
                assert _ink_left(before, after, pair.sample.text_boxes[line]) == 0, f"{pair.sample.name}: {len(line)}"


# --- Use case II --------------------------------------------------------------------------------------------------


def test_names_are_gone_from_tags_and_nested_tags(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["contents"]:
        family, given = pair.sample.person.name.upper().split("^")
        physician = pair.sample.person.physician.upper().split("^")[0]
        for element in pair.after.iterall():
            if element.tag.is_private or element.VR in {"OB", "OW", "UN", "SQ"}:
                continue
            text = str(element.value).upper()
            assert not {word for word in (family, given, physician) if word in text}, element.keyword
        assert "RequestAttributesSequence" in pair.after
        assert pair.after.Modality == pair.before.Modality


def test_phone_numbers_are_masked(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["contents"]:
        phone = pair.sample.person.phone
        masked = str(pair.after.PatientTelephoneNumbers)
        assert set(masked) == {"*"}
        assert len(masked) == len(phone)
        assert "*" * len(phone) in pair.after.PatientComments
        assert phone not in pair.after.PatientComments


def test_a_patients_dates_shift_by_one_offset_within_the_range_in_every_study(pairs: dict[str, list[Pair]]) -> None:
    offsets: dict[str, set[int]] = {}
    for pair in pairs["contents"]:
        for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientBirthDate"):
            shift = _date(pair.after[keyword].value) - _date(pair.before[keyword].value)
            offsets.setdefault(pair.sample.person.patient_id, set()).add(shift.days)
    ana, daniel = offsets.values()
    assert len(ana) == len(daniel) == 1
    assert ana != daniel
    for (days,) in (tuple(ana), tuple(daniel)):
        assert days != 0
        assert -100 <= days <= 100


def test_a_date_in_free_text_shifts_with_the_patients_dates(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["contents"]:
        written = f"{_date(pair.sample.study_date):%Y-%m-%d}"
        assert written in pair.before.PatientComments
        assert written not in pair.after.PatientComments
        assert f"{_date(pair.after.StudyDate):%Y-%m-%d}" in pair.after.PatientComments


def test_no_tag_is_removed_because_the_profile_rewrites_values(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["contents"]:
        assert _tags(pair.after) == _tags(pair.before)


def test_sensitive_text_is_covered_and_innocent_text_stays(
    pairs: dict[str, list[Pair]], read_text: Callable[[NDArray[Any]], str]
) -> None:
    for pair in pairs["contents"]:
        for index in (0, _frames(pair.after) - 1):
            before, after = _frame(pair.before, index), _frame(pair.after, index)
            assert _found(_words(pair.sample.sensitive_text), read_text(after)) == set(), pair.sample.name
            for line in pair.sample.sensitive_text:
                box = _without_label(line, pair.sample.text_boxes[line])
                assert _ink_left(before, after, box) == 0, pair.sample.name
            for line in pair.sample.innocent_text:
                x, y, width, height = pair.sample.text_boxes[line]
                area = np.s_[y : y + height, x : x + width]
                assert np.array_equal(before[area], after[area]), f"{pair.sample.name}: an innocent mark was covered"


# --- Both ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONFIGS)
def test_uids_are_regenerated_consistently_across_the_instances_of_a_study(
    pairs: dict[str, list[Pair]], name: str
) -> None:
    for pair in pairs[name]:
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            assert pair.after[keyword].value == _google_uid(pair.before[keyword].value)
            assert pair.before[keyword].value.encode() not in pair.raw
        assert pair.after.file_meta.MediaStorageSOPInstanceUID == pair.after.SOPInstanceUID
        assert pair.after.SOPClassUID == pair.before.SOPClassUID
    first, second = pairs[name][:2]
    assert first.after.StudyInstanceUID == second.after.StudyInstanceUID
    assert first.after.SeriesInstanceUID == second.after.SeriesInstanceUID
    assert first.after.SOPInstanceUID != second.after.SOPInstanceUID


@pytest.mark.parametrize("name", CONFIGS)
def test_pixels_away_from_text_are_unchanged(pairs: dict[str, list[Pair]], name: str) -> None:
    for pair in pairs[name]:
        for index in range(_frames(pair.after)):
            before, after = _frame(pair.before, index), _frame(pair.after, index)
            rows, columns = before.shape[:2]
            middle = np.s_[rows * 4 // 10 : rows * 6 // 10, columns * 4 // 10 : columns * 6 // 10]
            assert np.array_equal(before[middle], after[middle]), f"{pair.sample.name} frame {index}"
            assert np.mean(before != after) < 0.2, "covering text is not blacking out the image"


def test_the_comparison_report_counts_what_happened(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["minimal"]:
        comparison = compare(pair.before, pair.after)
        assert comparison.count(Verdict.REMOVED) > 20
        assert comparison.count(Verdict.ADDED) == 0
        assert comparison.pixels is not None
        assert comparison.pixels.changed_frames == comparison.pixels.frames


def _frames(dataset: FileDataset) -> int:
    return int(dataset.get("NumberOfFrames", 1) or 1)


def _frame(dataset: FileDataset, index: int) -> NDArray[Any]:
    return pixel_array(dataset, index=index)


def _date(value: str) -> date:
    return date(int(value[:4]), int(value[4:6]), int(value[6:8]))


def _words(lines: tuple[str, ...]) -> set[str]:
    """Return the words long enough for an OCR to be held to: single letters come out of any texture."""
    return {word for line in lines for word in line.split() if len(word) >= 4}


def _found(words: set[str], text: str) -> set[str]:
    """Return the words that were read, also with a letter or two wrong."""
    read = text.upper().split()
    return {word for word in words if difflib.get_close_matches(word, read, n=1, cutoff=0.75)}


def _without_label(line: str, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the part of a line's box that identifies: the words "ID" and "DOB" before a value may stay."""
    label, _, value = line.partition(" ")
    if label not in {"ID", "DOB"}:
        return box
    x, y, width, height = box
    skipped = round(width * (1 - len(value) / len(line)))
    return x + skipped, y, width - skipped, height


def _ink_left(before: NDArray[Any], after: NDArray[Any], box: tuple[int, int, int, int]) -> int:
    """Return how many of the brightest pixels (the ink) inside the box still have their value."""
    x, y, width, height = box
    area = np.s_[y : y + height, x : x + width]
    ink = before[area] == before.max()
    return int(np.sum(ink & (after[area] == before[area])))
