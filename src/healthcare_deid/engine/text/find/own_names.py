"""Person names of an instance's header.

They are found in any order, spelling and abbreviation.
"""

from __future__ import annotations

import re
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.header_values import ValueKind
from healthcare_deid.engine.text.find.lexicon import eponyms, fold, is_field_word, vocabulary, word_set
from healthcare_deid.engine.text.find.own_words import (
    UNSPACED_WORD,
    OwnWord,
    deletions,
    follows_name_cue,
    is_short,
    look_alike,
)
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SPLIT_NAME = re.compile(r"[\W_]+")
_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\. ?){2,4}(?!\w)")
_NOT_A_NAME = word_set("not_a_name")
# Words that are names next to another name (Li Na, Do Minh) and placeholders alone.
_ALSO_NAMES = frozenset({"do", "na"})
_TITLES = word_set("titles") | word_set("credentials")
_SHORT_CLINICAL = word_set("short_clinical")
_EPONYM_NOUN = word_set("eponym_noun")
_PERSON = ValueKind.NAME.value
# With one wrong character, shorter words too often become other words.
_MIN_FUZZY = 6
# Longest word that can be one character off a header value, which has at most 64 (PS3.5 table 6.2-1).
_LONGEST_FUZZY = 65
_MIN_PART_INSIDE = 5
_MIN_PART_ANYWHERE = 7
_NO_ONE: frozenset[int] = frozenset()


