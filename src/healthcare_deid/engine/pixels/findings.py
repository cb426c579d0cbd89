"""What several looks at a picture found, as one set of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.detector import ScoredBox
from healthcare_deid.engine.pixels.glyphs import in_a_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.pixels.geometry import Box

SPARE = 0.25
"""A second finding is dropped when first findings cover its kernel but for this part of a square of its height."""
ONE_LINE = 1.2
"""Findings that overlap are one line when the box around both is no larger than this many times what they cover."""


def unknown(new: Sequence[ScoredBox], known: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Return the new findings that go on where known ones end, or are elsewhere."""
    return [scored for scored in new if _uncovered(scored.core, known) > SPARE * _thickness(scored.core) ** 2]


def _uncovered(core: Box, known: Sequence[ScoredBox]) -> int:
    """Return how many pixels of a kernel no known finding covers."""
    free = np.ones((core.height, core.width), bool)
    for scored in known:
        part = core.intersection(scored.box)
        if part.area:
            free[part.top - core.top : part.bottom - core.top, part.left - core.left : part.right - core.left] = False
    return int(free.sum())


def _thickness(box: Box) -> int:
    return min(box.width, box.height)


def as_lines(found: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Join findings that overlap in a row: each look may have found another part of a line, which is read as one."""
    lines: list[ScoredBox] = []
    for scored in sorted(found, key=lambda item: item.box):
        line = scored
        for other in list(lines):
            if _is_one_line(other.box, line.box):
                lines.remove(other)
                line = ScoredBox(line.box.union(other.box), max(line.score, other.score), line.core.union(other.core))
        lines.append(line)
    return sorted(lines, key=lambda item: (item.box.top, item.box.left))


def _is_one_line(first: Box, second: Box) -> bool:
    both = first.area + second.area - first.intersection(second).area
    return first.overlaps(second) and in_a_row(first, second) and first.union(second).area <= ONE_LINE * both


def without_duplicates(found: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Drop boxes that lie inside one with at least their size: tiles overlap, scales repeat. The best score stays."""
    kept: list[ScoredBox] = []
    for scored in sorted(found, key=lambda item: (-item.box.area, -item.score, item.box)):
        inside = next((index for index, other in enumerate(kept) if other.box.contains(scored.box)), None)
        if inside is None:
            kept.append(scored)
        elif scored.score > kept[inside].score:
            kept[inside] = replace(kept[inside], score=scored.score)
    return sorted(kept, key=lambda item: (item.box.top, item.box.left))
