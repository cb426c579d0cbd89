"""Search for an instance's own header values in text.

Names are found in any order, numbers with one wrong character.

Each word is looked up in sets made once per header, so the cost does not grow with the number of terms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.header_values import HeaderValues, ValueKind
from healthcare_deid.engine.text.find.normalization import normalize_text
from healthcare_deid.engine.text.find.own_names import NameTerms
from healthcare_deid.engine.text.find.own_numbers import NumberTerms
from healthcare_deid.engine.text.find.own_words import own_words
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_LOOSE_DATE = re.compile(r"(?<![\d.])(\d{1,2})[./ -](\d{1,2})[./ -](\d\d)(?![\d])")


class Terms:
    """Search terms of one header.

    Parts of names with fewer than three letters, numbers of fewer than five digits and words of the vocabulary count
    only next to another part, after a cue, or as the whole text. So arbitrary text can be searched without many false
    findings.

    Args:
        header: The header.
        contextual: Whether to search for all attributes that the Basic Profile removes, not only identifying ones.
    """

    def __init__(self, header: HeaderValues, *, contextual: bool = False) -> None:
        self._names = NameTerms()
        self._numbers = NumberTerms()
        for source, value in header.values:
            if source is ValueKind.NAME:
                self._names.add(normalize_text(value).text)
            elif contextual or source is not ValueKind.CONTEXT:
                self._numbers.add(source, normalize_text(value).text)
        self._names.seal()
        self._numbers.seal()
        self._short_dates = {form: "DATE" for day in header.dates for form in short_forms(day)}
        self._short_dates |= {form: "DATE_OF_BIRTH" for day in header.birth_dates for form in short_forms(day)}
        self._dates = {day: "DATE_OF_BIRTH" if day in header.birth_dates else "DATE" for day in header.dates}
        self._empty = not header.values and not header.dates

    def __repr__(self) -> str:
        return f"Terms({len(self._names)} name parts, {len(self._numbers)} phrases)"

    def find(self, text: str) -> list[Match]:
        """Return matches of header values, possibly overlapping."""
        if self._empty:
            return []
        words = own_words(text)
        if not words:
            return []
        found = self._names.find(text, words)
        found += self._numbers.find(text, words)
        if self._dates:
            found += [
                Match(word.start, word.end, self._short_dates[word.plain])
                for word in words
                if word.plain in self._short_dates
            ]
            found += self._loose_dates(text)
        return found

    def _loose_dates(self, text: str) -> Iterator[Match]:
        """Yield header dates in ambiguous spellings.

        9.7.61 could also be a version.
        """
        for match in _LOOSE_DATE.finditer(text):
            first, second, year = (int(part) for part in match.groups())
            for day, info_type in self._dates.items():
                if day.year % 100 == year and (day.month, day.day) in {(first, second), (second, first)}:
                    yield Match(match.start(), match.end(), info_type)
                    break


def short_forms(day: date) -> tuple[str, ...]:
    """Return the six-digit spellings of a day.

    Only the header tells them from other numbers.
    """
    year, month, number = f"{day.year % 100:02d}", f"{day.month:02d}", f"{day.day:02d}"
    return (year + month + number, number + month + year, month + number + year)