class NameTerms:
    """The person names of one header, indexed for search.

    A part of a name counts anywhere, unless it is usually something else. Parts of fewer than three letters and words
    of the vocabulary count only next to another part of the same name, after a title or label, or as the whole text.
    """

    def __init__(self) -> None:
        self._parts: dict[str, frozenset[int]] = {}
        self._initials: dict[str, frozenset[int]] = {}
        self._monograms: set[str] = set()
        self._grown: set[str] = set()
        self._unspaced: set[str] = set()
        self._persons = 0
        self._alike: set[str] = set()
        self._fuzzy: set[str] = set()

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, value: str) -> None:
        """Add a PN value.

        Its component groups belong to one person.
        """
        person = frozenset({self._persons})
        self._persons += 1
        for group in value.split("="):
            components = group.split("^")
            written = [word for component in components[:3] for word in _SPLIT_NAME.split(component) if word]
            # Prefix and suffix should be titles, but are sometimes filled with names.
            written += [
                word
                for component in components[3:]
                for word in _SPLIT_NAME.split(component)
                if not is_short(word) and fold(word) not in _TITLES
            ]
            self._add_unspaced([word for word in written if UNSPACED_WORD.fullmatch(word)])
            words = [fold(word) for word in written]
            names = [word for word in words if word not in _NOT_A_NAME and not word.isdigit()]
            names += [word for word in words if word in _ALSO_NAMES] if names else []
            foreign = any(not word.isascii() for word in names)
            for name in names:
                if len(name) >= 2 or foreign:
                    self._parts[name] = self._parts.get(name, _NO_ONE) | person
                self._initials[name[0]] = self._initials.get(name[0], _NO_ONE) | person
            if len(names) >= 2:
                letters = [name[0] for name in names]
                self._grown |= {left + right for left, right in permutations(names[:4], 2) if len(left + right) >= 4}
                self._monograms |= {"".join(letters), "".join(letters[1:] + letters[:1])}

    def seal(self) -> None:
        """Build the tables for similar spellings, after all names are added."""
        self._alike = {look_alike(part) for part in self._parts if len(part) >= 4}
        self._fuzzy = {
            piece for part in self._parts if len(part) >= _MIN_FUZZY for piece in deletions(look_alike(part))
        }

    def _add_unspaced(self, words: list[str]) -> None:
        """Add a name in a script without spaces.

        The whole counts, and each part of two or more characters.
        """
        self._unspaced |= {term for term in (*words, "".join(words), "".join(reversed(words))) if len(term) >= 2}

    def find(self, text: str, words: Sequence[OwnWord]) -> list[Match]:
        """Return matches of names and their parts, possibly overlapping."""
        if not self._parts:
            return []
        sure = [self._is_sure(text, words, index) for index in range(len(words))]
        self._join_parts(text, words, sure)
        self._join_neighbors(text, words, sure)
        found = [Match(word.start, word.end, _PERSON) for word, is_name in zip(words, sure, strict=True) if is_name]
        found += self._unspaced_names(text)
        found += self._dotted_initials(text)
        found += self._split_names(words)
        return found

    def _is_sure(self, text: str, words: Sequence[OwnWord], index: int) -> bool:
        word = words[index].plain
        if word not in self._parts:
            return self._is_nearly(word)
        if len(words) == 1 or follows_name_cue(text, words, index):
            return True
        if is_short(word) or word in _SHORT_CLINICAL:
            return False
        if word in eponyms():
            return not _is_of_a_term(text, words, index)
        return word not in vocabulary()

    def _join_parts(self, text: str, words: Sequence[OwnWord], sure: list[bool]) -> None:
        """Mark adjacent parts of one name.

        They may have any length. Examples: LI WU; Long, Mary; NG A WEI.
        """
        for index, word in enumerate(words):
            persons = self._parts.get(word.plain)
            if persons is None:
                continue
            for step in (1, 2):
                other = index + step
                if other >= len(words) or not _beside(text, words[other - 1], words[other]):
                    break
                if step == 2 and len(words[other - 1].plain) > 1:
                    break
                if words[other].plain != word.plain and persons & self._parts.get(words[other].plain, _NO_ONE):
                    sure[index : other + 1] = [True] * (step + 1)
            if not sure[index] and self._has_initial(text, words, index, persons):
                sure[index] = True

    def _has_initial(self, text: str, words: Sequence[OwnWord], index: int, persons: frozenset[int]) -> bool:
        """Return whether a part has an initial next to it.

        Examples: NG, W; W. NG; NG W alone.
        """
        for other in (index - 1, index + 1):
            if not 0 <= other < len(words) or not persons & self._initials.get(words[other].plain, _NO_ONE):
                continue
            left, right = words[min(index, other)], words[max(index, other)]
            if _beside(text, left, right) and (
                len(words) == 2
                or text[left.end : right.start].strip()
                or (other > index and text[right.end : right.end + 1] == ".")
                or (other < index and _reads_as_initial(text, left) and text[right.start : right.end].istitle())
            ):
                return True
        return False

    def _join_neighbors(self, text: str, words: Sequence[OwnWord], sure: list[bool]) -> None:
        """Mark parts next to a marked word.

        They may be short, ambiguous, or an initial.
        """
        for _ in range(2):
            for index, word in enumerate(words):
                persons = self._parts.get(word.plain) or self._initials.get(word.plain)
                if sure[index] or persons is None:
                    continue
                sure[index] = any(
                    sure[other]
                    and persons & self._parts.get(words[other].plain, persons)
                    and _beside(text, words[min(index, other)], words[max(index, other)])
                    for other in (index - 1, index + 1)
                    if 0 <= other < len(words)
                )

    def _is_nearly(self, word: str) -> bool:
        """Return whether a word is almost a name part.

        One character may be wrong, or something may be attached.
        """
        if len(word) < 4 or not any(map(str.isalpha, word)) or is_field_word(word):
            return False
        alike = look_alike(word)
        if alike in self._alike or word in self._grown:
            return True
        if _MIN_FUZZY - 1 <= len(word) <= _LONGEST_FUZZY and any(piece in self._fuzzy for piece in deletions(alike)):
            return True
        return any(len(part) >= 3 and part in word and self._is_grown(part, word) for part in self._parts)

    def _is_grown(self, part: str, word: str) -> bool:
        """Return whether a word is a name part with something attached.

        Examples: DOEJOHN, JDOE, DOE01, MARIAS.
        """
        if part not in vocabulary():
            if len(part) >= (_MIN_PART_ANYWHERE if part.isascii() else _MIN_PART_INSIDE):
                return True
            if len(part) >= _MIN_PART_INSIDE and (word.startswith(part) or word.endswith(part)):
                return True
        head, _, tail = word.partition(part)
        return all(not rest or rest in self._parts or rest in self._initials or rest.isdigit() for rest in (head, tail))

    def _split_names(self, words: Sequence[OwnWord]) -> Iterator[Match]:
        """Yield names split by a space: LIND QVIST."""
        for left, right in pairwise(words):
            joined = left.plain + right.plain
            if right.start - left.end == 1 and len(joined) >= _MIN_FUZZY and joined in self._parts:
                yield Match(left.start, right.end, _PERSON)

    def _unspaced_names(self, text: str) -> Iterator[Match]:
        for term in self._unspaced:
            at = text.find(term)
            while at >= 0:
                yield Match(at, at + len(term), _PERSON)
                at = text.find(term, at + 1)

    def _dotted_initials(self, text: str) -> Iterator[Match]:
        for match in _DOTTED.finditer(text) if "." in text else ():
            if "".join(fold(letter) for letter in match[0] if letter.isalpha()) in self._monograms:
                yield Match(match.start(), match.end(), _PERSON)


def _is_of_a_term(text: str, words: Sequence[OwnWord], index: int) -> bool:
    """Return whether an eponym is part of a term.

    It stands before its noun, or is hyphenated with another eponym.
    """
    if index + 1 < len(words):
        between, behind = text[words[index].end : words[index + 1].start], words[index + 1].plain
        if behind == "s" and between in {"'", "\u2019"} and index + 2 < len(words):
            behind = words[index + 2].plain
        if behind in _EPONYM_NOUN or (between == "-" and behind in eponyms()):
            return True
    return index > 0 and text[words[index - 1].end : words[index].start] == "-" and words[index - 1].plain in eponyms()


def _reads_as_initial(text: str, word: OwnWord) -> bool:
    """Return whether a capital letter stands for a name before the next word: J Smith, but not A Weber fracture."""
    return text[word.start : word.end].isupper() and word.plain not in {"a", "i"}


def _beside(text: str, left: OwnWord, right: OwnWord) -> bool:
    return not text[left.end : right.start].strip(" ,^.=-'\u2019_")
