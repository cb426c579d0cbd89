"""Planted values: a text, and the forms in which it counts as still there."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import random

    from midi_people import Patient, Person
    from midi_words import Half

FormKind = Literal["word", "text", "part", "digits", "loose"]
"""Ways of looking for a form: as a word or number, as a part of one, by its digits alone, as words in a row."""


@dataclass(frozen=True)
class Value:
    """A planted text.

    Attributes:
        text: As it stands in the element.
        forms: Any of these, found in a result, means that it is still there.
        own_element: Look in the element alone: the words are everyday ones, which may stand elsewhere.
        date: Look in elements other than dates: shifted dates may equal it.
    """

    text: str
    forms: tuple[tuple[FormKind, str], ...]
    own_element: bool = False
    date: bool = False


@dataclass(frozen=True)
class World:
    """Sources that makers draw from: a patient, the UIDs of the instance, and chance."""

    rng: random.Random
    patient: Patient
    half: Half
    uids: tuple[str, ...]

    def digits(self, count: int) -> str:
        """Return a number of so many digits that does not begin with zero."""
        return str(self.rng.randint(10 ** (count - 1), 10**count - 1))

    def date(self) -> dt.date:
        """Return a day in the years before the studies."""
        return self.patient.first_study - dt.timedelta(days=self.rng.randint(20, 2500))


def name_value(text: str, person: Person, *, everyday: bool = False) -> Value:
    """Return a name; its words of three letters and more count, or the whole where it has none."""
    present = [part for part in person.parts if re.search(rf"(?i)(?<![^\W\d_]){re.escape(part)}(?![^\W\d_])", text)]
    long = [part for part in present if len(part) >= 3]
    if not long:
        return Value(text, (("loose", " ".join(present)), ("loose", " ".join(reversed(present)))))
    return Value(text, tuple(("word", part) for part in long), own_element=everyday)


def number_value(text: str) -> Value:
    """Return a number; with letters in it, the whole counts, and its digits if there are five or more."""
    digits = re.sub(r"\D", "", text)
    forms: list[tuple[FormKind, str]] = [("text", text)]
    if len(digits) >= 5:
        forms.append(("digits", digits.lstrip("0")))
    return Value(text, tuple(forms))


def place_value(text: str, *telling: str) -> Value:
    """Return a place; the words that tell which one count each."""
    return Value(text, tuple(("word", word) for word in telling))


def new_uid(rng: random.Random) -> str:
    """Return a UID under a root of the set's own."""
    return f"1.2.826.0.1.3680043.9.7433.{rng.randint(1, 99)}.{rng.randint(10**11, 10**13)}.{rng.randint(1, 9999)}"
