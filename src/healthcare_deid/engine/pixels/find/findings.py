"""Findings of several looks at a picture, merged into one set of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.find.detector import KERNEL_MARGIN, SURE_SCORE, ScoredBox
from healthcare_deid.engine.pixels.find.glyphs import in_a_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Mask

SPARE = 0.25
"""Largest uncovered area of a covered finding's kernel, as a fraction of its squared thickness."""
ONE_LINE = 1.2
"""Overlapping findings are one line if their joint bounding box is at most this many times the area they cover."""


def unknown(new: Sequence[ScoredBox], known: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Return the new findings that no known ones cover that are as certain: a doubtful one may yet be dropped."""
    return [
        scored
        for scored in new
        if not _is_covered(scored, [other for other in known if other.score >= min(scored.score, SURE_SCORE)])
    ]


def _is_covered(scored: ScoredBox, known: Sequence[ScoredBox]) -> bool:
    """Return True if known findings cover the kernel of another one, except for a negligible part."""
    core = scored.core
    free = np.zeros((core.height, core.width), bool)
    for part in scored.cores:
        _fill(free, core, part, value=True)
    for other in known:
        for part in other.parts:
            _fill(free, core, part, value=False)
    return int(free.sum()) <= SPARE * _thickness(scored) ** 2


def _fill(mask: Mask, place: Box, box: Box, *, value: bool) -> None:
    """Fill a box in the mask of the region *place*."""
    part = place.intersection(box)
    if part.area:
        mask[part.top - place.top : part.bottom - place.top, part.left - place.left : part.right - place.left] = value


def _thickness(scored: ScoredBox) -> float:
    """Return the thickness of a finding's kernel."""
    if scored.strip is None:
        return min(scored.core.width, scored.core.height)
    return scored.strip.thickness * (1 - 2 * KERNEL_MARGIN)


def as_lines(found: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Merge overlapping findings in a row: each look may have found a different part of one line."""
    lines: list[ScoredBox] = []
    for scored in sorted(found, key=lambda item: item.box):
        line = scored
        for other in list(lines):
            if line.strip is None is other.strip and _is_one_line(other.box, line.box):
                lines.remove(other)
                line = ScoredBox(line.box.union(other.box), max(line.score, other.score), line.core.union(other.core))
        lines.append(line)
    return sorted(lines, key=lambda item: (item.box.top, item.box.left))


def _is_one_line(first: Box, second: Box) -> bool:
    both = first.area + second.area - first.intersection(second).area
    return first.overlaps(second) and in_a_row(first, second) and first.union(second).area <= ONE_LINE * both


def without_duplicates(found: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Drop boxes inside another, keeping the best score: tiles overlap, and looks repeat at several scales."""
    kept: list[ScoredBox] = []
    for scored in sorted(found, key=lambda item: (-item.box.area, -item.score, item.box)):
        inside = next((index for index, other in enumerate(kept) if _holds(other, scored)), None)
        if inside is None:
            kept.append(scored)
        elif scored.score > kept[inside].score:
            kept[inside] = replace(kept[inside], score=scored.score)
    return sorted(kept, key=lambda item: (item.box.top, item.box.left))


def _holds(first: ScoredBox, second: ScoredBox) -> bool:
    """Return True if one finding covers another completely."""
    if first.strip is None:
        return first.box.contains(second.box)
    return _is_covered(second, [first])
