"""Ink or anatomy: ink has one gray level and thin strokes; anatomy has shades and solid regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Mask, Picture

SIDE = 64
"""Length to which the shorter side of a picture is reduced, in pixels."""
LEAST_CONTRAST = 30
"""Least difference of the medians of ink and background, in gray levels."""
FILLED = (0.04, 0.6)
"""Smallest and largest fraction of a box that is ink."""
ONE_VALUE = 0.02
"""Largest median deviation of ink from its median, as a fraction of the contrast."""
THICKEST = 0.3
"""Largest stroke width, as a fraction of the shorter side."""
SOLID = 0.01
"""Largest fraction of the ink in wider strokes."""
CUT_OFF = 0.1
"""Largest fraction of ink on the edge of a box. Text has a margin; an organ's surroundings reach the edge."""


def is_ink(picture: Picture) -> bool:
    """Return True if a picture of shape (rows, columns, 3) shows writing and no solid structure."""
    rows, columns = picture.shape[:2]
    factor = min(1.0, SIDE / min(rows, columns))
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    gray = np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.NEAREST))
    level = _between(gray)
    return any(_is_written(gray, mask) for mask in (gray > level, gray <= level))


def _is_written(gray: Picture, mask: Mask) -> bool:
    part = float(mask.mean())
    edge = np.concatenate((mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    if not FILLED[0] <= part <= FILLED[1] or float(edge.mean()) > CUT_OFF:
        return False
    ink, ground = gray[mask].astype(np.float32), gray[~mask].astype(np.float32)
    contrast = abs(float(np.median(ink)) - float(np.median(ground)))
    if contrast < LEAST_CONTRAST or float(np.median(np.abs(ink - np.median(ink)))) > ONE_VALUE * contrast:
        return False
    return _solid(mask, round(THICKEST * min(mask.shape))) <= SOLID * int(mask.sum())


def _solid(mask: Mask, side: int) -> int:
    """Count the squares of a side length that lie wholly inside a mask."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    sums[1:, 1:] = mask.cumsum(axis=0).cumsum(axis=1)
    full = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return int((full == side * side).sum())


def _between(gray: Picture) -> int:
    """Return Otsu's threshold (IEEE Trans. SMC 9:62, 1979)."""
    count = np.bincount(gray.reshape(-1), minlength=256).astype(np.float64)
    below, moment = count.cumsum(), (count * np.arange(256)).cumsum()
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = below * above * (moment / below - (moment[-1] - moment) / above) ** 2
    return int(np.nanargmax(np.where(np.isfinite(apart), apart, 0)))
