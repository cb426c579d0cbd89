"""Machine-readable codes in a picture, found with zxing-cpp: QR, Data Matrix, Aztec, PDF417 and linear bar codes."""

from __future__ import annotations

from importlib.util import find_spec
from math import atan2, ceil, cos, floor, hypot, radians, sin
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.lines import TextLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.pixels.arrays import Floats, Picture

Corners: TypeAlias = "list[tuple[float, float]]"

PACKAGE = "zxingcpp"
"""Import name of zxing-cpp."""
OBLIQUE = 45
"""Rotation of the picture, in degrees, for the pass that finds slanted bar codes."""
OBLIQUE_SIDE = 1024
"""Longest side of the rotated picture, in pixels. A large film takes a tenth of the time, and scannable bars stay thick
enough."""
QUIET = 3
"""Margin covered around a code, in pixels."""
SAME_BARS = 0.5
"""Least correlation of a line across a bar code with the center line."""
NEAREST, FARTHEST = 4.0, 30.0
"""Smallest and largest distance, in pixels, from the center line at which the slant of the bars is measured."""
LOST = 4
"""Most consecutive lines without correlation that a bar code may contain."""


def finds_codes() -> bool:
    """Return True if zxing-cpp is installed."""
    return find_spec(PACKAGE) is not None


def codes(picture: Picture, within: Box | None = None) -> list[TextLine]:
    """Return the codes in a picture with their content; empty if zxing-cpp is not installed.

    Args:
        picture: 8 bit, shape (rows, columns, 3), RGB.
        within: The only region to search; by default the whole picture.
    """
    if not finds_codes():
        return []
    rows, columns = picture.shape[:2]
    area = within or Box(0, 0, columns, rows)
    cut = Image.fromarray(np.ascontiguousarray(picture[area.top : area.bottom, area.left : area.right]))
    gray = np.asarray(cut.convert("L"))
    found: dict[Box, TextLine] = {}
    for text, corners in _read(gray):
        box = _box(gray, corners).grown(QUIET).moved(area.left, area.top).clipped(columns, rows)
        if box.area:
            found.setdefault(box, TextLine(box, 1.0, text, 1.0, is_code=True))
    return list(found.values())


def _read(gray: Picture) -> Iterator[tuple[str, Corners]]:
    """Yield the content and the corners of every code.

    zxing-cpp finds dark codes at nearly any angle, but skips linear and PDF417 codes that are slanted, or bright on a
    dark background. A rotated and an inverted pass find those.
    """
    import zxingcpp

    formats = zxingcpp.BarcodeFormat
    striped = zxingcpp.BarcodeFormats([formats.AllLinear, formats.PDF417, formats.MicroPDF417])
    yield from _sound(zxingcpp.read_barcodes(gray, return_errors=True))
    yield from _sound(zxingcpp.read_barcodes(255 - gray, formats=striped, try_invert=False, return_errors=True))
    factor = min(1.0, OBLIQUE_SIDE / max(gray.shape))
    small = Image.fromarray(gray).resize((round(gray.shape[1] * factor), round(gray.shape[0] * factor)))
    turned = np.asarray(small.rotate(OBLIQUE, Image.Resampling.BILINEAR, expand=True))
    found = zxingcpp.read_barcodes(turned, formats=striped, try_invert=False, return_errors=True)
    for text, corners in _sound(found):
        yield text, [(x / factor, y / factor) for x, y in _turned_back(corners, turned.shape, small.size[::-1])]


def _sound(found: Sequence[Any]) -> Iterator[tuple[str, Corners]]:
    """Yield the codes, except damaged ones of formats whose finder pattern is so weak that edges or noise match it."""
    import zxingcpp

    formats = zxingcpp.BarcodeFormat
    for code in found:
        if code.valid or code.format not in (formats.DataMatrix, formats.PDF417, formats.MicroPDF417):
            place = code.position
            corners = (place.top_left, place.top_right, place.bottom_right, place.bottom_left)
            yield code.text, [(float(corner.x), float(corner.y)) for corner in corners]


