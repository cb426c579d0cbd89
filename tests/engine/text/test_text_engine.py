"""Transformation of single values, by VR and transformation."""

from __future__ import annotations

import base64
import hashlib
import hmac
import pickle
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine.plan.compile import compile_text
from healthcare_deid.engine.text.dicom_dates import parse_da, shift_da, shift_dt
from healthcare_deid.engine.text.engine import InstanceText, TextEngine
from healthcare_deid.engine.text.find.detectors.base import PatternDetector
from healthcare_deid.engine.text.match import Match, TextInspector
from healthcare_deid.engine.text.vr_values import INSPECTED_VRS
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = bytes(range(32))
KEY_TEXT = base64.b64encode(KEY).decode()
MAX_LENGTH = {"AE": 16, "SH": 16, "LO": 64, "ST": 1024, "LT": 10240, "PN": 64}


def engine(*transformations: dict[str, Any], **arguments: Any) -> TextEngine:
    config = {"text": {"additionalTransformations": transformations}}
    return TextEngine(compile_text(DeidentifyConfig.from_api(config)), **arguments)


def test_the_tutorials_second_use_case_redacts_names_masks_phones_and_shifts_dates(patient: Dataset) -> None:
    text = engine(
        {"infoTypes": ["PERSON_NAME"], "redactConfig": {}},
        {"infoTypes": ["PHONE_NUMBER"], "characterMaskConfig": {"maskingCharacter": ""}},
        {"infoTypes": ["DATE", "DATE_OF_BIRTH"], "dateShiftConfig": {"cryptoKey": KEY_TEXT}},
    ).bind(patient)
    assert text.transform("Lindqvist^Maria Elena^^Dr", "PN").value == ""
    assert text.transform("(555) 010-4477", "SH").value == "**************"
    comment = text.transform("Maria Lindqvist, DOB 1961-07-09, seen 2021-03-04, call (555) 010-4477", "LT").value
    assert "Lindqvist" not in comment
    assert "555" not in comment
    born, seen = (date.fromisoformat(day) for day in re.findall(r"\d{4}-\d\d-\d\d", comment))
    assert seen - born == date(2021, 3, 4) - date(1961, 7, 9)
    assert seen != date(2021, 3, 4)
    assert text.transform("20210304", "DA").value == f"{seen:%Y%m%d}"


@pytest.mark.parametrize(
    ("transformation", "new"),
    [
        ({"redactConfig": {}}, "for , then"),
        ({"characterMaskConfig": {}}, "for *************, then"),
        ({"characterMaskConfig": {"maskingCharacter": "#"}}, "for #############, then"),
        ({"replaceWithInfoTypeConfig": {}}, "for [PERSON_NAME], then"),
        (
            {"cryptoHashConfig": {"cryptoKey": KEY_TEXT}},
            f"for {base64.b64encode(hmac.digest(KEY, b'Anna Kowalski', hashlib.sha256)).decode()}, then",
        ),
    ],
)
def test_only_the_finding_is_replaced(transformation: dict[str, Any], new: str) -> None:
    text = engine({"infoTypes": ["PERSON_NAME"], **transformation}).bind(Dataset())
    result = text.transform("for Anna Kowalski, then", "LO")
    assert result.value == new
    assert result.rules == ("infoType:PERSON_NAME",)


@pytest.mark.parametrize(
    ("value", "vr"),
    [
        ("20211399", "DA"),
        ("20210229", "DA"),
        ("garbage", "DA"),
        ("20211399120000", "DT"),
    ],
)
def test_an_impossible_date_is_erased_with_a_warning(stranger: InstanceText, value: str, vr: str) -> None:
    result = stranger.transform(value, vr)
    assert result.value == ""
    assert result.rules == ("infoType:DATE",)
    assert result.warnings == (f"DATE in {vr}: the transformation is not possible there, so it was erased",)


