"""Texts with their sensitive stretches marked, and the score of a detector on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Span = tuple[int, int, str]
WRITTEN = Path(__file__).with_name("phi_written.txt")
"""Held out: nothing is tuned on it."""
WRITTEN_TUNING = Path(__file__).with_name("phi_tuning.txt")
_MARK = re.compile(r"\{([A-Z_]+):([^}]*)\}")


@dataclass(frozen=True)
class Example:
    """A text and its sensitive stretches."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Score:
    """How well findings meet the marked stretches."""

    precision: float
    recall: float
    missed: tuple[tuple[str, str, str], ...]
    false_alarms: tuple[tuple[str, str, str], ...]

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return (
            2 * self.precision * self.recall / (self.precision + self.recall) if self.precision + self.recall else 0.0
        )


def read_written(path: Path = WRITTEN) -> list[Example]:
    """Return the texts of a file of marked lines: ``Seen by {PERSON_NAME:Jane Doe}``."""
    lines = path.read_text("utf-8").splitlines()
    return [_unmarked(line) for line in lines if line and not line.startswith(("#", "["))]


def _unmarked(line: str) -> Example:
    text, spans, position = "", [], 0
    for mark in _MARK.finditer(line):
        text += line[position : mark.start()]
        spans.append((len(text), len(text) + len(mark[2]), mark[1]))
        text += mark[2]
        position = mark.end()
    return Example(text + line[position:], tuple(spans))


def score(examples: Iterable[Example], find: Callable[[str], Iterable[Span]], *, families: dict[str, str]) -> Score:
    """Compare findings with what is marked.

    A marked stretch is met when nine tenths of its letters and digits lie in findings of its own infoType (or one of
    the same family); a finding is right when half of its letters and digits are marked with its infoType.
    """
    met = marked = right = found = 0
    missed: list[tuple[str, str, str]] = []
    false_alarms: list[tuple[str, str, str]] = []
    for example in examples:
        findings = [(start, end, families.get(kind, kind)) for start, end, kind in find(example.text)]
        truth = [(start, end, families.get(kind, kind)) for start, end, kind in example.spans]
        for span in truth:
            marked += 1
            if share(example.text, span, findings) >= 0.9:
                met += 1
            else:
                missed.append((example.text, example.text[span[0] : span[1]], span[2]))
        for span in findings:
            found += 1
            if share(example.text, span, truth) >= 0.5:
                right += 1
            else:
                false_alarms.append((example.text, example.text[span[0] : span[1]], span[2]))
    return Score(right / found if found else 1.0, met / marked if marked else 1.0, tuple(missed), tuple(false_alarms))


FAMILIES = {"DATE_OF_BIRTH": "DATE", "ORGANIZATION_NAME": "LOCATION"}
"""InfoTypes that count as one: a facility is a place, a birth date a date."""
_KINDS = (
    "PERSON_NAME LOCATION DATE AGE MEDICAL_RECORD_NUMBER PHONE_NUMBER EMAIL_ADDRESS IP_ADDRESS MAC_ADDRESS PASSPORT"
)
ANY = dict.fromkeys([*FAMILIES, *_KINDS.split(), "US_SOCIAL_SECURITY_NUMBER", "US_DRIVERS_LICENSE_NUMBER"], "ANY")
"""All the same: what matters to privacy is that it is found, not what it is taken for."""


def share(text: str, span: Span, others: Sequence[Span]) -> float:
    """Return which part of a stretch's letters and digits lies in others of its type."""
    places = {index for index in range(span[0], span[1]) if text[index].isalnum()}
    covered = {index for start, end, kind in others if kind == span[2] for index in range(start, end)}
    return len(places & covered) / len(places) if places else 1.0
