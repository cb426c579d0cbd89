"""Generated texts as DICOM headers and burned-in lines have them, with the sensitive stretches marked.

Two sets: the detectors were tuned on ``TUNING``; results are given for ``HELD_OUT``, whose templates, names, places and
facilities were written apart, and whose misses are not looked at when the rules are. Names, numbers and addresses are
invented. Half of the texts hold nothing sensitive: precision is measured on the field's own words.
"""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from phi_examples import Example

if TYPE_CHECKING:
    from collections.abc import Callable

    from phi_corpora import Corpus
    from phi_examples import Span

_SLOT = re.compile(r"\{(\w+)\}")


def generate(corpus: Corpus, seed: int, count: int = 600) -> list[Example]:
    """Return ``count`` texts, half of them innocent."""
    rng = random.Random(seed)
    examples: list[Example] = []
    for number in range(count):
        if number % 2:
            examples.append(Example(_fill(rng.choice(corpus.innocent), corpus, rng).text, ()))
        else:
            example = _fill(rng.choice(corpus.templates), corpus, rng)
            examples.append(
                Example(example.text.upper(), example.spans)
                if rng.random() < 0.35 and len(example.text) == len(example.text.upper())
                else example
            )
    return examples


def _fill(template: str, corpus: Corpus, rng: random.Random) -> Example:
    text = ""
    spans: list[Span] = []
    position = 0
    for slot in _SLOT.finditer(template):
        text += template[position : slot.start()]
        value, kind = _value(slot[1], corpus, rng)
        if kind:
            spans.append((len(text), len(text) + len(value), kind))
        text += value
        position = slot.end()
    return Example(text + template[position:], tuple(spans))


def _value(slot: str, corpus: Corpus, rng: random.Random) -> tuple[str, str]:
    words = corpus.words
    given, family = rng.choice(words["given"]), rng.choice(words["family"])
    initial = rng.choice("ABCDEFGHJKLMNPRSTW")
    names = {
        "full": f"{given} {family}",
        "full_middle": f"{given} {initial}. {family}",
        "comma": f"{family}, {given}",
        "comma_initial": f"{family}, {given} {initial}",
        "comma_tight": f"{family},{given}".upper(),
        "caret": f"{family}^{given}",
        "caret_middle": f"{family}^{given}^{initial}",
        "family": family,
        "given": given,
        "initial_family": f"{initial}. {family}",
    }
    if slot in names:
        return names[slot], "PERSON_NAME"
    if slot in _MAKERS:
        kind, make = _MAKERS[slot]
        return make(rng), kind
    if slot in {"city", "facility", "street"}:
        return rng.choice(words[slot]), "LOCATION"
    if slot in words:
        return rng.choice(words[slot]), ""
    raise KeyError(slot)


def _day(rng: random.Random) -> date:
    return date(1925, 1, 1) + timedelta(days=rng.randrange(36_000))


def _digits(rng: random.Random, pattern: str) -> str:
    return "".join(
        str(rng.randrange(10)) if letter == "#" else str(rng.randrange(2, 10)) if letter == "N" else letter
        for letter in pattern
    )


def _date_maker(*forms: str) -> Callable[[random.Random], str]:
    return lambda rng: _day(rng).strftime(rng.choice(forms))


def _luhn(rng: random.Random) -> str:
    body = "4" + _digits(rng, "#" * 14)
    total = sum(sum(divmod(int(digit) * (2 - position % 2), 10)) for position, digit in enumerate(reversed(body)))
    number = body + str(-total % 10)
    return " ".join(number[index : index + 4] for index in range(0, 16, 4))


def _ssn(rng: random.Random) -> str:
    return f"{rng.randrange(101, 660)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"


_MAKERS: dict[str, tuple[str, Callable[[random.Random], str]]] = {
    "date": (
        "DATE",
        _date_maker(
            "%Y-%m-%d",
            "%d/%m/%Y",
            "%m/%d/%Y",
            "%d.%m.%Y",
            "%d-%b-%Y",
            "%d %b %Y",
            "%B %d, %Y",
            "%Y%m%d",
            "%m/%d/%y",
            "%b %d %Y",
            "%d%b%Y",
            "%d %B %Y",
            "%Y/%m/%d",
            "%d-%m-%Y",
        ),
    ),
    "short_date": ("DATE", _date_maker("%m/%d/%y", "%d.%m.%y", "%d-%b-%y", "%Y.%m.%d")),
    "datetime": ("DATE", _date_maker("%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M", "%Y%m%d%H%M%S", "%b %d, %Y 14:22")),
    "phone": (
        "PHONE_NUMBER",
        lambda rng: _digits(
            rng, rng.choice(["(N##) N##-####", "N##-N##-####", "N##.N##.####", "+1 N## N## ####", "1-N##-N##-####"])
        ),
    ),
    "intl_phone": (
        "PHONE_NUMBER",
        lambda rng: _digits(
            rng,
            rng.choice(
                [
                    "+44 20 7### ####",
                    "+49 89 ######",
                    "+33 1 ## ## ## ##",
                    "020 7### ####",
                    "0## ### ####",
                    "06 ## ## ## ##",
                    "+91 98### #####",
                    "0711/######",
                ]
            ),
        ),
    ),
    "ext_phone": ("PHONE_NUMBER", lambda rng: _digits(rng, rng.choice(["N####", "N###-####", "N#######"]))),
    "mrn": (
        "MEDICAL_RECORD_NUMBER",
        lambda rng: _digits(
            rng, rng.choice(["N######", "N#######", "AB######", "N##-##-####", "H#########", "P-######"])
        ),
    ),
    "ssn": ("US_SOCIAL_SECURITY_NUMBER", _ssn),
    "card": ("CREDIT_CARD_NUMBER", _luhn),
    "ip": ("IP_ADDRESS", lambda rng: f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"),
    "mac": ("MAC_ADDRESS", lambda rng: ":".join(f"{rng.randrange(256):02X}" for _ in range(5)) + ":0A"),
    "email": (
        "EMAIL_ADDRESS",
        lambda rng: (
            rng.choice(["jdoe", "records", "m.lopez", "anna_b"])
            + "@"
            + rng.choice(["mail.org", "hospital.example.com", "clinic.de"])
        ),
    ),
    "age": (
        "AGE",
        lambda rng: f"{rng.randrange(1, 99)}" + rng.choice([" y/o", "-year-old", " years old", "yo", " yr old"]),
    ),
    "plain_age": ("AGE", lambda rng: str(rng.randrange(20, 95))),
    "age_dicom": ("AGE", lambda rng: f"0{rng.randrange(10, 99)}Y"),
    "passport": ("PASSPORT", lambda rng: _digits(rng, "N########")),
    "licence": ("US_DRIVERS_LICENSE_NUMBER", lambda rng: _digits(rng, "D#######")),
    "number": ("", lambda rng: str(rng.randrange(1, 400))),
    "small": ("", lambda rng: str(rng.randrange(1, 30))),
    "clock": ("", lambda rng: f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"),
}
