"""Unlisted places by the words around them: flew to Kravsko, lives in Cobalt Glen, home region: Osprey Bay."""

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
from healthcare_deid.engine.text.find.lexicon import begins_with_a_place, eponyms, fold, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PREPOSITIONS = word_set("place_prepositions")
_DOUBTFUL = frozenset(["via", "between", "at", "visit", "visits", "visited", "visiting"])
_MOTION = word_set("motion")
_SETTLEMENTS = word_set("settlements")
_SENDERS = word_set("senders")
_COMPASS = word_set("compass_points")
_LINKS = word_set("place_links")
_TOPONYMS = word_set("toponyms")
_LABEL_BEGINNINGS = word_set("place_label_beginnings")
_LABELS_OF_ANATOMY = frozenset({"area", "region", "location", "locality", "district", "where"})
_MAX_WORDS = 5
# Words before a preposition that are searched for a motion.
_REACH = 5
_JOINTS = frozenset({" ", "-"})
_NAME = rf"{CAPITAL}[\w'\u2019-]+(?: {CAPITAL}[\w'\u2019-]+){{0,3}}"
# A label of a place, and its value: Home region on the referral: Calderwick; HOME COMMUNITY | Plover Valley.
_LABEL = re.compile(
    r"(?<![^\W\d_])(?i:home ?towns?|communit(?:y|ies)|municipality|town|city|village|region|area|district|county"
    r"|residence|geography|locality|location|borough|parish|province|suburb|where|origin of travel|birthplace"
    r"|place of birth|wohnort|geburtsort|ville|ciudad|citt[a\u00e0]|domicile|domiciled|home services)"
    r"(?P<tail>[\w /]{0,24}?)(?P<mark>(?: ?(?:[:=|\u2014\u2013[(]|(?<= )-(?= )|is in|is|was) ?){1,2})"
    rf"(?P<place>{_NAME})(?P<state>, [A-Z]{{2}}(?![\w]))?"
)
_STATE_AFTER = re.compile(rf", (?:{STATES})(?!\w)")
# Harrier Falls as their home town
_IDENTIFIED = re.compile(
    rf"(?<![\w])(?P<place>{_NAME}(?:, [A-Z]{{2}})?) as (?:their|his|her|the) "
    r"(?:home ?town|home|birthplace|city|town|place)"
)


def places_in_context(text: str, tokens: Sequence[Token]) -> Iterator[Match]:
    """Yield the places that prepositions and compass points tell."""
    end = -1
    for index, token in enumerate(tokens):
        if not token.capital or token.start < end:
            continue
        before = tokens[index - 1] if index else None
        if before is not None and before.word in _PREPOSITIONS and not before.upper and gap(text, before, token) == " ":
            run = _run(text, tokens, index)
            is_a_place = bool(run) and _is_led(text, tokens, index, run)
        elif token.word in _COMPASS and not token.upper:
            run = _run(text, tokens, index)
            is_a_place = len(run) > 1 and _is_compass_place(text, tokens, index, run)
        elif token.kind in NAMES and not token.upper and _is_toponym(text, tokens, index):
            run, is_a_place = list(tokens[index : index + 2]), True
        else:
            continue
        if is_a_place:
            state = _STATE_AFTER.match(text, run[-1].end)
            end = state.end() if state else run[-1].end
            yield Match(run[0].start, end, "LOCATION")


def _run(text: str, tokens: Sequence[Token], index: int) -> list[Token]:
    """Return the capitalized words from ``index`` that can be one place."""
    run = [tokens[index]]
    for position in range(index + 1, min(len(tokens), index + _MAX_WORDS)):
        token = tokens[position]
        if gap(text, run[-1], token) not in _JOINTS:
            break
        if token.word in DAY_AND_MONTH_NAMES and token.kind is not WordKind.FIRST:
            break
        links = token.word in _LINKS and position + 1 < len(tokens) and tokens[position + 1].capital
        alike = token.upper == run[0].upper or len(token.word) == 1
        named = token.capital and alike and token.word not in CLOSED_CLASS and token.word not in TITLES
        if not named and not links:
            break
        run.append(token)
    while run and (not run[-1].capital or run[-1].word in _LINKS):
        run.pop()
    while len(run) > 1 and run[-1].kind is WordKind.WORD and run[-1].word not in PLACE_NOUNS:
        run.pop()
    return run


