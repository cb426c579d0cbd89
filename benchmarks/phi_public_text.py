"""Texts of public synthetic sets with their identifiers marked, and what counts as found.

Texts made from one template are in one half, so what is learned from a filling is not met again in another.

A marked stretch counts as in ``phi_examples.score``: it is met when nine tenths of its letters and digits lie in
findings of its type; a finding is right when half of its letters and digits are marked with its type. Rules beside it,
the same for every set:

- **Types** of ``FAMILIES`` count as one: a facility is a place, a birth date a date, and numbers that identify (chart,
  account, member, licence, passport, device) are one type, since the sets do not tell them apart alike.
- **AGE** is compared by its digits: some sets mark "58", others "58 year-old", and detectors differ alike.
- **A type that a set does not mark** (``PublicSet.marks``) is not asked of it: findings of it do not count there.
- **Stretches that a set marks and that are no identifier** (a company, a job, a country, a year alone, which HIPAA
  lets stand) are unscored: they need not be found, and a finding that lies in one by half does not count either.
- **Ages below 90** do not count where a set marks older ones only, as HIPAA has it (``PublicSet.ages_from``).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phi_examples import FAMILIES as PLACES_AND_DATES
from phi_examples import Example, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from phi_examples import Span

NUMBER = "MEDICAL_RECORD_NUMBER"
_NUMBERS = (
    "CANADA_SOCIAL_INSURANCE_NUMBER IMEI_HARDWARE_ID MAC_ADDRESS PASSPORT UK_NATIONAL_HEALTH_SERVICE_NUMBER"
    " US_BANK_ROUTING_MICR US_DEA_NUMBER US_DRIVERS_LICENSE_NUMBER US_HEALTHCARE_NPI US_VEHICLE_IDENTIFICATION_NUMBER"
)
FAMILIES = {
    **PLACES_AND_DATES,
    **dict.fromkeys(_NUMBERS.split(), NUMBER),
    "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER": "US_SOCIAL_SECURITY_NUMBER",
}
_YEAR = re.compile(r"\d{4}")


@dataclass(frozen=True)
class PublicSet:
    """Marks of a set.

    Attributes:
        name: How tables call it.
        marks: The families it marks wherever they occur; findings of others do not count on its texts.
        ages_from: The age from which it marks ages.
        english: Whether its texts are English.
    """

    name: str
    marks: frozenset[str]
    ages_from: int = 0
    english: bool = True


@dataclass(frozen=True)
class PublicText(Example):
    """A text of a public set.

    Attributes:
        source: The set.
        unscored: Stretches that neither have to be found nor must not be.
        held_out: In which half it is.
    """

    source: PublicSet
    unscored: tuple[Span, ...] = ()
    held_out: bool = False


def is_held_out(name: str, group: str) -> bool:
    """Return in which half of the set ``name`` the texts of a ``group`` are: a template, a note, a fixture."""
    return hashlib.sha256(f"{name}\0{group}".encode()).digest()[0] % 2 == 1


def public_text(source: PublicSet, text: str, marked: Iterable[Span], held_out: bool) -> PublicText:
    """Build a text from stretches whose type is empty where they are no identifier."""
    spans: list[Span] = []
    unscored: list[Span] = []
    for start, end, kind in marked:
        value = text[start:end]
        if not kind or (kind == "DATE" and _YEAR.fullmatch(value)) or not any(map(str.isalnum, value)):
            unscored.append((start, end, ""))
        else:
            spans.append(_digits_of_age(text, (start, end, kind)))
    return PublicText(text, tuple(spans), source, tuple(unscored), held_out)


def distinct(texts: Iterable[PublicText]) -> list[PublicText]:
    """Drop repeated texts; where both halves hold one, it stays in development."""
    ordered = sorted(texts, key=lambda text: text.held_out)
    return list({text.text: text for text in reversed(ordered)}.values())[::-1]


def _digits_of_age(text: str, span: Span) -> Span:
    start, end, kind = span
    number = re.search(r"\d+", text[start:end]) if kind == "AGE" else None
    return (start + number.start(), start + number.end(), kind) if number else span


def counted(example: PublicText, findings: Iterable[Span]) -> Iterator[Span]:
    """Yield the findings that the rules of this module let count."""
    for finding in findings:
        start, end, kind = _digits_of_age(example.text, finding)
        family = FAMILIES.get(kind, kind)
        if family not in example.source.marks:
            continue
        value = example.text[start:end]
        if family == "AGE" and value.isdigit() and int(value) < example.source.ages_from:
            continue
        unscored = [(begin, stop, family) for begin, stop, _ in example.unscored]
        if share(example.text, (start, end, family), unscored) >= 0.5:
            continue
        yield start, end, family
