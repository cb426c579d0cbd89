"""Pages that need nothing else: one style, tables, no network."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STYLE = (
    "<style>.hd{font:15px/1.5 system-ui,sans-serif;color:#18181b}.hd table{border-collapse:collapse;margin:.6rem 0}"
    "@media (max-width:46rem){.hd table{display:block;overflow-x:auto}.hd .two{flex-direction:column}}"
    ".hd{overflow-wrap:break-word}"
    ".hd th,.hd td{border-bottom:1px solid #d4d4d8;padding:.25rem .7rem;text-align:left;vertical-align:top}"
    ".hd th{background:#f4f4f5}.hd td.n,.hd th.n{text-align:right}.hd code{font:13px ui-monospace,monospace}"
    ".hd .error{color:#b91c1c;font-weight:600}.hd .warning{color:#92400e}.hd .info{color:#52525b}"
    ".hd .note{background:#f4f4f5;padding:.7rem 1rem .7rem 2rem;border-left:4px solid #a1a1aa}"
    ".hd img{max-width:100%;background:#000}.hd .two{display:flex;gap:12px}.hd .side{position:relative;flex:1}"
    ".hd .side img{width:100%;display:block}.hd .side svg{position:absolute;inset:0;width:100%;height:100%}"
    ".hd .side rect{fill:none;stroke:#f59e0b;stroke-width:2;vector-effect:non-scaling-stroke}</style>"
)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, severity: int | None = None) -> str:
    """Return a table; what stands in it is escaped.

    Args:
        heads: What stands over the columns; nothing where they are empty.
        rows: What stands in them; numbers are set to the right.
        severity: The column that is colored by what it says; not in rows that count nothing.
    """
    rows = list(rows)
    numbers = {index for row in rows for index, cell in enumerate(row) if isinstance(cell, int)}
    top = "".join(f"<th{' class=n' * (index in numbers)}>{escape(head)}</th>" for index, head in enumerate(heads))
    body = "".join(
        f"<tr>{''.join(_cell(cell, index == severity and _counts(row)) for index, cell in enumerate(row))}</tr>"
        for row in rows
    )
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if heads else ''}<tbody>{body}</tbody></table>"


def page_of(title: str, body: str, *, script: str = "") -> str:
    """Return a whole page, which may run its own script and nothing else, and load nothing."""
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{allowed}'"
    program = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><title>{escape(title)}</title></head>'
        f'<body style="margin:2rem auto;max-width:76rem;padding:0 1rem;font-family:system-ui"><h1>{escape(title)}</h1>'
        f"{body}{program}</body></html>\n"
    )


def wrapped(body: str) -> str:
    """Return a part of a page with its style, as notebooks show it."""
    return f'{STYLE}<div class="hd">{body}</div>'


def _counts(row: Sequence[object]) -> bool:
    """Return whether a row is about something: its numbers, if it has any, are not all zero."""
    numbers = [cell for cell in row if isinstance(cell, int)]
    return not numbers or any(numbers)


def _cell(cell: object, marked: bool) -> str:
    if marked:
        return f'<td class="{escape(str(cell))}">{escape(str(cell))}</td>'
    return f'<td class="n">{cell}</td>' if isinstance(cell, int) else f"<td>{escape(str(cell))}</td>"
