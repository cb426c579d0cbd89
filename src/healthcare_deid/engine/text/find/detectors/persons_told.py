"""Person names by the sentence around them: according to Turner; Li and Perry wrote; I'm Maja; Capon began."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_names import DAY_AND_MONTH_NAMES
from healthcare_deid.engine.text.find.detectors.name_runs import (
    CLOSED_CLASS,
    NAMES,
    TITLES,
    gap,
    name_run,
    span,
)
from healthcare_deid.engine.text.find.detectors.words import Token, WordKind, places_of
from healthcare_deid.engine.text.find.lexicon import begins_with_a_place, eponyms, vocabulary, word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.text.match import Match

_BODY_PARTS = word_set("body_parts")
_SAYS = word_set("verbs_of_persons")
_GROWS = frozenset({"began", "flew", "grew", "moved", "works"})  # so do things: Mass grew
_HAD = frozenset({"had", "has", "have"})
_INTRODUCES = frozenset(
    ["i'm", "dear", "hi", "hello", "thanks", "regards", "sincerely", "said", "says", "told", "asked", "given", "gave"]
)
_GIVEN = frozenset({"given", "gave"})
_TELLS = _SAYS | _HAD | _INTRODUCES | {"to", "and"}
_LEADS = re.compile(r" |, ?|,? ?\n")


def told_persons(text: str, tokens: Sequence[Token]) -> list[Match]:
    """Return the names that the sentence tells, in texts of mixed case."""
    found: list[Match] = []
    for index in places_of(text, _TELLS):
        token = tokens[index]
        if token.upper and len(token.word) > 1:
            continue
        if token.word in _INTRODUCES or (token.word == "to" and index and tokens[index - 1].word == "according"):
            found += _after(text, tokens, index)
        elif token.word in _SAYS or (
            token.word in _HAD and index + 1 < len(tokens) and tokens[index + 1].word in {"given", "told", "said"}
        ):
            found += _before(text, tokens, index)
        elif token.word == "and" and not token.capital:
            found += _beside(text, tokens, index)
    return found


def _after(text: str, tokens: Sequence[Token], index: int) -> list[Match]:
    """Find the name after a word that introduces one."""
    if index + 1 == len(tokens) or not _LEADS.fullmatch(gap(text, tokens[index], tokens[index + 1])):
        return []
    name = tokens[index + 1]
    if not _can_be_called(name) or not _is_name(name):
        return []
    if tokens[index].word in _GIVEN and name.kind not in {WordKind.FIRST, WordKind.LAST}:
        return []  # given Omnipaque
    run = name_run(text, tokens, index + 1, cue=True)
    return [span(run)] if run and run[0] is name else []


def _before(text: str, tokens: Sequence[Token], index: int) -> list[Match]:
    """Find the name that begins a sentence, before what only persons do."""
    if not index or gap(text, tokens[index - 1], tokens[index]) != " ":
        return []
    begin = index - 1
    while begin and tokens[begin - 1].capital and gap(text, tokens[begin - 1], tokens[begin]) == " ":
        begin -= 1
    if begin and tokens[begin - 1].kind is WordKind.PARTICLE and gap(text, tokens[begin - 1], tokens[begin]) == " ":
        begin -= 1
    run = tokens[begin:index]
    before = text[: run[0].start].rstrip(" ")
    if (before and before[-1] not in ".!?\n:;,\"'") or len(run) > 3:
        return []
    names = [token for token in run if token.kind is not WordKind.PARTICLE]
    if tokens[index].word in _GROWS and all(token.word in vocabulary() and not token.common for token in names):
        return []
    if not names or not all(map(_can_be_called, names)) or not any(_is_name(token) for token in names):
        return []
    return [span(run)]


def _beside(text: str, tokens: Sequence[Token], index: int) -> list[Match]:
    """Find both of two names that "and" joins, if one surely is one."""
    if not 0 < index < len(tokens) - 1:
        return []
    left, right = tokens[index - 1], tokens[index + 1]
    if gap(text, left, tokens[index]) != " " or gap(text, tokens[index], right) != " ":
        return []
    if not (_can_be_called(left) and _can_be_called(right) and _is_name(left) and _is_name(right)):
        return []
    if not (_is_surely_one(left) or _is_surely_one(right)):
        return []
    following = tokens[index + 2] if index + 2 < len(tokens) else None
    names = [*_listed_before(text, tokens, index - 1), left, right]
    if following is None or gap(text, right, following) != " ":
        return [span([name]) for name in names]
    is_a_term = following.word in vocabulary() and following.word not in CLOSED_CLASS | _SAYS
    return [] if following.capital or is_a_term else [span([name]) for name in names]


def _listed_before(text: str, tokens: Sequence[Token], index: int) -> list[Token]:
    """Return the names before the last two of a list: Jukić, Smith and Wood."""
    listed: list[Token] = []
    while index and gap(text, tokens[index - 1], tokens[index]) == ", ":
        index -= 1
        if not (_can_be_called(tokens[index]) and _is_name(tokens[index])):
            break
        listed.insert(0, tokens[index])
    return listed


def _can_be_called(token: Token) -> bool:
    """Return whether a word can be a name that is written with a capital."""
    return (
        token.capital
        and not token.upper
        and len(token.word) > 1
        and token.word not in CLOSED_CLASS
        and token.word not in TITLES
        and token.word not in _BODY_PARTS
        and token.word not in DAY_AND_MONTH_NAMES
        and (token.common or token.word not in eponyms())
    )


def _is_name(token: Token) -> bool:
    return token.kind in NAMES or token.last or token.first


def _is_surely_one(token: Token) -> bool:
    return (token.kind in {WordKind.FIRST, WordKind.LAST} or token.common) and not begins_with_a_place([token.word])
