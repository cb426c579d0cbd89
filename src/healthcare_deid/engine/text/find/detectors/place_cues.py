"""Unlisted places by the words around them: flew to Kravsko, Lives in Cobalt Glen, Home region: Osprey Bay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_names import DAY_AND_MONTH_NAMES
from healthcare_deid.engine.text.find.detectors.name_runs import (
    CLOSED_CLASS,
    NAMES,
    TITLES,
    UNLISTED,
    gap,
    is_eponym,
)
from healthcare_deid.engine.text.find.detectors.streets import CAPITAL, PLACE_ADJECTIVES, PLACE_NOUNS, STATES
from healthcare_deid.engine.text.find.detectors.words import Token, WordKind, matches_at
from healthcare_deid.engine.text.find.lexicon import eponyms, places, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PREPOSITIONS = frozenset(["in", "from", "to", "near", "of", "at", "around", "outside", "towards", "via", "between"])
_MOTION = word_set("motion")
_SETTLEMENTS = word_set("settlements")
_SENDERS = word_set("senders")
_COMPASS = frozenset(["north", "south", "east", "west", "new", "port", "lake", "fort", "mount", "saint", "sainte", "lower", "upper"])
_MAX_WORDS = 5
_REACH = 5
_LINKS = frozenset(
    ["de", "del", "della", "des", "du", "da", "do", "la", "le", "les", "am", "an", "der", "im", "v", "nad", "pod", "na", "sur",
     "sous", "lez", "upon", "on", "under", "y", "e", "i", "do", "dos", "das", "di", "al", "el", "the"]
)
# A label of a place, and its value: Home region on the referral: Calderwick; HOME COMMUNITY | Plover Valley.
_LABEL = re.compile(
    r"(?<![^\W\d_])(?i:home ?towns?|communit(?:y|ies)|municipality|town|city|village|region|area|district|county|residence"
    r"|geography|locality|location|borough|parish|province|suburb|where|origin of travel|birthplace|place of birth"
    r"|wohnort|geburtsort|ville|ciudad|citt[aà]|domicile|domiciled|home services)(?P<tail>[\w /]{0,24}?)"
    r"(?P<mark>(?: ?(?:[:=|\u2014\u2013[(]|(?<= )-(?= )|is in|is|was) ?){1,2})"
    rf"(?P<place>{CAPITAL}[\w'\u2019-]+(?:[ ]{CAPITAL}[\w'\u2019-]+){{0,3}})(?P<state>, [A-Z]{{2}}(?![\w]))?".replace("[ ]", " ")
)
_LABEL_BEGINNINGS = word_set("place_label_beginnings")
_STATE_AFTER = re.compile(rf", (?:{STATES})(?!\w)")
_IDENTIFIED = re.compile(
    rf"(?<![\w])(?P<place>{CAPITAL}[\w'\u2019-]+(?: {CAPITAL}[\w'\u2019-]+){{0,3}}(?:, [A-Z]{{2}})?) as (?:their|his|her|the) "
    r"(?:home ?town|home|birthplace|city|town|place)"
)


def places_in_context(text: str, tokens: Sequence[Token]) -> Iterator[Match]:
    """Yield the places that prepositions, countries and compass points tell."""
    last_end = -1
    for index, token in enumerate(tokens):
        if not token.capital or token.start < last_end or index == 0:
            if not (index == 0 and token.word in _COMPASS):
                continue
        before = tokens[index - 1] if index else None
        led = (
            before is not None
            and before.word in _PREPOSITIONS
            and not before.upper
            and gap(text, before, token) == " "
        )
        if led or (token.word in _COMPASS and not token.upper):
            run = _run(text, tokens, index)
            if run and (
                _is_led(text, tokens, index, run) if led else _is_compass_place(text, tokens, index, run)
            ):
                state = _STATE_AFTER.match(text, run[-1].end)
                last_end = state.end() if state else run[-1].end
                yield Match(run[0].start, last_end, "LOCATION")


def _run(text: str, tokens: Sequence[Token], index: int) -> list[Token]:
    """Return the capitalized words from ``index`` that can be one place."""
    run = [tokens[index]]
    for position in range(index + 1, min(len(tokens), index + _MAX_WORDS)):
        token = tokens[position]
        if gap(text, run[-1], token) not in {" ", "-"} or token.upper != run[0].upper and len(token.word) > 1:
            if not (token.word in _LINKS and gap(text, run[-1], token) in {" ", "-"}):
                break
        if token.word in DAY_AND_MONTH_NAMES and token.kind is not WordKind.FIRST:
            break
        if token.capital and token.word not in CLOSED_CLASS and token.word not in TITLES:
            run.append(token)
        elif token.word in _LINKS and position + 1 < len(tokens) and tokens[position + 1].capital:
            run.append(token)
        else:
            break
    while run and (not run[-1].capital or run[-1].word in _LINKS):
        run.pop()
    while len(run) > 1 and run[-1].kind is WordKind.WORD and run[-1].word not in PLACE_NOUNS:
        run.pop()
    return run


def _is_led(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    """Return whether a run after a preposition is a place."""
    if not run:
        return False
    end = index + len(run)
    first, last = run[0], run[-1]
    if first.word in TITLES or first.word in CLOSED_CLASS or last.word.endswith("'s"):
        return False
    if len(first.word) < 3 or text[last.end : last.end + 1] in "_@\\^=" and last.end < len(text):
        return False
    if is_eponym(text, tokens, end, names=len(run)) or (len(run) == 1 and first.word in eponyms()):
        return False
    if not _is_telling(run):
        return False
    preposition = tokens[index - 1].word
    earlier = [token.word for token in tokens[max(0, index - 1 - _REACH) : index - 1]]
    moves = not _MOTION.isdisjoint(earlier)
    is_named = first.kind is WordKind.FIRST
    if preposition in {"in", "near", "around", "outside", "towards"}:
        return True
    if preposition in {"via", "between", "at"}:
        return first.kind in UNLISTED or moves
    if preposition == "of":
        return bool(earlier) and earlier[-1] in _SETTLEMENTS
    if preposition == "from":
        return moves or not (is_named or not _SENDERS.isdisjoint(earlier[-3:]))
    return moves


def _is_telling(run: Sequence[Token]) -> bool:
    """Return whether a run has a word that is no term of the field, or is named like a place."""
    first = run[0]
    if first.upper and all(token.kind in {WordKind.LIKELY, WordKind.UNKNOWN} and len(token.word) < 6 for token in run):
        return False  # an abbreviation: in STIR
    if len(run) > 1 and run[-1].word in PLACE_NOUNS and not first.upper:
        return True
    return first.kind in NAMES or (
        len(run) > 1 and (first.word in PLACE_ADJECTIVES or first.kind is WordKind.BOTH) and any(item.kind in NAMES for item in run[1:])
    )


def _is_compass_place(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    """Return whether a run that begins with a compass point or the like is a place: North Huldside."""
    named = [token for token in run[1:] if token.capital]
    return (
        len(run) > 1
        and named[0].kind in NAMES
        and not named[0].upper
        and gap(text, run[0], run[1]) == " "
        and named[0].word not in eponyms()
        and not is_eponym(text, tokens, index + len(run))
    )


def places_after_labels(text: str, tokens: Sequence[Token]) -> Iterator[Match]:
    """Yield places after their label."""
    for match in matches_at(_LABEL, text, tokens, _LABEL_BEGINNINGS):
        words = match["place"].split()
        kept = 0
        for position, word in enumerate(words):
            plain = word.lower()
            following = words[position + 1].lower() if position + 1 < len(words) else ""
            if plain in vocabulary() and plain not in places() and plain not in PLACE_ADJECTIVES:
                if following not in PLACE_NOUNS and not (position and plain in PLACE_NOUNS):
                    break
            kept = position + 1
        if match["state"] and kept < len(words) and len(words) == 1:
            kept = 1
        if not kept or (kept == 1 and (words[0].lower() in TITLES or (words[0].isupper() and len(words[0]) < 5))):
            continue
        end = match.start("place") + len(" ".join(words[:kept]))
        if match["state"] and kept == len(words):
            end = match.end("state")
        yield Match(match.start("place"), end, "LOCATION")
    if " as the" in text or " as his " in text or " as her " in text:
        for match in _IDENTIFIED.finditer(text):
            yield Match(*match.span("place"), "LOCATION")
