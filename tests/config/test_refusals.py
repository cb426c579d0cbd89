"""Configs that must be refused, each with the expected error text."""

from __future__ import annotations

import json
import pickle
import traceback
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from healthcare_deid import v1beta1
from healthcare_deid.config.base.message import Message
from healthcare_deid.config.v1 import deidentify, dicom, image, keys, requests, text
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.dicom import DicomConfig, TagFilterList, TagFilterProfile
from healthcare_deid.config.v1.operations import DeidentifySummary
from healthcare_deid.config.v1.resources import Dataset
from healthcare_deid.config.v1.text import (
    CharacterMaskConfig,
    DateShiftConfig,
    InfoTypeTransformation,
    RedactConfig,
    TextConfig,
)
from healthcare_deid.errors import ConfigError

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).with_name("data") / "refusals.json").read_text("utf-8"))


def message_class(name: str) -> type[Message]:
    version, _, plain = name.rpartition(".")
    modules = (v1beta1,) if version else (deidentify, requests, dicom, text, image, keys)
    found = next(getattr(module, plain) for module in modules if hasattr(module, plain))
    assert isinstance(found, type)
    assert issubclass(found, Message)
    return found


def untyped(cls: Any) -> Any:
    """What a type checker would refuse, for those who use none."""
    return cls


def test_the_table_has_at_least_sixty_rows_with_different_errors() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS)
    assert len(ROWS) >= 60


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_it_is_refused_with_this_text(row: dict[str, Any]) -> None:
    cls = message_class(row["message"])
    with pytest.raises(ConfigError) as refusal:
        cls.from_api(row["body"])
    assert str(refusal.value) == f"{cls.__name__}: {row['error']}"


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_it_is_refused_in_json_text_and_in_strict_mode_too(row: dict[str, Any]) -> None:
    cls = message_class(row["message"])
    body = json.dumps(row["body"])
    with pytest.raises(ConfigError):
        cls.from_json(body)
    with pytest.raises(ConfigError):
        cls.from_json(body, strict=True)


def test_a_constructor_refuses_two_members_of_a_union() -> None:
    with pytest.raises(ConfigError, match=r"^DicomConfig: keepList and filterProfile exclude each other: set one$"):
        DicomConfig(
            keep_list=TagFilterList(tags=["PatientID"]), filter_profile=TagFilterProfile.MINIMAL_KEEP_LIST_PROFILE
        )
    with pytest.raises(ConfigError, match="redactConfig and characterMaskConfig exclude each other"):
        InfoTypeTransformation(redact_config=RedactConfig(), character_mask_config=CharacterMaskConfig())


def test_a_constructor_refuses_a_misspelt_argument() -> None:
    with pytest.raises(ConfigError, match=r"^DeidentifyConfig: dicm: .*did you mean dicom\?$"):
        untyped(DeidentifyConfig)(dicm=None)


def test_the_constructor_of_a_reply_refuses_unknown_fields_that_parsing_keeps() -> None:
    assert Dataset.from_api({"name": "d", "color": "red"}).unknown == {"color": "red"}
    with pytest.raises(ConfigError, match=r"timeZon: Dataset has no such field: did you mean timeZone\?"):
        untyped(Dataset)(timeZon="UTC")


def test_a_refusal_is_a_value_error_with_its_problems_as_data() -> None:
    with pytest.raises(ValueError, match="imge") as refusal:
        DeidentifyConfig.from_api({"dicom": {"filterProfile": "X"}, "imge": {}})
    assert isinstance(refusal.value, ConfigError)
    assert [path for path, _ in refusal.value.problems] == ["dicom.filterProfile", "imge"]
    assert refusal.value.__cause__ is None


