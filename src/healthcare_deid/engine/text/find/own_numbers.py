"""Numbers and places of an instance's header.

Telephones and institutions are included. They are found in any grouping.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.header_values import ValueKind
from healthcare_deid.engine.text.find.lexicon import eponyms, fold, vocabulary, word_set
from healthcare_deid.engine.text.find.own_words import UNSPACED_WORD, WORD, OwnWord, deletions, look_alike, squeezed
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SEGMENTS = re.compile(r"[,;^\n\r=/]+")
_DIGITS = re.compile(r"\d+")
_NUMBER_CUES = word_set("number_cues")
_LINKS = frozenset({"no", "nr", "num", "number", "nummer"})
_PATIENT = frozenset({"pt", "pat", "patient"})
_KIND_WORDS = word_set("kind_words")
_FACILITY_WORDS = word_set("facility_words") | word_set("generic") | _KIND_WORDS
_MIN_FUZZY = 7
_LONGEST_FUZZY = 65
_MIN_DIGITS = 5
_MIN_LETTERS = 5
_MIN_MIXED = 6
_MIN_PLACE = 4
# Longer telephone numbers begin with a country code, which a text may leave out.
_NATIONAL_PHONE = 10
_MIN_WORD = 5


class NumberTerms:
    """The numbers and places of one header, indexed for search.

    A number counts with or without its letters and leading zeros, and in any grouping. Numbers of fewer than five
    digits and words of the vocabulary count only after a cue or as the whole text.
    """

    def __init__(self) -> None:
        self._phrases: dict[str, ValueKind] = {}
        self._weak: dict[str, ValueKind] = {}
        self._words: dict[str, ValueKind] = {}
        self._fuzzy: set[str] = set()

    def __len__(self) -> int:
        return len(self._phrases) + len(self._weak)

    def add(self, source: ValueKind, value: str) -> None:
        """Add a header value."""
        whole = squeezed(value)
        if source is ValueKind.CONTEXT:
            if len(whole) >= _MIN_PLACE:
                self._phrases.setdefault(whole, source)
        elif source in {ValueKind.RECORD, ValueKind.PHONE}:
            self._add_number(source, value, whole)
        else:
            self._add_place(source, value)

    def seal(self) -> None:
        """Build the table for similar spellings, after all values are added."""
        self._fuzzy = {
            piece
            for phrase, source in self._phrases.items()
            if source is ValueKind.RECORD and len(phrase) >= _MIN_FUZZY
            for piece in deletions(phrase)
        }

    def _add_number(self, source: ValueKind, value: str, whole: str) -> None:
        if len(whole) < 2:
            return
        digits = sum(map(str.isdigit, value))
        letters = sum(map(str.isalpha, value))
        is_word = fold(value.strip()) in vocabulary() or all(word in vocabulary() for word in map(fold, value.split()))
        strong = not is_word and (
            digits >= _MIN_DIGITS
            or (digits >= 3 and digits + letters >= _MIN_MIXED and letters >= 2)
            or (not digits and letters >= _MIN_LETTERS)
        )
        (self._phrases if strong else self._weak).setdefault(whole, source)
        plain = "".join(map(fold, WORD.findall(value)))
        for run in _DIGITS.findall(plain):
            core = run.lstrip("0")
            if len(core) >= _MIN_DIGITS:
                self._phrases.setdefault(core, source)
            elif len(core) > 1 and source is ValueKind.RECORD:
                self._weak.setdefault(core, source)
        if source is ValueKind.PHONE and digits > _NATIONAL_PHONE:
            self._phrases.setdefault(whole[-_NATIONAL_PHONE:].lstrip("0"), source)

    def _add_place(self, source: ValueKind, value: str) -> None:
        for segment in (value, *_SEGMENTS.split(value)) if source is ValueKind.PLACE else (value,):
            phrase = squeezed(segment)
            words = [fold(word) for word in WORD.findall(segment)]
            if len(phrase) < _MIN_PLACE or segment.strip().isdigit():
                if len(phrase) >= 2:
                    self._weak.setdefault(phrase, source)
                continue
            known = all(word in vocabulary() or len(word) < 3 or word.isdigit() for word in words)
            is_named = len(words) > 2 and not _KIND_WORDS.isdisjoint(words)
            (self._weak if known and not is_named else self._phrases).setdefault(phrase, source)
        for word in map(fold, WORD.findall(value)):
            known = word in vocabulary() or word in _FACILITY_WORDS or word in eponyms()
            if len(word) >= _MIN_WORD and not word.isdigit() and not known:
                self._words.setdefault(look_alike(word), source)

    def find(self, text: str, words: Sequence[OwnWord]) -> list[Match]:
        """Return matches of header values, possibly overlapping."""
        if not self._phrases and not self._weak:
            return []
        found = list(self._phrases_in(text, words)) if self._phrases else []
        found += self._weak_in(words)
        for word in words:
            alike = look_alike(word.plain)
            if alike in self._words:
                found.append(Match(word.start, word.end, self._words[alike].value))
            elif self._is_fuzzy_number(word.plain, alike):
                found.append(Match(word.start, word.end, ValueKind.RECORD.value))
        return found

    def _weak_in(self, words: Sequence[OwnWord]) -> Iterator[Match]:
        if not self._weak:
            return
        whole = "".join(look_alike(word.plain) for word in words)
        source = self._weak.get(whole) or self._weak.get(whole.lstrip("0"))
        if source:
            yield Match(words[0].start, words[-1].end, source.value)
        for index in range(1, len(words)):
            word, cue = words[index], words[index - 1].plain
            if cue in _LINKS and index > 1:
                cue = words[index - 2].plain
            if cue not in _NUMBER_CUES and cue not in _PATIENT:
                continue
            alike = look_alike(word.plain)
            source = self._weak.get(alike) or self._weak.get(alike.lstrip("0"))
            if source:
                yield Match(word.start, word.end, source.value)

    def _is_fuzzy_number(self, word: str, alike: str) -> bool:
        if not _MIN_FUZZY - 1 <= len(alike) <= _LONGEST_FUZZY or not self._fuzzy:
            return False
        if not any(map(str.isdigit, word)):
            return False
        return any(piece in self._fuzzy for piece in deletions(alike))

    def _phrases_in(self, text: str, words: Sequence[OwnWord]) -> Iterator[Match]:
        """Search the text without spaces and punctuation.

        So the grouping of digits does not matter.
        """
        plain = "".join(word.plain for word in words)
        alike = look_alike(plain)
        owners: list[int] | None = None
        for phrase, source in self._phrases.items():
            at = alike.find(phrase)
            while at >= 0:
                if owners is None:
                    owners = [number for number, word in enumerate(words) for _ in word.plain]
                last = at + len(phrase)
                if _stands_alone(plain, owners, at, last) and _hangs_together(text, words, owners, plain, at, last):
                    start, end = words[owners[at]], words[owners[last - 1]]
                    yield Match(*_span(plain, owners, start, end, at, last), source.value)
                at = alike.find(phrase, at + 1)


def _span(plain: str, owners: list[int], first: OwnWord, last: OwnWord, at: int, behind: int) -> tuple[int, int]:
    """Return the range of a phrase in the text.

    Characters attached to a number are included.
    """
    if plain[at].isdigit() or not UNSPACED_WORD.match(plain[at]):
        start = first.start
    else:
        start = first.start + at - owners.index(owners[at])
    if plain[behind - 1].isdigit() or not UNSPACED_WORD.match(plain[behind - 1]):
        return start, last.end
    return start, last.start + behind - owners.index(owners[behind - 1])


def _stands_alone(plain: str, owners: list[int], start: int, end: int) -> bool:
    """Return whether a phrase is a whole number or word.

    Leading zeros before it are ignored.
    """
    first = start
    while first > 0 and plain[first - 1] == "0" and owners[first - 1] == owners[start]:
        first -= 1
    begins = first == 0 or owners[first - 1] != owners[start] or plain[first - 1].isdigit() != plain[start].isdigit()
    ends = end == len(plain) or owners[end] != owners[end - 1] or plain[end].isdigit() != plain[end - 1].isdigit()
    return (begins or bool(UNSPACED_WORD.match(plain[start]))) and (ends or bool(UNSPACED_WORD.match(plain[end - 1])))


def _hangs_together(text: str, words: Sequence[OwnWord], owners: list[int], plain: str, start: int, end: int) -> bool:
    """Return whether the pieces are groups of one number.

    They could be unrelated numbers in a row.
    """
    stretch = plain[start:end]
    digits = sum(map(str.isdigit, stretch))
    pieces = words[owners[start] : owners[end - 1] + 1]
    if digits * 2 < len(stretch):
        # Mostly letters, so this is a name or word and not a grouped number.
        return True
    if len(pieces) == 1:
        return True
    lengths = [len(piece.plain) for piece in pieces]
    dotted = all(text[left.end : right.start] == "." for left, right in pairwise(pieces))
    if (
        not dotted
        and min(lengths) == 1
        and max(lengths) > 1
        and not pieces[0].plain.isalpha()
        and not pieces[-1].plain.isalpha()
    ):
        return False
    return all(not text[left.end : right.start].strip(" -./_:#()+") for left, right in pairwise(pieces)) and all(
        right.start - left.end <= 3 for left, right in pairwise(pieces)
    )
