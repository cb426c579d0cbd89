"""The detector protocol, and a detector for a pattern with a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_letters
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.engine.text.find.detectors.words import matches_at
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


LISTED_PLACE = 8
"""Rank of places."""

GUESS = 9
"""Rank of uncertain findings, which a certain one of another infoType overrides: Mercy, but not in Mercy Hospital."""

MODEL = 10
"""Rank of a language model's findings, which any rule for another infoType overrides."""


class Detector(Protocol):
    """Finds infoTypes in a text, independent of the instance."""

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that it can find."""
        ...

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings; lower wins.

        The header's own values have 0, uncertain findings `GUESS`.
        """
        ...

    def find(self, text: str) -> Iterable[Match]:
        """Return the findings, in any order and possibly overlapping."""
        ...


def always(_: str) -> bool:
    """Accept every candidate."""
    return True


HAS_DIGIT = re.compile(r"[0-9]")
"""Gate for infoTypes that always have a digit."""


@dataclass(frozen=True)
class PatternDetector:
    """Finds one infoType by pattern and check.

    Attributes:
        info_type: InfoType that it finds.
        pattern: Regular expression. The finding is its group ``value``, or else the whole match.
        is_valid: Check of a candidate's text.
        rank: Precedence among overlapping findings; lower wins.
        gate: Cheap regular expression; texts that it does not match are skipped. None for all texts.
        ocr_digits: Whether look-alike letters in numbers are read as digits.
        words: Folded words of which a text must have one; empty for all texts.
        shapes: Parts of which a text has one, if its digits are read as 0; empty for all texts.
        at_words: Whether the pattern begins with one of ``words``.
        at_numbers: Whether the pattern begins with a number.
        at_codes: Whether the pattern begins with letters attached to a number.
        whole: Whether the pattern begins where the text does.
        in_numbers: Whether only the surroundings of numbers with at least five digits are searched.

    Raises:
        TypeError: *pattern* is not a compiled pattern.
    """

    info_type: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool] = always
    rank: int = 2
    gate: re.Pattern[str] | None = HAS_DIGIT
    ocr_digits: bool = False
    words: frozenset[str] = frozenset()
    in_numbers: bool = False
    shapes: tuple[str, ...] = ()
    at_words: bool = False
    at_numbers: bool = False
    at_codes: bool = False
    whole: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.pattern, re.Pattern):  # pyright: ignore[reportUnnecessaryIsInstance] # a mistake
            raise TypeError(f"pattern must be compiled with re.compile, not {type(self.pattern).__name__}")

    @property
    def info_types(self) -> frozenset[str]:
        """The single infoType."""
        return frozenset({self.info_type})

    def find(self, text: str) -> list[Match]:
        """Return the matches that pass the check."""
        read = read_digits(text) if self.ocr_digits else text
        return [] if self.gate is not None and self.gate.search(read) is None else self.search(text)

    def search(self, text: str) -> list[Match]:
        """Return the matches that pass the check, in a text that passes the gate."""
        # Text recognition reads O for 0 and l for 1; the length does not change, so positions stay valid.
        if self.ocr_digits:
            text = read_digits(text)
        found: list[Match] = []
        for match in self._matches(text):
            start, end = match.span("value" if "value" in self.pattern.groupindex else 0)
            if start >= 0 and self.is_valid(text[start:end]):
                found.append(Match(start, end, self.info_type))
        return found

    def _matches(self, text: str) -> Iterable[re.Match[str]]:
        """Return the pattern's matches, tried only where it can match."""
        if self.in_numbers:
            return [match for begin, stop in long_numbers(text) for match in self.pattern.finditer(text, begin, stop)]
        if self.whole:
            match = self.pattern.match(text)
            return (match,) if match else ()
        if self.at_numbers or self.at_codes:
            numbers = number_starts(text) if self.at_numbers else ()
            codes = code_starts(text) if self.at_codes else ()
            return matches_from(self.pattern, text, sorted({*numbers, *codes}) if codes else numbers)
        if self.at_words:
            return matches_at(self.pattern, text, self.words)
        return self.pattern.finditer(text)


