"""Decision about which found text is covered, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.engine.pixels.find.legibility import is_everyday, is_legible
from healthcare_deid.engine.pixels.find.passages import passages
from healthcare_deid.engine.pixels.find.variants import Variant, variants
from healthcare_deid.engine.pixels.lines import Direction, TextLine
from healthcare_deid.engine.plan.pixels import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.plan.pixels import PixelPlan
    from healthcare_deid.engine.text.match import TextInspector

ALL_TEXT = "all-text"
CODE = "code"
UNREADABLE = "unreadable"
OUTSIDE_IMAGE = "outside-image"
"""Rule of text that stands where an ultrasound machine says that no image is, and that is more than settings."""
INFO_TYPE = "infoType:"
RECORD_NUMBER = "MEDICAL_RECORD_NUMBER"
IDENTIFYING_LINE = frozenset({RECORD_NUMBER, "DATE_OF_BIRTH"})
"""A line with one of these is about the patient: it is covered as a whole, whatever else was made of it."""
_LONG_NUMBER = re.compile(r"(?<![\d.,])\d{7,}(?![\d.,]*\d)")
"""No scale, setting or measure has so many digits: in a picture it is a patient's, a study's or a telephone's."""

WHOLE_LINE = 0.85
"""A finding that takes this part of its line takes all of it."""
CHARACTER_MARGIN = 0.75
"""Characters covered besides a finding on each side: the reader places them no better."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A box to cover.

    Attributes:
        box: Where.
        rule: Why, as in `healthcare_deid.engine.results.Redaction`.
        confidence: The detector's score.
    """

    box: Box
    rule: str
    confidence: float


class Policy:
    """Chooses what is covered, as a plan says.

    Args:
        plan: What to cover.
    """

    def __init__(self, plan: PixelPlan) -> None:
        self.plan = plan

    def select(
        self, lines: Sequence[TextLine], inspector: TextInspector | None, image: Sequence[Box] = ()
    ) -> list[Cover]:
        """Return the boxes to cover.

        Args:
            lines: What was found.
            inspector: Finds infoTypes in what was read.
            image: Where the image is in the picture; nothing where that is not known.
        """
        if self.plan.scope is Scope.EVERYTHING:
            return [cover for line in lines for cover in _all_of(line, CODE if line.is_code else ALL_TEXT)]
        return list(self._sensitive(lines, inspector, image))

    def _sensitive(
        self, lines: Sequence[TextLine], inspector: TextInspector | None, image: Sequence[Box]
    ) -> Iterator[Cover]:
        """Yield what is sensitive: in each line by itself, and then in lines that are read together."""
        legible: list[TextLine] = []
        for line in lines:
            if line.is_code and self.plan.scope is Scope.SENSITIVE:
                yield from _all_of(line, CODE)
            elif self.plan.scope is Scope.SENSITIVE and _stands_outside(line, image):
                yield from _all_of(line, OUTSIDE_IMAGE)
            elif line.is_code or is_legible(line):
                legible.append(line)
            else:
                yield from _all_of(line, UNREADABLE)
        known: list[set[int]] = [set() for _ in legible]
        for index, line in enumerate(legible):
            for start, end, rule in self._found(list(variants(line)), inspector):
                yield from _new_part(line, start, end, rule, known[index])
        for passage in passages(legible):
            whole = Variant(passage.text, tuple(range(len(passage.text))))
            for start, end, rule in self._found([whole], inspector):
                for index, first, last in passage.parts(start, end):
                    yield from _new_part(legible[index], first, last, rule, known[index])

    def _found(self, spellings: Sequence[Variant], inspector: TextInspector | None) -> Iterator[tuple[int, int, str]]:
        """Yield what is sensitive in a text: its first and last character in what was read, and why."""
        text = spellings[0].text
        for index, (pattern, groups) in enumerate(self.plan.patterns):
            for match in pattern.finditer(text):
                yield from ((*match.span(group), f"regex:{index}") for group in groups or (0,))
        if inspector is None:
            return
        for variant in spellings:
            found = [(match.start, match.end, match.info_type) for match in inspector.find(variant.text)]
            found += [(*match.span(), RECORD_NUMBER) for match in _LONG_NUMBER.finditer(variant.text)]
            for first, last, info_type in found:
                if self._wants(info_type):
                    yield *variant.span(first, last), INFO_TYPE + info_type

    def _wants(self, info_type: str) -> bool:
        if info_type in self.plan.excluded:
            return False
        return self.plan.scope is not Scope.PATTERNS or info_type in self.plan.additional


def _stands_outside(line: TextLine, image: Sequence[Box]) -> bool:
    """Say whether a line is legible, stands outside the image, and is more than settings and marks."""
    if not image or any(region.overlaps(line.box) for region in image):
        return False
    return is_legible(line) and not is_everyday(line.text or "")


def _all_of(line: TextLine, rule: str) -> Iterator[Cover]:
    return (Cover(box, rule, line.confidence) for box in line.boxes)


def _new_part(line: TextLine, start: int, end: int, rule: str, known: set[int]) -> Iterator[Cover]:
    """Yield the boxes of a part of a line, unless all of it is known, to which it is added."""
    part = range(start, end)
    if known.issuperset(part):  # so is a group that took no part in its match
        return
    known.update(part)
    if line.parts or line.is_code or rule.removeprefix(INFO_TYPE) in IDENTIFYING_LINE:
        yield from _all_of(line, rule)
    else:
        yield Cover(part_of(line, start, end), rule, line.confidence)


def part_of(line: TextLine, start: int, end: int) -> Box:
    """Return the part of a line's box that shows characters ``start`` to ``end``, with a margin."""
    count = len(line.text or "")
    middles = line.positions if len(line.positions) == count else [(index + 0.5) / count for index in range(count)]
    width = (middles[-1] - middles[0]) / (count - 1) if count > 1 else 1.0
    first = 0.0 if start <= 0 else (middles[start - 1] + middles[start]) / 2 - CHARACTER_MARGIN * width
    last = 1.0 if end >= count else (middles[end - 1] + middles[end]) / 2 + CHARACTER_MARGIN * width
    first, last = max(0.0, first), min(1.0, last)
    if last - first >= WHOLE_LINE:
        return line.box
    box = line.box
    if line.direction in (Direction.LEFT, Direction.UP):
        first, last = 1 - last, 1 - first
    if line.direction in (Direction.RIGHT, Direction.LEFT):
        return box._replace(left=box.left + int(first * box.width), right=box.right - int((1 - last) * box.width))
    return box._replace(top=box.top + int(first * box.height), bottom=box.bottom - int((1 - last) * box.height))
