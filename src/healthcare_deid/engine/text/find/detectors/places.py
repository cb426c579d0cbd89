"""Detectors of addresses, postcodes, cities and countries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import PatternDetector, ignore_case
from healthcare_deid.engine.text.find.detectors.name_runs import is_eponym
from healthcare_deid.engine.text.find.detectors.place_cues import places_after_labels, places_in_context
from healthcare_deid.engine.text.find.detectors.streets import STATES
from healthcare_deid.engine.text.find.detectors.words import matches_at, places_of, tokens_of
from healthcare_deid.engine.text.find.lexicon import (
    begins_with_a_place,
    first_names,
    fold,
    places,
    vocabulary,
    word_set,
)
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

# A name next to one of these characters is part of a code.
_CODE = frozenset("_0123456789\\@")
_WORD = r"[^\W\d_][\w.'\u2019-]*"


def _begins_with_a_name(address: str) -> bool:
    """Return whether a street name can follow the house number.

    Examples: 12 Old Mill Road, not 28 by Dr.
    """
    word = address.split()[1]
    if word[0].isdigit() or word == "Old":
        return True
    return (word[0].isupper() or address.islower()) and fold(word) not in _NO_STREET


_NO_STREET = word_set("no_street")


def _is_city(word: str) -> bool:
    return word not in vocabulary() or begins_with_a_place([word])


ADDRESSES = (
    PatternDetector(  # 12 Old Mill Road, Apt 4
        "LOCATION",
        ignore_case(
            rf"""(?<![\w./])\d{{1,5}}[A-Z]?(?:-\d{{1,4}})?,?\ (?:(?:N|S|E|W|NE|NW|SE|SW|north|south|east
                |west)\.?\ )?(?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))\ ){{1,4}}
            (?:street|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq
            |terrace|ter|parkway|pkwy|highway|hwy|circle|cir|way|crescent|close|alley|trail|trl|gardens|grove|mews|walk
            |quay|rise|parade|esplanade|hollow|pike|plaza|knoll|cove)
            (?![\w])\.?(?:,?\ (?:apt|apartment|suite|ste|unit|floor|fl|\#)\.?\ ?\#?\w{{1,5}})?
            (?:,?\s(?:{_WORD}\ ?){{1,3}},\s[A-Z]{{2}}\ \d{{5}}(?:-\d{{4}})?(?!\d))?"""
        ),
        _begins_with_a_name,
        rank=1,  # before cues of numbers: Address of record: 9341 Wheat Court
        at_numbers=True,
        words=frozenset(
            [
                "street",
                "st",
                "avenue",
                "ave",
                "av",
                "road",
                "rd",
                "boulevard",
                "blvd",
                "lane",
                "ln",
                "drive",
                "dr",
                "court",
                "ct",
                "place",
                "pl",
                "square",
                "sq",
                "terrace",
                "ter",
                "parkway",
                "pkwy",
                "highway",
                "hwy",
                "circle",
                "cir",
                "way",
                "crescent",
                "close",
                "alley",
                "trail",
                "trl",
                "gardens",
                "grove",
                "mews",
                "walk",
                "quay",
                "rise",
                "parade",
                "esplanade",
                "hollow",
                "pike",
                "plaza",
                "knoll",
                "cove",
            ]
        ),
    ),
    PatternDetector(  # any house and street before a city, a state and a ZIP: 8589 Birkenstraße, Cobalt Glen, NH 81397
        "LOCATION",
        re.compile(
            r"(?<![\w./-])\d{1,5}[A-Z]? [A-Z\u00C0-\u00DE][^\n;:|.!?\d]{2,40}(?:\.? (?:Apt|Unit|Suite|Ste"
            r"|#)\.? ?#?\w{1,5})?"
            r",\s+[A-Z][\w.' -]{2,30},? [A-Z]{2},? \d{5}(?:-\d{4})?(?!\d)"
        ),
        rank=3,
        shapes=(" 00000",),
        at_numbers=True,
    ),
    PatternDetector(  # apartment or suite, before the house number or after the street
        "LOCATION",
        re.compile(r"(?<!\w)(?:Apt|Suite|Ste|APT|SUITE|Apartment)\.? #?\d{2,5}[A-Z]?(?!\w)"),
        rank=6,
        at_words=True,
        words=frozenset(["apt", "suite", "ste", "apartment"]),
    ),
    PatternDetector(  # armed forces
        "LOCATION",
        re.compile(
            r"(?<!\w)(?:PSC|CMR|Unit|USS|USNS|USCGC|USNV) [\w ]{1,20}(?:,? ?Box \d+)?\s*,?\s*[ADF]PO A[AEP] \d{5}"
        ),
        rank=3,
        at_words=True,
        words=frozenset(["psc", "cmr", "unit", "uss", "usns", "uscgc", "usnv"]),
    ),
    PatternDetector(  # flat or unit before the house number
        "LOCATION",
        ignore_case(
            r"(?<!\w)(?:flat|apt|apartment|unit|suite|room)\ \#?\d{1,4}[a-z]?,\ (?=\d{1,5}[a-z]?\ [^\W\d_]{3})"
        ),
        rank=6,
        at_words=True,
        words=frozenset(["flat", "apt", "apartment", "unit", "suite", "room"]),
    ),
    PatternDetector(
        "LOCATION",
        ignore_case(r"(?<!\w)p\.?\s?o\.?\s?box\s?\#?\d+(?!\w)|(?<!\w)postfach\s\d+"),
        rank=6,
        words=frozenset({"box", "postfach"}),
    ),
    PatternDetector(  # state and ZIP
        "LOCATION",
        re.compile(rf"(?<!\w)(?:{STATES}),? \d{{5}}(?:-\d{{4}})?(?!\d)"),
        rank=6,
        gate=re.compile(r"[A-Z],? \d{5}"),
        shapes=(" 00000",),
        at_words=True,
        words=frozenset(STATES.lower().split("|")),
    ),
    PatternDetector(
        "LOCATION",
        ignore_case(
            # not a time or matrix after contrast: T1 post 320
            r"\b(?:(?:zip|postal)(?:[\s_]?code)?|post[\s_]?code|plz)"
            r"(?:\ (?:on|of|for)\ [\w\ ]{1,20}?)?(?:\s?(?:[:=\#]|is|was)){0,2}\s?"
            r"(?P<value>\d{3,6}(?:[-\ ]\d{2,4})?(?:\ [A-Z]{2}\b)?|[A-Z]{1,2}\d[\dA-Z]?\ ?\d[A-Z]{2}"
            r"|[A-Z]\d[A-Z]\ ?\d[A-Z]\d|[A-Z]{2,3}[-\ ]?\d{4,5})(?![\w-])"
        ),
        rank=1,
        at_words=True,
        words=frozenset(["zip", "postal", "post", "zipcode", "postalcode", "postcode", "plz"]),
    ),
    PatternDetector(  # United Kingdom, Canada
        "LOCATION",
        re.compile(
            r"(?<![\w-])(?!T[0-4]N[0-3]M[01](?!\w))"  # a stage: T2N1M0
            r"(?:[A-PR-UWYZ][A-HK-Y]?\d[\dA-HJKPS-UW]? \d[ABD-HJLNP-UW-Z]{2}"
            r"|[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d)(?![\w-])"
        ),
        rank=6,
        at_codes=True,
    ),
    PatternDetector(  # 69120 Heidelberg, D-10117 Berlin, 00-590 Warszawa
        "LOCATION",
        re.compile(
            r"(?<![\w.-])(?:(?:D|A|CH|F|I|E|DK|NL"
            r"|B)-)?(?:\d{4,5}|\d\d-\d{3})(?: [A-Z]{2})? (?=[A-ZÄÖÜ][a-zäöüéè])"
            r"(?P<city>[A-ZÄÖÜ][\wäöüß-]{3,}(?: (?:am|an der|im"
            r"|sur|en) [A-Z][\w-]+)?)"
        ),
        shapes=("0000 ", "00-000 "),
        is_valid=lambda text: _is_city(fold(re.split(r"\d ", text)[-1].split(" ")[0])),
        rank=6,
    ),
)

# Springfield, IL 62704
_CITY_AND_STATE = re.compile(
    rf"(?<![\w-])(?P<city>[A-Z][\w.'\u2019-]+(?: [A-Z][\w.'\u2019-]+){{0,2}}),? "
    rf"(?:(?P<state>{STATES})(?P<zip>,? \d{{5}}(?:-\d{{4}})?)?|[A-Z]{{2}} (?P<any>\d{{5}}(?:-\d{{4}})?))(?![\w-])"
)


# The first character comes first, so that the rest is tried only at it.
_STATE_LETTERS = re.compile(rf"[,A-Z](?:(?<=,) ?(?:{STATES})\b|(?<!,)(?<!\w.)[A-Z],? \d{{5}})")


# Cue for a place where somebody lives, was born or was treated, and the capitalized name.
_PLACE_CUE = re.compile(
    r"(?:\b(?i:lives?|living|stay(?:s|ed|ing)?|domiciled|journey(?:ed|s)?|reside[ds]?|relocated|grew up"
    r"|vacation(?:s|ed|ing)?|resid(?:es?|ing|ent)|born|raised|works?|employed|based|moved|travel(?:s|l?ed|l?ing)?"
    r"|visit(?:s|ed|ing)?|transferred|referred|came|comes|native|originally|trip|holiday|vacation|flew|admitted"
    r"|hospitali[sz]ed|family|transfer arranged|arranged)\b[\w ,]{0,25}?\b(?:in|from|to|at|of|near|outside)"
    r"|\b(?:man|woman|male|female|gentleman|lady|boy|girl|patient|pt) from"
    r"|\b(?:films?|images?|stud(?:y|ies)|outside|scans?|cds?|reports?|seen|followed|treated|done|performed)"
    r" (?:from|at|in)"
    r"|\b(?:[Hh]ome ?town|HOME COMMUNITY|(?:[Hh]ome|[Dd]ischarge|[Rr]esidential) (?:community|town|city|district)"
    r"|[Cc]ommunity of residence|[Rr]esidence|[Pp]lace of birth|[Cc]ity|[Tt]own|[Vv]illage|CITY|TOWN)(?: is"
    r"| was|,)?(?: ?[:=|])?"
    r"|\b(?:originally|born and raised|patient comes|comes|hails) from|(?<![\w,] )From) "
    r"(?P<place>[A-Z\u00C0-\u00DE][\w'\u2019-]{2,}(?:,? [A-Z\u00C0-\u00DE][\w'\u2019-]+){0,3})"
)
_PLACE_CUE_BEGINNINGS = word_set("place_cue_beginnings")


def _after_cues(text: str) -> Iterator[Match]:
    """Yield unlisted place names after a cue.

    Examples: moved here from Oaxaca.
    """
    for match in matches_at(_PLACE_CUE, text, _PLACE_CUE_BEGINNINGS):
        first = match["place"].split()[0].strip(",")
        plain = fold(first).replace("\u2019", "'").removesuffix("'s")
        if plain in vocabulary() or plain in word_set("titles") or plain in first_names():
            continue
        end = match.start("place") + len(first)
        words = list(re.finditer(r"[^\s,]+", match["place"]))
        for word in words[1:]:
            if fold(word[0]) in vocabulary():
                break
            end = match.start("place") + word.end()
        yield Match(match.start("place"), end, "LOCATION")


class PlaceDetector:
    """Finds countries, states and cities.

    Any city before a US state code counts; others are listed.
    """

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that it finds."""
        return frozenset({"LOCATION"})

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings; lower wins."""
        return 8

    def find(self, text: str) -> list[Match]:
        """Return the capitalized places."""
        lower = text.islower()
        tokens = tokens_of(text)
        found: list[Match] = []
        listed = places()
        for index in places_of(text, listed.keys()):
            token = tokens[index]
            if not (lower or token.capital):
                continue
            if text[max(0, token.start - 1) : token.start] in _CODE:
                continue
            for words in listed[token.word]:
                run = tokens[index : index + len(words)]
                if tuple(item.word for item in run) == words and not is_eponym(text, tokens, index + len(words)):
                    found.append(Match(token.start, run[-1].end, "LOCATION"))
                    break
        found += _after_cues(text)
        found += places_in_context(text, tokens)
        found += places_after_labels(text, tokens)
        for match in _CITY_AND_STATE.finditer(text) if _STATE_LETTERS.search(text) else ():
            start = match.start("city")
            city = match["city"].split()
            has_zip = bool(match["zip"] or match["any"])
            while city and not has_zip and fold(city[0].strip(".,")) in vocabulary() and len(city) > 1:
                start += len(city.pop(0)) + 1
            comma = text[match.end("city")] == ","
            if match["any"] and not comma:
                continue
            # MD is more often a doctor of medicine than Maryland.
            if not has_zip and (not comma or match["state"] == "MD" or any(map(str.isdigit, match["city"]))):
                continue
            if all(fold(word.strip(".,")) in vocabulary() for word in city) and not (has_zip and comma):
                continue
            found.append(Match(start, match.end(), "LOCATION"))
        return found