@pytest.mark.parametrize(
    ("transformation", "value", "vr"),
    [
        ({"cryptoHashConfig": {"cryptoKey": KEY_TEXT}}, "Anna Kowalski", "SH"),
        ({"cryptoHashConfig": {"cryptoKey": KEY_TEXT}}, "045Y", "AS"),
        ({"cryptoHashConfig": {"cryptoKey": KEY_TEXT}}, "20210304", "DA"),
        ({"cryptoHashConfig": {"cryptoKey": KEY_TEXT}}, "20210304120000", "DT"),
        ({"replaceWithInfoTypeConfig": {}}, "045Y", "AS"),
        ({"replaceWithInfoTypeConfig": {}}, "20210304", "DA"),
        ({"characterMaskConfig": {}}, "20210304", "DA"),
        ({"replaceWithInfoTypeConfig": {}}, "10.20.30.40 Anna", "AE"),
        ({"dateShiftConfig": {"cryptoKey": KEY_TEXT}}, "Anna Kowalski", "LO"),
    ],
)
def test_a_transformation_that_the_vr_cannot_hold_erases_instead(
    transformation: dict[str, Any], value: str, vr: str
) -> None:
    result = engine(transformation).bind(Dataset()).transform(value, vr)
    assert result.value == ""
    assert result.rules
    assert "was erased" in result.warnings[0]


def test_a_person_name_is_one_whatever_it_says_and_keeps_its_delimiters_when_masked() -> None:
    text = engine({"characterMaskConfig": {}}).bind(Dataset())
    assert text.transform("CHEST^CT=漢字^名", "PN").value == "*****^**=**^*"


def test_a_hashed_person_name_begins_no_component_group() -> None:
    text = engine({"cryptoHashConfig": {"cryptoKey": KEY_TEXT}}).bind(Dataset())
    value = text.transform("Kowalski^Anna", "PN").value
    assert len(value) == 43
    assert "=" not in value
    assert "^" not in value


@pytest.mark.parametrize("value", ["", " ", "\0", "^^^^", "=", "^=^"])
def test_an_empty_value_stays_as_it_is(stranger: InstanceText, value: str) -> None:
    for vr in INSPECTED_VRS:
        assert stranger.transform(value, vr) == (value, (), ())


@pytest.mark.parametrize("vr", ["TM", "CS", "IS", "DS", "UI", "UR", "UN", "OB"])
def test_other_vrs_are_not_touched(known: InstanceText, vr: str) -> None:
    assert known.transform("Maria Lindqvist", vr) == ("Maria Lindqvist", (), ())


def test_padding_stays_around_a_transformed_value(stranger: InstanceText) -> None:
    assert stranger.transform("  Anna Kowalski ", "LT").value == "  [PERSON_NAME] "
    shifted = stranger.transform("20210304 ", "DA").value
    assert parse_da(shifted) is not None
    assert shifted.endswith(" ")


def test_a_study_description_of_the_fields_own_words_is_unchanged(known: InstanceText) -> None:
    assert known.transform("CT CHEST W CONTRAST, Foley catheter", "LO") == (
        "CT CHEST W CONTRAST, Foley catheter",
        (),
        (),
    )


def test_an_infotype_without_a_transformation_is_kept_with_a_warning() -> None:
    result = engine({"infoTypes": ["DATE"], "redactConfig": {}}).bind(Dataset()).transform("Anna Kowalski", "LO")
    assert result.value == "Anna Kowalski"
    assert result.rules == ()
    assert result.warnings == ("text of infoType PERSON_NAME was kept: no transformation covers it",)


def test_a_finding_that_is_left_does_not_hide_one_that_is_not(patient: Dataset) -> None:
    patient.InstitutionName = "Lindqvist Memorial Hospital"
    text = engine({"infoTypes": ["PERSON_NAME"], "redactConfig": {}}).bind(patient)
    assert text.transform("Lindqvist Memorial Hospital", "LO").value == "Memorial Hospital"


def test_warnings_and_rules_and_reprs_hold_no_values(patient: Dataset) -> None:
    text = engine({"infoTypes": ["DATE"], "cryptoHashConfig": {"cryptoKey": KEY_TEXT}}).bind(patient)
    said = repr(text)
    for value, vr in (("Maria Lindqvist 20210304", "SH"), ("20210304", "DA"), ("MRN204816", "LO")):
        result = text.transform(value, vr)
        said += " ".join((*result.rules, *result.warnings))
    said += repr(text._engine) + repr(text._terms) + repr(text._subject)
    for secret in ("Lindqvist", "204816", "20210304", "1961", KEY_TEXT, repr(KEY)):
        assert secret not in said


@given(st.text(max_size=80), st.sampled_from(sorted(INSPECTED_VRS)), st.sampled_from(range(5)))
@settings(max_examples=300, deadline=None)
def test_the_new_value_is_legal_for_its_vr(value: str, vr: str, which: int) -> None:
    text = _ENGINES[which].bind(Dataset())
    result = text.transform(value, vr)
    if not result.rules:
        assert result.value == value
        return
    new = result.value.strip(" \0")
    limit = MAX_LENGTH.get(vr)
    if vr == "PN":
        assert all(len(group) <= max(64, len(value)) for group in result.value.split("="))
    elif limit:
        assert len(result.value) <= max(limit, len(value))
    if vr == "DA":
        assert new == "" or shift_da(new, 0) == new
    if vr == "DT":
        assert new == "" or shift_dt(new, 0) == new
    if vr == "AS":
        assert re.fullmatch(r"(\d{3}[DWMY])?", new)


