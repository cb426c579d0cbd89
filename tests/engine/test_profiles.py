"""v1's lists and profiles: what goes, what stays, and what is written about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from healthcare_deid.engine import ChangeAction, UidMapper
from healthcare_deid.errors import ConfigError
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"

TUTORIAL_TAGS = [
    "StudyInstanceUID",
    "SOPInstanceUID",
    "TransferSyntaxUID",
    "PixelData",
    "Columns",
    "NumberOfFrames",
    "PixelRepresentation",
    "MediaStorageSOPClassUID",
    "MediaStorageSOPInstanceUID",
    "Rows",
    "SamplesPerPixel",
    "BitsAllocated",
    "HighBit",
    "PhotometricInterpretation",
    "BitsStored",
]


def keywords(dataset: Dataset) -> set[str]:
    return {element.keyword for element in dataset}


def reasons(result: Any, keyword: str) -> set[str]:
    return {change.rule for change in result.changes if change.keyword == keyword}


def test_the_tutorials_two_forms_of_use_case_one_keep_the_same_tags(make: Any, planted: Any) -> None:
    by_list = make({"keepList": {"tags": TUTORIAL_TAGS}}, markers=False).deidentify(planted.dataset)
    by_profile = make({"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}, markers=False).deidentify(planted.dataset)

    assert keywords(by_list.dataset) == keywords(by_profile.dataset)
    assert keywords(by_list.dataset) == {
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SamplesPerPixel",
        "PhotometricInterpretation",
        "Rows",
        "Columns",
        "BitsAllocated",
        "BitsStored",
        "HighBit",
        "PixelRepresentation",
        "PixelData",
    }


def test_a_keep_list_adds_to_what_is_always_kept(make: Any, planted: Any) -> None:
    result = make({"keepList": {"tags": ["PatientID", "modality"]}}).deidentify(planted.dataset)

    assert result.dataset.PatientID == planted.dataset.PatientID
    assert result.dataset.Modality == "CT"
    assert "PatientName" not in result.dataset
    assert reasons(result, "PatientName") == {"keepList"}


def test_kept_text_keeps_the_character_set_it_is_written_in(make: Any, planted: Any) -> None:
    with_text = make({"keepList": {"tags": ["StudyDescription"]}}).deidentify(planted.dataset)
    without = make({"keepList": {"tags": ["PatientSex"]}}).deidentify(planted.dataset)

    assert "SpecificCharacterSet" in with_text.dataset
    assert "SpecificCharacterSet" not in without.dataset


def test_sop_class_uid_goes_only_when_the_list_is_to_be_strict(make: Any, planted: Any) -> None:
    strict = make({"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}, strict_keep_list=True).deidentify(planted.dataset)

    assert "SOPClassUID" not in strict.dataset
    assert strict.dataset.file_meta.MediaStorageSOPClassUID == planted.dataset.SOPClassUID


def test_a_kept_sequence_keeps_what_is_kept_of_its_items(make: Any, planted: Any) -> None:
    tags = ["RequestAttributesSequence", "ReferencedStudySequence", "ReferencedSOPInstanceUID"]

    result = make({"keepList": {"tags": tags}}).deidentify(planted.dataset)

    item = result.dataset.RequestAttributesSequence[0]
    assert keywords(item) == {"ReferencedStudySequence"}
    assert keywords(item.ReferencedStudySequence[0]) == {"ReferencedSOPInstanceUID"}
    old = planted.dataset.RequestAttributesSequence[0].ReferencedStudySequence[0].ReferencedSOPInstanceUID
    assert item.ReferencedStudySequence[0].ReferencedSOPInstanceUID == UidMapper().map(old)


def test_a_private_element_on_a_keep_list_stays_with_its_creator(make: Any, planted: Any) -> None:
    result = make({"keepList": {"tags": ["00091001"]}}).deidentify(planted.dataset)

    private = {int(element.tag) for element in result.dataset if element.tag.is_private}
    assert private == {0x00090010, 0x00091001}


def test_of_private_elements_on_a_keep_list_no_creator_but_theirs_stays(make: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    for tag in (0x00090002, 0x00090010, 0x00090011, 0x00091001, 0x00091101):
        dataset.add_new(tag, "LO", f"text {tag:X}")

    new = make({"keepList": {"tags": ["00091001"]}}).deidentify(dataset).dataset

    assert [int(element.tag) for element in new if element.tag.group == 9] == [0x00090010, 0x00091001]
    assert "PatientIdentityRemoved" not in new


@pytest.mark.parametrize(
    "dicom",
    [
        {"filterProfile": BASIC},
        {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"},
        {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
        {"filterProfile": "KEEP_ALL_PROFILE"},
        {"keepList": {"tags": ["PatientSex"]}},
        {"removeList": {"tags": ["PatientName"]}},
    ],
)
def test_no_signature_of_what_was_stays_on_what_became_of_it(make: Any, dicom: dict[str, Any]) -> None:
    signed = Dataset()
    signed.MACIDNumber, signed.Signature, signed.CertificateOfSigner = 1, b"sign", b"CN=John Doe "
    item = Dataset()
    item.Modality, item.DigitalSignaturesSequence = "CT", Sequence([signed])
    other = Dataset()
    other.ReferencedSOPInstanceUID, other.ReferencedSOPInstanceMACSequence = "1.2.4", Sequence([signed])
    other.ReferencedDigitalSignatureSequence = Sequence([signed])
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    dataset.RequestAttributesSequence, dataset.ReferencedImageSequence = Sequence([item]), Sequence([other])
    dataset.MACParametersSequence, dataset.DigitalSignaturesSequence = Sequence([signed]), Sequence([signed])

    new = make(dicom).deidentify(dataset).dataset

    assert "ignature" not in str(new)
    assert "MAC" not in str(new)


def test_a_remove_list_removes_everywhere_and_nothing_else(make: Any, planted: Any) -> None:
    result = make({"removeList": {"tags": ["PatientID", "00080080"]}}, markers=False).deidentify(planted.dataset)

    assert "PatientID" not in result.dataset
    assert "PatientID" not in result.dataset.OtherPatientIDsSequence[0]
    assert "InstitutionName" not in result.dataset
    removed = {change.keyword for change in result.changes if change.action is ChangeAction.REMOVED}
    file_meta = {change.keyword for change in result.changes if change.path.startswith("0002")}
    assert removed - file_meta == {"PatientID", "InstitutionName", "OverlayData", "DigitalSignaturesSequence"}


def test_a_remove_list_by_keyword_means_every_overlay(make: Any, planted: Any) -> None:
    result = make({"removeList": {"tags": ["OverlayComments"]}}).deidentify(planted.dataset)

    assert 0x60004000 not in result.dataset
    assert 0x60024000 not in result.dataset


def test_a_list_can_be_told_to_stay_out_of_sequences_and_every_result_warns_of_it(make: Any, planted: Any) -> None:
    keep = {"keepList": {"tags": ["ReferencedStudySequence", "RequestAttributesSequence"]}}
    remove = {"removeList": {"tags": ["RequestedProcedureDescription", "ReferencedSOPInstanceUID"]}}
    item = planted.dataset.RequestAttributesSequence[0]
    old_uid = item.ReferencedStudySequence[0].ReferencedSOPInstanceUID

    for dicom in (keep, remove):
        result = make(dicom, nested=False).deidentify(planted.dataset)
        (kept,) = result.dataset.RequestAttributesSequence
        (study,) = kept.ReferencedStudySequence
        assert kept.RequestedProcedureDescription == item.RequestedProcedureDescription
        assert study.ReferencedSOPInstanceUID not in ("", old_uid)
        assert "RequestedProcedureDescription" not in result.dataset
        assert "PatientIdentityRemoved" not in result.dataset
        assert any("sequences are not inspected" in warning for warning in result.warnings)


def test_profiles_and_v1beta1_cannot_be_told_to_stay_out_of_sequences(profile: Any, make_beta: Any) -> None:
    with pytest.raises(ConfigError, match="keepList or removeList"):
        profile(BASIC, nested=False)
    with pytest.raises(ConfigError, match="recurseTag"):
        make_beta({}, nested=False)


@pytest.mark.parametrize("tag", ["PixelData", "StudyInstanceUID", "TransferSyntaxUID", "00280010"])
def test_what_valid_dicom_needs_cannot_be_on_a_remove_list(make: Any, tag: str) -> None:
    with pytest.raises(ConfigError, match="cannot be removed"):
        make({"removeList": {"tags": ["PatientID", tag]}})


@pytest.mark.parametrize("dicom", [{}, {"filterProfile": "KEEP_ALL_PROFILE"}])
def test_without_a_filter_only_uids_and_file_meta_change(make: Any, planted: Any, dicom: dict[str, Any]) -> None:
    del planted.dataset.DigitalSignaturesSequence  # a signature does not outlive the change of a UID
    result = make(dicom, markers=False).deidentify(planted.dataset)

    assert len(result.dataset) == len(planted.dataset)
    assert {c.action for c in result.changes if not c.path.startswith("0002")} == {ChangeAction.REGENERATED}
    assert result.dataset.PatientName == planted.dataset.PatientName


def test_every_reference_to_a_regenerated_uid_follows_it(make: Any, planted: Any) -> None:
    dataset = planted.dataset
    dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID = dataset.SOPInstanceUID
    dataset.add_new(0x0009_1003, "UI", dataset.StudyInstanceUID)

    new = make({}).deidentify(dataset).dataset

    assert new.ReferencedImageSequence[0].ReferencedSOPInstanceUID == new.SOPInstanceUID
    assert new[0x00091003].value == new.StudyInstanceUID
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID
    assert new.FrameOfReferenceUID == dataset.FrameOfReferenceUID


@pytest.mark.parametrize(("other_uids", "changes"), [("keep", False), ("map", True)])
def test_other_uids_can_be_left_or_mapped(make: Any, planted: Any, other_uids: str, changes: bool) -> None:
    new = make({}, other_uids=other_uids).deidentify(planted.dataset).dataset

    old = planted.dataset
    assert (new.FrameOfReferenceUID != old.FrameOfReferenceUID) is changes
    reference = new.ReferencedImageSequence[0]
    assert (reference.ReferencedSOPInstanceUID != old.ReferencedImageSequence[0].ReferencedSOPInstanceUID) is changes
    assert reference.ReferencedSOPClassUID == old.SOPClassUID
    assert new.StudyInstanceUID != old.StudyInstanceUID


@pytest.mark.parametrize(
    "dicom",
    [
        {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"},
        {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
        {"filterProfile": "KEEP_ALL_PROFILE"},
        {"removeList": {"tags": ["PatientID"]}},
    ],
)
def test_skip_id_redaction_leaves_the_four_primary_uids(make: Any, planted: Any, dicom: dict[str, Any]) -> None:
    new = make({**dicom, "skipIdRedaction": True}).deidentify(planted.dataset).dataset

    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        assert new[keyword].value == planted.dataset[keyword].value
    assert new.file_meta.MediaStorageSOPInstanceUID == planted.dataset.SOPInstanceUID


def test_the_basic_profile_keeps_what_pictures_need_and_replaces_the_rest(profile: Any, planted: Any) -> None:
    new = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").deidentify(planted.dataset).dataset

    assert new.PatientName == ""
    assert new.PatientID == ""
    assert "PatientBirthName" not in new
    assert new.StudyDate == ""
    assert new.PatientSex == ""
    assert new.Modality == "CT"
    assert new.FrameOfReferenceUID == UidMapper().map(planted.dataset.FrameOfReferenceUID)
    assert not any(element.tag.is_private for element in new)


def test_dummies_are_fixed_and_valid(profile: Any, planted: Any) -> None:
    new = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", edition="2026d").deidentify(planted.dataset).dataset

    assert new.PatientID == "ANONYMIZED"
    assert new.ContentDate == "19000101"
    assert new.SeriesDate == "19000101"


def test_a_dummy_sequence_keeps_its_form_and_none_of_its_text(profile: Any, planted: Any) -> None:
    new = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").deidentify(planted.dataset).dataset

    content = new.ContentSequence[0]
    assert content.ValueType == "TEXT"
    assert content.TextValue == "ANONYMIZED"
    assert content.ContentSequence[0].PersonName == "ANONYMIZED"
    assert content.ContentSequence[1].Date == "19000101"


def test_a_sequence_that_reports_need_is_emptied_in_them_and_goes_where_it_must_not_be_empty(
    profile: Any, as_file: Any, write: Any, tmp_path: Path
) -> None:
    study, request, dataset = Dataset(), Dataset(), sample_dicom()[0].dataset
    study.ReferencedSOPInstanceUID = "1.2.3"
    request.ReferencedStudySequence = Sequence([study])
    dataset.ReferencedStudySequence = Sequence([study])
    dataset.ReferencedRequestSequence = Sequence([request])

    profile(BASIC).deidentify_file(write(as_file(dataset)), tmp_path / "out.dcm")

    for new in (profile(BASIC).deidentify(dataset).dataset, pydicom.dcmread(tmp_path / "out.dcm")):
        assert "ReferencedStudySequence" not in new
        assert len(new.ReferencedRequestSequence[0].ReferencedStudySequence) == 0


def test_who_answers_for_an_animal_is_emptied_because_animals_need_the_element(profile: Any, planted: Any) -> None:
    assert planted.dataset.ResponsiblePerson != ""
    assert profile(BASIC).deidentify(planted.dataset).dataset["ResponsiblePerson"].is_empty


def test_uids_are_mapped_alike_at_the_top_and_in_sequences(profile: Any, planted: Any) -> None:
    planted.dataset.SourceImageSequence[0].ReferencedSOPInstanceUID = planted.dataset.SOPInstanceUID

    new = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").deidentify(planted.dataset).dataset

    assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == new.SOPInstanceUID


def test_the_uid_of_a_kind_of_device_is_regenerated_because_the_table_has_it(profile: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.ManufacturerDeviceClassUID = "1.2.3", "1.2.826.0.1.9"

    new = profile(BASIC).deidentify(dataset).dataset

    assert new.ManufacturerDeviceClassUID == UidMapper().map("1.2.826.0.1.9")


def test_options_are_for_the_basic_profile_only(make: Any) -> None:
    with pytest.raises(ConfigError, match="BASIC_PROFILE"):
        make({"filterProfile": "KEEP_ALL_PROFILE"}, options=["retain_uids"])


def test_retain_uids_keeps_all_of_them(profile: Any, planted: Any) -> None:
    basic = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", edition="2026d", options=["retain_uids"])

    new = basic.deidentify(planted.dataset).dataset

    assert new.SOPInstanceUID == planted.dataset.SOPInstanceUID
    assert new.FrameOfReferenceUID == planted.dataset.FrameOfReferenceUID


def test_a_safe_private_element_stays_with_its_creator_and_no_other(profile: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    block = dataset.private_block(0x0019, "ACME DOSE", create=True)
    block.add_new(0x10, "DS", "4.2")
    block.add_new(0x11, "LO", "Rivera")
    other = dataset.private_block(0x0019, "OTHER", create=True)
    other.add_new(0x10, "LO", "Rivera")
    basic = profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", safe_private=["ACME DOSE,0019,10"])

    new = basic.deidentify(dataset).dataset

    assert {int(e.tag) for e in new if e.tag.is_private} == {0x00190010, 0x00191010}


@pytest.mark.parametrize("rule", ["ACME", "ACME,0018,10", "ACME,0019,1", ",0019,10"])
def test_a_malformed_safe_private_rule_is_refused(profile: Any, rule: str) -> None:
    with pytest.raises(ConfigError, match="safe_private"):
        profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", safe_private=[rule])


def test_an_instance_of_the_basic_profile_says_that_its_uids_were_kept(make: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"

    new = make({"filterProfile": BASIC, "skipIdRedaction": True}).deidentify(dataset).dataset

    assert [item.CodeValue for item in new.DeidentificationMethodCodeSequence] == ["113100", "113110"]


@pytest.mark.parametrize("name", ["KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS"])
def test_a_url_that_stays_names_the_new_uids_and_not_the_instances_old_ones(
    profile: Any, write: Any, as_file: Any, tmp_path: Path, name: str
) -> None:
    dataset = sample_dicom()[0].dataset
    study, instance = str(dataset.StudyInstanceUID), str(dataset.SOPInstanceUID)
    dataset.RetrieveURL = f"https://10.0.0.1/rs/studies/{study}/instances/{instance}?other={study}.7"
    deidentifier = profile(name)

    of_file = deidentifier.deidentify_file(write(as_file(dataset)), tmp_path / "out.dcm").dataset
    of_dataset = deidentifier.deidentify(dataset).dataset

    new = UidMapper().map
    told = f"https://10.0.0.1/rs/studies/{new(study)}/instances/{new(instance)}?other={study}.7"
    assert (of_file.RetrieveURL, of_dataset.RetrieveURL) == (told, told)
