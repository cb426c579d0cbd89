"""Configs of v1beta1 built in steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import v1beta1
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable


def builder() -> v1beta1.ConfigBuilder:
    return v1beta1.DeidentifyConfig.builder()


def test_every_step_is_in_the_config(key_text: str) -> None:
    config = (
        builder()
        .filter_profile("MINIMAL_KEEP_LIST_PROFILE")
        .keep_tags("Modality", 0x00080070)
        .remove_tags("PatientComments")
        .empty_tags("PatientID")
        .reset_tags("PatientName")
        .clean_tags("StudyDate", "DT")
        .recurse_into("RequestAttributesSequence")
        .regenerate_uids("FrameOfReferenceUID")
        .keep_uids()
        .clean_descriptors()
        .shift_dates(crypto_key=key_text)
        .redact("PERSON_NAME")
        .exclude_info_types("AGE")
        .other_info_types("keep")
        .redact_image_text("sensitive and descriptors")
        .redact_image_regex("MRN (\\d+)", groups=[1])
        .add_image_info_types("MEDICAL_RECORD_NUMBER")
        .exclude_image_info_types("LOCATION")
        .regional_processing()
        .fhir(
            v1beta1.FhirFieldMetadata(paths=["Patient.name"], remove_field=v1beta1.RemoveField()),
            profile="CLEAN_ALL",
            options=v1beta1.FhirOptions(keep_extensions=v1beta1.KeepExtensionsConfig()),
        )
        .record_changes_in("projects/p/locations/l/datasets/d/fhirStores/f")
        .build()
    )
    assert config.to_api() == {
        "dicomTagConfig": {
            "profileType": "MINIMAL_KEEP_LIST_PROFILE",
            "options": {
                "primaryIds": "KEEP",
                "cleanDescriptors": {},
                "cleanImage": {
                    "textRedactionMode": "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS",
                    "customRegexes": [{"pattern": "MRN (\\d+)", "groupIndexes": [1]}],
                    "additionalInfoTypes": ["MEDICAL_RECORD_NUMBER"],
                    "excludeInfoTypes": ["LOCATION"],
                },
            },
            "actions": [
                {"queries": ["Modality", "00080070"], "keepTag": {}},
                {"queries": ["PatientComments"], "deleteTag": {}},
                {"queries": ["PatientID"], "removeTag": {}},
                {"queries": ["PatientName"], "resetTag": {}},
                {"queries": ["StudyDate", "DT"], "cleanTextTag": {}},
                {"queries": ["RequestAttributesSequence"], "recurseTag": {}},
                {"queries": ["FrameOfReferenceUID"], "regenUidTag": {}},
            ],
        },
        "text": {
            "profileType": "EMPTY",
            "additionalTransformations": [
                {"infoTypes": ["DATE", "DATE_OF_BIRTH"], "dateShiftConfig": {"cryptoKey": key_text}},
                {"infoTypes": ["PERSON_NAME"], "redactConfig": {}},
            ],
            "excludeInfoTypes": ["AGE"],
        },
        "useRegionalDataProcessing": True,
        "fhirFieldConfig": {
            "profileType": "CLEAN_ALL",
            "options": {"keepExtensions": {}},
            "fieldMetadataList": [{"paths": ["Patient.name"], "removeField": {}}],
        },
        "operationMetadata": {"fhirOutput": {"fhirStore": "projects/p/locations/l/datasets/d/fhirStores/f"}},
    }


def test_a_profile_that_was_not_chosen_is_written_out() -> None:
    config = builder().keep_tags("Modality").fhir().build()
    assert config.dicom_tag_config is not None
    assert config.dicom_tag_config.profile_type == "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    assert config.fhir_field_config is not None
    assert config.fhir_field_config.profile_type == "BASIC"
    assert not any(finding.code == "default-differs" for finding in config.checks())


def test_an_empty_builder_is_an_empty_config() -> None:
    assert builder().build() == v1beta1.DeidentifyConfig()


def test_repeated_steps_add_tags_to_one_action_and_steps_return_new_builders() -> None:
    base = builder().keep_tags("Modality")
    more = base.keep_tags("Manufacturer", "Modality").regenerate_uids()
    assert base == builder().keep_tags("Modality")
    assert more.build().to_api()["dicomTagConfig"] == {
        "profileType": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
        "options": {"primaryIds": "REGEN"},
        "actions": [{"queries": ["Modality", "Manufacturer"], "keepTag": {}}],
    }


REFUSED: list[tuple[Callable[[v1beta1.ConfigBuilder], Any], str]] = [
    (lambda b: b.keep_tags("PatientID").remove_tags("(0010,0020)"), "00100020: already has an action"),
    (lambda b: b.clean_tags("PN").empty_tags("PN"), "PN: already has an action"),
    (lambda b: b.keep_tags(), "needs at least one tag"),
    (lambda b: b.keep_tags("PatientNam"), "did you mean PatientName?"),
    (lambda b: b.filter_profile("KEEP_ALL"), "did you mean KEEP_ALL_PROFILE?"),  # type: ignore[arg-type]
    (lambda b: b.redact_image_text("some"), "must be one of all, sensitive"),  # type: ignore[arg-type]
    (lambda b: b.other_info_types("drop"), 'must be "transform" or "keep"'),  # type: ignore[arg-type]
    (lambda b: b.redact("DATE").mask("DATE"), "DATE: already has a transformation"),
    (lambda b: b.record_changes_in("f"), "fhirStores/{store}"),
]


@pytest.mark.parametrize(("step", "rule"), REFUSED)
def test_a_wrong_step_is_refused_at_once(step: Callable[[v1beta1.ConfigBuilder], Any], rule: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        step(builder())
    assert rule in str(refusal.value)