def test_a_refusal_repeats_no_value_and_no_key() -> None:
    secrets = ["U2FsdGVkX1", "John^Doe", "1950-01-01", "AKIA", "12345678901234567890"]
    bodies: list[dict[str, Any]] = [
        {"text": {"transformations": [{"dateShiftConfig": {"cryptoKey": "U2FsdGVkX1+AAA"}}]}},
        {"text": {"excludeInfoTypes": ["John^Doe"]}},
        {"dicom": {"keepList": {"tags": ["John^Doe 1950-01-01"]}, "filterProfile": "John^Doe"}},
        {"John^Doe": 1, "image": "1950-01-01"},
        {"image": {"textRedactionMode": "AKIA12345678901234567890"}, "useRegionalDataProcessing": "John^Doe"},
    ]
    for body in bodies:
        with pytest.raises(ConfigError) as refusal:
            DeidentifyConfig.from_api(body)
        error = refusal.value
        for shown in (str(error), repr(error), str(error.problems), str(error.args)):
            assert not [secret for secret in secrets if secret in shown]


def test_a_refusal_pickles_with_its_problems() -> None:
    with pytest.raises(ConfigError) as refusal:
        DeidentifyConfig.from_api({"imge": {}})
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (str(copy), copy.problems) == (str(refusal.value), refusal.value.problems)


def test_a_message_cannot_be_changed() -> None:
    config = DeidentifyConfig(text=TextConfig(exclude_info_types=["DATE"]))
    with pytest.raises(ConfigError, match="DeidentifyConfig: text: messages are frozen"):
        config.__setattr__("text", None)
    with pytest.raises(ConfigError, match="frozen"):
        config.__delattr__("text")
    assert config.text is not None
    assert config.text.exclude_info_types == ("DATE",)
    assert hash(config) == hash(DeidentifyConfig(text=TextConfig(exclude_info_types=("DATE",))))


def test_setting_a_key_does_not_quote_it() -> None:
    with pytest.raises(ConfigError, match="cryptoKey: messages are frozen") as caught:
        DateShiftConfig().__setattr__("crypto_key", b"SECRETSECRETSECR")
    assert "SECRET" not in "".join(traceback.format_exception_only(caught.value)) + repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_whole_request_is_distinguished_from_a_config() -> None:
    body = {"destinationDataset": "x", "config": {"dicom": {}}}
    with pytest.raises(ConfigError, match=r"config: .*pass the value of its 'config' field"):
        DeidentifyConfig.from_api(body)
    with pytest.raises(ConfigError, match=r"config: .*pass the value of its 'config' field"):
        DeidentifyConfig.from_json(json.dumps(body), strict=True)


def test_a_request_with_more_than_a_destination_is_not_read_as_a_config() -> None:
    with pytest.raises(ConfigError, match="resourceFilter"):
        DeidentifyConfig.from_json("{'destinationStore': 'x', 'resourceFilter': {}, 'config': {'fhir': {}}}")


@pytest.mark.parametrize("given", [None, {"dicom": {}}])
def test_the_error_for_parsed_json_names_from_api(given: Any) -> None:
    with pytest.raises(ConfigError, match="from_api takes parsed JSON"):
        DeidentifyConfig.from_json(given)


def test_a_message_without_fields_is_not_an_empty_line() -> None:
    assert str(DeidentifySummary()) == "DeidentifySummary()"


def test_a_copy_is_checked_as_the_constructor_checks() -> None:
    dicom = DicomConfig(filter_profile=TagFilterProfile.KEEP_ALL_PROFILE)
    assert dicom.model_copy(update={"skip_id_redaction": True}).to_api() == {
        "filterProfile": "KEEP_ALL_PROFILE",
        "skipIdRedaction": True,
    }
    assert dicom.model_copy() == dicom
    with pytest.raises(ConfigError, match="keepList and filterProfile exclude each other"):
        dicom.model_copy(update={"keep_list": TagFilterList(tags=["PatientID"])})
    with pytest.raises(ConfigError, match=r"did you mean keep_list\?"):
        dicom.model_copy(update={"keep_lst": None})


def test_a_key_is_never_quoted_even_by_pydantics_own_error() -> None:
    with pytest.raises(ValidationError) as refusal:
        DateShiftConfig.model_validate({"cryptoKey": "c2VjcmV0c2VjcmV0"})
    assert "c2VjcmV0" not in str(refusal.value)
