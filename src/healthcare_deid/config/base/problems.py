"""Validation problems as text, without the values."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from pydantic import BaseModel

from healthcare_deid.config.base.suggestions import did_you_mean, nearest
from healthcare_deid.config.base.wire_names import NAME_LIKE, json_path, python_name, type_in, wire_name
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

# Our text for pydantic's error types whose own text mentions Python or pydantic.
_RULES = {
    "missing": "is required",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "less_than_equal": "must be a whole number of 32 bits",
    "greater_than_equal": "must be a whole number of 32 bits",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "mapping_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}

_REQUEST = "it belongs to the request around a config; pass the value of its 'config' field"
# Fields that users and old clients put at the top of a config, with the reason they are refused.
_ELSEWHERE = {
    "config": _REQUEST,
    "destination_dataset": _REQUEST,
    "destination_store": _REQUEST,
    "gcs_config_uri": _REQUEST,
    "annotation": "the service no longer has annotation stores",
    "date_shift_config": "it belongs inside text.additionalTransformations[]",
    "crypto_hash_config": "it belongs inside text.additionalTransformations[]",
}

# Fields and values that exist in v1beta1 only, by message.
_ONLY_BETA = {
    "DeidentifyConfig": ("dicom_tag_config", "fhir_field_config", "operation_metadata"),
    "ImageConfig": ("additional_info_types", "exclude_info_types", "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"),
    "TextConfig": ("profile_type",),
}

_BETA_ONLY_RULE = "it exists in v1beta1 only (healthcare_deid.v1beta1.DeidentifyConfig, --api-version v1beta1)"


def has_beta_only(error: ConfigError) -> bool:
    """Whether a v1 message was refused for something that exists in v1beta1 only."""
    return any(rule.endswith(_BETA_ONLY_RULE) for _, rule in error.problems)


def config_error(cls: type[BaseModel], error: ValidationError) -> ConfigError:
    """Convert a validation error to one without the input."""
    problems = [_problem(cls, item) for item in error.errors(include_url=False)]
    return ConfigError.of(cls.__name__, list(dict.fromkeys(problems)))


def unknown_fields(cls: type[BaseModel], names: Iterable[str]) -> ConfigError:
    """Build the error for unknown field names."""
    return ConfigError.of(cls.__name__, [(json_path((name,)), _unknown_field(cls, (name,))) for name in names])


def _problem(cls: type[BaseModel], item: ErrorDetails) -> tuple[str, str]:
    location, kind = item["loc"], item["type"]
    path = json_path(location)
    if kind == "extra_forbidden":
        return path, _unknown_field(cls, location)
    if kind == "value_error":
        return path, item["msg"].removeprefix("Value error, ")
    if kind == "enum":
        return path, _unknown_value(cls, location, item["input"])
    return path, _RULES.get(kind, item["msg"])


def _unknown_value(cls: type[BaseModel], location: Sequence[int | str], given: object) -> str:
    """Describe an unknown enum value, repeating it only if misspelled.

    A near miss is a misspelling. Any other text may be a secret or data.
    """
    owner = owner_of(cls, location[:-1])
    field = owner.model_fields.get(python_name(owner, str(location[-1]))) if owner else None
    enum = type_in(field.annotation, Enum) if field else None
    values = [str(member.value) for member in enum] if enum else []
    if owner is not None and given in _ONLY_BETA.get(owner.__name__, ()):
        return f"{given}: {_BETA_ONLY_RULE}"
    # Only text close to a real enum value is repeated; anything else may be a secret or patient data.
    near = nearest(given, values) if isinstance(given, str) else None
    if near is None:
        return f"must be one of {', '.join(values)}"
    return f"{given}: did you mean {near}?" if NAME_LIKE.fullmatch(str(given)) else f"did you mean {near}?"


def _unknown_field(cls: type[BaseModel], location: Sequence[int | str]) -> str:
    name = str(location[-1])
    owner = owner_of(cls, location[:-1])
    if owner is None:
        return "unknown field"
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    if snake in owner.model_fields:
        return f"given twice, as {wire_name(snake)} and as {snake}"
    text = f"{owner.__name__} has no such field"
    if owner.__name__ == "DeidentifyConfig" and snake in _ELSEWHERE:
        return f"{text}: {_ELSEWHERE[snake]}"
    if snake in _ONLY_BETA.get(owner.__name__, ()):
        return f"{text}: {_BETA_ONLY_RULE}"
    camel = [wire_name(field) for field in owner.model_fields]
    return text + did_you_mean(name, [*owner.model_fields, *camel] if "_" in name else camel)


def owner_of(cls: type[BaseModel], location: Sequence[int | str]) -> type[BaseModel] | None:
    """Return the message class at ``location``, or `None`."""
    owner: type[BaseModel] | None = cls
    for part in location:
        if isinstance(part, int):
            continue
        if owner is None:
            return None
        field = owner.model_fields.get(python_name(owner, part))
        owner = type_in(field.annotation, BaseModel) if field else None
    return owner
