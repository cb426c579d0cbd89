"""Detector of postal addresses by their form, in the orders and with the street words of many countries.

It finds a street with its number, or an apartment, and grows it over the unit, town, state, country and postcode that
stand beside it. Sources: the Universal Postal Union's addressing formats and USPS Publication 28.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_names import DAY_AND_MONTH_NAMES
from healthcare_deid.engine.text.find.detectors.base import HAS_DIGIT, ignore_case, number_starts
from healthcare_deid.engine.text.find.detectors.name_runs import CLOSED_CLASS, TITLES
from healthcare_deid.engine.text.find.detectors.words import matches_at, words_of
from healthcare_deid.engine.text.find.lexicon import (
    begins_with_a_place,
    eponyms,
    everyday,
    fold,
    is_field_word,
    places,
    surnames,
    vocabulary,
    word_set,
)
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TYPES = word_set("street_types")
_SURE_TYPES = word_set("sure_street_types")
_PREFIXES = word_set("street_prefixes")
_SURE_PREFIXES = word_set("sure_street_prefixes")
_ENDINGS = tuple(word_set("street_endings"))
_UNITS = word_set("address_units")
STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|"
    "UT|VT|VA|WA|WV|WI|WY|DC|PR|ON|QC|BC|AB|MB|SK|NS|NB|NL"
)
"""Alternatives of a pattern: states of the US, provinces of Canada."""
_STATE = re.compile(STATES)
PLACE_NOUNS = word_set("place_nouns")
PLACE_ADJECTIVES = word_set("place_adjectives")

_CAPITAL = "".join(filter(str.isupper, map(chr, range(sys.maxunicode >> 7))))  # Latin, Greek, Cyrillic, Armenian
CAPITAL = f"[{_CAPITAL}]"
"""Pattern of a capital letter."""
_LINK = (
    r"(?:d[eaiou]s?|de\ l[aoe]s?|dell?[aeo]?|den|der|la|les?|el|al|van|von|het|aan|of|the|am|an|im|in|zum|zur"
    r"|nad|pod|pri|pie|ve|v|na|za|u|e|i|y|sur|sous|lez|l[eè]s|auf|til|på|av)"
)
_NAME_WORD = rf"(?:[dDlL]['\u2019]|[a-z]{{2,5}}['\u2019])?{CAPITAL}[\w'\u2019-]*+\.?"
_NAME = rf"{_NAME_WORD}(?:[ ]+(?:{_LINK}[ ]){{0,2}}{_NAME_WORD}){{0,4}}"
_NUMBER = r"\d{1,6}(?:[A-Za-z](?![A-Za-z])(?:/\d{1,3})?|(?:[/-]\d{1,4})?[a-zA-Z]?)"
_MARK = r"(?:,?[ ](?:(?:[Nn][rRoO]?|N[.]?[°º]|č|[Hh]ouse)[.:]?[ ]?|\#[ ]?)?|,[ ]?)"
_END = r"(?![\w%°])(?![.,]\d)"
_BEGIN = r"(?<![\w.,/+-])"
_UP_TO_TWO = rf"(?:{_NUMBER},?[ ]){{0,2}}"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("[ ]", " "))


# 469 21 Sydney Road: the type is the last word that is one.
_TYPE_LAST = _compiled(rf"{_BEGIN}{_NUMBER},?[ ](?:{_NUMBER},?[ ])?(?P<name>{_NAME})")
# 97110 ul. Sporna 53; Bulevardul Popescu Nr. 45; Rue des Saules.
_TYPE_FIRST = _compiled(
    rf"(?<![\w.,/+-])(?P<type>[^\W\d_]+)[.]?[ ](?:{_LINK}[ ]|[dDlL]['\u2019]){{0,2}}"
    rf"(?P<name>{_NAME})(?P<number>{_MARK}{_NUMBER}(?:[ ](?:bis|ter))?{_END})?"
)
# Hauptstraße 12, 8764 Vestre Solhellinga 92, Dosentinkuja 76 A.
_NAME_AND_NUMBER = _compiled(rf"{_BEGIN}(?P<before>{_UP_TO_TWO})(?P<name>{_NAME}){_MARK}{_NUMBER}\.?{_END}")
_HOUSE_NUMBER = re.compile(r"(?<!\d)\d{1,4}[A-Za-z/]?\w?\.?\Z")
_NUMBERS_BEFORE = _compiled(rf"{_BEGIN}(?:{_NUMBER},?[ ]){{1,2}}\Z")
_NUMBER_AFTER_NAME = _compiled(rf"(?<!\w){CAPITAL}[\w'\u2019-]*+\.?{_MARK}\d")
_UNIT = _compiled(
    r"(?<![\w-])(?P<type>[^\W\d_]{2,12})\.?[ ](?:#|[Nn]o\.?[ ]?)?(?P<number>\d{1,5}[A-Za-z]?)(?![\w%])(?![.,]\d)"
)
_BEFORE_UNIT = _compiled(rf"(?<![\w.,/+-])(?:{_NUMBER}|{_NAME})(?:[.]?,?[ ](?:{_NUMBER}|{_NAME})){{1,4}}\Z")
_REACH = 90
# Hegedûs Gyula utca 15, Snežniška ulica 0c
_TYPES_BETWEEN = word_set("street_types_between")
_TYPE_BETWEEN = _compiled(rf"{_BEGIN}{_UP_TO_TWO}{_NAME}[ ](?P<type>[^\W\d_]{{1,9}})\.?[ ]{_NUMBER}\.?{_END}")
_BOXES = word_set("post_boxes")
_BOX = re.compile(
    rf"{_BEGIN}{_UP_TO_TWO}(?i:p\.? ?o\.? ?box|postfach|postbox|postboks|boite postale|apartado|casilla|postilokero) "
    r"?#?\d{1,6}(?!\w)".replace("[ ]", " ")
)
_LEADS_TO_A_STREET = ignore_case(
    r"""(?:address(?:\s?:|\ is|\ of\ [^.\n]{3,30}\ is)?|located\ (?:at|in|on)|liv(?:es?|ed|ing)\ (?:at|on|in)
    |me[et]t\ \w+\ at|(?:station|shop|office|house|store)\ (?:is\ )?(?:at|on)|mov(?:ed|ing)\ to|enter\ on
    |(?:sent|return|deliver|ship|shipped|taxi|come|drive|walk|home)\ to|resid(?:es?|ing)\ (?:at|on)
    |corner\ of|street\ is)
    [\s:]{1,6}\Z"""
)
_REACH_OF_CUE = 60
_ENDS = re.compile(r"\s*(?:[.,;?!\n]|\Z|St\b)")
_CORNER = _compiled(rf"(?<!\w)(?:[Tt]he[ ])?[Cc]orner[ ]of[ ]{_NAME}(?:[ ]{_NUMBER})?[ ]and[ ]{_NAME}(?:[ ]{_NUMBER})?")

# What can follow a street, each with what separates it.
_QUOTED = r"[ \t]*(?:[>|?}*\u2022]{1,3}[ \t]*)?"
_GAP = rf"(?:[ ]*[,;|/-]?[ ]*\r?\n{_QUOTED},?[ ]?|[ ]*,[ ]*|[ ]{{1,2}}|[ ][|/-][ ])"
_POSTCODE = (
    r"(?:[A-Z]{1,2}\d[\dA-Z]?[ ]?\d[A-Z]{2}|[A-Z]{1,2}\d\d[ ]?\d[A-Z]{2}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d|\d{4}[ ][A-Z]{2}"
    r"|(?:[A-Z]{1,2}[ -])?\d{3}[ ]\d{2}|(?:[A-Z]{1,2}[ -])?\d{3,6}(?:-\d{3,4})?|[A-Z]{3}[ ]\d{4})(?![\w%])(?![.,/]\d)"
)
_NEXT_POSTCODE = _compiled(rf"{_GAP}(?P<value>{_POSTCODE})")
_NEXT_STATE = _compiled(rf"{_GAP}\(?(?P<value>[A-Z]{{2,3}})\)?(?![\w'\u2019-])")
_NEXT_STREET = _compiled(
    rf"{_GAP}(?P<value>{_NUMBER},?[ ](?:{_NUMBER},?[ ])?(?:{_NAME}{_MARK}{_NUMBER}\.?{_END}|(?P<name>{_NAME})))"
)
_NEXT_NAME = _compiled(rf"(?P<gap>{_GAP})(?P<value>{_NAME}(?:[ ]\({CAPITAL}\w+\))?)")
_NEXT_UNIT = _compiled(
    rf"{_GAP}(?P<value>(?P<type>[^\W\d_]{{2,12}})\.?[ ](?:#|[Nn][or]\.?[ ]?)?\d{{1,5}}[A-Za-z]?(?![\w%])(?![.,]\d))"
)
_LINE_ENDS = re.compile(r"[ \t]*[,.;]?[ \t]*(?:\r?\n|\Z)")
_SHORTEST_NAME = 5  # among words in capitals
_SHORT_WORDS = word_set("short_clinical") | frozenset(
    {"dob", "mrn", "ssn", "tel", "fax", "sex", "age", "am", "pm", "id"}
)


class AddressDetector:
    """Finds postal addresses by their form."""

    info_types = frozenset({"LOCATION"})
    rank = 1

    def find(self, text: str) -> list[Match]:
        """Return the addresses."""
        if HAS_DIGIT.search(text) is None:
            return []
        words = words_of(text)
        found: list[Match] = []
        end = -1
        if "corner" in words:
            found += [Match(*match.span(), "LOCATION") for match in _CORNER.finditer(text)]
        for start, stop in sorted(_anchors(text, words)):
            if start < end:
                continue
            end = _grown(text, stop)
            found.append(Match(start, end, "LOCATION"))
        return found


def _anchors(text: str, words: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield streets with their number, and units."""
    if not _TYPES.isdisjoint(words):
        yield from _with_the_type_last(text)
    for match in matches_at(_TYPE_FIRST, text, _PREFIXES):
        before = _NUMBERS_BEFORE.search(text, max(0, match.start() - 16), match.start())
        end = _end_of_type_first(match, has_number=before is not None)
        if end is not None:
            yield before.start() if before else match.start(), end
    if not _TYPES_BETWEEN.isdisjoint(words):
        yield from _accepted(_TYPE_BETWEEN, text, _end_of_type_between)
    if _NUMBER_AFTER_NAME.search(text):
        yield from _accepted(_NAME_AND_NUMBER, text, _end_of_name_and_number)
    if not _BOXES.isdisjoint(words):
        yield from (match.span() for match in _BOX.finditer(text))
    yield from _units(text)


