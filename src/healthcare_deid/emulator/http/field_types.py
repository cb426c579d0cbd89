"""Types of the fields in a JSON body, and the check of a body against them.

The service reads JSON by the mapping of Protocol Buffers (https://protobuf.dev/programming-guides/json): names in
camelCase or snake_case, numbers and Booleans also as text, null for an unset field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias, TypeGuard, assert_never

from healthcare_deid.emulator.errors import ServiceError, invalid_field
from healthcare_deid.emulator.http.field_masks import camel


class Scalar(Enum):
    """Scalar type, by its name in the service's error texts."""

    STRING = "TYPE_STRING"
    BOOL = "TYPE_BOOL"
    INT32 = "TYPE_INT32"
    BYTES = "TYPE_BYTES"
    ANY = "any value"
    """Value that the emulator does not read."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Enum field with its values."""

    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class ListOf:
    """Repeated field."""

    item: FieldType


@dataclass(frozen=True, slots=True)
class MapOf:
    """Map with strings as keys."""

    value: FieldType


Fields: TypeAlias = "Mapping[str, FieldType]"
"""Message: the type of each field by its JSON name."""
FieldType: TypeAlias = "Scalar | Choice | ListOf | MapOf | Fields"

_BASE64 = re.compile(r"[\w+/-]*={0,2}", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,10}", re.ASCII)
_INT32 = 2**31


def typed(body: Mapping[Any, Any], fields: Fields, at: str = "") -> dict[str, Any]:
    """Return a body in JSON names and canonical values, without nulls.

    Args:
        body: Parsed JSON object.
        fields: Type of each field.
        at: Path of the object in the request.

    Raises:
        ServiceError: 400: a field is unknown, given twice, or of another type.
    """
    found: dict[str, Any] = {}
    given: set[str] = set()
    for spelled, value in body.items():
        name = camel(str(spelled))
        path = f"{at}.{name}" if at else name
        if name not in fields:
            raise _unknown(str(spelled), at, "Cannot find field.")
        if name in given:
            raise _unknown(str(spelled), at, f"{name} is given twice.")
        given.add(name)
        if value is not None:
            found[name] = _typed(value, fields[name], path)
    return found


def _typed(value: Any, kind: FieldType, path: str) -> Any:
    if isinstance(value, list) and not (isinstance(kind, ListOf) or kind is Scalar.ANY):
        parent, _, name = path.rpartition(".")
        raise _unknown(name, parent, "Proto field is not repeating, cannot start list.")
    match kind:
        case Scalar():
            return _scalar(value, kind, path)
        case Choice():
            if isinstance(value, str) and value in kind.values:
                return value
            raise _wrong(path, f"one of {', '.join(sorted(kind.values))}")
        case ListOf():
            if not isinstance(value, list):
                raise _wrong(path, "list")
            return [_typed(item, kind.item, f"{path}[{index}]") for index, item in enumerate(value)]
        case MapOf():
            entries = _object(value, path).items()
            return {key: _typed(item, kind.value, f"{path}.{str(key)[:64]}") for key, item in entries}
        case Mapping():
            return typed(_object(value, path), kind, path)
        case _:
            assert_never(kind)


def _scalar(value: Any, kind: Scalar, path: str) -> Any:
    match kind:
        case Scalar.STRING:
            if isinstance(value, str):
                return value
        case Scalar.BYTES:
            if isinstance(value, str) and _BASE64.fullmatch(value):
                return value
        case Scalar.BOOL:
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in {"true", "false"}:
                return value.lower() == "true"
        case Scalar.INT32:
            number = int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
            # Not "in range(...)", which would compare a fraction with four billion numbers.
            if _is_number(number) and -_INT32 <= number < _INT32 and number == int(number):
                return int(number)
        case Scalar.ANY:
            return value
        case _:
            assert_never(kind)
    raise _wrong(path, kind.value)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(value: Any, path: str) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, "object")
    return value


def _wrong(path: str, expected: str) -> ServiceError:
    # The service repeats the value here, which may be a key or an identifier.
    return invalid_field(path, f"Invalid value at '{path}' ({expected})")


def _unknown(name: str, at: str, reason: str) -> ServiceError:
    place = f" at '{at}'" if at else ""
    return invalid_field(at, f'Invalid JSON payload received. Unknown name "{name[:64]}"{place}: {reason}')
