"""Text that is cleaned and dates that are shifted: in the contents mode, and with the Basic Profile's options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def test_dates_can_be_shifted_in_the_basic_profile_and_intervals_stay(profile: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.PatientID = "1.2.3", "P1"
    dataset.StudyDate, dataset.AcquisitionDate, dataset.StudyTime = "20210304", "20210311", "101112"
    shifting = profile(
        "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", edition="2026d", options=["retain_longitudinal_modified_dates"]
    )

    new = shifting.deidentify(dataset).dataset

    assert new.StudyDate not in ("20210304", "", "19000101")
    assert int((_day(new.AcquisitionDate) - _day(new.StudyDate)).days) == 7
    assert new.StudyTime == "101112"


@pytest.mark.parametrize(
    "text",
    [
        {"excludeInfoTypes": ["DATE"]},
        {"additionalTransformations": [{"infoTypes": ["PERSON_NAME"], "redactConfig": {}}]},
        {"additionalTransformations": [{"redactConfig": {}}]},
    ],
)
def test_dates_are_shifted_whatever_the_config_says_of_dates_in_text(make: Any, text: dict[str, Any]) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.PatientID = "1.2.3", "P1"
    dataset.StudyDate, dataset.SeriesDate, dataset.AcquisitionDate = "20210304", "20210311", "20210230"
    shifting = make({"filterProfile": BASIC}, text=text, options=["retain_longitudinal_modified_dates"])

    new = shifting.deidentify(dataset).dataset

    assert new.StudyDate not in ("20210304", "")
    assert int((_day(new.SeriesDate) - _day(new.StudyDate)).days) == 7
    assert new.AcquisitionDate == ""
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.parametrize("text", [None, {"additionalTransformations": [{"infoTypes": ["DATE"], "redactConfig": {}}]}])
def test_what_the_basic_profile_cleans_names_nobody_and_no_number_of_theirs(
    make: Any, text: dict[str, Any] | None
) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.PatientID, dataset.AccessionNumber = "1.2.3", "PID4711", "A99812345"
    dataset.PatientName = "Lindqvist^Maria"
    dataset.ImageComments = "PID4711, A99812345: Maria Lindqvist"
    item = Dataset()
    item.TextValue = "PID4711, A99812345: Maria Lindqvist"
    dataset.ContentSequence = Sequence([item])
    cleaning = make({"filterProfile": BASIC}, text=text, options=["clean_descriptors", "clean_structured_content"])

    new = cleaning.deidentify(dataset).dataset

    cleaned = "[MEDICAL_RECORD_NUMBER], [MEDICAL_RECORD_NUMBER]: [PERSON_NAME]"
    assert new.ImageComments == cleaned
    assert new.ContentSequence[0].TextValue == cleaned
    assert new.PatientIdentityRemoved == "YES"


def test_identity_is_not_said_to_be_removed_where_the_config_leaves_some_of_it_in_cleaned_text(make: Any) -> None:
    cleaning = make({"filterProfile": BASIC}, text={"excludeInfoTypes": ["LOCATION"]}, options=["clean_descriptors"])
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"

    assert "PatientIdentityRemoved" not in cleaning.deidentify(dataset).dataset


def _day(text: str) -> Any:
    from datetime import datetime

    return datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a day has no time zone


def test_contents_are_inspected_and_no_tag_is_removed(profile: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.PatientID = "1.2.3", "P1"
    dataset.PatientName = "Rivera^Ana"
    dataset.StudyDescription = "CT for Ana Rivera"
    dataset.StudyDate = "20210304"
    dataset.StudyTime = "101112"
    item = Dataset()
    item.ImageComments = "call Ana Rivera"
    dataset.RequestAttributesSequence = Sequence([item])

    result = profile("DEIDENTIFY_TAG_CONTENTS", markers=False).deidentify(dataset)
    new = result.dataset

    assert {int(e.tag) for e in new} == {int(e.tag) for e in dataset}
    assert "Rivera" not in str(new)
    assert new.StudyDate != "20210304"
    assert new.StudyTime == "101112"
    assert "infoType:PERSON_NAME" in {change.rule for change in result.changes}


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_document_that_is_not_looked_into_is_left_with_a_warning(
    profile: Any, write: Any, as_file: Any, tmp_path: Path, size: int
) -> None:
    dataset = sample_dicom()[0].dataset
    dataset.EncapsulatedDocument = b"%PDF Rivera\0" * size
    contents = profile("DEIDENTIFY_TAG_CONTENTS")

    of_file = contents.deidentify_file(write(as_file(dataset)), tmp_path / "out.dcm")
    of_dataset = contents.deidentify(dataset)

    for result in (of_file, of_dataset):
        assert result.dataset.EncapsulatedDocument == dataset.EncapsulatedDocument
        assert any("encapsulated document was kept" in warning for warning in result.warnings)
        assert "00420011" not in {change.path for change in result.changes}


def test_a_name_that_a_report_lists_is_found_in_its_text(profile: Any) -> None:
    observer, finding = Dataset(), Dataset()
    observer.ValueType, observer.PersonName = "PNAME", "Ngugi^Wamaitha"
    finding.ValueType, finding.TextValue = "TEXT", "as told by ngugi w."
    report = Dataset()
    report.SOPInstanceUID, report.ContentSequence = "1.2.3", Sequence([observer, finding])

    new = profile("DEIDENTIFY_TAG_CONTENTS").deidentify(report).dataset

    assert "ngugi" not in new.ContentSequence[1].TextValue


def test_text_under_a_vr_that_holds_none_is_not_left_for_that(profile: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    dataset.add_new(0x00100010, "OB", b"Rivera^Ana")  # PatientName

    assert profile("DEIDENTIFY_TAG_CONTENTS").deidentify(dataset).dataset.PatientName in (b"", None, "")


@pytest.mark.parametrize("name", [BASIC, "MINIMAL_KEEP_LIST_PROFILE"])
def test_text_in_the_place_of_a_number_is_not_kept_with_the_number(profile: Any, name: str) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    dataset.add_new(0x00280010, "LO", "Rivera^Ana")  # Rows

    result = profile(name).deidentify(dataset)

    assert "Rivera" not in str(result.dataset)
    assert "wrong-vr" in {change.rule for change in result.changes}


def test_contents_of_unknown_vr_are_left_and_every_result_says_so(profile: Any, make_beta: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    dataset.add_new(0x00091001, "UN", b"Rivera^Ana")
    kept = profile("DEIDENTIFY_TAG_CONTENTS").deidentify(dataset)
    emptied = make_beta(
        {"profileType": "DEIDENTIFY_TAG_CONTENTS", "actions": [{"queries": ["UN"], "removeTag": {}}]}
    ).deidentify(dataset)

    assert kept.dataset[0x00091001].value == b"Rivera^Ana"
    assert any("of unknown VR" in warning for warning in kept.warnings)
    assert not emptied.dataset[0x00091001].value
    assert not any("of unknown VR" in warning for warning in emptied.warnings)


def test_what_must_have_a_value_has_a_dummy_where_cleaning_leaves_nothing_of_it(make: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.StudyID = "1.2.3", "sep30"
    dataset.StructureSetLabel, dataset.StructureSetDescription = "sep30", "sep30"  # Type 1, and Type 3
    redact: dict[str, Any] = {"additionalTransformations": [{"redactConfig": {}}]}

    new = make({"filterProfile": BASIC}, text=redact, options=["clean_descriptors"]).deidentify(dataset).dataset

    assert (new.StructureSetLabel, new.StructureSetDescription) == ("ANONYMIZED", "")
