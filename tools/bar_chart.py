"""Bars for a table of the docs: ``<!-- bars: 2 -->`` below a table becomes a chart of its second column."""

from __future__ import annotations

import re
from html import escape

_PLACE = re.compile(r"(?P<table>(?:^\|.*\n)+)\n<!-- bars: (?P<column>\d+) -->", re.MULTILINE)
_ROW = 26
_LABELS = 310
_BARS = 360


def with_charts(markdown: str) -> str:
    """Return a page with a chart in each place that asks for one."""
    return _PLACE.sub(lambda at: f"{at['table']}\n{_chart(at['table'], int(at['column']) - 1)}", markdown)


def _chart(table: str, column: int) -> str:
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    values = [float(re.sub(r"[^\d.]", "", row[column])) for row in rows]
    bars = [
        _bar(place, row[0], row[column], value / max(values))
        for place, (row, value) in enumerate(zip(rows, values, strict=True))
    ]
    size = f'viewBox="0 0 {_LABELS + _BARS + 70} {_ROW * len(rows) + 6}" style="max-width:100%"'
    name = escape(head[column])
    svg = f'<svg {size} role="img" aria-label="{name}" font-size="13" fill="currentColor">{"".join(bars)}</svg>'
    return f"{svg}\n\n*{name}*"


def _bar(place: int, label: str, text: str, share: float) -> str:
    top = place * _ROW + 4
    width = max(2, round(share * _BARS))
    return (
        f'<text x="{_LABELS - 8}" y="{top + 14}" text-anchor="end">{escape(re.sub("[`*]", "", label))}</text>'
        f'<rect x="{_LABELS}" y="{top}" width="{width}" height="18" rx="2" opacity=".55"/>'
        f'<text x="{_LABELS + width + 6}" y="{top + 14}">{escape(re.sub("[`*]", "", text))}</text>'
    )