_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def shape_of(text: str) -> str:
    """Return a text with every digit as 0."""
    # Bytes are translated ten times as fast as letters.
    return text.encode("utf-8", "surrogatepass").translate(_ZEROS).decode("utf-8", "surrogatepass")


LINK = r"(?:\s*(?:no|num|number|nr|id|is|\#|:|=|-|\.)){0,3}\s*"
"""Pattern of separators and small words between a cue and its number."""
FIVE_DIGITS = re.compile(r"(?:[0-9][^0-9]{0,3}){4}[0-9]")
"""Gate for numbers of at least five digits."""
_LONG_NUMBER = re.compile(r"[0-9][0-9 ()./+-]{3,}[0-9]")
_AT_LEAST_FIVE = re.compile(r"(?:[^0-9]*[0-9]){5}")
_BEHIND_A_NUMBER = 14
_DIGITS = re.compile(r"[0-9]+")
# The characters come first, so that the rest is tried only at them.
_NUMBER_LIKE = re.compile(r"[0-9OoIl|SBZ](?<![A-Za-z].)[0-9OoIl|SBZ/.:()+\-]{3,}(?![A-Za-z])")
_LOOK_ALIKES = str.maketrans("OoIl|SBZ", "00111582")


@lru_cache(maxsize=16)
def long_numbers(text: str) -> tuple[tuple[int, int], ...]:
    """Return the ranges of numbers with at least five digits.

    Each has room for an extension after it.
    """
    ranges: list[tuple[int, int]] = []
    for match in _LONG_NUMBER.finditer(text):
        if _AT_LEAST_FIVE.match(match[0]):
            start, end = match.span()
            before = text[max(0, start - 2) : start]
            start -= len(before) - len(before.rstrip("+("))
            ranges.append((start, min(len(text), end + _BEHIND_A_NUMBER)))
    return tuple(ranges)


@lru_cache(maxsize=16)
def number_starts(text: str) -> tuple[int, ...]:
    """Return where the numbers of a text begin."""
    return tuple([match.start() for match in _DIGITS.finditer(text)])


@lru_cache(maxsize=16)
def code_starts(text: str) -> tuple[int, ...]:
    """Return where the letters attached to numbers begin, as in AB12."""
    starts: list[int] = []
    end = 0
    for match in _DIGITS.finditer(text):
        start = match.start()
        while start > end and text[start - 1] in ascii_letters:
            start -= 1
        if start < match.start() and (start > end or not end):  # letters between two numbers begin nothing
            starts.append(start)
        end = match.end()
    return tuple(starts)


def matches_from(pattern: re.Pattern[str], text: str, starts: Iterable[int]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern that begins at one of some positions, without overlaps."""
    end = 0
    for start in starts:
        if start >= end:
            match = pattern.match(text, start)
            if match:
                end = match.end()
                yield match


@lru_cache(maxsize=16)
def read_digits(text: str) -> str:
    """Replace letters that OCR confuses with digits, without changing the length: ``O1/15/2O2O``.

    Only runs of at least four such characters are changed, if most of them are digits.
    """

    def read(match: re.Match[str]) -> str:
        run = match[0]
        digits = sum(map(str.isdigit, run))
        letters = sum(map(str.isalpha, run))
        return run.translate(_LOOK_ALIKES) if letters and digits >= 2 * letters - 1 and digits >= 2 else run

    return _NUMBER_LIKE.sub(read, text) if HAS_DIGIT.search(text) else text


def ignore_case(pattern: str) -> re.Pattern[str]:
    """Compile a verbose pattern that ignores case."""
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


def digits_of(text: str) -> str:
    """Return the digits of a text."""
    return "".join(letter for letter in text if letter.isdigit())
