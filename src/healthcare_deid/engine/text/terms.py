"""Finds an instance's own header values in text: names in any order, numbers with a wrong character in them.

Every word of a text is looked up in sets made once a header: cost does not grow with the number of terms.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.header import Header, Source
from healthcare_deid.engine.text.lexicon import fold, vocabulary, word_set
from healthcare_deid.engine.text.match import Match
from healthcare_deid.engine.text.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

_UNSPACED = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Han and Kana: scripts that are written without spaces between words."""
_UNSPACED_WORD = re.compile(f"[{_UNSPACED}]+")
_WORD = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_SPLIT_NAME = re.compile(r"[\W_]+")
_SEGMENTS = re.compile(r"[,;^\n\r=/]+")
_LOOK_ALIKES = str.maketrans("oilsbzgq|", "011582991")
_NOT_A_NAME = word_set("not_a_name")
_SHORT_CLINICAL = word_set("short_clinical")
_PERSON = Source.NAME.value
_MIN_FUZZY = 6
_MIN_FUZZY_NUMBER = 7
_LONGEST_FUZZY = 65
"""No name or number of a header is longer by more than a character: PS3.5 gives LO 64."""
_LOOSE_DATE = re.compile(r"(?<![\d.])(\d{1,2})[./ -](\d{1,2})[./ -](\d\d)(?![\d])")
_MIN_PART_INSIDE = 5
_MIN_NUMBER = 4


def look_alike(word: str) -> str:
    """Return a folded word with the letters that text recognition takes for digits, and back, made equal."""
    return word.translate(_LOOK_ALIKES)


def deletions(word: str) -> Iterator[str]:
    """Yield ``word`` and what is left of it without one character: two words a character apart share one of these."""
    yield word
    for index in range(len(word)):
        yield word[:index] + word[index + 1 :]


