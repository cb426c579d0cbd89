"""Bar codes and the like in a picture, found with zxing-cpp: QR, Data Matrix, Aztec, PDF417 and the linear ones."""

from __future__ import annotations

from importlib.util import find_spec
from math import hypot
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from healthcare_deid.engine.pixels.geometry import Box
from healthcare_deid.engine.pixels.lines import TextLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.pixels.arrays import Floats, Picture

PACKAGE = "zxingcpp"
QUIET = 3
"""Pixels covered around a code."""
SAME_BARS = 0.5
"""A line across a bar code shows it still when it correlates this well with the line through its middle."""
LOST = 4
"""So many lines in a row that do not end it."""


def finds_codes() -> bool:
    """Say whether the package that finds codes is installed."""
    return find_spec(PACKAGE) is not None


def codes(picture: Picture, within: Box | None = None) -> list[TextLine]:
    """Return the codes in a picture, with what they hold; none without the package.

    Args:
        picture: 8 bit, (rows, columns, 3), RGB.
        within: The only part that is looked at.
    """
    if not finds_codes():
        return []
    rows, columns = picture.shape[:2]
    area = within or Box(0, 0, columns, rows)
    cut = Image.fromarray(np.ascontiguousarray(picture[area.top : area.bottom, area.left : area.right]))
    gray = np.asarray(cut.convert("L"))
    found: dict[Box, TextLine] = {}
    for code in _read(gray):
        box = _box(gray, code).grown(QUIET).moved(area.left, area.top).clipped(columns, rows)
        if box.area:
            found.setdefault(box, TextLine(box, 1.0, code.text, 1.0, is_code=True))
    return list(found.values())


def _read(gray: Picture) -> Iterator[Any]:
    """Yield every code: dark on bright, and bright on dark, which the package tries for some formats only.

    What is damaged counts too, but not as a Data Matrix: two edges at a right angle are taken for one.
    """
    import zxingcpp

    yield from _sound(zxingcpp.read_barcodes(gray, return_errors=True))
    formats = zxingcpp.BarcodeFormat
    striped = zxingcpp.BarcodeFormats([formats.AllLinear, formats.PDF417, formats.MicroPDF417])
    yield from _sound(zxingcpp.read_barcodes(255 - gray, formats=striped, try_invert=False, return_errors=True))


def _sound(found: Sequence[Any]) -> Iterator[Any]:
    import zxingcpp

    return (code for code in found if code.valid or code.format != zxingcpp.BarcodeFormat.DataMatrix)


def _box(gray: Picture, code: Any) -> Box:
    """Return the box around a code. Of bars only those lines are sure that were read: they go on above and below."""
    place = code.position
    corners = [(p.x, p.y) for p in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    corners += _ends_of_bars(gray, corners)
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return Box(min(across), min(down), max(across) + 1, max(down) + 1)


def _ends_of_bars(gray: Picture, corners: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Follow the bars from the line through the middle of a code, both ways, while they stay the same."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners
    start, end = np.array(((x0 + x3) / 2, (y0 + y3) / 2)), np.array(((x1 + x2) / 2, (y1 + y2) / 2))
    length = hypot(*(end - start))
    if length < 2:
        return []
    ahead = (end - start) / length
    aside = np.array((-ahead[1], ahead[0]))
    points = start + np.outer(np.arange(int(length) + 1), ahead)
    usual = _values(gray, points)
    found: list[tuple[int, int]] = []
    for way in (aside, -aside):
        last, distance = 0, 1
        while distance - last <= LOST:
            values = _values(gray, points + distance * way)
            if values is None or usual is None:
                break
            if _alike(usual, values):
                last = distance
            distance += 1
        found += [tuple(np.rint(point + last * way).astype(int).tolist()) for point in (start, end)]
    return found


def _values(gray: Picture, points: np.ndarray) -> Floats | None:
    """Return the values at points; None when most lie outside."""
    places = np.rint(points).astype(int)
    inside = (places >= 0).all(axis=1) & (places[:, 0] < gray.shape[1]) & (places[:, 1] < gray.shape[0])
    if inside.mean() < SAME_BARS:
        return None
    held = np.clip(places, 0, (gray.shape[1] - 1, gray.shape[0] - 1))
    values: Floats = gray[held[:, 1], held[:, 0]].astype(np.float32)
    return values


def _alike(first: Floats, second: Floats) -> bool:
    one, other = first - first.mean(), second - second.mean()
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return size > 0 and float((one * other).sum()) >= SAME_BARS * size
