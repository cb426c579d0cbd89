"""Shifting of DA and DT values (PS3.5 section 6.2)."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from healthcare_deid.engine.text.calendar_dates import shift_day

# The dots are the ACR-NEMA form, which readers still accept (PS3.5 section 6.2).
_DA = re.compile(r"(?P<year>\d{4})(?P<dot>\.?)(?P<month>\d\d)(?P=dot)(?P<day>\d\d)")
_DT = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?P<time>\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?)?)?"
    r"(?P<offset>[+-]\d{4})?"
)
_MIDDLE_OF_YEAR = (7, 2)
_MIDDLE_OF_MONTH = 15


def shift_da(value: str, days: int) -> str | None:
    """Shift a DA value.

    It may be a date, an ACR-NEMA date with dots, or a range.

    Returns:
        The new value in the same format, or None if it is not a valid date.
    """
    if "-" not in value:
        return _shift_day_of(_DA, value, days)
    return _shift_range(_DA, value.split("-"), days)


def shift_dt(value: str, days: int) -> str | None:
    """Shift a DT value.

    It may have any precision, an offset from UTC, or be a range.

    A value without a day (``202003``, ``2020``) is shifted from the middle of its month or year.

    Returns:
        The new value in the same format, or None if it is not a valid date.
    """
    whole = _DT.fullmatch(value)
    if whole and (whole["offset"] is None or _is_utc_offset(whole["offset"])):
        return _shift_day_of(_DT, value, days)
    for index in (at for at, character in enumerate(value) if character == "-"):
        shifted = _shift_range(_DT, [value[:index], value[index + 1 :]], days)
        if shifted is not None:
            return shifted
    return None


def _is_utc_offset(offset: str) -> bool:
    """Return whether a suffix is an offset from UTC.

    ``-1000`` could also be the end of a range.
    """
    # Offsets range from -1200 to +1400 (PS3.5 section 6.2).
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return int(offset[3:]) < 60 and minutes <= (14 * 60 if offset[0] == "+" else 12 * 60)


def _shift_range(form: re.Pattern[str], ends: list[str], days: int) -> str | None:
    if len(ends) != 2 or not any(ends):
        return None
    shifted = [_shift_day_of(form, end, days) if end else "" for end in ends]
    if None in shifted:
        return None
    return "-".join(end for end in shifted if end is not None)


def _shift_day_of(form: re.Pattern[str], value: str, days: int) -> str | None:
    match = form.fullmatch(value)
    if match is None:
        return None
    groups = match.groupdict()
    month, day = groups["month"], groups["day"]
    try:
        old = date(int(groups["year"]), int(month or _MIDDLE_OF_YEAR[0]), int(day or _middle(month)))
    except ValueError:
        return None
    new = shift_day(old, days)
    if new is None:
        return None
    dot = groups.get("dot") or ""
    written = [f"{new.year:04d}", f"{new.month:02d}" if month else "", f"{new.day:02d}" if day else ""]
    start = match.end("day") if day else match.end("month") if month else match.end("year")
    return dot.join(part for part in written if part) + value[start:]


def _middle(month: str | None) -> int:
    return _MIDDLE_OF_MONTH if month else _MIDDLE_OF_YEAR[1]


def parse_da(value: str) -> date | None:
    """Return the day of a DA value, or None."""
    match = _DA.fullmatch(value.strip(" \0"))
    if match is None:
        return None
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    if not (year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    return date(year, month, day)
