"""Small print: words a few pixels high, which a network that halves its input five times overlooks.

Ink is found as in `glyphs`, by a top-hat, at the original size. Ink close together in a row is a candidate word if
strokes and gaps alternate along it and its surroundings are uniform. The detector then searches the candidate enlarged.
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

CONTRASTS = (CONTRAST, 2 * CONTRAST)
"""Contrasts of ink in gray levels: on texture, fainter ink is joined with what surrounds it."""
STROKE = 5
"""Side of the top-hat's window, in pixels; strokes are thinner."""
HEIGHTS = (3, 9)
"""Smallest and largest height of a word, in pixels."""
NARROWEST = 12
"""Smallest width of a word, in pixels: two letters, plus what `APART` adds."""
APART = 2
"""Half of the largest gap between letters, in pixels."""
FILLED = (0.2, 0.85)
"""Smallest and largest fraction of a word's box that is ink: less is a scratch, more a bar."""
STROKES = 3
"""Fewest strokes that some row of a word crosses."""
FULL = 0.5
"""Contrast of a stroke's pixel, as a fraction of the highest contrast of the word."""
ROOM = 4
"""Width of the surroundings that must be uniform, in pixels."""
ROUGH = 0.1
"""Largest mean top-hat of the surroundings, as a fraction of the word's contrast; anatomy and noise continue there."""


def small_print(picture: Picture, known: Sequence[Box]) -> list[Box]:
    """Return boxes that may hold small print, outside known lines.

    Args:
        picture: Shape (rows, columns, 3).
        known: Lines that have been found already.
    """
    gray = np.asarray(Image.fromarray(picture).convert("L"))
    return [
        box
        for shown in (gray, 255 - gray)  # bright ink, then dark ink
        for box in _words(shown)
        if not any(line.contains(box) for line in known)
    ]


def _words(shown: Gray) -> Iterator[Box]:
    hat = top_hat(shown, STROKE)
    for contrast in CONTRASTS:
        ink = hat > contrast
        clear_texture(ink)
        found = components(_joined(ink))
        height = found.bottom - found.top
        shaped = (height >= HEIGHTS[0]) & (height <= HEIGHTS[1]) & (found.right - found.left >= NARROWEST)
        for component in found.those(shaped):
            if _is_word(hat, component.box, contrast):
                yield component.box


def _is_word(hat: Gray, box: Box, contrast: int) -> bool:
    part = hat[box.top : box.bottom, box.left : box.right]
    ink = part > contrast
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
    """Dilate the ink along its rows by `APART` pixels."""
    result = ink.copy()
    for shift in range(1, APART + 1):
        result[:, shift:] |= ink[:, :-shift]
        result[:, :-shift] |= ink[:, shift:]
    return result
