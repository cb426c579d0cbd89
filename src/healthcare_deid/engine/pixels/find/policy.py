"""Choice of the text to cover, with the rule that requires it."""

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
"""Rule of text outside the ultrasound regions that is more than settings."""
INFO_TYPE = "infoType:"
RECORD_NUMBER = "MEDICAL_RECORD_NUMBER"
IDENTIFYING_LINE = frozenset({RECORD_NUMBER, "DATE_OF_BIRTH"})
"""infoTypes of lines that are covered as a whole, because they are about the patient."""
_LONG_NUMBER = re.compile(r"(?<![\d.,])\d{7,}(?![\d.,]*\d)")
"""Numbers of seven digits or more. No scale, setting or measurement in a picture is that long; the numbers of patients,
studies and telephones are."""

WHOLE_LINE = 0.85
"""Fraction of its line from which a finding covers the whole line."""
CHARACTER_MARGIN = 0.75
"""Margin on each side of a finding, in character widths: the recognizer's positions are no more exact."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A box to cover.

    Attributes:
        box: Position in the frame or window.
        rule: Reason, as in `healthcare_deid.engine.results.Redaction`.
        confidence: The detector's score, 0 to 1.
    """

    box: Box
    rule: str
    confidence: float


class Policy:
    """Chooses the boxes to cover by a plan.

    Args:
        plan: Scope, patterns and infoTypes.
    """

    def __init__(self, plan: PixelPlan) -> None:
        self.plan = plan

    def select(
        self, lines: Sequence[TextLine], inspector: TextInspector | None, image: Sequence[Box] = ()
    ) -> list[Cover]:
        """Return the boxes to cover.

        Args:
            lines: Lines and codes of one picture.
            inspector: Finds infoTypes in the text.
            image: Regions of the picture that hold the image; empty if unknown.
        """
        if self.plan.scope is Scope.EVERYTHING:
            return [cover for line in lines for cover in _all_of(line, CODE if line.is_code else ALL_TEXT)]
        return list(self._sensitive(lines, inspector, image))

    def _sensitive(
        self, lines: Sequence[TextLine], inspector: TextInspector | None, image: Sequence[Box]
    ) -> Iterator[Cover]:
        """Yield the sensitive parts of single lines, then of passages."""
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
        """Yield the sensitive spans of a text: start, end (exclusive), and rule."""
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
    """Return True if a line is legible, outside the image, and more than settings and marks."""
    if not image or any(region.overlaps(line.box) for region in image):
        return False
    return is_legible(line) and not is_everyday(line.text or "")


def _all_of(line: TextLine, rule: str) -> Iterator[Cover]:
    return (Cover(box, rule, line.confidence) for box in line.boxes)


def _new_part(line: TextLine, start: int, end: int, rule: str, known: set[int]) -> Iterator[Cover]:
    """Yield the boxes of a part of a line unless all of it is in *known*, and add it there."""
    part = range(start, end)
    if known.issuperset(part):  # also True for a regex group that did not participate in the match
        return
    known.update(part)
    if line.parts or line.is_code or rule.removeprefix(INFO_TYPE) in IDENTIFYING_LINE:
        yield from _all_of(line, rule)
    else:
        yield Cover(part_of(line, start, end), rule, line.confidence)


def part_of(line: TextLine, start: int, end: int) -> Box:
    """Return the part of a line's box that shows the characters from ``start`` up to ``end``, with a margin."""
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
