"""Names of fields on the wire, and paths made of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

_T = TypeVar("_T")

NAME_LIKE = re.compile(r"[A-Za-z_@$][A-Za-z0-9_.@$-]{0,63}")
"""Text that may be repeated in an error because it has the form of a field name."""

_NOT_A_NAME = "<not a field name>"


def wire_name(name: str) -> str:
    """Return the JSON name of a field.

    A trailing underscore is dropped: it only avoids a clash with a pydantic method.
    """
    return to_camel(name.removesuffix("_"))


def python_name(model: type[BaseModel], name: str) -> str:
    """Return the Python name of a field given by either name."""
    return next((field for field in model.model_fields if wire_name(field) == name), name)


def fields_by_name(model: type[BaseModel]) -> dict[str, Any]:
    """Return the annotation of every field under both of its names."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        fields[name] = fields[wire_name(name)] = field.annotation
    return fields


def type_in(annotation: Any, base: type[_T]) -> type[_T] | None:
    """Return the subclass of ``base`` in an annotation, or `None`.

    The annotation may be as nested as ``tuple[X, ...] | None``.
    """
    if isinstance(annotation, type) and issubclass(annotation, base):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = type_in(argument, base)
        if found:
            return found
    return None


def json_path(location: Sequence[int | str]) -> str:
    """Return a location as ``text.transformations[2].dateShiftConfig``."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
            continue
        name = wire_name(part) if NAME_LIKE.fullmatch(part) else _NOT_A_NAME
        path += f".{name}" if path else name
    return path
