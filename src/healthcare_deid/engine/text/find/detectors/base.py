"""The detector protocol, and detectors made of a pattern and a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


GUESS = 9
"""The rank of findings that give way to a sure one of another infoType: Mercy is a name, but not in Mercy Hospital."""

MODEL = 10
"""The rank of a language model's findings, which give way to any other infoType that a rule has found or guessed."""


class Detector(Protocol):
    """Finds infoTypes in a text, without knowing whose it is."""

    @property
    def info_types(self) -> frozenset[str]:
        """The infoTypes it can find."""
        ...

    @property
    def rank(self) -> int:
        """Its strength where findings overlap; lower is stronger. 0 is the header's own values; `GUESS` gives way."""
        ...

    def find(self, text: str) -> Iterable[Match]:
        """Return the findings, in any order; they may overlap."""
        ...


def always(_: str) -> bool:
    """Accept every candidate."""
    return True


HAS_DIGIT = re.compile(r"\d")
"""A gate for what cannot be without a digit."""


@dataclass(frozen=True)
class PatternDetector:
    """Finds one infoType by a regular expression, and checks every candidate.

    Attributes:
        info_type: What it finds.
        pattern: The expression. A group named ``value`` is the finding, else the whole match.
        is_valid: The check of a candidate's text.
        rank: Its strength where findings overlap.
        gate: A cheap expression that a text must match somewhere to be worth looking at; None for any text.
        ocr_digits: Whether the text is read with look-alike letters in numbers taken as digits.
        words: Words of which a text must have one to be worth looking at, folded; empty for any text.
        endings: Endings of words that will do as well.
        in_numbers: Whether only the surroundings of numbers of five digits and more are searched.

    Raises:
        TypeError: ``pattern`` is not compiled.
    """

    info_type: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool] = always
    rank: int = 2
    gate: re.Pattern[str] | None = HAS_DIGIT
    ocr_digits: bool = False
    words: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    in_numbers: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.pattern, re.Pattern):  # pyright: ignore[reportUnnecessaryIsInstance] # a mistake
            raise TypeError(f"pattern: re.compile(…) is needed, not {type(self.pattern).__name__}")

    @property
    def info_types(self) -> frozenset[str]:
        """The one infoType."""
        return frozenset({self.info_type})

    def find(self, text: str) -> list[Match]:
        """Return the matches that pass the check."""
        if self.ocr_digits:
            text = read_digits(text)
        if self.gate is not None and self.gate.search(text) is None:
            return []
        found: list[Match] = []
        group = "value" if "value" in self.pattern.groupindex else 0
        for begin, stop in long_numbers(text) if self.in_numbers else ((0, len(text)),):
            for match in self.pattern.finditer(text, begin, stop):
                start, end = match.span(group)
                if start >= 0 and self.is_valid(text[start:end]):
                    found.append(Match(start, end, self.info_type))
        return found

    def is_called_for(self, words: frozenset[str]) -> bool:
        """Return whether a text of these words is worth looking at."""
        if not self.words and not self.endings:
            return True
        if not self.words.isdisjoint(words):
            return True
        return bool(self.endings) and any(word.endswith(self.endings) for word in words)


FIVE_DIGITS = re.compile(r"(?:\d\D{0,3}){4}\d")
"""A gate for numbers."""
_LONG_NUMBER = re.compile(r"[+(]{0,2}\d[\d ()./+-]{3,}\d")
_BEHIND_A_NUMBER = 14
_NUMBER_LIKE = re.compile(r"(?<![A-Za-z])[0-9OoIl|SBZ][0-9OoIl|SBZ/.:()+\-]{3,}(?![A-Za-z])")
_LOOK_ALIKES = str.maketrans("OoIl|SBZ", "00111582")


@lru_cache(maxsize=256)
def long_numbers(text: str) -> tuple[tuple[int, int], ...]:
    """Return where numbers of five digits and more stand in ``text``, with room for an extension behind each."""
    return tuple(
        (match.start(), min(len(text), match.end() + _BEHIND_A_NUMBER))
        for match in _LONG_NUMBER.finditer(text)
        if sum(map(str.isdigit, match[0])) >= 5
    )


@lru_cache(maxsize=256)
def read_digits(text: str) -> str:
    """Return ``text``, of the same length, with the letters that text recognition confuses with digits read as digits.

    Only in runs of four characters or more that hold nothing else and are mostly digits already: ``O1/15/2O2O``.
    """

    def read(match: re.Match[str]) -> str:
        run = match[0]
        digits = sum(map(str.isdigit, run))
        letters = sum(map(str.isalpha, run))
        return run.translate(_LOOK_ALIKES) if letters and digits >= 2 * letters - 1 and digits >= 2 else run

    return _NUMBER_LIKE.sub(read, text) if HAS_DIGIT.search(text) else text


def ignore_case(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that takes upper and lower case alike, and may be spread over lines."""
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


def digits_of(text: str) -> str:
    """Return only the digits of ``text``."""
    return "".join(letter for letter in text if letter.isdigit())
