"""Doubtful lines of a first look, held against a coarse one: texture is text to one of them, text to both.

On 75 pictures of a benchmark the coarse look had a hint at 1 of 556 specks that a first look took for text in
ultrasound, and at 15 of 23 doubtful lines that were some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.pixels.find.detector import Look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.geometry import Box

CROWD = 4
"""So many doubtful lines without support may be text. More of them are texture, and so are hints without support."""


def supported(first: Look, coarse: Look, sure: float) -> Look:
    """Return what a first look found; where that is texture, what a coarse look supports of it.

    Args:
        first: The first look.
        coarse: The detector's look at half the size, at the same part of the picture.
        sure: From this score on, a line needs no support.
    """
    seen = [*(scored.box for scored in coarse.lines), *coarse.hints]
    alone = [scored for scored in first.lines if scored.score < sure and not _touches(scored.box, seen)]
    if len(alone) <= CROWD:
        return first
    return Look(
        [scored for scored in first.lines if scored not in alone],
        [hint for hint in first.hints if _touches(hint, seen)],
    )


def _touches(box: Box, others: Iterable[Box]) -> bool:
    return any(box.overlaps(other) for other in others)