def _turned_back(corners: Corners, turned: tuple[int, ...], shape: tuple[int, ...]) -> Corners:
    """Map points from a picture rotated counterclockwise about its center back to the original."""
    ahead, down = cos(radians(OBLIQUE)), sin(radians(OBLIQUE))
    moved = [(x - turned[1] / 2, y - turned[0] / 2) for x, y in corners]
    return [(x * ahead - y * down + shape[1] / 2, x * down + y * ahead + shape[0] / 2) for x, y in moved]


def _box(gray: Picture, corners: Corners) -> Box:
    """Return the box around a code. Bars extend beyond its corners, which span only the decoded scan lines."""
    places = [*corners, *_ends_of_bars(gray, corners)]
    across, down = [x for x, _ in places], [y for _, y in places]
    return Box(floor(min(across)), floor(min(down)), ceil(max(across)) + 1, ceil(max(down)) + 1)


def _ends_of_bars(gray: Picture, corners: Corners) -> Corners:
    """Follow the bars from the center line of a code in both directions while the pattern correlates."""
    top_left, top_right, bottom_right, bottom_left = (np.array(corner) for corner in corners)
    start, end = (top_left + bottom_left) / 2, (top_right + bottom_right) / 2
    length = hypot(*(end - start))
    if length < 2:
        return []
    ahead = (end - start) / length
    lean = _lean(gray, _points(start, ahead, length), ahead, hypot(*(bottom_left - top_left)) / 2)
    # A slanted code is decoded along a line that is not perpendicular to its bars.
    ahead = _turned(ahead, lean)
    length *= cos(lean)
    points, aside = _points(start, ahead, length), np.array((-ahead[1], ahead[0]))
    usual = _values(gray, points)
    found: Corners = []
    if usual is None:
        return []
    for way in (aside, -aside):
        last, following, lost = np.zeros(2), np.zeros(2), 0
        while lost <= LOST:
            beside = [following + way + side * ahead for side in (0, -1, 1)]
            alike = [_alike(usual, _values(gray, points + offset)) for offset in beside]
            best = max(range(len(beside)), key=alike.__getitem__)
            lost = 0 if alike[best] >= SAME_BARS else lost + 1
            following = following + way if lost else beside[best]
            last = last if lost else following
        found += [(float(x), float(y)) for x, y in (point + last for point in (points[0], points[-1]))]
    return found


def _lean(gray: Picture, points: np.ndarray, ahead: np.ndarray, height: float) -> float:
    """Return the angle, in radians, between the bars and the normal of a line across them, from their shift."""
    usual = _values(gray, points)
    rows = min(FARTHEST, max(NEAREST, height))
    aside = np.array((-ahead[1], ahead[0]))
    if usual is None:
        return 0.0
    shifts = np.arange(-rows, rows + 0.25, 0.5).tolist()
    sums = [
        sum(_alike(usual, _values(gray, points + sign * (rows * aside + shift * ahead))) for sign in (1, -1))
        for shift in shifts
    ]
    best = max(range(len(shifts)), key=lambda index: (sums[index], -abs(shifts[index])))
    return atan2(-shifts[best], rows) if sums[best] >= 2 * SAME_BARS else 0.0


def _points(start: np.ndarray, ahead: np.ndarray, length: float) -> np.ndarray:
    return np.asarray(start + np.outer(np.arange(int(length) + 1), ahead))


def _turned(way: np.ndarray, angle: float) -> np.ndarray:
    return np.array((way[0] * cos(angle) - way[1] * sin(angle), way[0] * sin(angle) + way[1] * cos(angle)))


def _values(gray: Picture, points: np.ndarray) -> Floats | None:
    """Return the gray levels at points; None if most lie outside the picture."""
    places = np.rint(points).astype(int)
    inside = (places >= 0).all(axis=1) & (places[:, 0] < gray.shape[1]) & (places[:, 1] < gray.shape[0])
    if inside.mean() < SAME_BARS:
        return None
    held = np.clip(places, 0, (gray.shape[1] - 1, gray.shape[0] - 1))
    values: Floats = gray[held[:, 1], held[:, 0]].astype(np.float32)
    return values


def _alike(first: Floats, second: Floats | None) -> float:
    """Return the correlation of two lines of pixels; 0 if one of them is flat or None."""
    if second is None:
        return 0.0
    one, other = first - first.mean(), second - second.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 0.0
