"""Settings for shifted dates, birth dates and ages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from datetime import date

OLDEST = 90
"""Age in years at which ages are capped (45 CFR 164.514(b)(2)(i)(C))."""
# AS values such as 045Y; padding, case and the unit vary between devices.
_AGE = re.compile(r"\s*(\d{1,4})\s*([DWMY]?)\s*", re.IGNORECASE)
# Units per year. A number without unit counts as years, which is usual, and safe because only years reach the cap.
_A_YEAR = {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0, "": 1.0}
_EVENT = re.compile(r"[A-Z0-9 _]{1,16}")


@dataclass(frozen=True, slots=True)
class Dates:
    """Shift all dates, by one number of days per patient.

    This concerns dates that would be kept, and dates in text.

    The number comes from the table of pseudonyms: its days, or the days from its anchor date to 2000-01-01. Otherwise
    it is derived from the project secret.

    Attributes:
        birth_year: Write the shifted year of birth where the profile would remove the date, and only the year where it
            would shift it.
        cap_ages: Write ages of 90 years and more as 90, and limit years of birth accordingly. Without a study date the
            age is unknown and the year of birth is left out.
        event: A term such as ``"ENROLLMENT"`` for the patient's anchor date. Every instance then states the days from
            the anchor to its study in (0012,0052), and the event in (0012,0053).

    Raises:
        ConfigError: *event* is not a code of up to 16 characters.
    """

    birth_year: bool = False
    cap_ages: bool = True
    event: str = ""

    @property
    def fingerprint(self) -> str:
        """Text that identifies these settings in a run's manifest."""
        return f"birth_year {self.birth_year}, cap_ages {self.cap_ages}, event {self.event!r}"

    def __post_init__(self) -> None:
        if self.event and not _EVENT.fullmatch(self.event):
            raise ConfigError("dates: event must be a code of up to 16 capital letters, digits, spaces and '_'")


def capped_age(value: str) -> str | None:
    """Return ``"090Y"`` for an age of 90 or more.

    Returns None for any other AS value.
    """
    match = _AGE.fullmatch(value)
    if match is None or int(match[1]) / _A_YEAR[match[2].upper()] < OLDEST:
        return None
    return f"{OLDEST:03}Y"


def years_between(birth: date, day: date) -> int:
    """Return a person's age in years on a day."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
