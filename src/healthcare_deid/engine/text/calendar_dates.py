"""Calendar dates in free text: recognition, and rewriting in the same format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_names import MONTH_INDEX, WEEKDAY_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterator


_MONTH = "(?P<b>" + "|".join(sorted(map(re.escape, MONTH_INDEX), key=len, reverse=True)) + r")(?![^\W\d_])"
_ANY_MONTH = r"(?P<b>[^\W\d_]+)(?![^\W\d_])"  # where the name of a month begins
_YEAR4 = r"(?P<y>(?:1[89]|20)\d\d)"
_YEAR = r"(?P<y>(?:1[89]|20)\d\d|\d\d)"
_DAY = r"(?P<d>0?[1-9]|[12]\d|3[01])"
_MONTH_NUMBER = r"(?P<m>0?[1-9]|1[0-2])"
# Not inside a longer number, a UID, a decimal or a version.
_START = r"(?<!\d)(?<!\d[./])"
_END = r"(?!\d)(?![./]\d)"
_ORDINAL = r"(?:(?P<o>st|nd|rd|th)|er|\.|º|ª)?"
_GLUE = r"[ \-/.,_]{0,3}"
_OF = r"(?:(?:of|de|di|den) )?"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NUMERIC = (
    # 2020-03-04
    _compile(_START + _YEAR4 + r"(?P<s> ?[-/.:_] ?| )" + _MONTH_NUMBER + r"(?P=s)" + _DAY + _END),
    # 20200304 or 20200304123000
    _compile(
        r"(?<!\d)(?<!\d\.)" + _YEAR4 + r"(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])"
        r"(?P<t>(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\.\d{1,6})?)?)?(?!\d)(?!\.\d+\.)"
    ),
    # 03/04/2020 or 3.4.2020
    _compile(_START + r"(?P<n1>\d{1,2})(?P<s> ?/ ?|-|\.)(?P<n2>\d{1,2})(?P=s)" + _YEAR4 + _END),
    # 03-04-20
    _compile(_START + r"(?P<n1>\d\d)(?P<s>[-. ])(?P<n2>\d\d)(?P=s)(?P<y>\d\d)(?![\d:])(?![-./ ]\d)"),
    # 3-4-20
    _compile(_START + r"(?<![\w-])(?P<n1>\d{1,2})-(?P<n2>\d{1,2})-(?P<y>\d\d)(?![\w:])(?![-./ ]\d)"),
    # 3/4/20
    _compile(_START + r"(?P<n1>\d{1,2}) ?/ ?(?P<n2>\d{1,2}) ?/ ?(?P<y>\d\d)" + _END),
    # 03 04 2020
    _compile(_START + r"(?P<n1>\d\d) (?P<n2>\d\d) " + _YEAR4 + _END),
    # 03042020
    _compile(_START + r"(?P<n1>[0-3]\d)(?P<n2>[0-3]\d)" + r"(?P<y>(?:19|20)\d\d)(?!\d)(?!\.\d)"),
    # 2020年3月4日
    _compile(_START + r"(?P<y>\d{4})\s*年\s*(?P<m>\d{1,2})\s*月\s*(?:(?P<d>\d{1,2})\s*日)?"),
    # 2020년 3월 4일
    _compile(_START + r"(?P<y>\d{4})년 ?(?P<m>\d{1,2})월 ?(?:(?P<d>\d{1,2})일)?"),
    # 3/2020
    _compile(r"(?<![\d/.-])(?P<m>0?[1-9]|1[0-2]) ?[/\-] ?(?P<y>(?:19|20)\d\d)(?![\d/])"),
    # 03.2020
    _compile(r"(?<![\w/.-])(?P<m>0[1-9]|1[0-2])\.(?P<y>(?:19|20)\d\d)(?![\w/%]|\.\d| ?(?:mm|cm|ml|mg|s|ms|hz|gy)\b)"),
    # 2020-03
    _compile(r"(?<![\d/.-])(?P<y>(?:19|20)\d\d)[/\-](?P<m>0[1-9]|1[0-2])(?![\d/.-])"),
)
# Partial dates, which count only after a cue: LMP 11/28, CABG in 3/80, since '09.
_CUED = (
    # LMP 11/28
    _compile(r"(?<![\d/.])(?P<n1>\d{1,2})/(?P<n2>\d{1,2})(?![\d/%]|-\d)"),
    # CABG in 3/80
    _compile(r"(?<![\d/.])(?P<m>0?[1-9]|1[0-2])/'?(?P<y>[3-9]\d|[0-2]\d)(?![\d/%])"),
    # since '09
    _compile(r"(?<![\w'])'(?P<y>\d\d)(?![\w'])"),
)
# am 14.3., which is also a number at the end of a sentence.
_DOTTED = _compile(r"(?<![\d/.])(?P<d>0?[1-9]|[12]\d|3[01])\.(?P<m>0?[1-9]|1[0-2])\.(?!\d)")
_CUE_OF_DOTTED = _compile(
    r"(?<![^\W\d_])(?:am|vom|zum|bis|seit|ab|den|op|ct|mrt|r\u00f6|dne|dnia|d\.|seen|dated?|exam|visit(?:ed)?|untersuchung"
    r"|aufnahme|kontrolle|voraufnahme|entlassung)[ :,(]{1,3}$"
)
_CUE = _compile(
    r"(?<![^\W\d_])(?:on|dated?|seen|dob|born|exam|lmp|edd|edc|since|until|till|visit(?:ed)?|admit(?:ted)?|discharged?|surgery"
    r"|cath(?:eterization)?|performed|done|prior|compared with|vs|from|in|scan(?:ned)?|stud(?:y|ied)|signed"
    r"|collected|received"
    r"|reported|operated|op|yesterday|today|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    r"|mon|tue|wed|thu|fri|sat|sun)[ :.,(]{1,3}$"
)
_NAMED = (
    # 4th of March 2020
    _compile(_START + _DAY + _ORDINAL + _GLUE + _OF + _MONTH + r"\.?" + _GLUE + r"'?(?:del? )?" + _YEAR + _END),
    # March 4, 2020
    _compile(
        _ANY_MONTH + r"\.?" + _GLUE + _DAY + _ORDINAL + r"(?:[ \-/.,]{1,3})'?" + _YEAR + r"(?!\d)(?:(?<=\d{4})|(?!:))"
    ),
    # 2020 March 4
    _compile(_START + _YEAR4 + _GLUE + _MONTH + r"\.?" + _GLUE + _DAY + r"(?!\d)"),
    # March 2020
    _compile(_ANY_MONTH + r"\.?" + r"[ \-/.,']{0,3}(?:del? )?" + _YEAR4 + r"(?!\d)"),
    # 4 March
    _compile(_START + _DAY + _ORDINAL + r"[ \-]" + _OF + _MONTH + r"(?![\w-])"),
    # March 4th
    _compile(_ANY_MONTH + r"\.?[ \-]" + _DAY + r"(?P<o>st|nd|rd|th)?(?![\w/:%-]|\.\d)"),
    # March '20
    _compile(_ANY_MONTH + r"\.?,? ?['\u2019](?P<y>\d\d)(?![\w])"),
)
_ZEROS = str.maketrans("123456789", "000000000")
# For each numeric form, what a run of digits looks like that has one, if each digit is read as 0.
_SHAPES = (
    r"0000(?: ?[-/.:_] ?| )0",
    r"(?<!0)0{8}",
    r"(?<!0)00?(?: ?/ ?|-|\.)00?(?: ?/ ?|-|\.)0000(?!0)",
    r"(?<!0)00(?P<s>[-. ])00(?P=s)00(?!0)",
    r"(?<!0)00?-00?-00(?!0)",
    r"(?<!0)00? ?/ ?00? ?/ ?00(?!0)",
    r"(?<!0)00 00 0000(?!0)",
    r"(?<!0)0{8}(?!0)",
    "\u5e74",
    "\ub144",
    r"(?<!0)00? ?[/-] ?0000(?!0)",
    r"(?<!0)00\.0000(?!0)",
    r"(?<!0)0000[/-]00(?!0)",
)
_NUMERIC_BY_SHAPE = tuple(zip(_NUMERIC, map(re.compile, _SHAPES), strict=True))
_SHORTEST_NUMERIC = 4
_LONG_RUN = 38  # of characters; a longer run may have been cut
_DIGIT = re.compile(r"[0-9]")
_WORDS = re.compile(r"[^\W\d_]{3,}")
_RUN = re.compile(r"\d(?:[\d\-/.:_ 年月日년월일]{0,40}[\d年月日년월일])?")
# Whether each named form begins with the month.
_NAMED_BY_START = tuple(zip(_NAMED, (False, True, False, True, False, True, True), strict=True))
# Characters before the name of a month in which a day or year lies.
_DAY_BEFORE = 16
# Characters after the name of a month in which the rest of its date lies.
_LONGEST_NAMED = 30
# Characters before a partial date that are searched for its cue.
_REACH_OF_CUE = 24
_TIME = _compile(
    r"(?:T|[ ,;@\-]{1,3}(?:at )?)(?P<clock>(?:[01]?\d"
    r"|2[0-3])[:.h][0-5]\d(?:[:.][0-5]\d(?:\.\d{1,6})?)?(?: ?[ap]\.?m\b\.?)?(?:Z|[+-]\d\d:?\d\d)?)(?!\d)"
)
_TIME_BEFORE = _compile(r"(?<![\d:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m\.?)?[ ,;@\-]{1,3}$")
# Words before a day: le 14 mars.
_DAY_ARTICLE = _compile(r"(?<![^\W\d_])(?:le|du|au|des|am|vom|den|el|al|il|dal|em|op|van|od|dnia|jusqu'au) $")
_WORD_BEFORE = re.compile(r"(?<![^\W\d_])(?P<w>[^\W\d_]+)[., ]{1,3}$")
# Names of months that are ordinary words in some language. In lower case they count only with a year of four digits.
_MOSTLY_WORDS = frozenset(
    [
        "set",
        "out",
        "ago",
        "mag",
        "may",
        "mar",
        "mars",
        "mai",
        "mei",
        "gen",
        "sat",
        "pro",
        "lis",
        "lip",
        "led",
        "dub",
        "maj",
        "sie",
        "kas",
        "ara",
        "eki",
        "tra",
        "kol",
        "stu",
        "sty",
        "lut",
        "cze",
        "gru",
        "loka",
        "elo",
        "marts",
        "mart",
        "marca",
        "maja",
        "ian",
        "tem",
        "oca",
        "velj",
        "svi",
        "syys",
        "kesä",
        "touko",
    ]
)
_CENTURY_PIVOT = 40  # two-digit years below it are read as 20xx


@dataclass(frozen=True, slots=True)
class TextDate:
    """A date found in a text.

    Attributes:
        start: Index of the first character, including a weekday before the date.
        end: Index after the last character, including a time of day.
        year: Year, or 0.
        month: Month.
        day: Day, or 0.
        parts: ``(start, end, kind)`` of each piece to rewrite, in order.
        other_reading: The reading with day and month exchanged, if both are possible.
    """

    start: int
    end: int
    year: int
    month: int
    day: int
    parts: tuple[tuple[int, int, str], ...]
    other_reading: TextDate | None = None

    def to_date(self, default_year: int = 2001) -> date | None:
        """Return the calendar day.

        A date without a day stands for the middle of its month. Returns None if the day does not exist.
        """
        try:
            return date(self.year or default_year, self.month, self.day or 15)
        except ValueError:
            return None

    def readings(self) -> Iterator[TextDate]:
        """Yield this reading, then the other one."""
        yield self
        if self.other_reading:
            yield self.other_reading

    def _is_padded(self, text: str) -> bool:
        """Return whether day and month are padded to two digits."""
        numbers = [text[start:end] for start, end, kind in self.parts if kind in {"m", "d"}]
        spaced = any(kind == "b" and text[end : end + 1] == " " for _, end, kind in self.parts)
        return all(len(number) > 1 for number in numbers) and (not spaced or any(item[0] == "0" for item in numbers))

    def rewrite(self, text: str, day: date) -> str:
        """Return the date's text with another day in the same format."""
        pieces: list[str] = []
        position = self.start
        padded = self._is_padded(text)
        for start, end, kind in self.parts:
            pieces += [text[position:start], _spell(text[start:end], kind, day, padded=padded)]
            position = end
        pieces.append(text[position : self.end])
        return "".join(pieces)