_ENGINES = [
    engine({"redactConfig": {}}),
    engine({"characterMaskConfig": {}}),
    engine({"replaceWithInfoTypeConfig": {}}),
    engine({"cryptoHashConfig": {}}),
    engine({"dateShiftConfig": {}}),
]


# ---- date shift ------------------------------------------------------------------------------------------------------


def shifted_days(text: InstanceText) -> int:
    day = parse_da(text.transform("20200615", "DA").value)
    assert day is not None
    return (day - date(2020, 6, 15)).days


SHIFT = {"infoTypes": ["DATE"], "dateShiftConfig": {"cryptoKey": KEY_TEXT}}


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=16), st.integers(1, 400))
@settings(deadline=None)
def test_a_shift_is_within_its_range_never_zero_and_the_same_each_time(patient_id: str, most: int) -> None:
    dataset = Dataset()
    dataset.PatientID = patient_id
    dataset.StudyInstanceUID = "1.2.3"
    one, other = (shifted_days(engine(SHIFT, date_shift_days=most).bind(dataset)) for _ in range(2))
    assert one == other
    assert one != 0
    assert abs(one) <= most


def test_every_shift_of_the_range_is_used() -> None:
    text = engine(SHIFT, date_shift_days=3)
    days: set[int] = set()
    for number in range(200):
        dataset = Dataset()
        dataset.PatientID = f"P{number}"
        days.add(shifted_days(text.bind(dataset)))
    assert days == {-3, -2, -1, 1, 2, 3}


@given(st.dates(date(1900, 6, 1), date(2090, 1, 1)), st.dates(date(1900, 6, 1), date(2090, 1, 1)))
@settings(deadline=None, max_examples=50)
def test_intervals_are_the_same_in_da_dt_and_free_text(one: date, other: date) -> None:
    dataset = Dataset()
    dataset.PatientID = "P1"
    text = engine(SHIFT).bind(dataset)
    first = parse_da(text.transform(f"{one:%Y%m%d}", "DA").value)
    second = parse_da(text.transform(f"{other:%Y%m%d}101500.5+0100", "DT").value[:8])
    third = date.fromisoformat(text.transform(f"on {other:%Y-%m-%d} at home", "LO").value[3:13])
    assert first is not None
    assert second is not None
    assert second - first == other - one
    assert third == second


def test_two_studies_of_a_patient_shift_alike_and_two_patients_do_not() -> None:
    bind = engine(SHIFT).bind
    days: dict[tuple[str, str], int] = {}
    for patient_id in ("A", "B"):
        for study in ("1.2.3", "1.2.4"):
            dataset = Dataset()
            dataset.PatientID = patient_id
            dataset.StudyInstanceUID = study
            days[patient_id, study] = shifted_days(bind(dataset))
    assert days["A", "1.2.3"] == days["A", "1.2.4"] != days["B", "1.2.3"] == days["B", "1.2.4"]


def test_without_a_patient_id_the_study_decides() -> None:
    bind = engine(SHIFT).bind
    days: list[int] = []
    for study in ("1.2.3", "1.2.3", "1.2.4"):
        dataset = Dataset()
        dataset.PatientID = " "
        dataset.StudyInstanceUID = study
        days.append(shifted_days(bind(dataset)))
    assert days[0] == days[1] != days[2]


def test_the_shift_is_the_documented_function() -> None:
    dataset = Dataset()
    dataset.PatientID = "MRN204816"
    index = int.from_bytes(hmac.digest(KEY, b"MRN204816", hashlib.sha256)) % 200
    assert shifted_days(engine(SHIFT).bind(dataset)) == (index - 100 if index < 100 else index - 99)


def test_an_ambiguous_date_is_read_as_the_header_has_it(patient: Dataset) -> None:
    patient.StudyDate = "20210403"
    text = engine(SHIFT).bind(patient)
    days = timedelta(days=shifted_days(text))
    # 03/04/2021 is the third of April here, because the study was on that day.
    assert text.transform("exam 03/04/2021", "LO").value == f"exam {date(2021, 4, 3) + days:%d/%m/%Y}"


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_without_a_key_one_is_made_for_the_engine_and_travels_with_it(patient: Dataset) -> None:
    one = engine({"cryptoHashConfig": {}})
    again: TextEngine = pickle.loads(pickle.dumps(one))
    other = engine({"cryptoHashConfig": {}})
    values = [text.bind(patient).transform("Kowalski^Anna", "PN").value for text in (one, again, other)]
    assert values[0] == values[1] != values[2]


