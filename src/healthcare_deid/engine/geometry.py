"""Boxes in an image: the one shape that detectors find and that is covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Box(NamedTuple):
    """A rectangle in pixels: ``left`` and ``top`` are in it, ``right`` and ``bottom`` are the first outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Pixels; 0 when there is nothing in it."""
        return max(0, self.width) * max(0, self.height)

    def grown(self, horizontal: int, vertical: int | None = None) -> Box:
        """Return the box with a margin on every side."""
        rows = horizontal if vertical is None else vertical
        return Box(self.left - horizontal, self.top - rows, self.right + horizontal, self.bottom + rows)

    def clipped(self, width: int, height: int) -> Box:
        """Return the part inside an image."""
        return Box(max(0, self.left), max(0, self.top), min(width, self.right), min(height, self.bottom))

    def moved(self, columns: int, rows: int) -> Box:
        """Return the box shifted."""
        return Box(self.left + columns, self.top + rows, self.right + columns, self.bottom + rows)

    def scaled(self, horizontal: float, vertical: float) -> Box:
        """Return the box in an image resized by these factors, rounded outwards."""
        return Box(
            _floor(self.left * horizontal),
            _floor(self.top * vertical),
            -_floor(-self.right * horizontal),
            -_floor(-self.bottom * vertical),
        )

    def intersection(self, other: Box) -> Box:
        """Return the common part; its area is 0 if they do not overlap."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )

    def overlaps(self, other: Box) -> bool:
        """Return whether the two share a pixel."""
        return self.intersection(other).area > 0

    def contains(self, other: Box) -> bool:
        """Return whether ``other`` lies inside."""
        return self.union(other) == self

    def union(self, other: Box) -> Box:
        """Return the smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def without_contained(boxes: Iterable[Box]) -> list[Box]:
    """Return the boxes that do not lie inside another one, largest first kept, in reading order."""
    kept: list[Box] = []
    for box in sorted(set(boxes), key=lambda item: (-item.area, item)):
        if box.area and not any(other.contains(box) for other in kept):
            kept.append(box)
    return sorted(kept, key=lambda item: (item.top, item.left, item.bottom, item.right))


def merged(boxes: Sequence[Box]) -> list[Box]:
    """Return boxes that do not overlap and together hold all the given ones: those that overlap become one."""
    pending = list(boxes)
    result: list[Box] = []
    while pending:
        box = pending.pop()
        touching = [other for other in result if other.overlaps(box)]
        if not touching:
            result.append(box)
            continue
        for other in touching:
            result.remove(other)
            box = box.union(other)
        pending.append(box)
    return sorted(result, key=lambda item: (item.top, item.left))


def _floor(value: float) -> int:
    return int(value // 1)
