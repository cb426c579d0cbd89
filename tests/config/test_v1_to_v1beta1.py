"""Conversion of v1 configs to v1beta1: Google's migration rules, and every reported difference."""

from __future__ import annotations

from typing import Any

import pytest

from healthcare_deid.config.v1.deidentify import DeidentifyConfig

RULES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "no filter keeps all, in so many words",
        {"dicom": {}},
        {"dicomTagConfig": {"profileType": "KEEP_ALL_PROFILE", "options": {"primaryIds": "REGEN"}}},
    ),
    (
        "a profile stays, UIDs are regenerated in so many words",
        {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}},
        {
            "dicomTagConfig": {
                "profileType": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
                "options": {"primaryIds": "REGEN"},
            }
        },
    ),
    (
        "skipIdRedaction is primaryIds",
        {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE", "skipIdRedaction": True}},
        {"dicomTagConfig": {"profileType": "MINIMAL_KEEP_LIST_PROFILE", "options": {"primaryIds": "KEEP"}}},
    ),
    (
        "a keep list is the minimal profile and keeps, without the tags whose keeping would beat other rules",
        {"dicom": {"keepList": {"tags": ["StudyInstanceUID", "PixelData", "Modality", "00181030"]}}},
        {
            "dicomTagConfig": {
                "profileType": "MINIMAL_KEEP_LIST_PROFILE",
                "options": {"primaryIds": "REGEN"},
                "actions": [{"queries": ["Modality", "00181030"], "keepTag": {}}],
            }
        },
    ),
    (
        "a remove list keeps all and deletes, overlays too",
        {"dicom": {"removeList": {"tags": ["PatientName"]}}},
        {
            "dicomTagConfig": {
                "profileType": "KEEP_ALL_PROFILE",
                "options": {"primaryIds": "REGEN"},
                "actions": [{"queries": ["PatientName", "OverlayData"], "deleteTag": {}}],
            }
        },
    ),
    (
        "image is cleanImage",
        {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}},
        {
            "dicomTagConfig": {
                "profileType": "MINIMAL_KEEP_LIST_PROFILE",
                "options": {"primaryIds": "REGEN", "cleanImage": {"textRedactionMode": "REDACT_ALL_TEXT"}},
            }
        },
    ),
    (
        "regional processing excludes what it cannot find, which v1 cannot say",
        {
            "dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"},
            "image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"},
            "useRegionalDataProcessing": True,
        },
        {
            "dicomTagConfig": {
                "profileType": "MINIMAL_KEEP_LIST_PROFILE",
                "options": {
                    "primaryIds": "REGEN",
                    "cleanImage": {
                        "textRedactionMode": "REDACT_SENSITIVE_TEXT",
                        "excludeInfoTypes": ["LOCATION", "ORGANIZATION_NAME"],
                    },
                },
            },
            "useRegionalDataProcessing": True,
        },
    ),
    (
        "deprecated transformations move, the profile is written out",
        {"text": {"transformations": [{"infoTypes": ["DATE"], "redactConfig": {}}], "excludeInfoTypes": ["AGE"]}},
        {
            "text": {
                "profileType": "BASIC",
                "additionalTransformations": [{"infoTypes": ["DATE"], "redactConfig": {}}],
                "excludeInfoTypes": ["AGE"],
            }
        },
    ),
    (
        "an empty fhir is the BASIC profile: in doubt, remove",
        {"fhir": {"defaultKeepExtensions": True}},
        {"fhirFieldConfig": {"profileType": "BASIC", "options": {"keepExtensions": {}}}},
    ),
    (
        "FHIR fields by path",
        {
            "fhir": {
                "fieldMetadataList": [
                    {"paths": ["Patient.name"], "action": "TRANSFORM"},
                    {"paths": ["Patient.text"], "action": "INSPECT_AND_TRANSFORM"},
                    {"paths": ["Patient.gender"], "action": "DO_NOT_TRANSFORM"},
                    {"paths": ["Patient.active"]},
                ]
            }
        },
        {
            "fhirFieldConfig": {
                "profileType": "KEEP_ALL",
                "fieldMetadataList": [
                    {"paths": ["Patient.name"], "removeField": {}},
                    {"paths": ["Patient.text"], "cleanTextField": {}},
                    {"paths": ["Patient.gender"], "keepField": {}},
                    {"paths": ["Patient.active"], "keepField": {}},
                ],
            }
        },
    ),
    (
        "image without dicom stays where it is",
        {"fhir": {}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}},
        {"fhirFieldConfig": {"profileType": "BASIC"}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}},
    ),
]


