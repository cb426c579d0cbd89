"""Parts of the docs that are made from the code when they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

from healthcare_deid.config import SCHEMA_FILES, published_schema
from healthcare_deid.engine.options import options_table
from healthcare_deid.engine.text.info_types import INFO_TYPES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Publish the JSON Schemas of the configs under ``schemas/``."""
    for version, name in SCHEMA_FILES.items():
        files.append(File.generated(config, f"schemas/{name}", content=published_schema(version)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put each table in its place."""
    for place, table in _TABLES.items():
        if place in markdown:
            markdown = markdown.replace(place, table())
    return markdown


def _info_types() -> str:
    rows = ["| infoType | found by | by default in tags |", "|---|---|---|"]
    rows += [
        f"| `{kind.name}` | {kind.description} | {'yes' if kind.in_tags else ''} |" for kind in INFO_TYPES.values()
    ]
    return "\n".join(rows)


_TABLES = {"<!-- engine options -->": options_table, "<!-- engine infotypes -->": _info_types}
