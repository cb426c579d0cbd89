"""Dates that keep their distance: how they are shifted, and what is said of birth and age."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from datetime import date

OLDEST = 90
"""Years: ages from here on are written as this one (45 CFR 164.514(b)(2)(i)(C))."""
_AGE = re.compile(r"\s*(\d{1,4})\s*([DWMY]?)\s*", re.IGNORECASE)
_A_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0, "": 1.0}
"""Units in a year; a number without its unit is one of years, which is most of the truth and all of the risk."""
_EVENT = re.compile(r"[A-Z0-9 _]{1,16}")


@dataclass(frozen=True, slots=True)
class Dates:
    """Shift every date that would stay, and those in text, by one number of days for each patient.

    The number is the table's where the pseudonyms' table says it, or leads the table's anchor date to 2000-01-01; else
    it is derived from the project secret.

    Attributes:
        birth_year: Write the year of birth, shifted, where the profile would remove the date, and only the year where
            it would shift it.
        cap_ages: Write ages of 90 years and more as 90, and no earlier year of birth; none where there is no study
            date to tell the age by.
        event: A term such as ``"ENROLLMENT"``: every instance says how many days its study is after the patient's
            anchor date, in (0012,0052), and that the anchor is this event, in (0012,0053).

    Raises:
        ConfigError: *event* is not a code of up to 16 characters.
    """

    birth_year: bool = False
    cap_ages: bool = True
    event: str = ""

    @property
    def fingerprint(self) -> str:
        """What tells these settings from others in a run's manifest."""
        return f"birth_year {self.birth_year}, cap_ages {self.cap_ages}, event {self.event!r}"

    def __post_init__(self) -> None:
        if self.event and not _EVENT.fullmatch(self.event):
            raise ConfigError("dates: event is a code of up to 16 capital letters, digits, spaces and '_'")


def capped_age(value: str) -> str | None:
    """Return an AS value of 90 years or more as 90; None for any other value."""
    match = _AGE.fullmatch(value)
    if match is None or int(match[1]) / _A_YEAR[match[2].upper()] < OLDEST:
        return None
    return f"{OLDEST:03}Y"


def years_between(birth: date, day: date) -> int:
    """Return a person's age in years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
