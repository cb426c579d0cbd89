"""Finds an instance's own header values in text: names in any order, numbers with a wrong character in them.

Every word of a text is looked up in sets made once a header: cost does not grow with the number of terms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.header_values import Header, Source
from healthcare_deid.engine.text.find.own_names import NameTerms
from healthcare_deid.engine.text.find.own_numbers import NumberTerms
from healthcare_deid.engine.text.find.own_words import own_words
from healthcare_deid.engine.text.find.reading import read
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_LOOSE_DATE = re.compile(r"(?<![\d.])(\d{1,2})[./ -](\d{1,2})[./ -](\d\d)(?![\d])")


class Terms:
    """The terms of one header, ready for look-up.

    Parts of names of fewer than three letters, numbers of fewer than five digits and words of the vocabulary count
    only beside another part, after a cue, or as the whole text; so a text can be searched of which nobody knows what
    it says.

    Args:
        header: Whose values are looked for.
        contextual: Look for the values of every attribute that the Basic Profile does not keep, not only for those
            that say who and where.
    """

    def __init__(self, header: Header, *, contextual: bool = False) -> None:
        self._names = NameTerms()
        self._numbers = NumberTerms()
        for source, value in header.values:
            if source is Source.NAME:
                self._names.add(read(value).text)
            elif contextual or source is not Source.CONTEXT:
                self._numbers.add(source, read(value).text)
        self._names.seal()
        self._numbers.seal()
        self._short_dates = {form: "DATE" for day in header.dates for form in short_forms(day)}
        self._short_dates |= {form: "DATE_OF_BIRTH" for day in header.birth_dates for form in short_forms(day)}
        self._dates = {day: "DATE_OF_BIRTH" if day in header.birth_dates else "DATE" for day in header.dates}
        self._empty = not header.values and not header.dates

    def __repr__(self) -> str:
        return f"Terms({len(self._names)} name parts, {len(self._numbers)} phrases)"

    def find(self, text: str) -> list[Match]:
        """Return the stretches of ``text`` that repeat a header value; they may overlap."""
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
        """Yield the header's days in spellings that could as well be a version: 9.7.61."""
        for match in _LOOSE_DATE.finditer(text):
            first, second, year = (int(part) for part in match.groups())
            for day, info_type in self._dates.items():
                if day.year % 100 == year and (day.month, day.day) in {(first, second), (second, first)}:
                    yield Match(match.start(), match.end(), info_type)
                    break


def short_forms(day: date) -> tuple[str, ...]:
    """Return the six-digit spellings of a day; too short to be told from other numbers without a header."""
    year, month, number = f"{day.year % 100:02d}", f"{day.month:02d}", f"{day.day:02d}"
    return (year + month + number, number + month + year, month + number + year)
