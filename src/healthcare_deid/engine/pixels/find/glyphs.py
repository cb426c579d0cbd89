"""Characters that stand alone, found by their ink: a network that was taught lines overlooks them.

Burned-in ink has one value, in strokes that are thin, with calm above and below. A *top-hat* (a picture minus its
opening) keeps what is brighter than its surroundings and thinner than a window. What is found is a suggestion: anatomy
has thin, bright things too, so each is read, and is text when it reads as such.
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
"""Strokes are thinner than this."""
CONTRAST = 30
"""Ink differs from its surroundings by more than this."""
HEIGHTS = (7, 48)
"""Rows a character has, at the scale that is looked at."""
WIDEST = 1.6
"""And no more than this many times as many columns."""
FEWEST_PIXELS = 8
FULL = 0.75
"""A stroke's pixel is full when its contrast is more than this part of the highest."""
FLAT = 0.3
"""Of a character's ink, at least this part is full: the rest is smoothed edges."""
ONE_VALUE = 0.07
"""Full pixels differ from their median by no more than this part of the contrast, in the median."""
FAINT = 0.4
"""Above and below a character, what has more than this part of its contrast is clutter."""
CLUTTER = 0.06
"""It stands calm when less than this part is."""
BLOCK = 32
CROWDED = 0.3
"""A block of which a larger part is thin and bright is texture: speckle, not writing."""
APART = 0.8
"""Characters of a word are closer than this part of their height."""
SAME_ROW = 0.6
"""And share this part of it,"""
TALLER = 2.2
"""none taller than this many times another; a box around a line is taller than its characters."""
CROWD = 1000
"""A picture with more marks of the shape of characters is a pattern, or a page that the detector reads line by line."""
MOST = 16
"""So many at most are suggested, those that are most alone: what crowds is texture."""


def glyphs(picture: Picture, scale: float, known: Sequence[Box]) -> list[Box]:
    """Return boxes that may hold characters, outside known lines; neighbors in a row as one.

    Args:
        picture: Shape (rows, columns, 3).
        scale: How many times its size it is looked at; never enlarged, which adds no ink.
        known: Lines that were found already.
    """
    rows, columns = picture.shape[:2]
    factor = min(1.0, scale)
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    gray = np.asarray(Image.fromarray(picture).convert("L").resize(size, Image.Resampling.BILINEAR))
    found: list[Box] = []
    for shown in (gray, 255 - gray):  # bright ink, then dark: a word has one of them
        characters = list(_characters(shown))
        if len(characters) > CROWD:
            continue
        placed = [box.scaled(columns / size[0], rows / size[1]) for box in characters]
        found += joined([box for box in placed if not any(line.contains(box) for line in known)])
    return _most_alone(without_contained(found))  # the holes of bright characters look like dark ones


def in_a_row(first: Box, second: Box) -> bool:
    """Say whether two boxes may be parts of one line."""
    low, high = sorted((first.height, second.height))
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    gap = max(first.left, second.left) - min(first.right, second.right)
    return shared >= SAME_ROW * low and gap <= APART * low and high <= TALLER * low


def joined(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes, those in a row as one."""
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
    """Yield what has the shape of bright characters."""
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
    """Say whether most of what stands out in a box is of one value, as ink is; anatomy comes in shades."""
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
    """Return the contrast of ink, but for a few bright pixels: the 95th percentile."""
    ordered = np.sort(values)  # numpy's own percentile and median take ten times as long for so few values
    place = 0.95 * (ordered.size - 1)
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below]) + (float(ordered[above]) - float(ordered[below])) * (place - below)


def _median(values: Floats) -> float:
    ordered = np.sort(values)
    return (float(ordered[(ordered.size - 1) // 2]) + float(ordered[ordered.size // 2])) / 2


def clear_texture(mask: Mask) -> None:
    """Clear the blocks of a mask that are crowded."""
    rows, columns = mask.shape
    down, across = np.arange(0, rows, BLOCK), np.arange(0, columns, BLOCK)
    of_rows = np.add.reduceat(mask.view(np.uint8), down, axis=0, dtype=np.uint8)  # BLOCK at most
    ink = np.add.reduceat(of_rows, across, axis=1, dtype=np.int64)
    sizes = np.outer(np.diff(down, append=rows), np.diff(across, append=columns))
    for row, column in np.argwhere(ink > CROWDED * sizes).tolist():
        top, left = row * BLOCK, column * BLOCK
        mask[top : top + BLOCK, left : left + BLOCK] = False


def top_hat(gray: Gray, stroke: int) -> Gray:
    """Return by how much each pixel stands out from its surroundings; 0 in what is no thinner than a stroke."""
    opened = _slid(_slid(gray, stroke, np.minimum), stroke, np.maximum)
    hat: Gray = gray - opened
    return hat


def _slid(gray: Gray, window: int, choose: Callable[..., Gray]) -> Gray:
    """Return the least or greatest value in a square around each pixel: doubled windows, one axis after the other."""
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
