"""Detector of person names by the words themselves and their arrangement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import GUESS
from healthcare_deid.engine.text.find.detectors.name_runs import (
    BEGIN_EPONYM_PAIRS,
    NAMES,
    NAMES_AND_WORDS,
    TITLES,
    gap,
    goes_on,
    is_eponym,
    is_eponym_pair,
    may_be_a_name,
    name_run,
    span,
)
from healthcare_deid.engine.text.find.detectors.persons_told import told_persons
from healthcare_deid.engine.text.find.detectors.words import Token, WordKind, tokens_of
from healthcare_deid.engine.text.find.lexicon import eponyms, vocabulary, word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.text.match import Match

# Prefixes that mark a surname even in lower case: mcdonald, o'brien.
_CLAN = ("mc", "mac", "o'", "d'")
_BODY_PARTS = word_set("body_parts")
# A name next to one of these characters is part of a code.
_CODE = frozenset("_0123456789\\@=")
_BEGINS_A_NAME = NAMES_AND_WORDS | {WordKind.PARTICLE, WordKind.INITIAL}
_SYLLABIC_SURNAMES = word_set("syllabic_surnames")
_SYLLABLE = (
    r"(?:[bcdfghjklmnpqrstvwxyz]|[bcdgkpstz]h|ngh?|t[rs]|hs|[gk]w|[bghkmpr]y)?[aeiouy]{1,3}(?:n[gh]|ch|[nmkptlrhw])?"
)
_SYLLABLES = re.compile(rf"(?:{_SYLLABLE}){{1,3}}")


class PersonFormDetector:
    """Finds person names without a cue.

    Eponyms (Foley catheter), vendors and body parts do not count.
    """

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that it finds."""
        return frozenset({"PERSON_NAME"})

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings; lower wins."""
        return GUESS

    def find(self, text: str) -> list[Match]:
        """Return the names."""
        tokens = tokens_of(text)
        return _by_form(text, tokens) + told_persons(text, tokens)


def _by_form(text: str, tokens: Sequence[Token]) -> list[Match]:
    """Find names by the arrangement of their words.

    A single distinctive name counts too. Examples: DOE, JOHN; Jane van Dyke.
    """
    found: list[Match] = []
    index = 0
    is_lower = text.islower()
    while index < len(tokens):
        token = tokens[index]
        may_be_a_pair = token.word in BEGIN_EPONYM_PAIRS
        if not may_be_a_pair and not _can_begin(token, is_lower=is_lower):
            index += 1
            continue
        if may_be_a_pair and is_eponym_pair(text, tokens, index):
            while is_eponym_pair(text, tokens, index):
                index += 1
            index += 1
            continue
        run = [] if tokens[index].word in TITLES else _form_run(text, tokens, index, is_lower=is_lower)
        syllables = _syllabic_run(text, tokens, index) if token.word in _SYLLABIC_SURNAMES else []
        if len(syllables) > len(run) or (syllables and not _is_name(text, tokens, index, run)):
            found.append(span(syllables))
            index += len(syllables)
        elif run and _is_name(text, tokens, index, run):
            found.append(span(run))
            index += len(run)
        else:
            index += 1
    return found


def _can_begin(token: Token, *, is_lower: bool) -> bool:
    """Return whether a name can begin with a word; most words of a text are decided by this."""
    if token.kind is WordKind.WORD:
        return token.capital and token.word in _SYLLABIC_SURNAMES
    return token.capital or is_lower or token.kind is WordKind.PARTICLE


def _syllabic_run(text: str, tokens: Sequence[Token], index: int) -> list[Token]:
    """Return a Chinese, Korean or Vietnamese name.

    In Latin letters, it is a family name and one or two syllabic words.
    """
    # Such words are short, and many are terms of the field (MA, PA, SUN), so the name must stand alone in its column.
    family = tokens[index]
    if not family.capital or not _begins_column(text, family.start):
        return []
    run = [family]
    for token in tokens[index + 1 : index + 3]:
        if gap(text, run[-1], token) not in {" ", "-", ", "} or token.kind in {
            WordKind.WORD,
            WordKind.INITIAL,
            WordKind.PARTICLE,
        }:
            break
        if not token.capital or not _SYLLABLES.fullmatch(token.word):
            break
        run.append(token)
    if len(run) < 2:
        return []
    telling = any(token.kind in NAMES for token in run)
    alone = _ends_column(text, run[-1].end)
    return run if alone or (telling and run[1].kind is not WordKind.BOTH) else []


def _begins_column(text: str, start: int) -> bool:
    before = text[:start]
    return not before.strip() or before.endswith(("  ", "\t", "\n", ": ", ":"))


def _ends_column(text: str, end: int) -> bool:
    behind = text[end:].lstrip(" ,")
    return not behind or not behind[0].isalpha() or text[end : end + 2] == "  "


def _form_run(text: str, tokens: Sequence[Token], index: int, *, is_lower: bool) -> list[Token]:
    token = tokens[index]
    if token.kind not in _BEGINS_A_NAME:
        return []
    if not (token.capital or is_lower or _leads_a_name(tokens, index)):
        return []
    if _is_heading(text, tokens, index):
        return []
    run = name_run(text, tokens, index, cue=token.kind is WordKind.BOTH)
    if len(run) == 1 and _is_given(token) and _is_surname(text, tokens, index + 1):
        return list(tokens[index : index + 2])
    if run and token.kind in NAMES and len(run) <= 2:
        known = len(run)
        longer = name_run(text, tokens, index, cue=True)
        if len(longer) > known and longer[known].kind is WordKind.PARTICLE and longer[-1].last:
            return longer
        if len(longer) > known and goes_on(run, longer[known]) and (longer[known].last or longer[known].first):
            mixed = token.capital and not token.upper
            comma = "," in gap(text, run[-1], longer[known])
            if (comma and longer[known].first) or (
                token.kind is not WordKind.UNKNOWN and (mixed or comma or token.first)
            ):
                ends = (
                    known + 2 if len(longer) > known + 1 and longer[known + 1].kind is WordKind.INITIAL else known + 1
                )
                return longer[:ends]
    return run


def _is_heading(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Return whether a capitalized ambiguous word is a heading before a name.

    Examples: KNEE Petrov, Irina.
    """
    if len(tokens) < index + 3:
        return False
    word, family, given = tokens[index : index + 3]
    if not (word.kind is WordKind.BOTH and word.upper and family.capital and gap(text, word, family) == " "):
        return False
    if word.word in _BODY_PARTS:
        return family.kind in NAMES and given.kind in NAMES_AND_WORDS and gap(text, family, given) in {", ", ",", " "}
    return not word.first and not family.upper and gap(text, family, given) == ", "


