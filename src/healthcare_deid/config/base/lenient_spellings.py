"""Spellings that the service's JSON parser accepts beside the canonical one.

The service follows the JSON mapping of Protocol Buffers. It accepts a field under its JSON name and its original name,
numbers and Booleans as text, and null for an unset field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from healthcare_deid.config.base.wire_names import fields_by_name, json_path, type_in, wire_name
from healthcare_deid.errors import ConfigError

_BOOLEANS = {"true": True, "false": False}


def without_leniency(cls: type[BaseModel], value: Any) -> Any:
    """Return ``value`` with accepted spellings made canonical and everything else unchanged."""
    if not isinstance(value, Mapping):
        return value
    # Unknown names pass through: the model refuses them with the JSON path and the nearest right name.
    canonical: dict[Any, Any] = {}
    fields = fields_by_name(cls)
    for name, given in value.items():
        field = fields.get(name)
        if field is None:
            canonical[name] = given
        elif given is not None:
            canonical[name] = _value(field, given)
    return canonical


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
    """Refuse names and nulls that only a lenient parser accepts.

    The model itself refuses wrong types.

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
    fields = fields_by_name(cls)
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
