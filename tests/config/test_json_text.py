"""JSON as the service's parser reads it, and strict JSON on demand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from healthcare_deid.config.dialects.json_text import parse_json
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.operations import Operation
from healthcare_deid.config.v1.requests import DeidentifyDatasetRequest
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def single_quoted(value: Any) -> str:
    """Write a value as people write it by hand: single quotes, bare names, trailing commas."""
    if isinstance(value, dict):
        fields = "".join(f"{single_quoted(name)} : {single_quoted(item)} ,\n" for name, item in value.items())
        return "{ " + fields + "}"
    if isinstance(value, list):
        return "[" + "".join(f"{single_quoted(item)}, " for item in value) + "]"
    if isinstance(value, str):
        return "'" + json.dumps(value)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return json.dumps(value)


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_strict_json_reads_as_the_standard_library_reads_it(value: Any) -> None:
    text = json.dumps(value)
    assert parse_json(text) == parse_json(text, strict=True) == json.loads(text)


@settings(deadline=None, max_examples=60)
@given(VALUES)
def test_single_quotes_and_trailing_commas_change_nothing(value: Any) -> None:
    assert parse_json(single_quoted(value)) == value


@settings(deadline=None, max_examples=100)
@given(st.text(st.sampled_from("{}[],:'\"\\abtrue019-.eE \n$_"), max_size=30))
def test_any_text_is_read_or_refused_with_a_config_error(text: str) -> None:
    try:
        strict = parse_json(text, strict=True)
    except ConfigError:
        strict = ConfigError
    try:
        lenient = parse_json(text)
    except ConfigError:
        lenient = ConfigError
    assert strict is ConfigError or lenient == strict


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{'a': 1}", {"a": 1}),
        ("{a: 'b'}", {"a": "b"}),
        ("{$a.b-c: true}", {"$a.b-c": True}),
        ("[1, 2,]", [1, 2]),
        ('{"a": [],}', {"a": []}),
        ("'it\\'s \"x\"'", 'it\'s "x"'),
        ("'\\u00e9\\ud83d\\ude00'", "é😀"),
        (b"\xef\xbb\xbf{'a': null}", {"a": None}),
        ("  [-1.5e2, 0]  ", [-150.0, 0]),
    ],
)
def test_json_errors_that_the_service_tolerates_are_accepted(text: str | bytes, value: Any) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize("text", ["{'a': 1}", "{a: 1}", "[1,]", '{"a": 1,}', "'a'"])
def test_strict_refuses_json_errors_that_the_service_tolerates(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^not JSON: line 1, column \d+: "):
        parse_json(text, strict=True)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "line 1, column 1: the text ends before a value"),
        ("{'a': }", "line 1, column 7: expected a value"),
        ("{'a' 1}", "line 1, column 6: expected ':' after a name"),
        ("{'a': 1 'b': 2}", "line 1, column 9: expected ',' or '}'"),
        ("[1\n 2]", "line 2, column 2: expected ',' or ']'"),
        ("{'a': True}", "line 1, column 7: JSON spells true, false and null in lower case"),
        ("{'a': None}", "line 1, column 7: JSON spells true, false and null in lower case"),
        ("{'a': yes}", "line 1, column 7: text needs quotes"),
        ("{'a': 01}", "line 1, column 7: expected a value"),
        ("{1: 2}", "line 1, column 2: expected a name"),
        ("'abc", "line 1, column 1: text without a closing quote"),
        ("'a\nb'", "line 1, column 3: control character in a text"),
        ("'\\x41'", "line 1, column 2: unknown escape"),
        ("'\\u00g0'", "line 1, column 2: \\u needs four hexadecimal digits"),
        ("'\\ud83d'", "unpaired surrogate"),
        ("[1] [2]", "line 1, column 5: unexpected text after the value"),
        ("{'a': 1, 'a': 2}", "line 1, column 10: the same name occurs twice in one object"),
        ('{"a": 1, "a": 2}', "an object has the same name twice"),
        ("[NaN]", "NaN and Infinity are not JSON numbers"),
        ("// comment\n{}", "line 1, column 1: expected a value"),
        ("[" * 200 + "'", "line 1, column 102: nested more than 100 levels deep"),
        (b"\xff{}", "byte 0 is not UTF-8"),
    ],
)
def test_anything_else_is_refused_with_its_place(text: str | bytes, rule: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_json(text)
    assert str(refusal.value) == f"not JSON: {rule}"


def test_deep_strict_json_is_refused_and_not_a_crash() -> None:
    with pytest.raises(ConfigError, match="deep"):
        parse_json("[" * 200_000 + "]" * 200_000)


def test_a_refusal_repeats_nothing_of_the_text() -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_json("{'cryptoKey': 'U2FsdGVk', 'name': John}")
    assert "U2FsdGVk" not in str(refusal.value)
    assert "John" not in str(refusal.value)
    assert refusal.value.__context__ is None or refusal.value.__suppress_context__


@pytest.mark.parametrize("name", ["use_case_1_keep_list", "use_case_1_profile", "use_case_2"])
def test_the_tutorials_bodies_parse_as_printed(name: str, data: Path) -> None:
    text = (data / f"tutorial_{name}.json").read_text("utf-8")
    request = DeidentifyDatasetRequest.from_json(text)
    assert request.destination_dataset == "projects/$PROJECT_ID/locations/$REGION/datasets/$DESTINATION_DATASET_ID"
    assert request.config is not None
    assert request.config.dicom is not None
    with pytest.raises(ConfigError, match="strict JSON needs double quotes"):
        DeidentifyDatasetRequest.from_json(text, strict=True)


def test_the_tutorials_second_body_means_what_its_prose_says(data: Path) -> None:
    request = DeidentifyDatasetRequest.from_json((data / "tutorial_use_case_2.json").read_bytes())
    assert request.config is not None
    assert request.config.text is not None
    first, second, third = request.config.text.transformations
    assert (first.info_types, first.chosen) == (("PERSON_NAME",), "redact_config")
    assert (second.info_types, second.chosen) == (("PHONE_NUMBER",), "character_mask_config")
    assert second.character_mask_config is not None
    assert second.character_mask_config.masking_character is None
    assert (third.info_types, third.chosen) == (("DATE", "DATE_OF_BIRTH"), "date_shift_config")


@pytest.mark.parametrize(
    ("lenient", "right"),
    [
        ({"dicom": {"skip_id_redaction": "True"}}, {"dicom": {"skipIdRedaction": True}}),
        ({"use_regional_data_processing": "false"}, {"useRegionalDataProcessing": False}),
        ({"dicom": None, "fhir": {}}, {"fhir": {}}),
        (
            {"image": {"custom_regexes": [{"group_indexes": ["1", 2]}]}},
            {"image": {"customRegexes": [{"groupIndexes": [1, 2]}]}},
        ),
        ({"text": {"transformations": None, "exclude_info_types": ["DATE"]}}, {"text": {"excludeInfoTypes": ["DATE"]}}),
    ],
)
def test_lenient_spellings_are_read_and_strict_refuses_them(lenient: dict[str, Any], right: dict[str, Any]) -> None:
    assert DeidentifyConfig.from_api(lenient).to_api() == right
    assert DeidentifyConfig.from_api(right, strict=True).to_api() == right
    with pytest.raises(ConfigError):
        DeidentifyConfig.from_api(lenient, strict=True)


def test_strict_names_the_right_spelling() -> None:
    with pytest.raises(ConfigError) as refusal:
        DeidentifyConfig.from_api({"dicom": {"keep_list": {"tags": ["PatientID"]}}, "text": None}, strict=True)
    assert str(refusal.value).splitlines()[1:] == [
        "  - dicom.keepList: the JSON name is keepList, not keep_list",
        "  - text: null: leave an unset field out",
    ]


def test_every_json_example_of_the_services_documents_parses(data: Path) -> None:
    from healthcare_deid.config.v1 import operations, requests, resources

    examples = json.loads((data / "examples.json").read_text("utf-8"))
    assert len(examples) >= 10
    for example in examples:
        found = [getattr(module, example["message"], None) for module in (requests, resources, operations)]
        cls = next((cls for cls in found if cls is not None), None) or DeidentifyConfig
        assert parse_json(example["text"]) is not None
        message = cls.from_json(example["text"])
        assert cls.from_json(message.to_json(), strict=True) == message, example["from"]


def test_an_operation_as_the_tutorial_prints_it_is_read_and_nothing_is_lost(data: Path) -> None:
    text = next(
        example["text"]
        for example in json.loads((data / "examples.json").read_text("utf-8"))
        if "done" in example["text"]
    )
    operation = Operation.from_json(text)
    assert operation.done
    assert operation.metadata is not None
    assert operation.metadata.created_at is not None
    assert operation.metadata.created_at.isoformat() == "2018-01-01T00:00:00+00:00"
    assert operation.metadata.unknown == {"@type": "type.googleapis.com/google.cloud.healthcare.v1.OperationMetadata"}
    assert operation.to_api() == json.loads(text)


@pytest.mark.parametrize(
    "name", ["tutorial_use_case_1_keep_list", "tutorial_use_case_1_profile", "tutorial_use_case_2"]
)
def test_the_tutorials_bodies_are_read_as_configs_just_as_they_are_printed(data: Path, name: str) -> None:
    printed = (data / f"{name}.json").read_text()
    config = DeidentifyConfig.from_json(printed)
    # An empty masking character is an unset one.
    expected = json.loads(json.dumps(parse_json(printed)["config"]).replace('"maskingCharacter": ""', ""))
    assert config.to_api() == expected
    assert DeidentifyConfig.from_json(config.to_json(), strict=True) == config
    with pytest.raises(ConfigError):
        DeidentifyConfig.from_json(printed, strict=True)
