"""JSON Schema of messages in their wire form."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.base.wire_names import wire_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import Enum

    from pydantic import BaseModel

    from healthcare_deid.config.base.field_types import ApiVersion

SCHEMA_FILES: dict[ApiVersion, str] = {
    "v1": "deidentify-config.v1.schema.json",
    "v1beta1": "deidentify-config.v1beta1.schema.json",
}
"""Name of the published schema of each version's `DeidentifyConfig`."""

_FOLDER = Path(__file__).parent.parent / "data"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(cls: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a message and its parts."""
    return {"$schema": _DIALECT, **cls.model_json_schema(by_alias=True, mode="validation")}


def published_schema(version: ApiVersion) -> str:
    """Return the published schema of a version's `DeidentifyConfig`."""
    return _FOLDER.joinpath(SCHEMA_FILES[version]).read_text("utf-8")


def describe_fields(definition: dict[str, Any], cls: type[BaseModel]) -> None:
    """Complete one message's schema with descriptions.

    Null is dropped, because the wire never has it.
    """
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


def exclude_each_other(definition: dict[str, Any], names: Sequence[str]) -> None:
    """State that at most one of these fields may be set."""
    pairs = combinations((wire_name(name) for name in names), 2)
    definition["allOf"] = [{"not": {"required": list(pair)}} for pair in pairs]


def _without_null(entry: dict[str, Any]) -> None:
    # Optional fields are "X or null" in Python, but an unset field is left out on the wire.
    options = [option for option in entry.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del entry["anyOf"]
        entry.update(options[0])


def attribute_documents(cls: type[BaseModel | Enum]) -> dict[str, str]:
    """Return the docstrings of a class's attributes from its source."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("healthcare_deid."):
            found |= _own_documents(base)
    return found


def _own_documents(cls: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except OSError:  # a frozen program has no source; the schema then lacks descriptions
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