def _is_led(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    """Return whether a run after a preposition is a place."""
    first, last = run[0], run[-1]
    if len(first.word) < 3 or first.word in TITLES or first.word in CLOSED_CLASS or last.word.endswith("'s"):
        return False
    if last.end < len(text) and text[last.end] in "_@\\^=":
        return False  # part of a code
    if is_eponym(text, tokens, index + len(run), names=len(run)) or (len(run) == 1 and first.word in eponyms()):
        return False
    if not _is_telling(run):
        return False
    preposition = tokens[index - 1].word
    earlier = [token.word for token in tokens[max(0, index - 1 - _REACH) : index - 1]]
    moves = not _MOTION.isdisjoint(earlier)
    if preposition == "to":
        return moves  # went to Kravsko, and not: given to Larsen
    if preposition == "of":
        return bool(earlier) and earlier[-1] in _SETTLEMENTS
    if preposition == "from":
        is_sender = first.kind is WordKind.FIRST or not _SENDERS.isdisjoint(earlier[-3:])
        return moves or not is_sender
    if preposition in _DOUBTFUL:
        return moves or first.kind in UNLISTED
    return True


def _is_telling(run: Sequence[Token]) -> bool:
    """Return whether a run has a word that is no term of the field, or is named like a place."""
    first = run[0]
    if first.upper and all(token.kind in UNLISTED and len(token.word) < 6 for token in run):
        return False  # an abbreviation: in STIR
    if first.kind in NAMES:
        return True
    if len(run) == 1:
        return False
    if run[-1].word in PLACE_NOUNS and not first.upper:
        return True
    begins = first.word in PLACE_ADJECTIVES or first.kind is WordKind.BOTH
    return begins and any(token.kind in NAMES for token in run[1:])


def _is_compass_place(text: str, tokens: Sequence[Token], index: int, run: Sequence[Token]) -> bool:
    """Return whether a run that begins with a compass point or the like is a place: North Huldside."""
    named = next(token for token in run[1:] if token.capital)
    return (
        named.kind in NAMES
        and not named.upper
        and gap(text, run[0], run[1]) == " "
        and named.word not in eponyms()
        and not is_eponym(text, tokens, index + len(run))
    )


def _is_toponym(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Return whether an unlisted name is called a bay, a village and so on: Osprey Falls."""
    if index + 1 == len(tokens) or (index and tokens[index - 1].kind is WordKind.FIRST):
        return False
    name, noun = tokens[index : index + 2]
    return (
        noun.word in _TOPONYMS
        and noun.capital
        and not noun.upper
        and name.kind is not WordKind.FIRST
        and gap(text, name, noun) == " "
        and name.word not in eponyms()
        and not is_eponym(text, tokens, index + 2, names=2)
    )


def places_after_labels(text: str, tokens: Sequence[Token]) -> Iterator[Match]:
    """Yield places after their label, or before what says that they are one."""
    for match in matches_at(_LABEL, text, _LABEL_BEGINNINGS):
        words = match["place"].split()
        label = match[0].split(None, 1)[0].lower().rstrip(":=|")
        # Region: Abdomen, CT
        is_sure = match["state"] and len(words) == 1 and label not in _LABELS_OF_ANATOMY
        kept = 1 if is_sure else _named_words(words)
        is_short = kept == 1 and (words[0].lower() in TITLES or (words[0].isupper() and len(words[0]) < 5))
        if kept and not is_short:
            whole = kept == len(words) and match["state"]
            end = match.end("state") if whole else match.start("place") + len(" ".join(words[:kept]))
            yield Match(match.start("place"), end, "LOCATION")
    if " as the" in text or " as his " in text or " as her " in text:
        for match in _IDENTIFIED.finditer(text):
            yield Match(*match.span("place"), "LOCATION")


def _named_words(words: Sequence[str]) -> int:
    """Return how many of the first words can be a place."""
    folded = list(map(fold, words))
    for position, word in enumerate(folded):
        following = folded[position + 1] if position + 1 < len(words) else ""
        is_a_term = (
            all(part in vocabulary() for part in word.split("-") if len(part) > 1)
            and word not in PLACE_ADJECTIVES
            and not begins_with_a_place(folded[position:])
        )
        if is_a_term and following not in PLACE_NOUNS and not (position and word in PLACE_NOUNS):
            return position
    return len(words)
