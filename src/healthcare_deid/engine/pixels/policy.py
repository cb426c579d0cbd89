"""Which of the text that was found is covered, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from healthcare_deid.config import v1beta1
from healthcare_deid.engine.pixels.ocr import Direction, TextLine
from healthcare_deid.engine.pixels.variants import variants
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.config.image import ImageConfig
    from healthcare_deid.engine.pixels.geometry import Box
    from healthcare_deid.engine.text.match import TextInspector

AnyImageConfig: TypeAlias = "ImageConfig | v1beta1.ImageConfig"

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


class Scope(Enum):
    """What is looked for."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    SENSITIVE = "sensitive"
    PATTERNS = "patterns"


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
    """What an `ImageConfig` asks for, compiled.

    Raises:
        ConfigError: A custom regex cannot be compiled.
    """

    def __init__(self, image: AnyImageConfig) -> None:
        mode = str(image.text_redaction_mode or "")
        self.patterns = tuple(
            (_compiled(index, regex.pattern or ""), tuple(regex.group_indexes))
            for index, regex in enumerate(image.custom_regexes)
        )
        self.excluded: frozenset[str] = frozenset()
        self.additional: frozenset[str] = frozenset()
        if isinstance(image, v1beta1.ImageConfig):
            self.excluded = frozenset(image.exclude_info_types)
            self.additional = frozenset(image.additional_info_types)
        self.scope = _scope(mode, narrow=bool(self.patterns or self.additional))

    @property
    def reads(self) -> bool:
        """Whether the text must be read."""
        return self.scope in (Scope.SENSITIVE, Scope.PATTERNS)

    def select(self, lines: Sequence[TextLine], inspector: TextInspector | None) -> list[Cover]:
        """Return the boxes to cover."""
        if self.scope is Scope.EVERYTHING:
            return [Cover(line.box, ALL_TEXT, line.confidence) for line in lines]
        return [cover for line in lines for cover in self._sensitive(line, inspector)]

    def _sensitive(self, line: TextLine, inspector: TextInspector | None) -> Iterator[Cover]:
        if line.text is None or line.text_confidence < UNREADABLE_CONFIDENCE:
            yield Cover(line.box, UNREADABLE, line.confidence)
            return
        for index, (pattern, groups) in enumerate(self.patterns):
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
        if info_type in self.excluded:
            return False
        return self.scope is not Scope.PATTERNS or info_type in self.additional


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


def _scope(mode: str, *, narrow: bool) -> Scope:
    if mode == "REDACT_ALL_TEXT":
        return Scope.EVERYTHING
    if mode.startswith("REDACT_SENSITIVE_TEXT"):
        return Scope.SENSITIVE
    # Patterns without a mode would do nothing: cover what they name, and no more.
    return Scope.PATTERNS if narrow and mode != "REDACT_NO_TEXT" else Scope.NOTHING


def _compiled(index: int, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error:
        path = f"customRegexes[{index}].pattern"
        raise ConfigError.of("ImageConfig", [(path, "is no regular expression")]) from None
