"""Words of a text, and their possible roles in a name.

They are cached, because several detectors need them.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.text.calendar_names import DAY_AND_MONTH_NAMES
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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_ASCII_TOKEN = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)*")
# A capital inside a word marks a product or protocol, except in names such as McDonald, MacLeod, DeLuca or DiMarco.
_CAMEL_CASE = re.compile(r"(?<!\bMc)(?<!\bMac)(?<!\b[DL]e)(?<!\b[DL]i)(?<=[a-z])[A-Z]")
_PARTICLES = word_set("particles")
_CONTRACTIONS = ("'m", "'ve", "'ll", "'re", "n't")


class WordKind(Enum):
    """Role of a word in a name."""

    WORD = "an ordinary word"
    BOTH = "an ordinary word that is also a name"
    FIRST = "a first name"
    LAST = "a surname"
    LIKELY = "unlisted, spelled like a name"
    UNKNOWN = "unlisted"
    INITIAL = "one letter"
    PARTICLE = "van, de, al"

    __hash__ = object.__hash__  # members are single objects; the enum's own hash is slow


class Token(NamedTuple):
    """A word of a text.

    Attributes:
        start: Index of the first letter.
        end: Index after the last letter.
        word: The word, folded.
        capital: Whether it begins with a capital.
        upper: Whether it is all capitals.
        kind: Its possible role in a name.
        first: Whether it is a listed first name.
        last: Whether it is a listed surname.
        common: Whether it is one of the most common surnames.
    """

    start: int
    end: int
    word: str
    capital: bool
    upper: bool
    kind: WordKind
    first: bool
    last: bool
    common: bool


@lru_cache(maxsize=16)
def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the words of a text with their roles."""
    # A text has dozens of words: `tuple.__new__` builds a token in half the time that `Token(...)` takes.
    make, read = tuple.__new__, _read
    pattern = _ASCII_TOKEN if text.isascii() else _TOKEN  # the same there, in half the time
    return tuple([make(Token, match.span() + read(match[0])) for match in pattern.finditer(text)])


@lru_cache(maxsize=16)
def words_of(text: str) -> frozenset[str]:
    """Return the distinct words of a text, folded."""
    return frozenset([token.word for token in tokens_of(text)])


def places_of(text: str, words: AbstractSet[str]) -> list[int]:
    """Return where in ``tokens_of(text)`` one of some folded words is, in order."""
    if words.isdisjoint(words_of(text)):
        return []
    return [index for index, token in enumerate(tokens_of(text)) if token.word in words]


def matches_at(pattern: re.Pattern[str], text: str, words: AbstractSet[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern that begins with one of some words, without overlaps.

    It is many times as fast as ``finditer``, which tries every letter.
    """
    end = 0
    for index in places_of(text, words):
        start = tokens_of(text)[index].start
        if start >= end:
            match = pattern.match(text, start)
            if match:
                end = match.end()
                yield match


def is_word(plain: str) -> bool:
    """Return whether a folded word alone is not a name: an ordinary word, or a name that became a term."""
    return plain in everyday() or plain in DAY_AND_MONTH_NAMES or (plain in eponyms() and plain not in first_names())


@lru_cache(maxsize=8192)
def _read(word: str) -> tuple[str, bool, bool, WordKind, bool, bool, bool]:
    """Return the fields of a token except its position."""
    plain = fold(word).replace("\u2019", "'")
    owner = plain.removesuffix("'s")
    first = owner in first_names()
    last = owner in surnames() or plain.replace("'", "") in surnames()
    if len(word) == 1:
        kind = WordKind.INITIAL
    elif plain in _PARTICLES:
        kind = WordKind.PARTICLE
    elif plain.endswith(_CONTRACTIONS):
        kind = WordKind.WORD
    elif is_word(owner):
        kind = WordKind.BOTH if first or last or owner in eponyms() else WordKind.WORD
    elif first or last:
        kind = WordKind.FIRST if first else WordKind.LAST
    elif _CAMEL_CASE.search(word) or is_field_word(plain):
        kind = WordKind.WORD
    else:
        kind = WordKind.LIKELY if is_likely_name(plain) else WordKind.UNKNOWN
    return plain, word[0].isupper(), word.isupper(), kind, first, last, owner in common_surnames()
