"""Lines that are read together: a cue and its value, a date or a name that is broken over two lines."""

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
"""Lines that belong together are of one size: none is this many times as high as another."""
BELOW = 1.0
"""The next line begins within this many times the height of a line below it,"""
INDENTED = 3.0
"""and no further than this to either side, or under it."""
BESIDE = 5.0
"""A value stands within this many times the height to the right of its cue."""
SAME_ROW = 0.6
"""It shares this part of the height."""
LONGEST = 3
"""Lines of a passage: a cue, and a value in two parts."""
_BROKEN = "-/^"
"""A line that ends with one of these goes on with the next one, without a space."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of several lines.

    Attributes:
        text: What they say, one after the other. PHI.
        lines: Index of each line, and where in the text it begins.
    """

    text: str
    lines: tuple[tuple[int, int], ...]

    def parts(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield the parts of lines that a finding is in: index of the line, first character, and the one after it.

        A finding that runs on from one line into another takes no mark and no single character with it, which stand
        there by chance.
        """
        ends = [begin for _, begin in self.lines[1:]] + [len(self.text)]
        for (index, begin), stop in zip(self.lines, ends, strict=True):
            first, last = max(start, begin), min(end, stop)
            part = self.text[first:last].rstrip()
            if not part or ((start < begin or end > stop) and (len(part) == 1 or is_mark(part))):
                continue
            yield index, first - begin, first - begin + len(part)


def passages(lines: Sequence[TextLine]) -> Iterator[Passage]:
    """Yield every pair of lines that may be read together, and every three that follow each other."""
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
    """Say whether a line breaks a word or a date in two."""
    return text[-1] in _BROKEN or (text[-1] in ".," and text[-2:-1].isdigit() and added[:1].isdigit())


def _followers(lines: Sequence[TextLine]) -> dict[int, list[int]]:
    """Return, for every line, the nearest one below it and the nearest one to its right."""
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
    """Return a box as it lies when the picture is turned so that its line is read from left to right."""
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
