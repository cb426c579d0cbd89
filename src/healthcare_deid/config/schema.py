"""JSON Schema of the messages as the wire has them, for editors: names, values, descriptions, and the unions."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.message import Message, OneOf, wire_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import Enum

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(cls: type[Message]) -> dict[str, Any]:
    """Return the schema of one message and of all it reaches."""
    schema = cls.model_json_schema(by_alias=True, mode="validation")
    classes = {model.__name__: model for model in _reached(cls, set())}
    definitions: dict[str, Any] = schema.get("$defs", {})
    for name, definition in ((cls.__name__, schema), *definitions.items()):
        _finish(definition, classes.get(name.rsplit("__", 1)[-1]))
    return {"$schema": _DIALECT, **schema}


def _reached(cls: type[Message], seen: set[type[Message]]) -> Iterator[type[Message]]:
    if cls in seen:
        return
    seen.add(cls)
    yield cls
    for field in cls.model_fields.values():
        for found in _messages(field.annotation):
            yield from _reached(found, seen)


def _messages(annotation: Any) -> Iterator[type[Message]]:
    if isinstance(annotation, type) and issubclass(annotation, Message):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _messages(argument)


def _finish(definition: dict[str, Any], cls: type[Message] | None) -> None:
    if cls is None:
        return
    documents = attribute_documents(cls)
    for name in cls.model_fields:
        entry: dict[str, Any] = definition["properties"][wire_name(name)]
        entry.pop("title", None)
        entry.pop("default", None)
        if name in documents:
            entry["description"] = documents[name]
        if "Deprecated by the API" in documents.get(name, ""):
            entry["deprecated"] = True
        _without_null(entry)
    if issubclass(cls, OneOf):
        names = [wire_name(name) for name in cls.one_of]
        pairs = [[one, other] for index, one in enumerate(names) for other in names[index + 1 :]]
        definition["allOf"] = [{"not": {"required": pair}} for pair in pairs]


def _without_null(entry: dict[str, Any]) -> None:
    """An unset field is left out on the wire, so null need not be offered."""
    options = [option for option in entry.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del entry["anyOf"]
        entry.update(options[0])


def attribute_documents(cls: type[Message | Enum]) -> dict[str, str]:
    """Return the docstrings under a class's attributes, those of its bases too; read from the source."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("healthcare_deid."):
            found |= _own_documents(base)
    return found


def _own_documents(cls: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except OSError:  # no source at hand, as in a frozen program: a schema without descriptions is a schema still
        return {}
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        target = statement.target if isinstance(statement, ast.AnnAssign) else None
        if isinstance(statement, ast.Assign):
            target = statement.targets[0] if isinstance(statement.targets[0], ast.Name) else None
        if (
            isinstance(target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            found[target.id] = inspect.cleandoc(following.value.value).replace("\n", " ")
    return found