def test_a_patients_own_key_is_stronger_than_the_configs(patient: Dataset) -> None:
    plain = engine(SHIFT).bind(patient)
    own = engine(SHIFT, patient_keys={"MRN204816": b"k" * 32}).bind(patient)
    stranger = engine(SHIFT, patient_keys={"OTHER": b"k" * 32}).bind(patient)
    assert shifted_days(plain) == shifted_days(stranger)
    assert shifted_days(own) == shifted_days(
        engine({"infoTypes": ["DATE"], "dateShiftConfig": {"cryptoKey": base64.b64encode(b"k" * 32).decode()}}).bind(
            patient
        )
    )


WRAPPED = {"kmsWrapped": {"wrappedKey": "d3JhcHBlZA==", "cryptoKey": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}}


def test_a_wrapped_key_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match="unwrapped_keys") as caught:
        engine({"infoTypes": ["DATE"], "dateShiftConfig": WRAPPED})
    assert caught.value.problems[0][0] == "text.additionalTransformations[0].dateShiftConfig.kmsWrapped"


def test_a_wrapped_key_that_the_caller_unwrapped_is_used(patient: Dataset) -> None:
    given_key = engine({"infoTypes": ["DATE"], "dateShiftConfig": WRAPPED}, unwrapped_keys={"d3JhcHBlZA==": KEY})
    assert shifted_days(given_key.bind(patient)) == shifted_days(engine(SHIFT).bind(patient))


def test_a_shift_of_no_days_is_refused() -> None:
    with pytest.raises(ConfigError, match="date_shift_days"):
        engine(date_shift_days=0)


@pytest.mark.parametrize("character", ["\\", "^", "=", "\n"])
def test_a_masking_character_that_is_a_delimiter_is_refused(character: str) -> None:
    with pytest.raises(ConfigError, match="maskingCharacter"):
        engine({"characterMaskConfig": {"maskingCharacter": character}})


# ---- more detectors --------------------------------------------------------------------------------------------------


def test_a_custom_infotype_is_found_and_transformed_like_any_other() -> None:
    code = PatternDetector("STUDY_CODE", re.compile(r"\bSC-\d{4}\b"))
    text = engine({"infoTypes": ["STUDY_CODE"], "replaceWithInfoTypeConfig": {}}, detectors=[code]).bind(Dataset())
    assert text.transform("arm SC-1234", "LO").value == "arm [STUDY_CODE]"
    assert text.find("arm SC-1234") == [Match(4, 11, "STUDY_CODE")]


def test_a_date_that_a_pattern_cuts_is_erased_with_a_warning_that_names_the_pattern() -> None:
    rules = {"infoTypes": ["STUDY_CODE"], "redactConfig": {}}, {"infoTypes": ["DATE"], "dateShiftConfig": {}}
    pattern = re.compile(r"\b[A-Z]{3}-\d{4}\b")

    def transformed(**arguments: Any) -> Any:
        text = engine(*rules, detectors=[PatternDetector("STUDY_CODE", pattern, **arguments)]).bind(Dataset())
        return text.transform("seen 4-MAR-2021", "LO")

    cut, whole = transformed(), transformed(rank=8)
    assert cut.value == "seen -"
    assert len(cut.warnings) == 1
    assert cut.warnings[0].startswith("DATE in LO: a finding of STUDY_CODE covers a part of it, and the rest cannot be")
    assert re.fullmatch(r"seen \d{1,2}-[A-Z]{3}-202[01]", whole.value)
    assert whole.warnings == ()


def test_an_infotype_that_no_detector_finds_gets_a_warning() -> None:
    assert engine({"infoTypes": ["FRANCE_CNI"], "redactConfig": {}}).warnings == (
        "infoType FRANCE_CNI is not found by the local engine: pass a detector for it",
    )


def test_an_instances_text_is_the_inspector_that_pixels_want(known: InstanceText) -> None:
    use: Callable[[TextInspector], object] = lambda inspector: inspector.find("LINDQVIST")  # noqa: E731 - one line
    assert use(known) == [Match(0, 9, "PERSON_NAME")]
