"""A result says that the identity was removed only if its plan claims it, and says what took the claim."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from healthcare_deid import DeidentifyConfig, presets, v1beta1
from healthcare_deid.engine import Dates, Deidentifier, DeidentifyResult, Pseudonyms

BASIC: Any = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def instance() -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, "1.2.3.4"
    dataset.PatientName, dataset.PatientID, dataset.PatientSex = "Walkenhorst^Annegret", "W-48151", "F"
    dataset.StudyDescription = "MR Knee for Annegret Walkenhorst"
    dataset.SeriesDescription, dataset.Manufacturer = "T2 W-48151", "Walkenhorst Scanners"
    return dataset


def beta() -> Any:
    return v1beta1.DeidentifyConfig.builder().filter_profile(BASIC).redact()


def done(config: Any, **options: Any) -> DeidentifyResult:
    return Deidentifier(config, **options).deidentify(instance())


def claimed(result: DeidentifyResult) -> bool:
    return bool(result.dataset.get("PatientIdentityRemoved") == "YES")


def test_descriptors_that_an_action_cleans_leave_the_claim_as_the_option_does() -> None:
    result = done(beta().clean_tags("StudyDescription", "SeriesDescription").build())
    assert claimed(result)
    assert "Annegret" not in str(result.dataset)
    assert "W-48151" not in str(result.dataset)
    assert "Walkenhorst" not in str(result.dataset), "what stays is searched for the patient's name"
    assert "Knee" in result.dataset.StudyDescription
    codes = [item.CodeValue for item in result.dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105"], "it is not the result of the profile alone, which removes descriptors"
    assert "clean descriptors" in result.dataset.DeidentificationMethod
    assert not any("PatientIdentityRemoved" in warning for warning in result.warnings)


CASES: list[tuple[Any, dict[str, Any], str]] = [
    (beta().keep_tags("PatientSex").build(), {}, "actions keep PatientSex; use the profile's options"),
    (beta().clean_tags("PatientName", "StudyDescription").build(), {}, "actions keep PatientName;"),
    (beta().clean_tags("DA").build(), {}, "actions keep VR DA;"),
    (beta().keep_tags("00191002").build(), {}, "actions keep (0019,1002);"),
    (
        beta().clean_tags("StudyDescription").exclude_info_types("PERSON_NAME").build(),
        {},
        "leaves findings in cleaned text",
    ),
    (presets.basic_confidentiality_profile(), {"strict_edition": True}, "strict_edition"),
]


@pytest.mark.parametrize(("config", "options", "reason"), CASES, ids=[case[2] for case in CASES])
def test_a_config_that_takes_the_claim_is_told_what_took_it(config: Any, options: dict[str, Any], reason: str) -> None:
    config = config.model_copy(update={"image": None}) if isinstance(config, DeidentifyConfig) else config
    result = done(config, **options)
    assert not claimed(result)
    told = [warning for warning in result.warnings if warning.startswith("PatientIdentityRemoved is not written: ")]
    assert len(told) == 1
    assert reason in told[0]


@pytest.mark.parametrize("profile", ["KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS"])
def test_a_profile_that_never_claims_it_says_nothing_of_it(profile: Any) -> None:
    result = done(DeidentifyConfig.builder().filter_profile(profile).redact("PERSON_NAME").build())
    assert not claimed(result)
    assert not any("PatientIdentityRemoved" in warning for warning in result.warnings)


def test_a_private_tag_kept_by_number_is_searched_where_pseudonyms_are_given() -> None:
    dataset = instance()
    dataset.private_block(0x0019, "ANOTHER VENDOR", create=True).add_new(0x02, "LO", "mother of Annegret Walkenhorst")
    config = DeidentifyConfig.builder().keep_tags("PatientID", "00191002").build()
    made = Deidentifier(config, secret=b"at least sixteen bytes", pseudonyms=Pseudonyms.keyed("P-"))
    result = made.deidentify(dataset)
    assert not claimed(result)
    assert "Walkenhorst" not in str(result.dataset)


@pytest.mark.parametrize(
    ("age", "options", "warned"),
    [
        ("095Y", {}, True),
        ("101Y", {}, True),
        ("090Y", {}, False),
        ("089Y", {}, False),
        ("095M", {}, False),
        ("095Y", {"dates": Dates(), "secret": b"at least sixteen bytes"}, False),
        ("095Y", {"replace": [("PatientAge", r"(09[1-9]|1\d\d)Y", "090Y")]}, False),
    ],
)
def test_an_age_that_identifies_is_told_where_it_stays(age: str, options: dict[str, Any], warned: bool) -> None:
    dataset = instance()
    dataset.PatientAge = age
    config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
    made = Deidentifier(config, options=["retain_patient_characteristics"], **options)

    result = made.deidentify(dataset)

    assert any("PatientAge" in warning for warning in result.warnings) is warned
