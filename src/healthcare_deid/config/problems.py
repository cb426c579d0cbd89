"""Problems of a message as text: where, which rule, and the nearest right name. Never the value."""

from __future__ import annotations

import difflib
import re
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from healthcare_deid.config.message import wire_name
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_T = TypeVar("_T")

_NAME_LIKE = re.compile(r"[A-Za-z_@$][A-Za-z0-9_.@$-]{0,63}")
_NOT_A_NAME = "<no field name>"

_RULES = {
    "missing": "is required",
    "bool_type": "true or false is needed",
    "bool_parsing": "true or false is needed",
    "string_type": "text is needed",
    "int_type": "a whole number is needed",
    "int_parsing": "a whole number is needed",
    "int_from_float": "a whole number is needed",
    "less_than_equal": "a whole number of 32 bits is needed",
    "greater_than_equal": "a whole number of 32 bits is needed",
    "tuple_type": "a list is needed",
    "dict_type": "an object is needed",
    "mapping_type": "an object is needed",
}
"""Our text for pydantic's error types whose own text speaks of Python or of pydantic."""

_REQUEST = "it belongs to the request around a config: give what stands under 'config'"
_ELSEWHERE = {
    "config": _REQUEST,
    "destination_dataset": _REQUEST,
    "destination_store": _REQUEST,
    "gcs_config_uri": _REQUEST,
    "annotation": "the service no longer has annotation stores",
    "date_shift_config": "it belongs inside text.additionalTransformations[]",
    "crypto_hash_config": "it belongs inside text.additionalTransformations[]",
}
"""Fields that people, old clients and scripts send at the top of a config, and why they are refused."""

_ONLY_BETA = {
    "DeidentifyConfig": ("dicom_tag_config", "fhir_field_config", "operation_metadata"),
    "ImageConfig": ("additional_info_types", "exclude_info_types", "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"),
    "TextConfig": ("profile_type",),
}
"""Fields and values that a message of v1 does not have and the one of v1beta1 has."""

_BETA_ONLY_RULE = "it is in v1beta1 only (healthcare_deid.v1beta1.DeidentifyConfig)"


def config_error(cls: type[BaseModel], error: ValidationError) -> ConfigError:
    """Turn a validation error into one that names path and rule, and never repeats the input."""
    problems = [_problem(cls, item) for item in error.errors(include_url=False)]
    return ConfigError.of(cls.__name__, list(dict.fromkeys(problems)))


def unknown_fields(cls: type[BaseModel], names: Iterable[str]) -> ConfigError:
    """Build the error for field names that the message does not have."""
    return ConfigError.of(cls.__name__, [(json_path((name,)), _unknown_field(cls, (name,))) for name in names])


def nearest(word: str, known: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word most like ``word``, whatever its case, or nothing."""
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=cutoff)
    return lowered[near[0]] if near else None


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return ``": did you mean X?"`` for the nearest known word, or nothing."""
    near = nearest(word, known)
    return f": did you mean {near}?" if near else ""


def json_path(location: Sequence[int | str]) -> str:
    """Return a location as ``text.transformations[2].dateShiftConfig``."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        name = wire_name(part) if _NAME_LIKE.fullmatch(part) else _NOT_A_NAME
        path += f".{name}" if path else name
    return path


def _problem(cls: type[BaseModel], item: ErrorDetails) -> tuple[str, str]:
    location, kind = item["loc"], item["type"]
    path = json_path(location)
    if kind == "extra_forbidden":
        return path, _unknown_field(cls, location)
    if kind == "value_error":
        return path, item["msg"].removeprefix("Value error, ")
    if kind == "enum":
        return path, _unknown_value(cls, location, item["input"])
    if kind in {"model_type", "model_attributes_type"}:
        return path, "an object is needed"
    return path, _RULES.get(kind, item["msg"])


def _unknown_value(cls: type[BaseModel], location: Sequence[int | str], given: object) -> str:
    """Repeat an enum value only where it is nearly a known one: such a text is a misspelling and no secret."""
    owner = owner_of(cls, location[:-1])
    field = owner.model_fields.get(_python_name(owner, str(location[-1]))) if owner else None
    enum = type_in(field.annotation, Enum) if field else None
    values = [str(member.value) for member in enum] if enum else []
    if owner is not None and given in _ONLY_BETA.get(owner.__name__, ()):
        return f"{given}: {_BETA_ONLY_RULE}"
    near = nearest(given, values) if isinstance(given, str) else None
    if near is None:
        return f"one of {', '.join(values)} is needed"
    return f"{given}: did you mean {near}?" if _NAME_LIKE.fullmatch(str(given)) else f"did you mean {near}?"


def _unknown_field(cls: type[BaseModel], location: Sequence[int | str]) -> str:
    """Say that a field is unknown; its name is the user's, but a name is no value."""
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
    """Return the message class that ``location`` leads to."""
    owner: type[BaseModel] | None = cls
    for part in location:
        if isinstance(part, int):
            continue
        if owner is None:
            return None
        field = owner.model_fields.get(_python_name(owner, part))
        owner = type_in(field.annotation, BaseModel) if field else None
    return owner


def _python_name(owner: type[BaseModel], name: str) -> str:
    return next((field for field in owner.model_fields if wire_name(field) == name), name)


def type_in(annotation: Any, base: type[_T]) -> type[_T] | None:
    """Return the class in an annotation such as ``tuple[X, ...] | None`` that derives from ``base``."""
    if isinstance(annotation, type) and issubclass(annotation, base):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = type_in(argument, base)
        if found:
            return found
    return None
