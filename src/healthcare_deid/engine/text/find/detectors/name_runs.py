"""Runs of words that can be a name of a person, and what keeps them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.words import Kind, Token
from healthcare_deid.engine.text.find.lexicon import FIELD_ENDING, eponyms, everyday, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLES = word_set("titles")
MAX_NAME_WORDS = 4
_BODY_PARTS = word_set("body_parts")
_EPONYM_NOUN = word_set("eponym_noun")
CLOSED_CLASS = word_set("closed_class")
_PERSON_NOUNS = word_set("person_nouns")
_EPONYM_PAIRS = word_set("eponym_pairs")
UNLISTED = frozenset({Kind.LIKELY, Kind.UNKNOWN})
NAMES = UNLISTED | {Kind.FIRST, Kind.LAST}
NAMES_AND_WORDS = NAMES | {Kind.BOTH}


def span(run: Sequence[Token]) -> Match:
    """Return the finding that a run of words is."""
    return Match(run[0].start, run[-1].end, "PERSON_NAME")


def gap(text: str, left: Token, right: Token) -> str:
    """Return what stands between two words."""
    return text[left.end : right.start]


def name_run(text: str, tokens: Sequence[Token], index: int, *, cue: bool, title: bool = False) -> list[Token]:
    """Return the tokens of a name that begins at ``index``; with a cue, a word that is a name too counts as one.

    After a title any word does that can be nothing else: dr. holmes, Dr. Savage, Dr. Bo Ho.
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
    while run and run[-1].kind is Kind.PARTICLE:
        run.pop()
    if len(run) > 1 and "," in gap(text, run[-2], run[-1]) and is_eponym(text, tokens, index + len(run)):
        run.pop()  # the next words are a term of their own: Joel Dodd, Turner syndrome
    if all(token.kind is Kind.INITIAL for token in run):
        return []
    return run[: MAX_NAME_WORDS + 1]


def _is_joined(text: str, run: Sequence[Token], token: Token) -> bool:
    """Return whether what stands between a name and its next word may: a space, a point, a hyphen, one comma."""
    between = gap(text, run[-1], token)
    if between in {", ", ","}:
        return "," not in text[run[0].start : run[-1].end]
    if between == ". " and len(run[-1].word) > 3:
        return False  # a sentence ends here: Jessica Flores. Hancock valve
    # Two spaces part columns: DOE JANE  F.
    return between in {" ", "-", ". ", "."} or (between == "  " and token.kind is not Kind.INITIAL)


def _belongs(text: str, run: Sequence[Token], token: Token, following: Token | None, *, cue: bool) -> bool:
    """Return whether a word can be the next of a name."""
    names = NAMES_AND_WORDS if cue else NAMES
    if token.kind is Kind.PARTICLE:
        return following is not None and (following.kind in names or following.kind is Kind.PARTICLE)
    if token.kind is Kind.INITIAL:
        return token.capital or bool(run)
    if cue and run and _is_initialed(run, token):
        return True
    if cue and may_be_a_name(token, known=everyday() if token.upper or not run else vocabulary()):
        return _stands_beside_a_name(run, token, following)
    if token.kind not in names:
        return False
    lower = text.islower() and (token.kind not in UNLISTED or (cue and not run))
    if not (token.capital or lower):
        return False
    is_doubtful = cue and token.kind is Kind.BOTH and any(item.kind in NAMES_AND_WORDS for item in run)
    return not is_doubtful or goes_on(run, token) or _is_surname_after(run, token)


def _is_initialed(run: Sequence[Token], token: Token) -> bool:
    """Return whether a capitalized word follows initials with their points, and nothing else: J. Vial."""
    last = run[-1]
    dotted = token.start - last.end == 2 and all(item.kind is Kind.INITIAL and item.capital for item in run)
    return dotted and token.capital and len(token.word) > 2 and token.word not in CLOSED_CLASS


def may_be_a_name(token: Token, *, known: frozenset[str]) -> bool:
    """Return whether a capitalized word is not in *known*, and was taken for a word by its ending: Bailly, Moraes."""
    return (
        token.kind is Kind.WORD and token.capital and token.word not in known and not FIELD_ENDING.fullmatch(token.word)
    )


def _stands_beside_a_name(run: Sequence[Token], token: Token, following: Token | None) -> bool:
    """Return whether one capitalized name stands right before a word or right behind it, both in capitals or neither.

    In capitals every word has a capital, so only a first name before it counts: CALEB MORAES.
    """
    if run:
        name = run[0]
        return len(run) == 1 and name.capital and name.upper == token.upper and (name.first or not token.upper)
    return not token.upper and following is not None and following.kind in NAMES and following.capital


def _is_surname_after(run: Sequence[Token], token: Token) -> bool:
    """Return whether a word that is a surname too ends a name: Enrico Martins, MAUNO JOHANSSON; not GARCIA HEAD."""
    names = [item for item in run if item.kind in NAMES_AND_WORDS]
    if len(names) != 1 or names[0].kind not in NAMES or not token.last:
        return False
    return token.word not in vocabulary() or not (token.upper or token.word in _BODY_PARTS)


def _is_titled(run: Sequence[Token], token: Token) -> bool:
    """Return whether a title makes a name of a word: the first whatever it is, a short one with a capital after it."""
    if token.word in CLOSED_CLASS or token.kind in {Kind.INITIAL, Kind.PARTICLE}:
        return False
    if not run:
        return not token.upper or token.kind is not Kind.WORD
    if not token.capital:
        return not run[0].capital and token.kind in NAMES
    return len(token.word) <= 3 and not token.upper


def goes_on(run: Sequence[Token], token: Token) -> bool:
    """Return whether a word that is a name too still belongs to the name: Mary LONG, not GARCIA HEAD."""
    names = [item for item in run if item.kind in NAMES_AND_WORDS]
    if len(names) == 2 and names[1].start - names[0].end == 1 and names[0].first:
        return token.last  # Jean-Luc
    if len(names) == 1 and names[0].kind in NAMES and token.word in eponyms() and not token.upper:
        return True
    return len(names) == 1 and (token.common or ((names[0].first or token.first) and token.last) or token.first)


def is_eponym(text: str, tokens: Sequence[Token], index: int, *, names: int = 1) -> bool:
    """Return whether the word at ``index`` makes a term of the name before it: Wilson disease, Baker's cyst.

    A noun of the field in small letters after a single name with a capital does so too (Haller cell), and so does a
    noun and "of" before it (pouch of Douglas).
    """
    if 0 < index < len(tokens):
        name, noun = tokens[index - 1], tokens[index]
        between = gap(text, name, noun)
        if noun.word in _EPONYM_NOUN and between in {" ", "'s ", "\u2019s ", "-"}:
            return True
        if (
            names == 1
            and between == " "
            and name.capital
            and not name.upper
            and not noun.capital
            and noun.kind is Kind.WORD
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


def is_eponym_pair(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Return whether the words at ``index`` and after it are two names that make one term of the field.

    Salter-Harris.
    """
    if index + 1 >= len(tokens) or gap(text, tokens[index], tokens[index + 1]) not in {"-", "\u2013"}:
        return False
    return f"{tokens[index].word}-{tokens[index + 1].word}" in _EPONYM_PAIRS
