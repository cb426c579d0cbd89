"""Findings of several looks at a picture, merged into one set of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.find.detector import KERNEL_MARGIN, ScoredBox
from healthcare_deid.engine.pixels.find.glyphs import in_a_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Mask

SPARE = 0.25
"""A second finding is dropped when first findings cover its kernel but for this part of a square of its height."""
ONE_LINE = 1.2
"""Findings that overlap are one line when the box around both is no larger than this many times what they cover."""


def unknown(new: Sequence[ScoredBox], known: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Return the new findings that go on where known ones end, or are elsewhere."""
    return [scored for scored in new if not _is_covered(scored, known)]


def _is_covered(scored: ScoredBox, known: Sequence[ScoredBox]) -> bool:
    """Say whether known findings cover the kernel of another one, but for a part that does not matter."""
    core = scored.core
    free = np.zeros((core.height, core.width), bool)
    for part in scored.cores:
        _fill(free, core, part, value=True)
    for other in known:
        for part in other.parts:
            _fill(free, core, part, value=False)
    return int(free.sum()) <= SPARE * _thickness(scored) ** 2


def _fill(mask: Mask, place: Box, box: Box, *, value: bool) -> None:
    """Set a box in the mask of another one."""
    part = place.intersection(box)
    if part.area:
        mask[part.top - place.top : part.bottom - place.top, part.left - place.left : part.right - place.left] = value


def _thickness(scored: ScoredBox) -> float:
    """Return the thickness of a finding's kernel."""
    if scored.strip is None:
        return min(scored.core.width, scored.core.height)
    return scored.strip.thickness * (1 - 2 * KERNEL_MARGIN)


def as_lines(found: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Join findings that overlap in a row: each look may have found another part of a line, which is read as one."""
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
    """Drop boxes that lie inside one with at least their size: tiles overlap, scales repeat. The best score stays."""
    kept: list[ScoredBox] = []
    for scored in sorted(found, key=lambda item: (-item.box.area, -item.score, item.box)):
        inside = next((index for index, other in enumerate(kept) if _holds(other, scored)), None)
        if inside is None:
            kept.append(scored)
        elif scored.score > kept[inside].score:
            kept[inside] = replace(kept[inside], score=scored.score)
    return sorted(kept, key=lambda item: (item.box.top, item.box.left))


def _holds(first: ScoredBox, second: ScoredBox) -> bool:
    """Say whether one finding covers another one as a whole."""
    if first.strip is None:
        return first.box.contains(second.box)
    return _is_covered(second, [first])
