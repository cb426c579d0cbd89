"""Passages: lines read together, such as a cue and its value, or a date or name broken over two lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.find.legibility import is_mark
from healthcare_deid.engine.pixels.lines import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.pixels.lines import TextLine

ONE_SIZE = 2.2
"""Largest ratio of the heights of two lines of a passage."""
BELOW = 1.0
"""Largest vertical gap to the next line, in line heights."""
INDENTED = 3.0
"""Largest horizontal gap to the line below, on either side, in line heights."""
BESIDE = 5.0
"""Largest gap between a cue and the value to its right, in line heights."""
SAME_ROW = 0.6
"""Fraction of the smaller height that a cue and the value beside it share vertically."""
LONGEST = 3
"""Most lines in a passage: a cue and a value in two parts."""
_BROKEN = "-/^"
"""Characters at the end of a line after which the next line continues without a space."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of several lines.

    Attributes:
        text: The joined text. PHI.
        lines: Index of each line, and its offset in the text.
    """

    text: str
    lines: tuple[tuple[int, int], ...]

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of lines that a finding covers: line index, first character, and end (exclusive).

        In a finding that spans lines, single characters and marks are left out: they are there by chance.
        """
        ends = [begin for _, begin in self.lines[1:]] + [len(self.text)]
        for (index, begin), stop in zip(self.lines, ends, strict=True):
            first, last = max(start, begin), min(end, stop)
            part = self.text[first:last].rstrip()
            if not part or ((start < begin or end > stop) and (len(part) == 1 or is_mark(part))):
                continue
            yield index, first - begin, first - begin + len(part)


def passages(lines: Sequence[TextLine]) -> Iterator[Passage]:
    """Yield every chain of two or three lines that may be read together."""
    after = _followers(lines)
    for first in after:
        pending: list[tuple[int, ...]] = [(first,)]
        while pending:
            chain = pending.pop()
            for follower in after.get(chain[-1], ()):
                longer = (*chain, follower)
                yield _passage(lines, longer)
                if len(longer) < LONGEST:
                    pending.append(longer)


def _passage(lines: Sequence[TextLine], chain: tuple[int, ...]) -> Passage:
    text = ""
    begins: list[tuple[int, int]] = []
    for index in chain:
        added = lines[index].text or ""
        if text and not _goes_on(text, added):
            text += " "
        begins.append((index, len(text)))
        text += added
    return Passage(text, tuple(begins))


def _goes_on(text: str, added: str) -> bool:
    """Return True if the line break splits a word, date or number."""
    return text[-1] in _BROKEN or (text[-1] in ".," and text[-2:-1].isdigit() and added[:1].isdigit())


def _followers(lines: Sequence[TextLine]) -> dict[int, list[int]]:
    """Return the nearest line below and the nearest line to the right of each line."""
    found: dict[int, list[int]] = {}
    for direction in Direction:
        upright = [
            (index, _upright(line.box, direction))
            for index, line in enumerate(lines)
            if line.direction is direction and line.text and not line.parts
        ]
        for index, box in upright:
            others = [(other, place) for other, place in upright if other != index and _one_size(box, place)]
            below = [(place.top, other) for other, place in others if _is_below(box, place)]
            beside = [(place.left, other) for other, place in others if _is_beside(box, place)]
            if nearest := [min(near)[1] for near in (below, beside) if near]:
                found[index] = nearest
    return found


def _one_size(first: Box, second: Box) -> bool:
    low, high = sorted((first.height, second.height))
    return high <= ONE_SIZE * low


def _is_below(line: Box, other: Box) -> bool:
    height = min(line.height, other.height)
    gap = other.top - line.bottom
    reach = INDENTED * height
    return (
        -height / 2 <= gap <= BELOW * height and other.left <= line.right + reach and other.right >= line.left - reach
    )


def _is_beside(line: Box, other: Box) -> bool:
    height = min(line.height, other.height)
    shared = min(line.bottom, other.bottom) - max(line.top, other.top)
    return shared >= SAME_ROW * height and -height <= other.left - line.right <= BESIDE * height


def _upright(box: Box, direction: Direction) -> Box:
    """Return a box in a picture rotated so that its line reads from left to right."""
    match direction:
        case Direction.RIGHT:
            return box
        case Direction.DOWN:
            return Box(box.top, -box.right, box.bottom, -box.left)
        case Direction.LEFT:
            return Box(-box.right, -box.bottom, -box.left, -box.top)
        case Direction.UP:
            return Box(-box.bottom, box.left, -box.top, box.right)
        case _:
            assert_never(direction)
