"""Texts of public synthetic sets with their identifiers marked, read from installed packages, and how they are scored.

No text is kept in this repository and none is downloaded: ``phi_public_sets`` reads what the packages of the
dependency group ``texts`` ship. Half of the texts are for development, half are held out; texts made from one template
are in the same half, so what is learned from a filling is not met again in another.

A marked stretch counts as in ``phi_examples.score``: it is met when nine tenths of its letters and digits lie in
findings of its type; a finding is right when half of its letters and digits are marked with its type. Rules beside it,
the same for every set:

- **Types** of ``FAMILIES`` count as one: a facility is a place, a birth date a date, and numbers that identify (chart,
  account, member, licence, passport, device) are one type, since the sets do not tell them apart alike.
- **AGE** is compared by its digits: some sets mark "58", others "58 year-old", and some rules find the one or the other.
- **A type that a set does not mark** (``PublicSet.marks``) is not asked of it: findings of that type do not count there.
- **Stretches that a set marks and that are no identifier** (a company, a job, a country, a year alone) are unscored:
  they need not be found, and a finding that lies in one by half does not count either.
- **Ages below 90** do not count where a set marks older ones only, as HIPAA has it (``PublicSet.ages_from``).

``python benchmarks/phi_public.py`` prints the figures; ``--misses`` prints what was missed or found wrongly in the
development half. The held-out half is never printed.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phi_examples import FAMILIES as PLACES_AND_DATES
from phi_examples import Example, Score, score, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from phi_examples import Span

    Find = Callable[[str], Iterable[Span]]

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
_OLD = 90


@dataclass(frozen=True)
class PublicSet:
    """What a set marks.

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
    inside = [span for span in marked if any(letter.isalnum() for letter in text[span[0] : span[1]])]
    spans = [_digits_of_age(text, span) for span in inside if span[2]]
    unscored = [span for span in inside if not span[2]]
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


@dataclass(frozen=True)
class Result:
    """Figures of a detector on texts: all types together and each alone."""

    texts: int
    marked: int
    total: Score
    by_type: dict[str, tuple[int, Score]]


def result(examples: Sequence[PublicText], found: dict[str, list[Span]]) -> Result:
    """Score what was found in each text."""
    by_text = {example.text: list(counted(example, found[example.text])) for example in examples}
    marked = [FAMILIES.get(kind, kind) for example in examples for *_, kind in example.spans]

    def of(kind: str | None) -> Score:
        alone = [Example(example.text, _only(example.spans, kind)) for example in examples]
        return score(alone, lambda text: _only(by_text[text], kind), families=FAMILIES)

    return Result(
        len(examples), len(marked), of(None), {kind: (marked.count(kind), of(kind)) for kind in sorted(set(marked))}
    )


def _only(spans: Iterable[Span], kind: str | None) -> tuple[Span, ...]:
    return tuple(span for span in spans if kind is None or FAMILIES.get(span[2], span[2]) == kind)


def _print(title: str, measured: Result) -> None:
    print(f"\n{title}: {measured.texts} texts, {measured.marked} marked\n")
    print("| type | marked | precision | recall | F1 |\n|---|---|---|---|---|")
    for kind, (marked, one) in [*measured.by_type.items(), ("**all**", (measured.marked, measured.total))]:
        print(f"| {kind} | {marked} | {one.precision:.3f} | {one.recall:.3f} | {one.f1:.3f} |")


def main(arguments: list[str]) -> int:
    """Print the figures of both halves by type and by set, and on request what was missed in development."""
    from bench_text import finder
    from phi_public_sets import load

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--misses", action="store_true", help="print what was missed or found wrongly in development")
    parser.add_argument("--set", default="", help="only the sets whose name starts so")
    options = parser.parse_args(arguments)
    texts = [text for text in load() if text.source.name.startswith(options.set)]
    find: Find = finder()
    found = {text.text: list(find(text.text)) for text in texts}
    for held_out, half in ((False, "development"), (True, "held out")):
        of_half = [text for text in texts if text.held_out is held_out]
        for name in sorted({text.source.name for text in of_half}):
            _print(f"{half}, {name}", result([text for text in of_half if text.source.name == name], found))
        _print(f"{half}, English", result([text for text in of_half if text.source.english], found))
        _print(f"{half}, all", result(of_half, found))
    if options.misses:
        _misses([text for text in texts if not text.held_out], found)
    return 0


def _misses(development: list[PublicText], found: dict[str, list[Span]]) -> None:
    for kind, (_, one) in result(development, found).by_type.items():
        for what, items in (("missed", one.missed), ("found wrongly", one.false_alarms)):
            for text, value, _ in items:
                at = max(text.find(value), 0)
                around = text[max(at - 60, 0) : at + len(value) + 40].replace("\n", "⏎").replace("\r", "")
                print(f"{kind}\t{what}\t{value!r}\t{around}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