def _accepted(
    pattern: re.Pattern[str], text: str, end_of: Callable[[re.Match[str]], int | None]
) -> Iterator[tuple[int, int]]:
    """Yield the matches for which ``end_of`` gives an end; after another, the next one may begin inside it."""
    match = pattern.search(text)
    while match:
        end = end_of(match)
        if end is not None:
            yield match.start(), end
        match = pattern.search(text, match.start() + 1 if end is None else end)


def _with_the_type_last(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    for start in number_starts(text):
        match = _TYPE_LAST.match(text, start) if start >= end else None
        stop = _type_end(text, *match.span("name")) if match else None
        if stop is not None:
            end = stop
            yield start, end


def _type_end(text: str, start: int, end: int, *, sure: bool = False) -> int | None:
    """Return where a street name with its type ends, or None if there is no type."""
    words = list(_WORD.finditer(text, start, end))
    for index in range(len(words) - 1, 0, -1):
        kind = fold(words[index][0]).rstrip(".")
        if kind not in _TYPES:
            continue
        named = [fold(word[0]).rstrip(".") for word in words[:index]]
        # 4 MR ST is a slice thickness.
        is_sure = kind in _SURE_TYPES and max(map(len, named)) > 3
        if sure or is_sure or any(_is_telling(word) for word in named):
            if named[0] in CLOSED_CLASS or named[0] in _NO_STREET:
                return None
            return words[index].end()
    return None


def _end_of_type_first(match: re.Match[str], *, has_number: bool) -> int | None:
    kind = fold(match["type"])
    name = match["name"].split()[0].rstrip(".")
    named = fold(name)
    if named in DAY_AND_MONTH_NAMES or named in CLOSED_CLASS or (len(kind) < 3 and named in eponyms()):
        return None
    if match["number"]:
        is_led = (match["type"][0].isupper() or has_number) and not _is_abbreviation(name)
        return match.end() if kind in _SURE_PREFIXES or (is_led and _is_telling(named)) else None
    return match.end("name") if kind in _SURE_PREFIXES and len(kind) > 2 and named not in everyday() else None


def _end_of_type_between(match: re.Match[str]) -> int | None:
    return match.end() if fold(match["type"]) in _TYPES_BETWEEN else None


def _end_of_name_and_number(match: re.Match[str]) -> int | None:
    words = [fold(word[0]).rstrip(".") for word in _WORD.finditer(match["name"])]
    if words[0] in CLOSED_CLASS or words[0] in TITLES or not DAY_AND_MONTH_NAMES.isdisjoint(words):
        return None
    if any(word.endswith(_ENDINGS) and len(word) > 5 and not is_field_word(word) for word in words):
        return match.end()
    is_word_like = len(max(words, key=len)) > 3 and _HOUSE_NUMBER.search(match[0]) is not None
    if len(match["before"]) > 3 and is_word_like and any(map(_is_telling, words)) and everyday().isdisjoint(words):
        return match.end()
    text, start, end = match.string, *match.span()
    # An unlisted name and number count where an address is due, or before a postcode with its town.
    may_be_led = _ENDS.match(text, end) and all(map(_is_telling, words))
    if may_be_led and _LEADS_TO_A_STREET.search(text, max(0, start - _REACH_OF_CUE), start):
        return end
    is_named = any(map(_is_telling, words)) and everyday().isdisjoint(words)
    return end if is_named and _TOWN_FOLLOWS.match(text, end) else None


def _units(text: str) -> Iterator[tuple[int, int]]:
    for match in matches_at(_UNIT, text, _UNITS):
        if not match["type"][0].isupper():
            continue
        low = max(0, match.start() - _REACH)
        before = _BEFORE_UNIT.search(text[low : match.start()].rstrip(" \t\r\n,}?>|*."))
        if before and HAS_DIGIT.search(before[0]) and _is_of_an_address(before[0]):
            yield low + before.start(), match.end()
            continue
        after = _NEXT_STREET.match(text, match.end())
        if after and (not is_field_word(fold(match["type"])) or _is_of_an_address(after[0])):
            end = after.end() if after["name"] is None else _type_end(text, *after.span("name"), sure=True)
            if end:
                yield match.start(), end


def _is_of_an_address(text: str) -> bool:
    """Return whether some word names a street, or may; those of TE 90 TR 9000 and NSA 2 TR 500 name none."""
    words = [fold(word[0]).rstrip(".") for word in _WORD.finditer(text) if not _is_abbreviation(word[0])]
    has_type = len(words) > 1 and any(len(word) > 2 and (word in _TYPES or word in _PREFIXES) for word in words)
    return has_type or any(map(_is_telling, words))


def _is_abbreviation(word: str) -> bool:
    return word.isupper() and len(word) < _SHORTEST_NAME


def _grown(text: str, end: int) -> int:
    """Return the end of an address that begins with a street or unit."""
    left = {"postcode": 1, "state": 1, "name": 3, "unit": 3}
    while True:
        unit = _NEXT_UNIT.match(text, end) if left["unit"] else None
        if unit and fold(unit["type"]) in _UNITS:
            left["unit"] -= 1
            end = unit.end()
            continue
        code = _NEXT_POSTCODE.match(text, end) if left["postcode"] else None
        if code:
            left["postcode"] -= 1
            end = code.end()
            continue
        state = _NEXT_STATE.match(text, end) if left["state"] and left["name"] < 3 else None
        if state and (fold(state["value"]) not in _SHORT_WORDS or _STATE.fullmatch(state["value"])):
            left["state"] -= 1
            end = state.end()
            continue
        stop = _name_end(text, end) if left["name"] else None
        if stop is None:
            return end
        left["name"] -= 1
        end = stop


def _name_end(text: str, end: int) -> int | None:
    """Return the end of the town, state or country after ``end``, or None."""
    match = _NEXT_NAME.match(text, end)
    if match is None:
        return None
    start, stop = match.span("value")
    words = list(_WORD.finditer(text, start, stop))
    folded = [fold(word[0]).rstrip(".") for word in words]
    if folded[0] in TITLES or folded[0] in CLOSED_CLASS:
        return None
    new_line = "\n" in match["gap"]
    last: int | None = None
    for index, (word, plain) in enumerate(zip(words, folded, strict=True)):
        following = folded[index + 1] if index + 1 < len(words) else ""
        if text[word.end() : word.end() + 1] == ":" or plain in TITLES:
            return None if new_line else last
        # San Mateo is listed, San Ysidro is not
        may_begin_one = plain in places() and following not in vocabulary() and following != ""
        is_place = may_begin_one or plain in PLACE_ADJECTIVES or begins_with_a_place(folded[index:])
        if plain in vocabulary() and not is_place:
            is_named = following in PLACE_NOUNS or (index and plain in PLACE_NOUNS)
            if not is_named and not _CODE_FOLLOWS.match(text, word.end()):
                break
        last = word.end()
        if text[last - 1] == "." and len(plain) > 3:
            return last - 1
    if last is not None and new_line and not _LINE_ENDS.match(text, last) and not _CODE_FOLLOWS.match(text, last):
        return None
    return stop if last == words[-1].end() else last


_FEW_WORDS = rf"{_NAME_WORD}(?:[ ]{_NAME_WORD}){{0,2}}"
_CODE_FOLLOWS = _compiled(
    rf"(?:[ ]{_NAME_WORD}){{0,3}}(?:{_GAP}[A-Z]{{2,3}}(?=[\s,]))?(?:{_GAP}{_FEW_WORDS})?{_GAP}{_POSTCODE}"
    rf"|,[ ][A-Z]{{2}}(?!\w)"
)
_TOWN_FOLLOWS = _compiled(
    rf"(?:,?[ ]\d{{3}}[ ]?\d{{2}}[ ]{_NAME_WORD}"
    rf"|(?:,[ ]?|\s*\n\s*)(?:(?:[A-Z]{{1,2}}[ -])?\d{{3,5}}(?:[ ]\d{{2}})?[ ]{_NAME_WORD}"
    rf"|{_NAME_WORD}(?:[ ]{_NAME_WORD})?,?[ ]\d{{3,6}}(?![\d%.])))"
)
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*\.?")
_NO_STREET = word_set("no_street")


def _is_telling(word: str) -> bool:
    """Return whether a folded word, or a part of a hyphenated one, is no ordinary one."""
    return any(
        len(part) > 2
        and part.isalpha()
        and (not is_field_word(part) or (part in surnames() and part not in vocabulary()))
        for part in word.split("-")
    )
