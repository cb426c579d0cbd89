"""Filling of boxes with opaque, dark rectangles; values outside never change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout
    from healthcare_deid.engine.pixels.frames.palette import Palette

_PARTIAL_BLACK = 16
"""Luma of black in the YBR_PARTIAL interpretations (PS3.3 C.7.6.3.1.2)."""


def covered(layout: PixelLayout, words: Words, boxes: Iterable[Box], palette: Palette | None = None) -> Words:
    """Return a copy of a frame with the boxes filled. Whole words are replaced, so nothing stays in unused bits."""
    fill = dark_word(layout, words, palette)
    result = words.copy()
    for box in boxes:
        inside = layout.aligned(box)
        columns = slice(inside.left // 2, inside.right // 2) if layout.subsampled else slice(inside.left, inside.right)
        result[inside.top : inside.bottom, columns] = fill
    return result


def dark_word(layout: PixelLayout, words: Words, palette: Palette | None = None) -> Any:
    """Return the word, or one word per sample, that is dark in a frame.

    In signed, floating and deep inverted images the darkest storable value may lie far outside the range of the data.
    The darkest value of the frame is used there, so that display windows computed from the data stay the same.
    """
    if palette is not None:
        return layout.word(palette.darkest)
    if layout.samples > 1:
        return _dark_color(layout)
    inverted = layout.photometric == "MONOCHROME1"
    if layout.floating:
        finite = words[np.isfinite(words)]
        return (finite.max() if inverted else finite.min()) if finite.size else 0.0
    if layout.signed or (inverted and layout.bits_stored > 8):
        values = layout.values(words)
        return layout.word(int(values.max() if inverted else values.min()))
    return layout.word((1 << layout.bits_stored) - 1) if inverted else 0


def _dark_color(layout: PixelLayout) -> Any:
    lowest = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
    neutral = 0 if layout.signed else 1 << (layout.bits_stored - 1)
    luma = _PARTIAL_BLACK if layout.photometric.startswith("YBR_PARTIAL") else lowest
    if layout.subsampled:
        color = [luma, luma, neutral, neutral]
    elif layout.photometric.startswith("YBR") and layout.photometric not in ("YBR_RCT", "YBR_ICT"):
        color = [luma, neutral, neutral]
    else:
        color = [lowest] * layout.samples
    return np.array([layout.word(value) for value in color], layout.dtype)
