"""``read_config``: the fields of a file tell its API version."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from healthcare_deid import DeidentifyConfig, v1beta1
from healthcare_deid.config import read_config
from healthcare_deid.config.base.wire_names import type_in
from healthcare_deid.config.versions import parse_config
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

V1 = "dicom:\n  filterProfile: MINIMAL_KEEP_LIST_PROFILE\nimage:\n  textRedactionMode: REDACT_ALL_TEXT\n"


@pytest.mark.parametrize(
    "text",
    [
        "dicomTagConfig: {}",
        "dicom_tag_config: {}",
        '{"fhirFieldConfig": {}}',
        "{'config': {'dicomTagConfig': {}}, 'destinationDataset': 'x'}",
        "text: {profileType: EMPTY}",
        "image: {excludeInfoTypes: [LOCATION]}",
        f"{V1}text: {{profileType: BASIC}}",
        "image: {textRedactionMode: REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS}",
    ],
)
def test_what_only_v1beta1_has_makes_a_v1beta1_config(text: str) -> None:
    assert isinstance(parse_config(text), v1beta1.DeidentifyConfig)
    with pytest.raises(ConfigError, match="v1beta1 only"):
        parse_config(text, api_version="v1")


def test_a_config_that_is_valid_in_both_is_v1_unless_its_version_is_given(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(V1)
    assert read_config(path) == DeidentifyConfig.from_yaml(V1)
    assert read_config(str(path), api_version="v1beta1") == v1beta1.DeidentifyConfig.from_yaml(V1)


def test_fields_of_both_versions_are_refused_by_their_names() -> None:
    with pytest.raises(ConfigError, match="fields of both versions: dicom and dicomTagConfig are both set"):
        parse_config(f"{V1}dicomTagConfig: {{}}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dicomTagConfig: {profileTipe: BASIC}", "did you mean profileType"),
        ("dicomTagConfig: {}\ntxt: {}", "did you mean text"),
        ("dcom: {}", "did you mean dicom"),
        ("[1]", "must be an object"),
    ],
)
def test_a_mistake_is_reported_by_the_version_that_the_other_fields_tell(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(text)


def test_every_field_and_value_that_only_v1beta1_has_tells_it() -> None:
    v1, beta = {*_paths(DeidentifyConfig)}, {*_paths(v1beta1.DeidentifyConfig)}
    assert v1 < beta  # no field or value tells v1
    first = [path for path in beta - v1 if path[:-1] in v1 or len(path) == 1]  # the others are below one of these
    assert first
    for path in first:
        body: Any = {} if path[-1][0].islower() else path[-1]
        for name in reversed(path if body == {} else path[:-1]):
            body = {name: body}
        with pytest.raises(ConfigError, match="exists in v1beta1 only"):
            DeidentifyConfig.from_api(body)


def _paths(message: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every field below a message, and those of the values of an enum."""
    for name, field in message.model_fields.items():
        path = (*above, name)
        yield path
        if (below := type_in(field.annotation, BaseModel)) is not None:
            yield from _paths(below, path)
        elif (values := type_in(field.annotation, enum.Enum)) is not None:
            yield from ((*path, str(value.value)) for value in values)