class Terms:
    """The terms of one header, ready for look-up.

    Args:
        header: Whose values are looked for.
        contextual: Look for the values of every attribute that the Basic Profile does not keep, not only for those
            that say who and where.
    """

    def __init__(self, header: Header, *, contextual: bool = False) -> None:
        self._parts: set[str] = set()
        self._initials: set[str] = set()
        self._monograms: set[str] = set()
        self._unspaced: set[str] = set()
        self._phrases: dict[str, Source] = {}
        self._words: dict[str, Source] = {}
        for source, value in header.values:
            if contextual or source is not Source.CONTEXT:
                self._add(source, read(value).text)
        self._alike_parts = {look_alike(part): part for part in self._parts if len(part) >= 4}
        self._fuzzy = {
            piece for part in self._parts if len(part) >= _MIN_FUZZY for piece in deletions(look_alike(part))
        }
        self._fuzzy_numbers = {
            piece
            for phrase, source in self._phrases.items()
            if source is Source.RECORD and len(phrase) >= _MIN_FUZZY_NUMBER
            for piece in deletions(phrase)
        }
        self._short_dates = {form: "DATE" for day in header.dates for form in short_forms(day)}
        self._short_dates |= {form: "DATE_OF_BIRTH" for day in header.birth_dates for form in short_forms(day)}
        self._dates = {day: "DATE_OF_BIRTH" if day in header.birth_dates else "DATE" for day in header.dates}
        self._empty = not header.values and not header.dates

    def __repr__(self) -> str:
        return f"Terms({len(self._parts)} name parts, {len(self._phrases)} phrases)"

    def _add(self, source: Source, value: str) -> None:
        if source is Source.NAME:
            self._add_name(value)
            return
        whole = _squeezed(value)
        if source is Source.CONTEXT:
            if len(whole) >= _MIN_NUMBER:
                self._phrases.setdefault(whole, source)
            return
        if source in {Source.RECORD, Source.PHONE}:
            if len(whole) >= 2 and not (source is Source.RECORD and whole in map(look_alike, vocabulary_like(value))):
                self._phrases.setdefault(whole, source)
            return
        segments = [value, *_SEGMENTS.split(value)] if source is Source.PLACE else [value]
        for segment in segments:
            squeezed = _squeezed(segment)
            if len(squeezed) >= _MIN_NUMBER and fold(segment.strip()) not in vocabulary():
                self._phrases.setdefault(squeezed, source)
        for word in _WORD.findall(value):
            plain = fold(word)
            if len(plain) >= _MIN_PART_INSIDE and plain not in vocabulary() and not plain.isdigit():
                self._words.setdefault(look_alike(plain), source)

    def _add_name(self, value: str) -> None:
        # The last components of a person name are prefix and suffix: Dr, MD.
        groups = [group.split("^")[:3] if "^" in group else [group] for group in value.split("=")]
        for group in groups:
            written = [word for component in group for word in _SPLIT_NAME.split(component) if word]
            self._add_unspaced([word for word in written if _UNSPACED_WORD.fullmatch(word)])
            words = [fold(word) for word in written]
            names = [word for word in words if word not in _NOT_A_NAME and not word.isdigit()]
            self._parts |= {name for name in names if len(name) >= 2}
            if any(not word.isascii() for word in names):
                self._parts |= set(names)
            self._initials |= {name[0] for name in names}
            if len(names) >= 2:
                first_letters = [name[0] for name in names]
                self._monograms |= {"".join(first_letters), "".join(first_letters[1:] + first_letters[:1])}

    def _add_unspaced(self, words: list[str]) -> None:
        """Add a name that text may surround without a space: all of it, and each part of two characters or more."""
        self._unspaced |= {term for term in (*words, "".join(words), "".join(reversed(words))) if len(term) >= 2}

    def find(self, text: str) -> list[Match]:
        """Return the stretches of ``text`` that repeat a header value; they may overlap."""
        if self._empty:
            return []
        words = [(match.start(), match.end(), fold(match[0]), match[0]) for match in _WORD.finditer(text)]
        if not words:
            return []
        found = self._names(text, words)
        found += self._numbers_and_places(words)
        if self._dates:
            found += self._loose_dates(text)
        return found

    def _names(self, text: str, words: Sequence[tuple[int, int, str, str]]) -> list[Match]:
        if not self._parts and not self._monograms:
            return []
        sure = [self._is_name(word, raw, alone=len(words) == 1) for _, _, word, raw in words]
        # A short or everyday word of the name counts beside a sure one; so does an initial.
        for _ in range(2):
            for index, (_, _, word, _) in enumerate(words):
                if not sure[index] and (word in self._parts or (len(word) == 1 and word in self._initials)):
                    sure[index] = any(
                        sure[other] and _beside(text, words[min(index, other)], words[max(index, other)])
                        for other in (index - 1, index + 1)
                        if 0 <= other < len(words)
                    )
        found = [Match(start, end, _PERSON) for (start, end, _, _), is_name in zip(words, sure, strict=True) if is_name]
        found += self._unspaced_names(text)
        found += self._dotted_initials(text)
        found += self._split_names(words)
        return found

    def _is_name(self, word: str, raw: str, *, alone: bool) -> bool:
        if word in self._parts:
            if alone or len(word) > 3:
                return True
            if word in vocabulary() or word in _SHORT_CLINICAL:
                # Ng is a name, NG a tube; two letters in capitals are a mark before they are a name.
                return raw[0].isupper() and (raw[1:].islower() or (len(word) == 3 and word not in _SHORT_CLINICAL))
            return True
        if len(word) < 4 or word in vocabulary() or not any(map(str.isalpha, word)):
            return False
        alike = look_alike(word)
        if alike in self._alike_parts:
            return True
        if _MIN_FUZZY - 1 <= len(word) <= _LONGEST_FUZZY and any(piece in self._fuzzy for piece in deletions(alike)):
            return True
        return self._is_compound(word)

    def _is_compound(self, word: str) -> bool:
        """Whether a word is the name with something grown to it: DOEJOHN, JDOE, DOE01, MARIAS."""
        for part in self._parts:
            if len(part) < 3 or part not in word:
                continue
            if len(part) >= _MIN_PART_INSIDE:
                return True
            head, _, tail = word.partition(part)
            if all(
                not rest or rest in self._parts or rest in self._initials or rest.isdigit() for rest in (head, tail)
            ):
                return True
        return False

    def _split_names(self, words: Sequence[tuple[int, int, str, str]]) -> Iterator[Match]:
        """Yield names that a space broke in two: LIND QVIST."""
        for (start, end, left, _), (next_start, next_end, right, _) in pairwise(words):
            joined = left + right
            if next_start - end == 1 and len(joined) >= _MIN_FUZZY and joined in self._parts:
                yield Match(start, next_end, _PERSON)

    def _unspaced_names(self, text: str) -> Iterator[Match]:
        for term in self._unspaced:
            at = text.find(term)
            while at >= 0:
                yield Match(at, at + len(term), _PERSON)
                at = text.find(term, at + 1)

    def _dotted_initials(self, text: str) -> Iterator[Match]:
        for match in re.finditer(r"(?<!\w)(?:[^\W\d_]\. ?){2,4}(?!\w)", text):
            if "".join(fold(letter) for letter in match[0] if letter.isalpha()) in self._monograms:
                yield Match(match.start(), match.end(), _PERSON)

    def _loose_dates(self, text: str) -> Iterator[Match]:
        """Yield the header's days in spellings that could as well be a version: 9.7.61."""
        for match in _LOOSE_DATE.finditer(text):
            first, second, year = (int(part) for part in match.groups())
            for day, info_type in self._dates.items():
                if day.year % 100 == year and (day.month, day.day) in {(first, second), (second, first)}:
                    yield Match(match.start(), match.end(), info_type)
                    break

    def _numbers_and_places(self, words: Sequence[tuple[int, int, str, str]]) -> list[Match]:
        found: list[Match] = []
        if self._phrases:
            found += self._phrases_in(words)
        for start, end, word, _ in words:
            alike = look_alike(word)
            if alike in self._words:
                found.append(Match(start, end, self._words[alike].value))
            elif self._is_fuzzy_number(word, alike):
                found.append(Match(start, end, Source.RECORD.value))
            if word in self._short_dates:
                found.append(Match(start, end, self._short_dates[word]))
        return found

    def _is_fuzzy_number(self, word: str, alike: str) -> bool:
        if not _MIN_FUZZY_NUMBER - 1 <= len(alike) <= _LONGEST_FUZZY or not self._fuzzy_numbers:
            return False
        if not any(map(str.isdigit, word)):
            return False
        return any(piece in self._fuzzy_numbers for piece in deletions(alike))

    def _phrases_in(self, words: Sequence[tuple[int, int, str, str]]) -> Iterator[Match]:
        """Search the text without spaces and punctuation, so that breaks in other places do not matter."""
        squeezed = "".join(look_alike(word) for _, _, word, _ in words)
        starts: dict[int, int] = {}
        places: list[tuple[int, int]] = []
        position = 0
        for number, (start, end, word, _) in enumerate(words):
            starts[position] = number
            places += [(start + min(offset, end - start - 1), number) for offset in range(len(word))]
            position += len(word)
        zeros = len(squeezed) - len(squeezed.lstrip("0"))
        for phrase, source in self._phrases.items():
            at = squeezed.find(phrase)
            while at >= 0:
                last = at + len(phrase)
                if self._stands_alone(squeezed, at, last, starts, zeros=zeros, whole=len(phrase) < _MIN_NUMBER):
                    yield Match(places[at][0], places[last - 1][0] + 1, source.value)
                at = squeezed.find(phrase, at + 1)

    @staticmethod
    def _stands_alone(text: str, start: int, end: int, word_starts: dict[int, int], *, zeros: int, whole: bool) -> bool:
        """Whether a phrase is not the middle of a longer number or word: leading zeros do not count."""
        if whole:
            return start == 0 and end == len(text)
        begins = start in word_starts or start <= zeros or text[start - 1].isdigit() != text[start].isdigit()
        ends = end == len(text) or end in word_starts or text[end].isdigit() != text[end - 1].isdigit()
        return (begins or bool(_UNSPACED_WORD.match(text[start]))) and (
            ends or bool(_UNSPACED_WORD.match(text[end - 1]))
        )


def vocabulary_like(value: str) -> Iterable[str]:
    """Return ``value`` folded when it is a word that is no identifier, such as the StudyID ``CHEST``."""
    plain = fold(value.strip())
    return (plain,) if plain in vocabulary() else ()


def _squeezed(value: str) -> str:
    return "".join(look_alike(fold(word)) for word in _WORD.findall(value))


def _beside(text: str, left: tuple[int, int, str, str], right: tuple[int, int, str, str]) -> bool:
    return not text[left[1] : right[0]].strip(" ,^.=-'\u2019_")


def short_forms(day: date) -> tuple[str, ...]:
    """Return the six-digit spellings of a day; too short to be told from other numbers without a header."""
    year, month, number = f"{day.year % 100:02d}", f"{day.month:02d}", f"{day.day:02d}"
    return (year + month + number, number + month + year, month + number + year)
