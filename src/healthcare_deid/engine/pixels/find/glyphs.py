"""Isolated characters, found by their ink: a network trained on lines overlooks them.

Burned-in characters have a single gray level, thin strokes, and uniform surroundings above and below. A *top-hat* (a
picture minus its opening) keeps structures that are brighter than their surroundings and thinner than a window. The
results are candidates only, because anatomy has thin, bright structures too; the recognizer decides.
Source: Gonzalez and Woods, "Digital Image Processing", section 9.6 (top-hat transformation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from healthcare_deid.engine.geometry import without_contained
from healthcare_deid.engine.pixels.find.components import components

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Floats, Mask, Picture

    Gray = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

STROKE = 13
"""Side of the top-hat's window, in pixels; strokes are thinner."""
CONTRAST = 30
"""Least contrast of ink to its surroundings, in gray levels."""
HEIGHTS = (7, 48)
"""Smallest and largest height of a character, in pixels of the scaled picture."""
WIDEST = 1.6
"""Largest ratio of a character's width to its height."""
FEWEST_PIXELS = 8
"""Fewest ink pixels of a character."""
FULL = 0.75
"""Contrast of a full pixel, as a fraction of the highest contrast of the character."""
FLAT = 0.3
"""Smallest fraction of full pixels in a character's ink; the rest is smoothed edges."""
ONE_VALUE = 0.07
"""Largest median deviation of full pixels from their median, as a fraction of the contrast."""
FAINT = 0.4
"""Contrast of clutter above and below a character, as a fraction of the character's."""
CLUTTER = 0.06
"""Largest fraction of clutter in the rows above and below a character."""
BLOCK = 32
"""Side of the blocks that are tested for texture, in pixels."""
CROWDED = 0.3
"""Fraction of ink in a block above which the block is texture, such as speckle."""
APART = 0.8
"""Largest gap between characters of a word, as a fraction of their height."""
SAME_ROW = 0.6
"""Smallest vertical overlap of neighbors in a row, as a fraction of the smaller height."""
TALLER = 2.2
"""Largest ratio of the heights of neighbors in a row; a line's box is taller than its characters."""
CROWD = 1000
"""Most character-shaped components of a picture; with more, it is a pattern, or a page that the detector reads."""
MOST = 16
"""Most candidates returned, the most isolated ones: crowded ones are texture."""


def glyphs(picture: Picture, scale: float, known: Sequence[Box]) -> list[Box]:
    """Return boxes that may hold characters, outside known lines; neighbors in a row are merged.

    Args:
        picture: Shape (rows, columns, 3).
        scale: Scale factor; above 1 it is ignored, because enlarging adds no ink.
        known: Lines that have been found already.
    """
    rows, columns = picture.shape[:2]
    factor = min(1.0, scale)
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    gray = np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BILINEAR))
    found: list[Box] = []
    for shown in (gray, 255 - gray):  # bright ink, then dark ink
        characters = list(_characters(shown))
        if len(characters) > CROWD:
            continue
        placed = [box.scaled(columns / size[0], rows / size[1]) for box in characters]
        found += joined([box for box in placed if not any(line.contains(box) for line in known)])
    return _most_alone(without_contained(found))  # the holes of bright characters look like dark ones


def in_a_row(first: Box, second: Box) -> bool:
    """Return True if two boxes may be parts of one line."""
    low, high = sorted((first.height, second.height))
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    gap = max(first.left, second.left) - min(first.right, second.right)
    return shared >= SAME_ROW * low and gap <= APART * low and high <= TALLER * low


def joined(boxes: Sequence[Box]) -> list[Box]:
    """Merge boxes that lie in a row."""
    rows: list[Box] = []
    for box in sorted(boxes):
        for index, row in enumerate(rows):
            if in_a_row(row, box):
                rows[index] = row.union(box)
                break
        else:
            rows.append(box)
    return rows


def _most_alone(boxes: Sequence[Box]) -> list[Box]:
    if len(boxes) <= MOST:
        return list(boxes)
    apart = {box: min(_distance(box, other) for other in boxes if other is not box) for box in boxes}
    return sorted(apart, key=lambda box: (-apart[box], box))[:MOST]


