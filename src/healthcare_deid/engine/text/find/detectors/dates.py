"""Detectors of dates, dates of birth and ages."""

from __future__ import annotations

import re

from healthcare_deid.engine.text.calendar_dates import find_dates
from healthcare_deid.engine.text.find.detectors.base import HAS_DIGIT, PatternDetector, ignore_case, read_digits
from healthcare_deid.engine.text.find.detectors.words import words_of
from healthcare_deid.engine.text.match import Match

# Words that end right before a date of birth: DOB, born, geb., né le.
_BIRTH_CUE = re.compile(
    r"(?:\bd\.?\s?o\.?\s?b\b\.?|\bb(?:irth)?\.?\s?-?da(?:te|y)|\bdate of birth|\bborn\b|\bgeb(?:oren|urtsdatum)?\b\.?|"
    r"\bn[eé]e?\b|\bnacid[oa]\b|\bnato\b|\bnata\b|\bnaissance\b|\bnacimiento\b|\bnascita\b|\bnascimento\b"
    r"|\bgeboortedatum\b|\bfödd\b|\*)"
    r"[\s:=.,(-]*(?:on|am|le|el|il|the|date)?[\s:=(]*$",
    re.IGNORECASE,
)
# Folded words of which a text with a birth cue has one, if it has no asterisk.
_BIRTH_WORDS = frozenset(
    [
        *(
            "dob",
            "ob",
            "b",
            "birth",
            "birthdate",
            "birthday",
            "bdate",
            "bday",
            "born",
            "geb",
            "geboren",
            "geburtsdatum",
        ),
        *("ne", "nee", "nacido", "nacida", "nato", "nata", "naissance", "nacimiento", "nascita", "nascimento"),
        *("geboortedatum", "fodd"),
    ]
)
# Characters before a date that are searched for a birth cue.
_LONGEST_CUE = 32


class DateDetector:
    """Finds dates; one after a birth cue is a date of birth."""

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that it finds."""
        return frozenset({"DATE", "DATE_OF_BIRTH"})

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings; lower wins."""
        return 4

    def find(self, text: str) -> list[Match]:
        """Return the dates."""
        if HAS_DIGIT.search(text) is None:
            return []
        found: list[Match] = []
        has_cue = "*" in text or not _BIRTH_WORDS.isdisjoint(words_of(text))
        for item in find_dates(read_digits(text)):
            birth = has_cue and _BIRTH_CUE.search(text, max(0, item.start - _LONGEST_CUE), item.start)
            found.append(Match(item.start, item.end, "DATE_OF_BIRTH" if birth else "DATE"))
        return found


HOLIDAYS = PatternDetector(
    "DATE",
    ignore_case(
        r"""\b(?:christmas(?:\ (?:day|eve))?|new\ year'?s(?:\ (?:day|eve))?|thanksgiving(?:\ day)?
        |easter(?:\ (?:sunday|monday))?|good\ friday|boxing\ day|halloween|valentine'?s\ day
        |(?:labor|memorial|independence)\ day|weihnachten|silvester|ramadan|eid(?:\ al-?\ ?(?:fitr|adha))?
        |diwali|hanukkah|passover|yom\ kippur|rosh\ hashanah)
        (?:\ ?,?\ ?(?:of\ |in\ )?(?:19|20)\d\d)?(?!\w)"""
    ),
    rank=6,
    gate=None,
    at_words=True,
    words=frozenset(
        [
            "christmas",
            "new",
            "thanksgiving",
            "easter",
            "good",
            "boxing",
            "halloween",
            "valentine's",
            "valentines",
            "labor",
            "memorial",
            "independence",
            "weihnachten",
            "silvester",
            "ramadan",
            "eid",
            "diwali",
            "hanukkah",
            "passover",
            "yom",
            "rosh",
        ]
    ),
)
"""Holidays are dates too. A shift cannot move them, so they are erased where dates are shifted."""

OTHER_CALENDARS = PatternDetector(
    "DATE",
    re.compile(
        r"(?:明治|大正|昭和|平成|令和|民[國国]|민국)\s?(?:\d{1,3}|元)\s?[年년](?:\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日일])?)?"
        r"|(?<![\d/.-])1[34]\d\d([/-])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?![\d/.-])"
    ),
    rank=4,
    shapes=("年", "년", "0000/0", "0000-0"),
)
"""Dates by the years of an era, and of the Persian and Islamic calendars, which no shift can move either."""

_SHAPES_OF_AGES = tuple("000" + letter for letter in "YMWDymwd")
_UNIT = r"(?:y(?:(?:ea)?rs?)?|yo|m(?:o(?:nth)?s?)?|mths?|w(?:(?:ee)?ks?)?|d(?:ays?)?)"

