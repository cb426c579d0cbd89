"""Small print: words a few pixels high, which a network that halves its input five times overlooks.

Ink is found as in `glyphs`, by a top-hat, at the picture's own size. What stands close together in a row is one word,
when strokes change with gaps along it and its surroundings are calm. A word is a suggestion: it is looked at again,
enlarged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from healthcare_deid.engine.pixels.find.components import components
from healthcare_deid.engine.pixels.find.glyphs import CONTRAST, clear_texture, highest_of, top_hat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Mask, Picture
    from healthcare_deid.engine.pixels.find.glyphs import Gray

STROKE = 5
"""Strokes are thinner than this."""
HEIGHTS = (3, 9)
"""Rows of a word."""
NARROWEST = 12
"""Columns of one: two letters, and what `APART` adds."""
APART = 2
"""Gaps between letters are no wider than twice this."""
FILLED = (0.2, 0.85)
"""Part of its box that is ink: less is a scratch, more a bar."""
STROKES = 3
"""Some row of it crosses as many."""
FULL = 0.5
"""A stroke's pixel has this part of the highest contrast."""
ROOM = 4
"""Pixels around it,"""
ROUGH = 0.1
"""in which the mean top-hat is no more than this part of the word's contrast: anatomy and noise go on."""


def small_print(picture: Picture, known: Sequence[Box]) -> list[Box]:
    """Return boxes that may hold words in small print, outside known lines.

    Args:
        picture: Shape (rows, columns, 3).
        known: Lines that were found already.
    """
    gray = np.asarray(Image.fromarray(picture).convert("L"))
    return [
        box
        for shown in (gray, 255 - gray)  # bright ink, then dark
        for box in _words(shown)
        if not any(line.contains(box) for line in known)
    ]


def _words(shown: Gray) -> Iterator[Box]:
    hat = top_hat(shown, STROKE)
    ink = hat > CONTRAST
    clear_texture(ink)
    found = components(_joined(ink))
    height = found.bottom - found.top
    shaped = (height >= HEIGHTS[0]) & (height <= HEIGHTS[1]) & (found.right - found.left >= NARROWEST)
    for component in found.those(shaped):
        if _is_word(hat, component.box):
            yield component.box


def _is_word(hat: Gray, box: Box) -> bool:
    part = hat[box.top : box.bottom, box.left : box.right]
    ink = part > CONTRAST
    if not FILLED[0] <= ink.mean() <= FILLED[1]:
        return False
    highest = highest_of(part[ink])
    strokes = part > FULL * highest
    if (np.count_nonzero(strokes[:, 1:] & ~strokes[:, :-1], axis=1) + strokes[:, 0]).max() < STROKES:
        return False
    whole = box.grown(ROOM).clipped(hat.shape[1], hat.shape[0])
    around = hat[whole.top : whole.bottom, whole.left : whole.right]
    beside = around.size - part.size
    return beside == 0 or (float(around.sum()) - float(part.sum())) / beside <= ROUGH * highest


def _joined(ink: Mask) -> Mask:
    """Return the ink with what is close by in its row."""
    result = ink.copy()
    for shift in range(1, APART + 1):
        result[:, shift:] |= ink[:, :-shift]
        result[:, :-shift] |= ink[:, shift:]
    return result
