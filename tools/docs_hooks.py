"""Parts of the docs that are made from the code when they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

from healthcare_deid.config import SCHEMA_FILES, published_schema
from healthcare_deid.engine.options import options_table

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_OPTIONS = "<!-- engine options -->"


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Publish the JSON Schemas of the configs under ``schemas/``."""
    for version, name in SCHEMA_FILES.items():
        files.append(File.generated(config, f"schemas/{name}", content=published_schema(version)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the table of the engine's options in its place."""
    return markdown.replace(_OPTIONS, options_table())
