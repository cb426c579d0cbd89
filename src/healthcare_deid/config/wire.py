"""The spellings that the service's JSON parser forgives, turned into the right one, or refused.

Protocol Buffers' JSON mapping, which the service follows, reads a field under its JSON name and under its original one,
reads numbers and Booleans from text where that is clear, and takes null for "not set".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from healthcare_deid.config.message import wire_name
from healthcare_deid.config.problems import json_path, type_in
from healthcare_deid.errors import ConfigError

_BOOLEANS = {"true": True, "false": False}


def without_leniency(cls: type[BaseModel], value: Any) -> Any:
    """Return ``value`` with what the service forgives made right, and anything else as it is."""
    if not isinstance(value, Mapping):
        return value
    right: dict[Any, Any] = {}
    fields = _fields(cls)
    for name, given in value.items():
        field = fields.get(name)
        if field is None:
            right[name] = given
        elif given is not None:
            right[name] = _value(field, given)
    return right


def _value(annotation: Any, given: Any) -> Any:
    model = type_in(annotation, BaseModel)
    if model is not None:
        if isinstance(given, Sequence) and not isinstance(given, str | bytes):
            return [without_leniency(model, item) for item in given]
        return without_leniency(model, given)
    if isinstance(given, str) and type_in(annotation, bool):
        return _BOOLEANS.get(given.strip().lower(), given)
    if type_in(annotation, int):
        return [_number(item) for item in given] if isinstance(given, list | tuple) else _number(given)
    return given


def _number(given: Any) -> Any:
    if isinstance(given, str) and given.strip().removeprefix("-").isdecimal():
        return int(given)
    return given


def refuse_lenient_spelling(cls: type[BaseModel], value: Any) -> None:
    """Refuse names and nulls that only a lenient parser takes; wrong types are the model's own business.

    Raises:
        ConfigError: With the path of every such spelling.
    """
    problems = _lenient_spellings(cls, value, ())
    if problems:
        raise ConfigError.of(cls.__name__, problems)


def _lenient_spellings(cls: type[BaseModel], value: Any, at: tuple[int | str, ...]) -> list[tuple[str, str]]:
    if not isinstance(value, Mapping):
        return []
    problems: list[tuple[str, str]] = []
    fields = _fields(cls)
    for name, given in value.items():
        annotation = fields.get(name)
        if annotation is None:
            continue
        here = (*at, name)
        if name != wire_name(name):
            problems.append((json_path(here), f"the JSON name is {wire_name(name)}, not {name}"))
        if given is None:
            problems.append((json_path(here), "null: leave an unset field out"))
        model = type_in(annotation, BaseModel)
        if model is None:
            continue
        items = list(enumerate(given)) if isinstance(given, list | tuple) else [(None, given)]
        for index, item in items:
            problems += _lenient_spellings(model, item, here if index is None else (*here, index))
    return problems


def _fields(cls: type[BaseModel]) -> dict[str, Any]:
    """Return the annotation of every field, by both of its names."""
    fields: dict[str, Any] = {}
    for name, field in cls.model_fields.items():
        fields[name] = fields[wire_name(name)] = field.annotation
    return fields
