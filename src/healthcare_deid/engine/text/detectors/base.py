"""What a detector is, and the one most are: a pattern with a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Detector(Protocol):
    """Finds infoTypes in a text, without knowing whose it is."""

    @property
    def info_types(self) -> frozenset[str]:
        """The infoTypes it can find."""
        ...

    @property
    def rank(self) -> int:
        """Its strength where findings overlap; lower is stronger. 0 to 9 for rules, 20 for models."""
        ...

    def find(self, text: str) -> Iterable[Match]:
        """Return the findings, in any order; they may overlap."""
        ...


def always(_: str) -> bool:
    """Accept every candidate."""
    return True


@dataclass(frozen=True)
class PatternDetector:
    """Finds one infoType by a regular expression, and checks every candidate.

    Attributes:
        info_type: What it finds.
        pattern: The expression. A group named ``value`` is the finding, else the whole match.
        is_valid: The check of a candidate's text.
        rank: Its strength where findings overlap.
        only_if: Characters of which a text must hold one to be worth looking at; empty for any text.
        ocr_digits: Whether the text is read with look-alike letters in numbers taken as digits.
    """

    info_type: str
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool] = always
    rank: int = 2
    only_if: str = "0123456789"
    ocr_digits: bool = False

    @property
    def info_types(self) -> frozenset[str]:
        """The one infoType."""
        return frozenset({self.info_type})

    def find(self, text: str) -> list[Match]:
        """Return the matches that pass the check."""
        if self.only_if and not any(letter in text for letter in self.only_if):
            return []
        if self.ocr_digits:
            text = read_digits(text)
        found: list[Match] = []
        group = "value" if "value" in self.pattern.groupindex else 0
        for match in self.pattern.finditer(text):
            start, end = match.span(group)
            if start >= 0 and self.is_valid(text[start:end]):
                found.append(Match(start, end, self.info_type))
        return found


_NUMBER_LIKE = re.compile(r"[0-9OoIl|SBZ][0-9OoIl|SBZ/.:()+\-]{3,}(?![A-Za-z])")
_LOOK_ALIKES = str.maketrans("OoIl|SBZ", "00111582")


def read_digits(text: str) -> str:
    """Return ``text``, of the same length, with the letters that text recognition confuses with digits read as digits.

    Only in runs of four characters or more that hold nothing else and are mostly digits already: ``O1/15/2O2O``.
    """

    def read(match: re.Match[str]) -> str:
        run = match[0]
        digits = sum(map(str.isdigit, run))
        letters = sum(map(str.isalpha, run))
        return run.translate(_LOOK_ALIKES) if letters and digits >= 2 * letters - 1 and digits >= 2 else run

    return _NUMBER_LIKE.sub(read, text) if any(map(str.isdigit, text)) else text


def ignore_case(pattern: str) -> re.Pattern[str]:
    """Compile a pattern that takes upper and lower case alike, and may be spread over lines."""
    return re.compile(pattern, re.IGNORECASE | re.VERBOSE)


def digits_of(text: str) -> str:
    """Return only the digits of ``text``."""
    return "".join(letter for letter in text if letter.isdigit())
