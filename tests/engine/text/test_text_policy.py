"""Choice of the transformation for each infoType, in both versions of the API."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.config import v1beta1
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.engine.text.engine import InstanceText, TextEngine

REDACT_NAMES = {"infoTypes": ["PERSON_NAME"], "redactConfig": {}}
MASK_ALL: dict[str, Any] = {"characterMaskConfig": {}}
TEXT = "Anna Kowalski, Munich"


def v1(text: dict[str, Any] | None, dataset: Dataset | None = None) -> InstanceText:
    return TextEngine(compile_text(DeidentifyConfig.from_api({} if text is None else {"text": text}))).bind(
        dataset or Dataset()
    )


def beta(config: dict[str, Any], dataset: Dataset | None = None) -> InstanceText:
    return TextEngine(compile_text(v1beta1.DeidentifyConfig.from_api(config))).bind(dataset or Dataset())


@pytest.mark.parametrize("text", [None, {}])
def test_v1_without_transformations_shifts_dates_and_names_the_infotype_of_the_rest(
    text: dict[str, Any] | None,
) -> None:
    assert v1(text).transform(TEXT, "LO").value == "[PERSON_NAME], [LOCATION]"
    assert v1(text).transform("20210304", "DA").value != "20210304"


def test_v1_leaves_infotypes_that_its_transformations_do_not_name() -> None:
    result = v1({"additionalTransformations": [REDACT_NAMES]}).transform(TEXT, "LO")
    assert result.value == ", Munich"
    assert result.warnings == ("text of infoType LOCATION was kept: no transformation covers it",)


def test_v1_reads_the_deprecated_field_too() -> None:
    assert v1({"transformations": [REDACT_NAMES]}).transform(TEXT, "LO").value == ", Munich"


def test_v1_a_transformation_without_infotypes_applies_to_any() -> None:
    assert v1({"additionalTransformations": [MASK_ALL]}).transform(TEXT, "LO").value == "*************, ******"


@pytest.mark.parametrize("order", [[REDACT_NAMES, MASK_ALL], [MASK_ALL, REDACT_NAMES]])
def test_a_named_infotype_is_stronger_than_any(order: list[dict[str, Any]]) -> None:
    assert v1({"additionalTransformations": order}).transform(TEXT, "LO").value == ", ******"


def test_v1_excluding_beats_transforming() -> None:
    text = {"additionalTransformations": [REDACT_NAMES], "excludeInfoTypes": ["PERSON_NAME"]}
    assert v1(text).transform(TEXT, "LO").value == TEXT
    assert v1(text).transform("Kowalski^Anna", "PN").value == "Kowalski^Anna"


def test_v1_excluding_alone_leaves_the_default_for_the_rest() -> None:
    result = v1({"excludeInfoTypes": ["PERSON_NAME"]}).transform(TEXT, "LO")
    assert result.value == "Anna Kowalski, [LOCATION]"
    assert result.warnings == ()


def test_beta_a_transformation_without_infotypes_is_the_default_of_those_not_named() -> None:
    text = {"additionalTransformations": [MASK_ALL, REDACT_NAMES]}
    assert beta({"text": text}).transform(TEXT, "LO").value == ", ******"


@pytest.mark.parametrize("profile", [{}, {"profileType": "BASIC"}, {"profileType": "PROFILE_TYPE_UNSPECIFIED"}])
def test_beta_transformations_are_on_top_of_the_basic_profile(profile: dict[str, Any]) -> None:
    text = {**profile, "additionalTransformations": [REDACT_NAMES]}
    assert beta({"text": text}).transform(TEXT, "LO").value == ", [LOCATION]"


def test_beta_the_empty_profile_transforms_nothing_by_itself() -> None:
    assert beta({"text": {"profileType": "EMPTY"}}).transform(TEXT, "LO").value == TEXT
    text = {"profileType": "EMPTY", "additionalTransformations": [REDACT_NAMES]}
    assert beta({"text": text}).transform(TEXT, "LO").value == ", Munich"


def test_beta_excluding_overrides_the_profile() -> None:
    assert beta({"text": {"excludeInfoTypes": ["LOCATION"]}}).transform(TEXT, "LO").value == "[PERSON_NAME], Munich"


def test_a_date_of_birth_follows_the_transformation_of_dates_unless_it_has_its_own(patient: Dataset) -> None:
    dates = {"infoTypes": ["DATE"], "redactConfig": {}}
    births = {"infoTypes": ["DATE_OF_BIRTH"], "replaceWithInfoTypeConfig": {}}
    assert v1({"additionalTransformations": [dates]}, patient).transform("DOB 1961-07-09", "LO").value == "DOB"
    both = v1({"additionalTransformations": [dates, births]}, patient)
    assert both.transform("DOB 1961-07-09", "LO").value == "DOB [DATE_OF_BIRTH]"
    assert both.transform("since 1961-07-09", "LO").value == "since [DATE_OF_BIRTH]"
    assert both.transform("19610709", "DA").rules == ("infoType:DATE_OF_BIRTH",)
    assert both.transform("20210304", "DA").rules == ("infoType:DATE",)


def test_a_facility_is_a_location_unless_organizations_are_asked_for() -> None:
    value = "at Cedar Ridge Medical Center"
    assert v1(None).transform(value, "LO").value == "at [LOCATION]"
    assert v1({"excludeInfoTypes": ["LOCATION"]}).transform(value, "LO").value == value
    named = {"infoTypes": ["ORGANIZATION_NAME"], "replaceWithInfoTypeConfig": {}}
    assert v1({"additionalTransformations": [named]}).transform(value, "LO").value == "at [ORGANIZATION_NAME]"


def test_record_numbers_in_tags_are_transformed_only_when_asked_for(patient: Dataset) -> None:
    left = v1(None, patient).transform("MRN204816", "LO")
    assert left.value == "MRN204816"
    assert left.warnings == ("text of infoType MEDICAL_RECORD_NUMBER was kept: no transformation covers it",)
    named = {"infoTypes": ["MEDICAL_RECORD_NUMBER"], "redactConfig": {}}
    assert v1({"additionalTransformations": [named]}, patient).transform("MRN204816", "LO").value == ""
    assert v1({"additionalTransformations": [MASK_ALL]}, patient).transform("MRN204816", "LO").value == "*********"


CLEAN: dict[str, Any] = {"dicomTagConfig": {"options": {"cleanDescriptors": {}}}}


def test_contextual_cleaning_replaces_phrases_of_the_header_by_a_token(patient: Dataset) -> None:
    patient.PatientName = "Wall^Ada"
    result = beta(CLEAN, patient).transform("Ada Wall study MRN204816 at Harbour Heights Hospital 2021-03-04", "LO")
    assert result.value.startswith("[CTX] study [CTX] at [CTX] ")
    assert result.rules == ("contextual", "infoType:DATE")
    assert beta({}, patient).transform("Chest wall", "LO").value == "Chest wall"


def test_contextual_cleaning_knows_every_value_that_the_basic_profile_does_not_keep(patient: Dataset) -> None:
    patient.MilitaryRank = "Sergeant Major"
    patient.EthnicGroup = "Chuvash"
    text = "Sergeant-Major, chuvash, sore knee"
    assert beta(CLEAN, patient).transform(text, "LO").value == "[CTX], sore knee"
    assert "Sergeant" in beta({}, patient).transform(text, "LO").value


def test_a_cleaned_description_is_not_a_search_phrase(patient: Dataset) -> None:
    patient.StudyDescription = "CT Chest routine"
    assert beta(CLEAN, patient).transform("CT Chest routine", "LO").value == "CT Chest routine"


def test_contextual_cleaning_does_not_need_a_text_profile(patient: Dataset) -> None:
    config = {**CLEAN, "text": {"profileType": "EMPTY"}}
    assert beta(config, patient).transform("for Lindqvist", "LO").value == "for [CTX]"


def test_a_token_that_does_not_fit_is_left_out(patient: Dataset) -> None:
    patient.PatientName = "Ng^Wu"
    assert beta(CLEAN, patient).transform("CHEST PORT: NgWu", "SH").value == "CHEST PORT:"
