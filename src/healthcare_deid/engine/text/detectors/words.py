"""The words of a text, and what each can be in a name. Worked out once a text, for all detectors that read words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from healthcare_deid.engine.text.calendar_dates import DAY_AND_MONTH_NAMES
from healthcare_deid.engine.text.lexicon import (
    common_surnames,
    eponyms,
    everyday,
    first_names,
    fold,
    is_field_word,
    surnames,
    word_set,
)
from healthcare_deid.engine.text.name_model import is_likely_name

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_CAMEL_CASE = re.compile(r"(?<!\bMc)(?<!\bMac)(?<!\b[DL]e)(?<!\b[DL]i)(?<=[a-z])[A-Z]")
_PARTICLES = word_set("particles")


class Kind(Enum):
    """What a word can be in a name."""

    WORD = "a word that is no name on its own"
    BOTH = "a word, and a name too"
    FIRST = "a first name"
    LAST = "a surname"
    LIKELY = "in no list, and spelled like a name"
    UNKNOWN = "in no list"
    INITIAL = "one letter"
    PARTICLE = "van, de, al"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a text.

    Attributes:
        start: Index of its first letter.
        end: Index after its last.
        word: The word, folded.
        capital: Whether it begins with a capital.
        upper: Whether it is all capitals.
        kind: What it can be.
        first: Whether it is a first name.
        last: Whether it is a surname.
        common: Whether it is one of the most common surnames.
    """

    start: int
    end: int
    word: str
    capital: bool
    upper: bool
    kind: Kind
    first: bool
    last: bool
    common: bool


@lru_cache(maxsize=256)
def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the words of ``text`` with what each can be."""
    return tuple(_token(match.start(), match.end(), match[0]) for match in _TOKEN.finditer(text))


def _token(start: int, end: int, word: str) -> Token:
    plain, kind, first, last, common = _read(word)
    return Token(start, end, plain, word[0].isupper(), word.isupper(), kind, first, last, common)


def is_word(plain: str) -> bool:
    """Whether a folded word is no name when it stands alone: an everyday word, or a name that became a term."""
    return plain in everyday() or plain in DAY_AND_MONTH_NAMES or (plain in eponyms() and plain not in first_names())


@lru_cache(maxsize=8192)
def _read(word: str) -> tuple[str, Kind, bool, bool, bool]:
    """Look a word up: folded, what it can be, whether it is a first name, a surname, a common surname."""
    plain = fold(word).replace("\u2019", "'")
    first = plain in first_names()
    last = plain in surnames() or plain.replace("'", "") in surnames()
    if len(word) == 1:
        kind = Kind.INITIAL
    elif plain in _PARTICLES:
        kind = Kind.PARTICLE
    elif is_word(plain) or is_word(plain.removesuffix("'s")):
        kind = Kind.BOTH if first or last or plain in eponyms() else Kind.WORD
    elif first or last:
        kind = Kind.FIRST if first else Kind.LAST
    elif _CAMEL_CASE.search(word) or is_field_word(plain):
        kind = Kind.WORD
    else:
        kind = Kind.LIKELY if is_likely_name(plain) else Kind.UNKNOWN
    return plain, kind, first, last, plain in common_surnames()
