"""Spelling variants of a line with and without spaces, which recognition is least certain of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.engine.pixels.lines import TextLine

_YEAR_AND_TIME = re.compile(r"(?<=[./-]\d{4})(?=\d{1,2}:\d{2})|(?<=[./-]\d{2})(?=\d{2}:\d{2})")
_LETTER_AND_DIGIT = re.compile(r"(?<=[^\W\d_]{2})(?=\d{2})|(?<=\d{2})(?=[^\W\d_]{2})|(?<=[a-z])(?=[A-Z])")
_WIDE_GAP = 1.7
"""Distance between characters, in median distances, above which a space is assumed."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One spelling of a line.

    Attributes:
        text: The spelling.
        origin: Index in the original reading of each character; an inserted space has the index of the next one.
    """

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map the characters from ``start`` up to ``end`` to a span in the original reading."""
        return self.origin[start], self.origin[end - 1] + 1


def variants(line: TextLine) -> Iterator[Variant]:
    """Yield the original reading, then variants with likely missing spaces added and with all spaces removed."""
    text = line.text or ""
    seen = {text}
    yield Variant(text, tuple(range(len(text))))
    for variant in (_spaced(text, _breaks(line)), _joined(text)):
        if variant.text not in seen:
            seen.add(variant.text)
            yield variant


def _breaks(line: TextLine) -> set[int]:
    """Return the indexes before which a space may be missing."""
    text = line.text or ""
    breaks = {match.start() for pattern in (_YEAR_AND_TIME, _LETTER_AND_DIGIT) for match in pattern.finditer(text)}
    places = line.positions
    if len(places) == len(text) > 2:
        gaps = [after - before for before, after in pairwise(places)]
        usual = sorted(gaps)[len(gaps) // 2]
        breaks |= {index + 1 for index, gap in enumerate(gaps) if gap > _WIDE_GAP * usual}
    return {index for index in breaks if not text[index - 1].isspace() and not text[index].isspace()}


def _spaced(text: str, breaks: set[int]) -> Variant:
    characters: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        if index in breaks:
            characters.append(" ")
            origin.append(index)
        characters.append(character)
        origin.append(index)
    return Variant("".join(characters), tuple(origin))


def _joined(text: str) -> Variant:
    kept = [index for index, character in enumerate(text) if not character.isspace()]
    return Variant("".join(text[index] for index in kept), tuple(kept))
