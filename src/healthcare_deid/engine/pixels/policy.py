"""Which of the text that was found is covered, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.engine.pixels.ocr import Direction, TextLine
from healthcare_deid.engine.pixels.variants import variants
from healthcare_deid.engine.plan.pixels import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.pixels.geometry import Box
    from healthcare_deid.engine.plan.pixels import PixelPlan
    from healthcare_deid.engine.text.match import TextInspector

ALL_TEXT = "all-text"
UNREADABLE = "unreadable"
RECORD_NUMBER = "MEDICAL_RECORD_NUMBER"
IDENTIFYING_LINE = frozenset({RECORD_NUMBER, "DATE_OF_BIRTH"})
"""A line with one of these is about the patient: it is covered as a whole, whatever else was made of it."""
_LONG_NUMBER = re.compile(r"(?<![\d.,])\d{7,}(?![\d.,]*\d)")
"""No scale, setting or measure has so many digits: in a picture it is a patient's, a study's or a telephone's."""

UNREADABLE_CONFIDENCE = 0.6
"""A line read worse than this may say anything: it counts as sensitive."""
WHOLE_LINE = 0.85
"""A finding that takes this part of its line takes all of it."""
CHARACTER_MARGIN = 0.75
"""Characters covered besides a finding on each side: the reader places them no better."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A box to cover.

    Attributes:
        box: Where.
        rule: Why, as in `healthcare_deid.engine.records.Redaction`.
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

    def select(self, lines: Sequence[TextLine], inspector: TextInspector | None) -> list[Cover]:
        """Return the boxes to cover."""
        if self.plan.scope is Scope.EVERYTHING:
            return [Cover(line.box, ALL_TEXT, line.confidence) for line in lines]
        return [cover for line in lines for cover in self._sensitive(line, inspector)]

    def _sensitive(self, line: TextLine, inspector: TextInspector | None) -> Iterator[Cover]:
        if line.text is None or line.text_confidence < UNREADABLE_CONFIDENCE:
            yield Cover(line.box, UNREADABLE, line.confidence)
            return
        for index, (pattern, groups) in enumerate(self.plan.patterns):
            for match in pattern.finditer(line.text):
                for group in groups or (0,):
                    start, end = match.span(group)
                    if end > start:
                        yield Cover(part_of(line, start, end), f"regex:{index}", line.confidence)
        if inspector is not None:
            yield from self._findings(line, inspector)

    def _findings(self, line: TextLine, inspector: TextInspector) -> Iterator[Cover]:
        covered: set[int] = set()
        for variant in variants(line):
            found = [(match.start, match.end, match.info_type) for match in inspector.find(variant.text)]
            found += [(*match.span(), RECORD_NUMBER) for match in _LONG_NUMBER.finditer(variant.text)]
            for first, last, info_type in found:
                start, end = variant.span(first, last)
                if not self._wants(info_type) or covered.issuperset(range(start, end)):
                    continue
                covered.update(range(start, end))
                box = line.box if info_type in IDENTIFYING_LINE else part_of(line, start, end)
                yield Cover(box, f"infoType:{info_type}", line.confidence)

    def _wants(self, info_type: str) -> bool:
        if info_type in self.plan.excluded:
            return False
        return self.plan.scope is not Scope.PATTERNS or info_type in self.plan.additional


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