def _leads_a_name(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a lower case particle precedes two names.

    Examples: de la Cruz Santos.
    """
    following = [token for token in tokens[index : index + 5] if token.kind is not WordKind.PARTICLE][:2]
    is_led = tokens[index].kind is WordKind.PARTICLE and len(following) == 2
    return is_led and all(token.capital and token.kind in NAMES for token in following)


def _is_surname(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Return whether a capitalized everyday word is the surname after a first name.

    Example: Pavel Driftwood.
    """
    if index == len(tokens) or gap(text, tokens[index - 1], tokens[index]) not in {" ", "-"}:
        return False
    given, word = tokens[index - 1], tokens[index]
    return (
        given.capital
        and not given.upper
        and not word.upper
        and may_be_a_name(word, known=vocabulary())
        and not is_eponym(text, tokens, index + 1)
    )


def _is_given(name: Token) -> bool:
    return name.kind is WordKind.FIRST and len(name.word) > 3


def _is_name(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    if is_eponym(text, tokens, index + len(run), names=len(run)):
        return False
    names = [token for token in run if token.kind in NAMES]
    comma = "," in text[run[0].start : run[-1].end]
    if len(names) >= 2:
        known = any(token.kind is not WordKind.UNKNOWN for token in names)
        return known or all(token.capital and not token.upper and len(token.word) > 2 for token in names)
    words = [token for token in run if token.kind is WordKind.BOTH]
    if names and words:
        return _is_name_and_word(run, names[0], words[0], comma=comma)
    if names:
        return _is_single_name(text, tokens, run, names[0])
    if len(tokens) == 1 and run[0].last and run[0].word in eponyms() and run[0].word not in vocabulary():
        return True  # alone in a value, an eponym is a person's name
    # Two ambiguous words, family name first: YOUNG, MARK.
    return comma and len(words) >= 2 and run[0].last and run[1].first


def _is_name_and_word(run: Sequence[Token], name: Token, word: Token, *, comma: bool) -> bool:
    """Return whether a name and an ambiguous word form a name.

    Examples: Mary Long; Kowalski, Mark.
    """
    if comma and word.first and word is not run[0]:
        return True
    complete = any(token.first for token in run) and any(token.last for token in run)
    return complete and (comma or (word.capital and name.kind is not WordKind.UNKNOWN))


def _is_single_name(text: str, tokens: Sequence[Token], run: Sequence[Token], name: Token) -> bool:
    """Return whether a single name is a person's.

    It may have an initial. Parts of codes do not count.
    """
    if name.upper and len(name.word) < 6 and name.kind is WordKind.LIKELY and len(tokens) > 1:
        return False  # an abbreviation: CLAHE, MRSA
    initial = len(run) > 1 and any(token.kind is WordKind.INITIAL for token in run)
    if name.kind is WordKind.UNKNOWN:
        return initial and name.capital and not name.upper and len(name.word) > 3
    if initial:
        return len(name.word) > 3
    before, behind = text[max(0, name.start - 1) : name.start], text[name.end : name.end + 1]
    if before in _CODE or (behind in _CODE and not (behind.isdigit() and (name.common or _is_given(name)))):
        return False
    alone = len(tokens) == 1
    is_written_small = text.islower() and (name.common or name.word.startswith(_CLAN) or _is_given(name))
    return len(name.word) >= (3 if alone else 4) and (name.capital or alone or is_written_small)
