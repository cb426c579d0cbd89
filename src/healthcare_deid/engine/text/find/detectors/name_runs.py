"""Runs of words that can be a person's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.words import Token, WordKind
from healthcare_deid.engine.text.find.lexicon import eponyms, everyday, has_field_ending, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLES = word_set("titles")
MAX_NAME_WORDS = 4
_BODY_PARTS = word_set("body_parts")
_SCALES = word_set("scales")
# Ages are no grades: Weber 7 M.
_GRADE = re.compile(
    r" (?:\d(?:/1[05])?|I{1,3}|IV|VI?)[a-cA-C]?(?!\w|[-/.]\d| ?(?i:m|f|y|yo|yrs?|years?|mo|months?|male|female)(?!\w))"
)
_EPONYM_NOUN = word_set("eponym_noun")
CLOSED_CLASS = word_set("closed_class")
_PERSON_NOUNS = word_set("person_nouns")
_EPONYM_PAIRS = word_set("eponym_pairs")
BEGIN_EPONYM_PAIRS = frozenset(pair.partition("-")[0] for pair in _EPONYM_PAIRS)
_PLACE_EPONYMS = word_set("place_eponyms")
UNLISTED = frozenset({WordKind.LIKELY, WordKind.UNKNOWN})
NAMES = UNLISTED | {WordKind.FIRST, WordKind.LAST}
NAMES_AND_WORDS = NAMES | {WordKind.BOTH}
_ARABIC_ARTICLES = frozenset({"al", "el"})


def span(run: Sequence[Token]) -> Match:
    """Return a run of words as a finding, without a possessive ending."""
    last = run[-1]
    return Match(run[0].start, last.end - 2 * last.word.endswith("'s"), "PERSON_NAME")


def gap(text: str, left: Token, right: Token) -> str:
    """Return the text between two words."""
    return text[left.end : right.start]


def name_run(text: str, tokens: Sequence[Token], index: int, *, cue: bool, title: bool = False) -> list[Token]:
    """Return the tokens of a name that begins at ``index``.

    With a cue, common words that are also names count. After a title every word counts that can be a name: dr. holmes,
    Dr. Savage, Dr. Bo Ho.
    """
    run: list[Token] = []
    for position in range(index, min(len(tokens), index + MAX_NAME_WORDS + 2)):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if run and not _is_joined(text, run, token):
            break
        if not _belongs(text, run, token, following, cue=cue) and not (title and _is_titled(run, token)):
            break
        run.append(token)
    while run and run[-1].kind is WordKind.PARTICLE:
        run.pop()
    if len(run) > 1 and "," in gap(text, run[-2], run[-1]) and is_eponym(text, tokens, index + len(run)):
        run.pop()  # the last word belongs to a term: Joel Dodd, Turner syndrome
    if not run or all(token.kind is WordKind.INITIAL for token in run):
        return []
    return run[: MAX_NAME_WORDS + 1]


def _is_joined(text: str, run: Sequence[Token], token: Token) -> bool:
    """Return whether the gap before a word can be inside a name."""
    between = gap(text, run[-1], token)
    if between in {", ", ","}:
        return "," not in text[run[0].start : run[-1].end]
    if between == ". " and len(run[-1].word) > 3:
        return False  # a sentence ends here: Jessica Flores. Hancock valve
    # Two spaces separate columns: DOE JANE  F.
    return between in {" ", "-", ". ", "."} or (between == "  " and token.kind is not WordKind.INITIAL)


def _belongs(text: str, run: Sequence[Token], token: Token, following: Token | None, *, cue: bool) -> bool:
    """Return whether a word can be the next one of a name."""
    names = NAMES_AND_WORDS if cue else NAMES
    if token.kind is WordKind.PARTICLE:
        return following is not None and (
            following.kind in names
            or following.kind is WordKind.PARTICLE
            or (bool(run) and token.word in _ARABIC_ARTICLES and following.capital and not following.upper)
        )
    if run and run[-1].kind is WordKind.PARTICLE and run[-1].word in _ARABIC_ARTICLES and token.capital:
        return True
    if token.kind is WordKind.INITIAL:
        return token.capital or bool(run)
    if cue and run and _is_initialed(run, token):
        return True
    if cue and may_be_a_name(token, known=everyday() if token.upper or not run else vocabulary()):
        return _stands_beside_a_name(run, token, following)
    if token.kind not in names:
        return False
    if not token.capital and not (text.islower() and (token.kind not in UNLISTED or (cue and not run))):
        return False
    is_doubtful = cue and token.kind is WordKind.BOTH and any(item.kind in NAMES_AND_WORDS for item in run)
    return not is_doubtful or goes_on(run, token) or _is_surname_after(run, token)


def _is_initialed(run: Sequence[Token], token: Token) -> bool:
    """Return whether a capitalized word follows initials only: J. Vial."""
    last = run[-1]
    dotted = token.start - last.end == 2 and all(item.kind is WordKind.INITIAL and item.capital for item in run)
    return dotted and token.capital and len(token.word) > 2 and token.word not in CLOSED_CLASS


def may_be_a_name(token: Token, *, known: frozenset[str]) -> bool:
    """Return whether an unlisted word only resembles a term.

    Its ending does, but it is capitalized and not in *known*. Examples: Bailly, Moraes.
    """
    return (
        token.kind is WordKind.WORD and token.capital and token.word not in known and not has_field_ending(token.word)
    )


def _stands_beside_a_name(run: Sequence[Token], token: Token, following: Token | None) -> bool:
    """Return whether a single capitalized name is next to a word.

    Both must be in capitals or neither. In capitals every word has a capital, so only a first name before it counts:
    CALEB MORAES.
    """
    if run:
        name = run[0]
        return len(run) == 1 and name.capital and name.upper == token.upper and (name.first or not token.upper)
    return not token.upper and following is not None and following.kind in NAMES and following.capital


def _is_surname_after(run: Sequence[Token], token: Token) -> bool:
    """Return whether an ambiguous word ends a name as its surname.

    Examples: Enrico Martins, MAUNO JOHANSSON; not GARCIA HEAD.
    """
    names = [item for item in run if item.kind in NAMES_AND_WORDS]
    if len(names) != 1 or not token.last:
        return False
    if names[0].kind is WordKind.BOTH:  # Wren Sparrow
        return not (names[0].upper or token.upper or token.word in _BODY_PARTS)
    return token.word not in vocabulary() or not (token.upper or token.word in _BODY_PARTS)


def _is_titled(run: Sequence[Token], token: Token) -> bool:
    """Return whether a title makes a word a name.

    It does for any first word, for a short capitalized one after it, and for a capitalized one after a first name, such
    as Coste in Prof. Sebastien Coste, which is also a word for ribs.
    """
    if token.word in CLOSED_CLASS or token.kind in {WordKind.INITIAL, WordKind.PARTICLE}:
        return False
    if not run:
        return not token.upper or token.kind is not WordKind.WORD
    if not token.capital:
        return not run[0].capital and token.kind in NAMES
    goes_with = len(run) == 1 and run[0].kind is WordKind.FIRST and token.word not in _BODY_PARTS
    return (len(token.word) <= 3 or goes_with) and not token.upper


def goes_on(run: Sequence[Token], token: Token) -> bool:
    """Return whether an ambiguous word continues a name.

    Examples: Mary LONG, but not GARCIA HEAD.
    """
    names = [item for item in run if item.kind in NAMES_AND_WORDS]
    if len(names) == 2 and names[1].start - names[0].end == 1 and names[0].first:
        return token.last  # Jean-Luc
    if len(names) == 1 and names[0].kind in NAMES and token.word in eponyms() and not token.upper:
        return True
    return len(names) == 1 and (token.common or ((names[0].first or token.first) and token.last) or token.first)


def is_eponym(text: str, tokens: Sequence[Token], index: int, *, names: int = 1) -> bool:
    """Return whether the word at ``index`` makes the name before it a term.

    Examples: Wilson disease, Baker's cyst.

    So do a lower case noun of the field after a single capitalized name (Haller cell), a noun with "of" before it
    (pouch of Douglas), and a grade (Weber 2, Gustilo III).
    """
    if names == 1 and index and is_graded(text, tokens[index - 1]):
        return True
    if 0 < index < len(tokens):
        name, noun = tokens[index - 1], tokens[index]
        between = gap(text, name, noun)
        if f"{name.word}-{noun.word}" in _PLACE_EPONYMS and between == " ":
            return True  # Boston Scientific, New York Heart Association
        if noun.word in _EPONYM_NOUN and between in {" ", "'s ", "\u2019s ", "-"}:
            return True
        if (
            names == 1
            and between == " "
            and name.capital
            and not name.upper
            and not noun.capital
            and noun.kind is WordKind.WORD
            and (name.kind is not WordKind.FIRST or name.word in eponyms())
            and noun.word not in CLOSED_CLASS
            and not noun.word.endswith("ed")
            and noun.word in vocabulary()
        ):
            return True
    first = index - names
    if names == 1 and first >= 2 and tokens[first - 1].word == "of" and tokens[first].capital:
        noun = tokens[first - 2]
        return noun.word in vocabulary() and not noun.capital and noun.word not in _PERSON_NOUNS
    return False


def is_graded(text: str, name: Token) -> bool:
    """Return whether a word is a scale or classification, with a grade after it."""
    return (name.word in _SCALES or name.word in eponyms()) and _GRADE.match(text, name.end) is not None


def is_eponym_pair(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Return whether two names form one term, such as Salter-Harris."""
    if index + 1 >= len(tokens) or gap(text, tokens[index], tokens[index + 1]) not in {"-", "\u2013"}:
        return False
    return f"{tokens[index].word}-{tokens[index + 1].word}" in _EPONYM_PAIRS
