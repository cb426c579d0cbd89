"""The audit: what it lists, what it cannot tell, and that it shows no value."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset, FileDataset

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.report.audit import BurnedIn, Residue, audit
from healthcare_deid.testing import sample_dicom


def residues(dataset: Dataset) -> dict[str, Residue]:
    return {finding.path: finding.residue for finding in audit(dataset).findings}


def test_identifiers_are_listed_at_any_depth_and_without_their_values() -> None:
    dataset = Dataset()
    dataset.PatientName = "Rivera^Ana"
    dataset.Modality = "CT"
    item = Dataset()
    item.OperatorsName = "Lindqvist"
    dataset.SourceImageSequence = [item]
    dataset.private_block(0x0099, "ACME", create=True).add_new(1, "LO", "Rivera")
    found = audit(dataset)
    assert residues(dataset) == {
        "PatientName": Residue.PRESENT,
        "SourceImageSequence[0]/OperatorsName": Residue.REPLACED,
        "(0099,1001)": Residue.PRIVATE,
    }
    assert not found.clean
    assert "Rivera" not in repr(found)
    assert "Lindqvist" not in repr(found)


def test_an_element_without_a_value_is_no_finding() -> None:
    dataset = Dataset()
    dataset.PatientName = ""
    dataset.PatientID = None
    dataset.OtherPatientIDsSequence = []
    assert audit(dataset).findings == ()
    assert audit(dataset).clean


def test_what_a_profile_replaces_cannot_be_told_from_the_original() -> None:
    dataset = Dataset()
    dataset.ContentDate = "20210304"
    dataset.StudyInstanceUID = "1.2.3"
    assert residues(dataset) == {"ContentDate": Residue.REPLACED, "StudyInstanceUID": Residue.UID}
    assert audit(dataset).clean


@pytest.mark.parametrize(
    "config",
    [presets.remove_metadata_and_all_text(), presets.basic_confidentiality_profile()],
    ids=["minimal", "basic"],
)
@pytest.mark.parametrize("index", range(len(sample_dicom())))
def test_the_engines_own_results_leave_nothing_that_must_not_be_there(config: DeidentifyConfig, index: int) -> None:
    sample = sample_dicom()[index]
    assert not audit(sample.dataset).clean
    result = Deidentifier(config.model_copy(update={"image": None})).deidentify(sample.dataset)
    found = audit(result.dataset)
    assert found.residues == ()
    assert found.says_deidentified


def test_use_case_two_leaves_what_the_audit_says_it_leaves() -> None:
    config = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
    result = Deidentifier(config).deidentify(sample_dicom()[0].dataset)
    names = {finding.name for finding in audit(result.dataset).residues}
    assert "StudyDate" in names
    assert "PatientName" not in names, "redacted: it holds no value"


@pytest.mark.parametrize(
    ("said", "pixels", "expected"),
    [
        ("YES", True, BurnedIn.YES),
        ("NO", True, BurnedIn.NO),
        (None, True, BurnedIn.UNSAID),
        (None, False, BurnedIn.NO_PIXELS),
    ],
)
def test_what_the_instance_says_of_text_in_its_pixels_is_told(
    said: str | None, pixels: bool, expected: BurnedIn
) -> None:
    dataset = Dataset()
    if said is not None:
        dataset.BurnedInAnnotation = said
    if pixels:
        dataset.PixelData = b"\0\0"
    assert audit(dataset).burned_in is expected
    assert audit(dataset).clean is (expected is not BurnedIn.YES)


def test_a_preamble_that_holds_something_is_a_finding() -> None:
    assert audit(FileDataset("", Dataset(), preamble=b"\0" * 128)).clean
    assert not audit(FileDataset("", Dataset(), preamble=b"II*\0" + b"Rivera".ljust(124))).clean
