"""The config builder of v1, and the presets."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.config.base.keys import WrappedKey
from healthcare_deid.config.infotypes import InfoType
from healthcare_deid.config.v1.fhir import FieldAction, FieldMetadata
from healthcare_deid.config.v1.keys import KmsWrappedCryptoKey
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

KMS = KmsWrappedCryptoKey(
    wrapped_key=WrappedKey(b"wrapped"), crypto_key="projects/p/locations/l/keyRings/r/cryptoKeys/k"
)


def test_every_step_is_in_the_config(key_text: str) -> None:
    config = (
        DeidentifyConfig.builder()
        .filter_profile("DEIDENTIFY_TAG_CONTENTS")
        .keep_uids()
        .redact(InfoType.PERSON_NAME, "MY_TYPE")
        .mask("PHONE_NUMBER")
        .mask("FAX", character="#")
        .shift_dates("DATE", crypto_key=key_text)
        .crypto_hash("MEDICAL_RECORD_NUMBER", kms=KMS)
        .replace_with_info_type("LOCATION")
        .exclude_info_types("AGE")
        .exclude_info_types("URL")
        .redact_image_text("sensitive")
        .redact_image_regex("MRN (\\d+)", groups=[1])
        .regional_processing()
        .fhir(FieldMetadata(paths=["Patient.name"], action=FieldAction.TRANSFORM), keep_extensions=True)
        .build()
    )
    assert config.to_api() == {
        "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS", "skipIdRedaction": True},
        "text": {
            "additionalTransformations": [
                {"infoTypes": ["PERSON_NAME", "MY_TYPE"], "redactConfig": {}},
                {"infoTypes": ["PHONE_NUMBER"], "characterMaskConfig": {}},
                {"infoTypes": ["FAX"], "characterMaskConfig": {"maskingCharacter": "#"}},
                {"infoTypes": ["DATE"], "dateShiftConfig": {"cryptoKey": key_text}},
                {
                    "infoTypes": ["MEDICAL_RECORD_NUMBER"],
                    "cryptoHashConfig": {"kmsWrapped": {"wrappedKey": "d3JhcHBlZA==", "cryptoKey": KMS.crypto_key}},
                },
                {"infoTypes": ["LOCATION"], "replaceWithInfoTypeConfig": {}},
            ],
            "excludeInfoTypes": ["AGE", "URL"],
        },
        "image": {
            "textRedactionMode": "REDACT_SENSITIVE_TEXT",
            "customRegexes": [{"pattern": "MRN (\\d+)", "groupIndexes": [1]}],
        },
        "useRegionalDataProcessing": True,
        "fhir": {
            "fieldMetadataList": [{"paths": ["Patient.name"], "action": "TRANSFORM"}],
            "defaultKeepExtensions": True,
        },
    }


def test_steps_return_new_values() -> None:
    base = DeidentifyConfig.builder().filter_profile("MINIMAL_KEEP_LIST_PROFILE")
    one, two = base.redact_image_text("all"), base.redact_image_text("none")
    assert base.build().image is None
    assert one.build() != two.build()
    assert one == base.redact_image_text("all")
    with pytest.raises(dataclasses.FrozenInstanceError):
        base.config = DeidentifyConfig()  # type: ignore[misc] # that is what is tested


def test_keeping_and_removing_add_up() -> None:
    kept = DeidentifyConfig.builder().keep_tags("Modality").keep_tags("(0018,0050)", 0x00180060).build()
    assert kept.to_api() == {"dicom": {"keepList": {"tags": ["Modality", "00180050", "00180060"]}}}
    removed = DeidentifyConfig.builder().remove_tags("PatientName").remove_tags("PatientID").build()
    assert removed.to_api() == {"dicom": {"removeList": {"tags": ["PatientName", "PatientID"]}}}


def test_dates_are_the_default_of_a_date_shift_and_anything_that_of_the_others() -> None:
    config = DeidentifyConfig.builder().shift_dates().redact().build()
    assert config.text is not None
    assert [item.info_types for item in config.text.additional_transformations] == [("DATE", "DATE_OF_BIRTH"), ()]


def test_an_empty_builder_is_an_empty_config() -> None:
    assert DeidentifyConfig.builder().build() == DeidentifyConfig()
    assert DeidentifyConfig.builder().fhir().build().to_api() == {"fhir": {}}


REFUSED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda b: b.keep_tags("PatientID").remove_tags("PatientName"), "keepList and removeList exclude each other"),
    (lambda b: b.keep_tags("PatientID").filter_profile("KEEP_ALL_PROFILE"), "keepList and filterProfile exclude"),
    (lambda b: b.keep_tags(), "needs at least one tag"),
    (lambda b: b.keep_tags("PatientNam"), "did you mean PatientName?"),
    (lambda b: b.filter_profile("DEIDENTIFY_TAG_CONTENT"), "did you mean DEIDENTIFY_TAG_CONTENTS?"),
    (lambda b: b.redact("DATE").mask("DATE"), "DATE: already has a transformation"),
    (lambda b: b.redact().mask(), "every infoType: already has a transformation"),
    (lambda b: b.mask("AGE", character="**"), "must be one character, not 2"),
    (lambda b: b.shift_dates(crypto_key="abc"), "the key has 2 bytes"),
    (lambda b: b.shift_dates(crypto_key=bytes(32), kms=KMS), "cryptoKey and kmsWrapped exclude each other"),
    (lambda b: b.redact("PERSON NAME"), "an infoType name has"),
    (lambda b: b.redact_image_text("some"), 'must be "all", "sensitive" or "none"'),
]


@pytest.mark.parametrize(("step", "rule"), REFUSED)
def test_a_step_that_cannot_be_right_is_refused_at_once(step: Callable[[Any], Any], rule: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        step(DeidentifyConfig.builder())
    assert rule in str(refusal.value)


def test_the_presets_are_the_tutorials_use_cases(key_text: str) -> None:
    all_text = {"textRedactionMode": "REDACT_ALL_TEXT"}
    assert presets.remove_metadata_and_all_text().to_api() == {
        "dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"},
        "image": all_text,
    }
    assert presets.keep_tags_and_redact_all_text().to_api() == {
        "dicom": {"keepList": {"tags": list(presets.TUTORIAL_KEEP_TAGS)}},
        "image": all_text,
    }
    assert presets.transform_contents_and_sensitive_text(crypto_key=key_text).to_api() == {
        "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
        "image": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"},
        "text": {
            "additionalTransformations": [
                {"infoTypes": ["PERSON_NAME"], "redactConfig": {}},
                {"infoTypes": ["PHONE_NUMBER"], "characterMaskConfig": {}},
                {"infoTypes": ["DATE", "DATE_OF_BIRTH"], "dateShiftConfig": {"cryptoKey": key_text}},
            ]
        },
    }
    assert presets.basic_confidentiality_profile().to_api() == {
        "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
        "image": all_text,
    }


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_generated_keys_have_the_length_asked_for_and_differ(bits: int) -> None:
    keys = {bytes(presets.generate_crypto_key(bits)) for _ in range(50)}
    assert {len(key) * 8 for key in keys} == {bits}
    assert len(keys) == 50
    assert len(Counter(b"".join(keys))) > 200


@pytest.mark.parametrize("bits", [0, 64, 255, 512])
def test_other_lengths_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="a key has 128, 192 or 256 bits"):
        presets.generate_crypto_key(bits)