def _distance(first: Box, second: Box) -> int:
    across = max(first.left, second.left) - min(first.right, second.right)
    down = max(first.top, second.top) - min(first.bottom, second.bottom)
    return max(across, down)


def _characters(shown: Gray) -> Iterator[Box]:
    """Yield the boxes of components shaped like bright characters."""
    hat = top_hat(shown, STROKE)
    mask = hat > CONTRAST
    clear_texture(mask)
    found = components(mask)
    width, height = found.right - found.left, found.bottom - found.top
    shaped = (height >= HEIGHTS[0]) & (height <= HEIGHTS[1]) & (width <= WIDEST * height)
    for component in found.those(shaped & (found.count >= FEWEST_PIXELS)):
        box = component.box
        part = hat[box.top : box.bottom, box.left : box.right]
        highest = highest_of(part[part > CONTRAST])
        if _is_calm(hat, box, highest) and _is_ink(shown, part, box, highest):
            yield box


def _is_ink(shown: Gray, part: Gray, box: Box, highest: float) -> bool:
    """Return True if a box's bright pixels have one gray level, as ink does; anatomy has shades."""
    full = part > FULL * highest
    if full.sum() < FLAT * (part > CONTRAST).sum():
        return False
    values = shown[box.top : box.bottom, box.left : box.right][full].astype(np.float32)
    return _median(np.abs(values - _median(values))) <= ONE_VALUE * highest


def _is_calm(hat: Gray, box: Box, highest: float) -> bool:
    room = max(3, box.height // 3)
    above = hat[max(0, box.top - room) : box.top, box.left : box.right]
    below = hat[box.bottom : box.bottom + room, box.left : box.right]
    clutter = sum(int(np.count_nonzero(side > FAINT * highest)) for side in (above, below))
    return clutter <= CLUTTER * (above.size + below.size)


def highest_of(values: Gray) -> float:
    """Return the contrast of ink as its 95th percentile, which ignores a few bright pixels."""
    ordered = np.sort(values)  # np.percentile and np.median take ten times as long for so few values
    place = 0.95 * (ordered.size - 1)
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below]) + (float(ordered[above]) - float(ordered[below])) * (place - below)


def _median(values: Floats) -> float:
    ordered = np.sort(values)
    return (float(ordered[(ordered.size - 1) // 2]) + float(ordered[ordered.size // 2])) / 2


def clear_texture(mask: Mask) -> None:
    """Clear the blocks of a mask that are texture, in place."""
    rows, columns = mask.shape
    down, across = np.arange(0, rows, BLOCK), np.arange(0, columns, BLOCK)
    of_rows = np.add.reduceat(mask.view(np.uint8), down, axis=0, dtype=np.uint8)  # sums are at most BLOCK
    ink = np.add.reduceat(of_rows, across, axis=1, dtype=np.int64)
    sizes = np.outer(np.diff(down, append=rows), np.diff(across, append=columns))
    for row, column in np.argwhere(ink > CROWDED * sizes).tolist():
        top, left = row * BLOCK, column * BLOCK
        mask[top : top + BLOCK, left : left + BLOCK] = False


def top_hat(gray: Gray, stroke: int) -> Gray:
    """Return the white top-hat: each pixel's excess over its surroundings, 0 in structures wider than a stroke."""
    opened = _slid(_slid(gray, stroke, np.minimum), stroke, np.maximum)
    hat: Gray = gray - opened
    return hat


def _slid(gray: Gray, window: int, choose: Callable[..., Gray]) -> Gray:
    """Apply a minimum or maximum filter with a square window, separably, by doubling the window."""
    half = window // 2
    result = np.pad(gray, half, mode="edge")
    for axis in (0, 1):
        lines = np.moveaxis(result, axis, 0)
        size = 1
        while size < window:
            step = min(size, window - size)
            lines = choose(lines[:-step], lines[step:])
            size += step
        result = np.moveaxis(lines, 0, axis)
    return result
