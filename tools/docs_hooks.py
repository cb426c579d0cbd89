"""Parts of the docs that are made from the code when they are built."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bar_chart import with_charts
from mkdocs.structure.files import File

from healthcare_deid.config import SCHEMA_FILES, published_schema
from healthcare_deid.engine.options import options_table
from healthcare_deid.engine.text.info_types import INFO_TYPES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_DOCS = Path(__file__).parents[1] / "docs"
_ENTRY = re.compile(r"^::: ([\w.]+)\n(.*?)(?=^::: |\Z)", re.MULTILINE | re.DOTALL)
_MOST_LINKS = 3
_EXAMPLES = _DOCS.parent / "examples"
_EXAMPLE = re.compile(r"^<!-- example (\S+) -->$", re.MULTILINE)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Publish the JSON Schemas of the configs under ``schemas/``."""
    for version, name in SCHEMA_FILES.items():
        files.append(File.generated(config, f"schemas/{name}", content=published_schema(version)))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: Any) -> str:
    """Put tables, charts and example files in their places, and head each example of the reference."""
    for place, table in _TABLES.items():
        if place in markdown:
            markdown = markdown.replace(place, table())
    markdown = _EXAMPLE.sub(lambda place: f"```python\n{(_EXAMPLES / place[1]).read_text('utf-8')}```", markdown)
    markdown = with_charts(markdown)
    if page.file.src_uri.startswith("reference/"):
        markdown = _ENTRY.sub(lambda entry: _with_example(entry[1], entry[2]), markdown)
    return markdown


def _with_example(name: str, written: str) -> str:
    """Return an entry of the reference with its example, or with links to the pages that have one."""
    entry = f"::: {name}\n"
    short = name.rpartition(".")[2]
    if written.strip():
        return f"{entry}\n**Example: {short}**\n{written}"
    found = [f"[{title}]({link})" for link, title, code in _guides() if re.search(rf"\b{short}\b", code)]
    return f"{entry}\n**Example:** see {', '.join(found[:_MOST_LINKS])}\n{written}" if found else f"{entry}{written}"


@cache
def _guides() -> list[tuple[str, str, str]]:
    """Return every page with python code, as seen from the reference: its link, its title, its code."""
    pages = sorted(_DOCS.glob("*.md")) + sorted((_DOCS / "reference").glob("*.md"))
    found: list[tuple[str, str, str]] = []
    for path in pages:
        text = path.read_text("utf-8")
        link = path.name if path.parent.name == "reference" else f"../{path.name}"
        code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
        found.append((link, text.partition("\n")[0].lstrip("# "), code))
    return found


def _info_types() -> str:
    rows = ["| infoType | found by | by default in tags |", "|---|---|---|"]
    rows += [
        f"| `{kind.name}` | {kind.description} | {'yes' if kind.in_tags else ''} |" for kind in INFO_TYPES.values()
    ]
    return "\n".join(rows)


_TABLES = {"<!-- engine options -->": options_table, "<!-- engine infotypes -->": _info_types}