@pytest.mark.parametrize(("v1", "beta"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_the_rule(v1: dict[str, Any], beta: dict[str, Any]) -> None:
    assert DeidentifyConfig.from_api(v1).to_v1beta1().config.to_api() == beta


DIFFERENCES: list[tuple[dict[str, Any], str, str]] = [
    ({"dicom": {}}, "dicom.filterProfile", "unset would mean the Basic Profile"),
    ({"dicom": {"filterProfile": "TAG_FILTER_PROFILE_UNSPECIFIED"}}, "dicom.filterProfile", "KEEP_ALL_PROFILE"),
    ({"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}, "dicom", "sequences"),
    ({"dicom": {"keepList": {"tags": ["ReferencedStudySequence"]}}}, "dicom.keepList.tags", "kept whole"),
    ({"dicom": {"removeList": {"tags": ["Rows"]}}}, "dicom.removeList.tags", "may not be valid DICOM"),
    ({"dicom": {"removeList": {"tags": ["PatientID"]}}}, "dicom.removeList.tags", "written out"),
    ({"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"}}, "text", "dates are shifted"),
    ({"text": {"transformations": [{"redactConfig": {}}]}}, "text.transformations", "moved"),
    (
        {"text": {"additionalTransformations": [{"redactConfig": {}}, {"infoTypes": ["AGE"], "redactConfig": {}}]}},
        "text.additionalTransformations",
        "that no other transformation names",
    ),
    ({"text": {"excludeInfoTypes": ["AGE"]}}, "text.additionalTransformations", "profile BASIC"),
    ({"fhir": {}}, "fhir", "profile BASIC"),
    ({"fhir": {"fieldMetadataList": [{"paths": ["a"]}]}}, "fhir.fieldMetadataList", "the first counts"),
    (
        {"fhir": {"fieldMetadataList": [{"paths": ["a"], "action": "TRANSFORM"}]}},
        "fhir.fieldMetadataList[0].action",
        "the field is removed",
    ),
    ({"image": {"textRedactionMode": "REDACT_ALL_TEXT"}}, "image", "deprecated field"),
    (
        {"image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}, "useRegionalDataProcessing": True},
        "image",
        "they are excluded",
    ),
]


@pytest.mark.parametrize(("v1", "path", "says"), DIFFERENCES)
def test_a_difference_is_reported(v1: dict[str, Any], path: str, says: str) -> None:
    told = [item for item in DeidentifyConfig.from_api(v1).to_v1beta1().differences if item.path == path]
    assert any(says in item.v1beta1 for item in told)
    assert all(str(item).startswith(f"{path}: v1: ") for item in told)


def test_configs_with_the_same_meaning_in_both_versions_have_no_difference() -> None:
    config = DeidentifyConfig.builder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").redact_image_text("all").build()
    assert config.to_v1beta1().differences == ()


def test_no_difference_shows_a_key(key_bytes: bytes, key_text: str) -> None:
    config = DeidentifyConfig.builder().shift_dates(crypto_key=key_bytes).crypto_hash(crypto_key=key_bytes).build()
    made = config.to_v1beta1()
    assert key_text not in repr(made)
    assert key_text in made.config.to_json()
