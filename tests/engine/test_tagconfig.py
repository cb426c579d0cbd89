"""v1beta1's DicomTagConfig: actions before options before profile."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from healthcare_deid import v1beta1
from healthcare_deid.engine import Deidentifier, UidMapper
from healthcare_deid.errors import ConfigError

KEEP_ALL = {"profileType": "KEEP_ALL_PROFILE"}


def action(name: str, *queries: str) -> dict[str, Any]:
    return {"queries": list(queries), name: {}}


def test_an_unspecified_profile_is_the_basic_profile(make_beta: Any, planted: Any) -> None:
    new = make_beta({}).deidentify(planted.dataset).dataset

    assert new.PatientName == ""
    assert not any(element.tag.is_private for element in new)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("removeTag", ""), ("resetTag", "ANONYMIZED"), ("deleteTag", None)],
)
def test_each_action_does_to_its_tags_what_its_name_says(
    make_beta: Any, planted: Any, name: str, expected: str | None
) -> None:
    new = make_beta({**KEEP_ALL, "actions": [action(name, "PatientID")]}).deidentify(planted.dataset).dataset

    assert new.get("PatientID") == expected
    assert new.OtherPatientIDsSequence[0].get("PatientID") == expected


def test_keep_tag_leaves_a_tag_that_the_profile_would_empty(make_beta: Any, planted: Any) -> None:
    new = make_beta({"actions": [action("keepTag", "PatientName", "00100020")]}).deidentify(planted.dataset).dataset

    assert new.PatientName == planted.dataset.PatientName
    assert new.PatientID == planted.dataset.PatientID
    assert "PatientIdentityRemoved" not in new


def test_keep_tag_keeps_a_sequence_with_everything_in_it(make_beta: Any, planted: Any) -> None:
    new = make_beta({"actions": [action("keepTag", "RequestAttributesSequence")]}).deidentify(planted.dataset).dataset

    assert new.RequestAttributesSequence == planted.dataset.RequestAttributesSequence


def test_recurse_tag_enters_a_sequence_that_the_profile_would_delete(make_beta: Any, planted: Any) -> None:
    new = (
        make_beta({"actions": [action("recurseTag", "RequestAttributesSequence", "ReferencedStudySequence")]})
        .deidentify(planted.dataset)
        .dataset
    )

    level2 = new.RequestAttributesSequence[0].ReferencedStudySequence[0]
    assert level2.PatientID == ""
    assert level2.ReferencedSOPInstanceUID == UidMapper().map(
        planted.dataset.RequestAttributesSequence[0].ReferencedStudySequence[0].ReferencedSOPInstanceUID
    )


def test_regen_uid_tag_regenerates_a_uid_that_the_profile_keeps(make_beta: Any, planted: Any) -> None:
    config = {**KEEP_ALL, "actions": [action("regenUidTag", "FrameOfReferenceUID")]}

    new = make_beta(config).deidentify(planted.dataset).dataset

    assert new.FrameOfReferenceUID == UidMapper().map(planted.dataset.FrameOfReferenceUID)


def test_clean_text_tag_inspects_its_tags(make_beta: Any, planted: Any) -> None:
    planted.dataset.PatientName = "Rivera^Ana"
    planted.dataset.StudyDescription = "CT for Ana Rivera"
    config = {**KEEP_ALL, "actions": [action("cleanTextTag", "StudyDescription")]}

    new = make_beta(config).deidentify(planted.dataset).dataset

    assert "Rivera" not in new.StudyDescription
    assert new.PatientName == "Rivera^Ana"


def test_a_vr_stands_for_every_tag_of_it_at_every_depth(make_beta: Any, planted: Any) -> None:
    new = make_beta({**KEEP_ALL, "actions": [action("deleteTag", "PN")]}).deidentify(planted.dataset).dataset

    assert not [element for element in new.iterall() if element.VR == "PN"]


def test_a_vr_does_not_stand_for_what_decoding_hangs_on(make_beta: Any, planted: Any) -> None:
    config = {**KEEP_ALL, "actions": [action("deleteTag", "CS", "US", "OW", "OB")]}

    new = make_beta(config).deidentify(planted.dataset).dataset

    assert new.Rows == 2
    assert new.PhotometricInterpretation == "MONOCHROME2"
    assert "PixelData" in new
    assert "PatientSex" not in new


@pytest.mark.parametrize(
    ("actions", "kept"),
    [
        ([action("keepTag", "PatientName"), action("removeTag", "PN")], False),
        ([action("removeTag", "PN"), action("keepTag", "PatientName")], False),
        ([action("keepTag", "PN"), action("cleanTextTag", "LO")], True),
    ],
)
def test_actions_are_applied_in_order_and_none_brings_back_what_another_took(
    make_beta: Any, planted: Any, actions: list[dict[str, Any]], kept: bool
) -> None:
    new = make_beta({"actions": actions}).deidentify(planted.dataset).dataset

    assert (new.PatientName == planted.dataset.PatientName) is kept


@pytest.mark.parametrize(("option", "changes"), [("KEEP", False), ("REGEN", True), (None, True)])
@pytest.mark.parametrize("profile", ["KEEP_ALL_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"])
def test_the_primary_ids_option(make_beta: Any, planted: Any, option: str | None, changes: bool, profile: str) -> None:
    options = {"primaryIds": option} if option else {}

    new = make_beta({"profileType": profile, "options": options}).deidentify(planted.dataset).dataset

    assert (new.SOPInstanceUID != planted.dataset.SOPInstanceUID) is changes
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID


def test_clean_descriptors_cleans_text_that_the_profile_would_remove(make_beta: Any, planted: Any) -> None:
    planted.dataset.PatientName = "Kowalsky^Ann"
    planted.dataset.StudyDescription = "chest, Kowalsky, second look"

    cleaned = make_beta({"options": {"cleanDescriptors": {}}}).deidentify(planted.dataset).dataset

    assert cleaned.StudyDescription == "chest, [CTX], second look"
    assert "StudyDescription" not in make_beta({}).deidentify(planted.dataset).dataset


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (action("cleanImageTag", "PatientName"), "PixelData"),
        (action("regenUidTag", "PN"), "PN"),
        (action("recurseTag", "LO"), "LO"),
        (action("cleanTextTag", "SQ"), "SQ"),
    ],
)
def test_an_action_that_cannot_be_applied_is_refused(make_beta: Any, bad: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_beta({"actions": [bad]})


def test_dicom_and_dicom_tag_config_exclude_each_other() -> None:
    with pytest.raises(ConfigError):
        Deidentifier(v1beta1.DeidentifyConfig.from_api({"dicom": {}, "dicomTagConfig": {}}))


def test_the_deprecated_dicom_message_still_works_in_v1beta1(planted: Any) -> None:
    config = v1beta1.DeidentifyConfig.from_api({"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}})

    assert "PatientName" not in Deidentifier(config).deidentify(planted.dataset).dataset


def test_kept_text_keeps_its_character_set_in_the_minimal_profile_too(make_beta: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.SpecificCharacterSet, dataset.PatientComments = "1.2.3", "ISO_IR 100", "Größe"
    minimal = {"profileType": "MINIMAL_KEEP_LIST_PROFILE", "actions": [action("keepTag", "PatientComments")]}

    new = make_beta(minimal).deidentify(dataset).dataset

    assert new.SpecificCharacterSet == "ISO_IR 100"


def test_private_elements_that_are_kept_by_their_vr_keep_their_creator(make_beta: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID = "1.2.3"
    dataset.add_new(0x00090010, "LO", "ACME")
    dataset.add_new(0x00091001, "DS", "1.5")
    dataset.add_new(0x00091002, "LO", "gone")

    new = make_beta({"actions": [action("keepTag", "DS")]}).deidentify(dataset).dataset

    assert [int(element.tag) for element in new if element.tag.group == 9] == [0x00090010, 0x00091001]


def test_a_signature_stays_only_where_it_is_named(make_beta: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.DigitalSignaturesSequence = "1.2.3", Sequence([Dataset()])

    def stays(query: str) -> bool:
        tags = {**KEEP_ALL, "actions": [action("keepTag", query)]}
        return "DigitalSignaturesSequence" in make_beta(tags).deidentify(dataset).dataset

    assert stays("DigitalSignaturesSequence")
    assert not stays("SQ")


def test_what_is_no_sequence_is_left_to_the_profile_when_it_is_to_be_entered(make_beta: Any) -> None:
    dataset = Dataset()
    dataset.SOPInstanceUID, dataset.PatientID = "1.2.3", "PID4711"

    new = make_beta({"actions": [action("recurseTag", "PatientID")]}).deidentify(dataset).dataset

    assert new.PatientID != "PID4711"


def test_an_action_for_pixels_takes_nothing_from_what_the_profile_claims(make_beta: Any, planted: Any) -> None:
    new = make_beta({"actions": [action("cleanImageTag", "PixelData")]}).deidentify(planted.dataset).dataset

    assert new.PatientIdentityRemoved == "YES"