AGES = (
    PatternDetector(
        "AGE",
        ignore_case(
            r"""(?<![\w.])(?P<value>\d{1,3}(?:\ ?-?\ ?(?:y(?:ea)?rs?|months?|mos?|mths?|weeks?|wks?
                |days?)\.?(?:\ ?-?\ ?old|\ of\ age)
            |\ ?-?y\.?[/\ ]?o\.?(?:ld)?(?:\b|(?<=\.))|\ ?yrs?\ ?/\ ?o))(?![a-z])"""
        ),
        rank=7,
        at_numbers=True,
        words=frozenset(
            [
                "year",
                "years",
                "yr",
                "yrs",
                "month",
                "months",
                "mo",
                "mos",
                "mth",
                "mths",
                "week",
                "weeks",
                "wk",
                "wks",
                "day",
                "days",
                "y",
                "o",
                "yo",
                "yold",
                "old",
            ]
        ),
    ),
    PatternDetector(
        "AGE",
        re.compile(r"(?<![\w.])(?:0\d\d|1[01]\d)[YMWD](?!\w)", re.IGNORECASE),
        rank=7,
        shapes=_SHAPES_OF_AGES,
        at_numbers=True,
    ),
    PatternDetector(
        "AGE",
        ignore_case(r"(?<![\w.])(?P<value>\d{1,3}\ ?(?:[歳才岁歲세]|лет|год\w{0,2}(?!\w)|-?jähr\w*))"),
        rank=7,
        shapes=("0歳", "0才", "0岁", "0歲", "0세", "0 лет", "0 год", "0-jähr", "0jähr", "0 jähr"),
    ),
    PatternDetector(
        "AGE",
        ignore_case(
            rf"\b(?:age|aged|turned|turning|alter|edad|[aâ]ge|et[aà])"
            r"(?:\s*(?:(?:at|on|in|per|by)\ (?:the\ )?\w+(?:\ form)?|of|is|was|:|=|\||\[|-)){0,3}\s*"
            rf"(?P<value>\d{{1,3}}(?:\ ?{_UNIT})?)(?![\w%]|\.\d)"
        ),
        rank=7,
        at_words=True,
        words=frozenset(["turned", "turning", "age", "aged", "alter", "edad", "eta"]),
    ),
    PatternDetector(  # HIPAA lets no age over 89 stand, and few spans of time are that long: lived for 97 years
        "AGE",
        ignore_case(r"(?<![\w.,/-])(?P<value>(?:9\d|1[01]\d)[\ -](?:years?|yrs?))(?!\w)(?!\ (?:ago|later|earlier))"),
        rank=7,
        at_numbers=True,
        words=frozenset(["year", "years", "yr", "yrs"]),
    ),
    PatternDetector(  # age, and a number a few words after it: Age recorded at triage: 97
        "AGE",
        ignore_case(
            r"\bage\b[^.;\n\d]{0,48}?(?<![\w.,/-])(?P<value>9\d|1[01]\d)"
            r"(?!\w|\ ?(?:%|/|mm|cm|mg|ml|kg|lbs?|bpm)|[.,]\d)"
        ),
        rank=7,
        at_words=True,
        words=frozenset(["age"]),
    ),
    PatternDetector(  # I'm 45; Jane Doe, 45, of Lund
        "AGE",
        re.compile(
            r"(?:\bI(?:'m| am) |\bi'm |[a-z] [A-Z][\w'\u2019-]+, |\b[A-Z][\w'\u2019-]+ [A-Z][\w'\u2019-]+, )"
            r"(?P<value>1[4-9]|[2-9]\d|1[01]\d)(?=,? (?:and|but|from|of|who|is|was|now)\b|, [a-z]|[.,!?]?\s*\Z)"
        ),
        rank=7,
        shapes=("'m 0", " am 0", ", 0"),
    ),
    PatternDetector(  # 45Y F, 45 M, F/45, M 067Y
        "AGE",
        ignore_case(
            r"(?<![\w./])(?:(?P<value>\d{1,3}\ ?(?:yrs?|years?|y))\.?[\ ,/-]{0,3}(?:(?:fe)?male|m|f|man|woman|boy"
            r"|girl|lady|gentleman)(?![\w]))"
        ),
        rank=7,
        at_numbers=True,
        words=frozenset(["yr", "yrs", "year", "years", "y"]),
    ),
    PatternDetector(
        "AGE",
        ignore_case(
            r"(?<![\w./])(?:(?:fe)?male|m|f)[\ ,/-]{1,3}(?P<value>\d{1,3}\ ?(?:yrs?|years?|y)(?:\ ?old)?)(?![\w/])"
        ),
        rank=7,
        words=frozenset(["yr", "yrs", "year", "years", "y"]),
    ),
    PatternDetector(
        "AGE",
        ignore_case(r"(?<![\w./-])(?P<value>\d{2,3}\ ?(?:jahre|ans|años|anni|anos|jaar)(?:\ (?:alt|oud))?)(?![\w])"),
        rank=7,
        at_numbers=True,
        words=frozenset(["jahre", "ans", "anos", "anni", "jaar"]),
    ),
    PatternDetector(  # age and sex: 93F, but not a 12F (French) catheter
        "AGE",
        re.compile(r"(?<![\w./-])(?P<value>[4-9]\d|1[01]\d)[FM](?![\w-])"),
        rank=7,
        shapes=("0F", "0M"),
        at_numbers=True,
    ),
    PatternDetector(  # 92 F with cough; a temperature of 102 F is followed by other words
        "AGE",
        re.compile(
            r"(?<![\w./-])(?P<value>(?:9\d|1[01]\d)) [FM]"
            r"(?= (?:with|w/|who|c/o|s/p|h/o|presents|presenting|admitted)(?!\w))"
        ),
        rank=7,
        at_numbers=True,
        shapes=("0 F ", "0 M "),
    ),
    PatternDetector(  # a whole text like 45Y: an age column of a burned-in header
        "AGE",
        ignore_case(r"\A\s*(?P<value>\d{1,3}\ ?(?:y|yrs?|years?|yo))\s*\Z"),
        rank=7,
        whole=True,
    ),
)