def shift_day(day: date, days: int) -> date | None:
    """Return a day moved by ``days``.

    Returns None outside of the years 1 to 9999.
    """
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


@lru_cache(maxsize=512)
def find_dates(text: str) -> tuple[TextDate, ...]:
    """Return the dates in a text, in order and without overlaps."""
    found: list[TextDate] = []
    taken = bytearray(len(text))
    for match in _candidates(text):
        item = _read(match)
        if item and not any(taken[item.start : item.end]):
            item = _with_time(_with_weekday(item, text), text)
            taken[item.start : item.end] = b"\1" * (item.end - item.start)
            found.append(item)
    return tuple(sorted(found, key=lambda item: item.start))


def _candidates(text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of every pattern."""
    # Some thirty patterns on every text are slow, so each runs only near a number as long as a date, or a month's name.
    yield from _at_numbers(text)
    if not MONTH_INDEX.keys().isdisjoint(_WORDS.findall(text.lower())):
        yield from _at_months(text)


def _at_numbers(text: str) -> Iterator[re.Match[str]]:
    for run in _RUN.finditer(text):
        start, end = run.span()
        is_quoted = text[start - 1 : start] == "'"
        start -= is_quoted
        if end - start >= _SHORTEST_NUMERIC:
            for pattern in _numeric_forms(text[start : end + 4 if end - start > _LONG_RUN else end].translate(_ZEROS)):
                yield from pattern.finditer(text, start, end + 4)
        if text[end : end + 1] == "." and _CUE_OF_DOTTED.search(text, max(0, start - _REACH_OF_CUE), start):
            match = _DOTTED.match(text, start, end + 1)
            yield from (match,) if match else ()
        if (is_quoted or "/" in run[0]) and _CUE.search(text, max(0, start - _REACH_OF_CUE), start):
            for pattern in _CUED:
                yield from pattern.finditer(text, start, end + 2)


def _at_months(text: str) -> Iterator[re.Match[str]]:
    for word in _WORDS.finditer(text):
        if word[0].lower() not in MONTH_INDEX:
            continue
        begin, stop = word.span()
        low, high = max(0, begin - _DAY_BEFORE), min(len(text), stop + _LONGEST_NAMED)
        while high < len(text) and text[high].isalnum():  # else the next date would lose the end of its year
            high += 1
        has_day_before = _DIGIT.search(text, low, begin) is not None
        if not has_day_before and _DIGIT.search(text, stop, high) is None:
            continue
        for pattern, by_month in _NAMED_BY_START:
            if by_month:
                match = pattern.match(text, begin, high)
                yield from (match,) if match else ()
            elif has_day_before:
                yield from pattern.finditer(text, low, high)


@lru_cache(maxsize=1024)
def _numeric_forms(shape: str) -> tuple[re.Pattern[str], ...]:
    """Return the numeric forms that a run of digits can have, each digit read as 0."""
    if shape.count("0") < 4:
        return ()
    return tuple(pattern for pattern, form in _NUMERIC_BY_SHAPE if form.search(shape))


def _read(match: re.Match[str]) -> TextDate | None:
    groups = match.groupdict()
    parts = {name: match.span(name) for name in ("y", "m", "d", "o", "b", "n1", "n2") if groups.get(name)}
    start = min(span[0] for span in parts.values())
    end = match.end()
    year = _full_year(groups.get("y") or "")
    if groups.get("b"):
        if (
            groups["b"].lower() in _MOSTLY_WORDS
            and len(groups.get("y") or "") != 4
            and not groups["b"][0].isupper()
            and not _DAY_ARTICLE.search(match.string, max(0, start - _REACH_OF_CUE), start)
        ):
            return None
        month = MONTH_INDEX[groups["b"].lower()][0]
        return _text_date(start, end, year, month, int(groups.get("d") or 0), parts)
    if groups.get("n1"):
        first, second = int(groups["n1"]), int(groups["n2"])
        by_month = _text_date(start, end, year, first, second, _renamed(parts, n1="m", n2="d"))
        by_day = _text_date(start, end, year, second, first, _renamed(parts, n1="d", n2="m"))
        # Countries that write dots put the day first (03.04.2020); with a slash, the US puts the month first.
        readings = [by_day, by_month] if groups.get("s") == "." else [by_month, by_day]
        possible = [reading for reading in readings if reading.month in range(1, 13) and reading.day in range(1, 32)]
        if not possible:
            return None
        chosen = possible[0]
        if len(possible) == 1 or first == second:
            return chosen
        return TextDate(start, end, year, chosen.month, chosen.day, chosen.parts, possible[1])
    return _text_date(start, end, year, int(groups.get("m") or 0), int(groups.get("d") or 0), parts)


def _text_date(start: int, end: int, year: int, month: int, day: int, parts: dict[str, tuple[int, int]]) -> TextDate:
    ordered = sorted((span[0], span[1], kind) for kind, span in parts.items())
    return TextDate(start, end, year, month, day, tuple(ordered))


def _renamed(parts: dict[str, tuple[int, int]], **names: str) -> dict[str, tuple[int, int]]:
    return {names.get(kind, kind): span for kind, span in parts.items()}


def _full_year(digits: str) -> int:
    if len(digits) == 2:
        return int(digits) + (2000 if int(digits) < _CENTURY_PIVOT else 1900)
    return int(digits) if digits else 0


def _with_weekday(item: TextDate, text: str) -> TextDate:
    before = _WORD_BEFORE.search(text, max(0, item.start - 14), item.start)
    if before is None or before["w"].lower() not in WEEKDAY_INDEX:
        return item
    start, end = before.span("w")
    return _extended(item, start, item.end, (start, end, "w"))


def _with_time(item: TextDate, text: str) -> TextDate:
    after = _TIME.match(text, item.end)
    if after:
        return _extended(item, item.start, after.end())
    before = _TIME_BEFORE.search(text, max(0, item.start - 16), item.start)
    return _extended(item, before.start(), item.end) if before else item


def _extended(item: TextDate, start: int, end: int, *parts: tuple[int, int, str]) -> TextDate:
    other = _extended(item.other_reading, start, end, *parts) if item.other_reading else None
    return TextDate(start, end, item.year, item.month, item.day, (*parts, *item.parts), other)


def _spell(old: str, kind: str, day: date, *, padded: bool) -> str:
    """Write one piece of ``day`` in the format of ``old``."""
    if kind == "y":
        return f"{day.year:04d}"[-len(old) :]
    if kind in {"m", "d"}:
        number = day.month if kind == "m" else day.day
        return f"{number:02d}" if padded else str(number)
    if kind == "o":
        ending = "th" if 11 <= day.day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
        return ending.upper() if old.isupper() else ending
    index, number = (MONTH_INDEX, day.month) if kind == "b" else (WEEKDAY_INDEX, day.isoweekday())
    name = index[old.lower()][1][number - 1]
    if old.isupper():
        return name.upper()
    return name.lower() if old.islower() else name[0].upper() + name[1:].lower()
