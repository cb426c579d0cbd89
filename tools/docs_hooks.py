"""Parts of the docs that are made from the code when they are built."""

from __future__ import annotations

from typing import Any

from healthcare_deid.engine.options import options_table

_OPTIONS = "<!-- engine options -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the table of the engine's options in its place."""
    return markdown.replace(_OPTIONS, options_table())
