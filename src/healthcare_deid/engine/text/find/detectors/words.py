"""The words of a text, and what each can be in a name. Worked out once a text, for all detectors that read words."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from healthcare_deid.engine.text.calendar_dates import DAY_AND_MONTH_NAMES
from healthcare_deid.engine.text.find.lexicon import (
    common_surnames,
    eponyms,
    everyday,
    first_names,
    fold,
    is_field_word,
    surnames,
    word_set,
)
from healthcare_deid.engine.text.find.name_model import is_likely_name

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_CAMEL_CASE = re.compile(r"(?<!\bMc)(?<!\bMac)(?<!\b[DL]e)(?<!\b[DL]i)(?<=[a-z])[A-Z]")
_PARTICLES = word_set("particles")


class Kind(Enum):
    """Role of a word in a name."""

    WORD = "a word that is no name on its own"
    BOTH = "a word, and a name too"
    FIRST = "a first name"
    LAST = "a surname"
    LIKELY = "in no list, and spelled like a name"
    UNKNOWN = "in no list"
    INITIAL = "one letter"
    PARTICLE = "van, de, al"


class Token(NamedTuple):
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
    return tuple([Token(match.start(), match.end(), *_read(match[0])) for match in _TOKEN.finditer(text)])


@lru_cache(maxsize=256)
def words_of(text: str) -> frozenset[str]:
    """Return the different words of ``text``, folded."""
    return frozenset([token.word for token in tokens_of(text)])


def is_word(plain: str) -> bool:
    """Return whether a folded word is no name when it stands alone: an everyday word, or a name that became a term."""
    return plain in everyday() or plain in DAY_AND_MONTH_NAMES or (plain in eponyms() and plain not in first_names())


@lru_cache(maxsize=8192)
def _read(word: str) -> tuple[str, bool, bool, Kind, bool, bool, bool]:
    """Look a word up: what a token of it holds beside its place."""
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
    return plain, word[0].isupper(), word.isupper(), kind, first, last, plain in common_surnames()
