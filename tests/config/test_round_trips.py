"""Round trips of arbitrary configs through every dialect: JSON, YAML, curl, gcloud, v1beta1, pickle."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from healthcare_deid import v1beta1
from healthcare_deid.config import from_curl, from_gcloud
from healthcare_deid.config.infotypes import InfoType
from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.dicom import TagFilterProfile
from healthcare_deid.config.v1.image import TextRedactionMode
from healthcare_deid.errors import ConfigError

SOURCE = "projects/p/locations/l/datasets/source"
DESTINATION = "projects/p/locations/l/datasets/destination"
FORTY = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def one_of_fields(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A JSON object with one of the fields, or none."""
    return st.one_of(st.just({}), *(st.fixed_dictionaries({name: values}) for name, values in fields.items()))


def joined(*parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(*parts).map(lambda dicts: {name: value for part in dicts for name, value in part.items()})


PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
TAGS = st.lists(
    st.sampled_from([*MINIMAL_KEEP_TAGS, "PatientID", "StudyDate", "Modality", "00091001", "60003000", "7FE00010"]),
    min_size=1,
    max_size=5,
)
INFO_TYPES = st.lists(st.sampled_from([*map(str, InfoType), "MY_CUSTOM-TYPE"]), max_size=3)
KEYS = st.sampled_from([16, 24, 32]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
BASE64_KEYS = KEYS.map(lambda key: base64.b64encode(key).decode())
KMS = st.fixed_dictionaries(
    {"wrappedKey": BASE64_KEYS, "cryptoKey": st.just("projects/p/locations/l/keyRings/r/cryptoKeys/k")}
)
KEYED = one_of_fields(cryptoKey=BASE64_KEYS, kmsWrapped=KMS)
EMPTY: st.SearchStrategy[dict[str, Any]] = st.just({})
MASK = optional(maskingCharacter=st.characters(exclude_categories=["Cs"]))
TRANSFORMATION = joined(
    optional(infoTypes=INFO_TYPES),
    one_of_fields(
        redactConfig=EMPTY,
        characterMaskConfig=MASK,
        dateShiftConfig=KEYED,
        cryptoHashConfig=KEYED,
        replaceWithInfoTypeConfig=EMPTY,
    ),
)
TEXT = joined(
    optional(excludeInfoTypes=INFO_TYPES),
    one_of_fields(
        transformations=st.lists(TRANSFORMATION, max_size=3),
        additionalTransformations=st.lists(TRANSFORMATION, max_size=3),
    ),
)
TAG_LIST = st.fixed_dictionaries({"tags": TAGS})
PROFILES = st.sampled_from(list(map(str, TagFilterProfile)))
DICOM = joined(
    optional(skipIdRedaction=st.booleans()),
    one_of_fields(keepList=TAG_LIST, removeList=TAG_LIST, filterProfile=PROFILES),
)
REGEX = optional(pattern=PLAIN, groupIndexes=st.lists(st.integers(0, 3), max_size=3))
IMAGE = optional(
    textRedactionMode=st.sampled_from(list(map(str, TextRedactionMode))), customRegexes=st.lists(REGEX, max_size=2)
)
FIELD = optional(
    paths=st.lists(st.sampled_from(["Patient.name", "HumanName"])),
    action=st.sampled_from(["TRANSFORM", "INSPECT_AND_TRANSFORM", "DO_NOT_TRANSFORM", "ACTION_UNSPECIFIED"]),
)
FHIR = optional(fieldMetadataList=st.lists(FIELD, max_size=2), defaultKeepExtensions=st.booleans())
V1 = optional(dicom=DICOM, text=TEXT, image=IMAGE, fhir=FHIR, useRegionalDataProcessing=st.booleans())

BETA_IMAGE = joined(IMAGE, optional(additionalInfoTypes=INFO_TYPES, excludeInfoTypes=INFO_TYPES))
ACTION = joined(
    optional(queries=st.one_of(TAGS, st.just(["PN", "UI"]))),
    one_of_fields(
        keepTag=EMPTY,
        removeTag=EMPTY,
        deleteTag=EMPTY,
        resetTag=EMPTY,
        cleanTextTag=EMPTY,
        cleanImageTag=BETA_IMAGE,
        regenUidTag=EMPTY,
        recurseTag=EMPTY,
    ),
)
TAG_CONFIG = optional(
    profileType=st.sampled_from(list(map(str, v1beta1.TagProfileType))),
    options=optional(
        primaryIds=st.sampled_from(list(map(str, v1beta1.PrimaryIdsOption))),
        cleanImage=BETA_IMAGE,
        cleanDescriptors=EMPTY,
    ),
    actions=st.lists(ACTION, max_size=3),
)
FIELD_ACTION = joined(
    optional(paths=st.lists(st.just("Address.city"), max_size=1)),
    one_of_fields(
        characterMaskField=EMPTY,
        cleanTextField=EMPTY,
        cryptoHashField=EMPTY,
        dateShiftField=EMPTY,
        keepField=EMPTY,
        removeField=EMPTY,
    ),
)
FIELD_CONFIG = optional(
    profileType=st.sampled_from(list(map(str, v1beta1.FhirProfileType))),
    options=optional(
        characterMaskConfig=MASK,
        cryptoHashConfig=KEYED,
        dateShiftConfig=KEYED,
        contextualDeid=EMPTY,
        keepExtensions=EMPTY,
    ),
    fieldMetadataList=st.lists(FIELD_ACTION, max_size=2),
)
BETA = optional(
    dicomTagConfig=TAG_CONFIG,
    fhirFieldConfig=FIELD_CONFIG,
    text=joined(TEXT, optional(profileType=st.sampled_from(list(map(str, v1beta1.TextProfileType))))),
    operationMetadata=st.just({"fhirOutput": {"fhirStore": "projects/p/locations/l/datasets/d/fhirStores/f"}}),
    dicom=DICOM,
    fhir=FHIR,
    image=BETA_IMAGE,
    useRegionalDataProcessing=st.booleans(),
)
CONFIGS = st.one_of(V1.map(DeidentifyConfig.from_api), BETA.map(v1beta1.DeidentifyConfig.from_api))


def without_empty_lists(value: Any) -> Any:
    """An empty list and an unset one are the same on the wire."""
    if isinstance(value, dict):
        return {name: without_empty_lists(item) for name, item in value.items() if item != []}
    return [without_empty_lists(item) for item in value] if isinstance(value, list) else value


def without_defaults(value: Any) -> Any:
    """Leave out what says the same as leaving it out, and an image that says nothing then."""
    if not isinstance(value, dict):
        return value
    kept = {name: without_defaults(item) for name, item in value.items()}
    defaults = (False, "REDACT_NO_TEXT", "TEXT_REDACTION_MODE_UNSPECIFIED")
    return {name: item for name, item in kept.items() if item not in defaults and (name, item) != ("image", {})}


@FORTY
@given(V1)
def test_a_v1_config_dumps_to_the_json_it_was_parsed_from(body: dict[str, Any]) -> None:
    assert DeidentifyConfig.from_api(body).to_api() == without_empty_lists(body)


@FORTY
@given(BETA)
def test_a_v1beta1_config_dumps_to_the_json_it_was_parsed_from(body: dict[str, Any]) -> None:
    assert v1beta1.DeidentifyConfig.from_api(body).to_api() == without_empty_lists(body)


@FORTY
@given(CONFIGS)
def test_json_and_back_is_the_same_config(config: DeidentifyConfig) -> None:
    again = type(config).from_json(config.to_json(), strict=True)
    assert again == config
    assert hash(again) == hash(config)
    assert again.to_json() == config.to_json()


@FORTY
@given(CONFIGS)
def test_json_with_single_quotes_and_snake_case_is_the_same_config(config: DeidentifyConfig) -> None:
    body = config.model_dump(mode="json", by_alias=False, exclude_defaults=True)
    assert type(config).from_api(body) == config
    text = json.dumps(config.to_api())
    assume("'" not in text and '\\"' not in text)
    assert type(config).from_json(text.replace('"', "'")) == config


@FORTY
@given(CONFIGS)
def test_yaml_and_back_is_the_same_config(config: DeidentifyConfig) -> None:
    assert type(config).from_yaml(config.to_yaml()) == config


@FORTY
@given(CONFIGS)
def test_pickle_and_copy_are_the_same_config(config: DeidentifyConfig) -> None:
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config


@FORTY
@given(CONFIGS)
def test_a_curl_command_and_back_is_the_same_call(config: DeidentifyConfig) -> None:
    assume("\x00" not in config.to_json())
    command = config.to_curl(SOURCE, DESTINATION, reveal_keys=True)
    call = from_curl(command)
    assert (call.version, str(call.source), call.request.config) == (config.api_version, SOURCE, config)
    assert call.request.to_api()["destinationDataset"] == DESTINATION


@FORTY
@given(CONFIGS)
def test_a_gcloud_command_read_back_is_the_same_call_or_names_inexpressible_fields(config: DeidentifyConfig) -> None:
    try:
        command = config.to_gcloud(SOURCE, DESTINATION)
    except ConfigError as error:
        reason = str(error)
        assert reason.startswith("gcloud cannot express: config.")
        return
    call = from_gcloud(command)
    assert (call.version, str(call.source)) == (config.api_version, SOURCE)
    said = call.request.config.to_api() if call.request.config is not None else {}
    assert said == without_defaults(config.to_api())


@FORTY
@given(V1)
def test_v1_to_v1beta1_to_a_request_and_back(body: dict[str, Any]) -> None:
    config = DeidentifyConfig.from_api(body)
    converted = config.to_v1beta1().config
    request = v1beta1.DeidentifyDatasetRequest(destination_dataset=DESTINATION, config=converted)
    again = v1beta1.DeidentifyDatasetRequest.from_json(request.to_json(), strict=True)
    assert again.config == converted
    assert not [finding for finding in converted.checks() if finding.code == "both-trees"]


@FORTY
@given(CONFIGS)
def test_every_config_can_be_checked_shown_and_compared(config: DeidentifyConfig) -> None:
    for finding in config.checks():
        assert finding.message
        assert finding.remedy
    assert repr(config).startswith("<DeidentifyConfig v1")
    assert config._repr_html_().startswith("<table>")
    assert config.diff(config) == ()
    assert bool(config.diff(type(config)())) == (config != type(config)())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "it's",
        'say "hi"',
        "$HOME `id` \\",
        "line\nbreak",
        "ünïcode",
        "#no",
        "!",
        "\x85",
        "null",
        "a b" * 99,
    ],
)
def test_a_pattern_of_any_text_survives_the_shell_and_yaml(text: str) -> None:
    config = DeidentifyConfig.from_api({"image": {"customRegexes": [{"pattern": text}]}})
    assert DeidentifyConfig.from_yaml(config.to_yaml()) == config
    command = config.to_curl(SOURCE, DESTINATION)
    assert from_curl(command).request.config == config
