"""The patient's own names and numbers, searched for in every kept element.

A search of the whole header comes first: its bytes in lower case and without separators, one search per term. Most
headers contain none and need no further work. Otherwise single values are decoded and searched.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_dates import find_dates
from healthcare_deid.engine.text.find.header_values import HeaderValues, ValueKind
from healthcare_deid.engine.text.find.lexicon import fold, vocabulary
from healthcare_deid.engine.text.find.own_needles import SEPARATORS, ShortTerms, needles, raw_names
from healthcare_deid.engine.text.find.own_values import OwnValue, day_of, texts_of
from healthcare_deid.engine.text.find.plain_bytes import plain_bytes
from healthcare_deid.engine.text.find.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from healthcare_deid.engine.text.find.detectors.base import Detector
    from healthcare_deid.engine.text.match import Match

# Group 7FE0 in little endian.
_PIXEL_GROUP = b"\xe0\x7f"
_MOST_CLEAR = 5_000
_WORTH_KEEPING = 64
# Shortest term that is searched in binary values, in bytes. Shorter ones occur by chance.
_SHORTEST_IN_BYTES = 5
# Start of ISO 2022 text whose characters are pairs of ASCII bytes, such as JIS X 0208 (PS3.5 section 6.1.2.5).
_DOUBLE_BYTE = b"\x1b$"
_DIGIT, _DIGITS = re.compile(r"\d"), re.compile(r"\d\d")
_WORD = re.compile(r"[^\W\d_]+")


class OwnTerms:
    """The patient's own identifiers, as search terms for bytes and text.

    Args:
        values: Identifying header values.
        detectors: Detectors of a user's own identifiers, such as the numbers of studies, which are searched for too.
    """

    def __init__(self, values: Iterable[OwnValue], detectors: Sequence[Detector] = ()) -> None:
        self._values = tuple(dict.fromkeys(values))
        self._detectors = tuple(detectors)
        self._clear: set[bytes] = set()

    @cached_property
    def _texts(self) -> list[tuple[ValueKind, str]]:
        return [(item.source, text) for item in self._values for text in texts_of(item)]

    @cached_property
    def _squeezed(self) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(needle for source, text in self._texts for needle in needles(source, text)))

    @cached_property
    def _raw(self) -> tuple[bytes, ...]:
        return tuple(sorted({raw for item in self._values for raw in raw_names(item)}, key=len, reverse=True))

    @cached_property
    def _encodings(self) -> tuple[str, ...]:
        return self._values[0].encodings if self._values else ()

    @cached_property
    def _has_foreign_name(self) -> bool:
        return any(source is ValueKind.NAME and not text.isascii() for source, text in self._texts) or any(
            item.source is ValueKind.NAME and _DOUBLE_BYTE in item.value for item in self._values
        )

    @cached_property
    def _short(self) -> ShortTerms:
        return ShortTerms(self._texts)

    @cached_property
    def _days(self) -> frozenset[date]:
        return _header(self._texts).dates

    @cached_property
    def _terms(self) -> Terms:
        return Terms(_header(self._texts))

    def __repr__(self) -> str:
        return f"OwnTerms({len(self._values)} values)"

    def may_be_among(self, data: bytes) -> bool:
        """Return whether encoded elements may contain a term.

        False is certain. With detectors it is never False, because they read decoded values.
        """
        if self._detectors:
            return True
        lower = plain_bytes(data.lower(), self._encodings)
        squeezed = lower.translate(None, SEPARATORS)
        # A loop: a generator costs more than the search, and this is done for every file.
        for needle in self._squeezed:
            if needle in squeezed:
                return True
        for raw in self._raw:
            if raw in data:
                return True
        # The same characters are other bytes there, depending on their neighbors, so only decoded text tells.
        if _DOUBLE_BYTE in data and self._has_foreign_name:
            return True
        return self._short.are_in(lower)

    def may_be_in_pieces(self, pieces: Iterable[object]) -> bool:
        """Return whether pieces of a file may contain a term.

        Pixel data does not count.
        """
        # Within a series most pieces repeat, so those without a term are remembered.
        fresh = [
            piece
            for piece in pieces
            if isinstance(piece, bytes) and piece not in self._clear and not piece.startswith(_PIXEL_GROUP)
        ]
        if self.may_be_among(b"\0".join(fresh)):
            return True
        if len(self._clear) > _MOST_CLEAR:
            self._clear.clear()
        self._clear.update(piece for piece in fresh if len(piece) >= _WORTH_KEEPING)
        return False

    def bytes_are_in_pieces(self, pieces: Iterable[object]) -> bool:
        """Return whether any piece contains a name in non-ASCII bytes."""
        return bool(self._raw) and any(
            raw in piece for piece in pieces if isinstance(piece, bytes) for raw in self._raw
        )

    def may_be_in(self, value: bytes) -> bool:
        """Return whether an encoded value may contain a term."""
        return self.may_be_among(b"\0" + value + b"\0")

    @property
    def has_detectors(self) -> bool:
        """Whether a user's detectors are asked too."""
        return bool(self._detectors)

    @property
    def has_bytes(self) -> bool:
        """Whether any name has non-ASCII bytes to search for."""
        return bool(self._raw)

    def matches(self, text: str) -> list[Match]:
        """Return the matches of names and numbers in a text, possibly overlapping."""
        return self._terms.find(text)

    def find(self, text: str) -> bool:
        """Return whether a text contains a term."""
        return bool(self._spans(text))

    def erase(self, text: str) -> str:
        """Remove the terms from a text."""
        spans = self._spans(text)
        if not spans:
            return text
        pieces: list[str] = []
        position = 0
        for start, end in spans:
            pieces.append(text[position : max(start, position)])
            position = max(end, position)
        kept = "".join([*pieces, text[position:]])
        return re.sub(r" {2,}", " ", kept).strip(" ^,;:-/=")

    def erase_bytes(self, value: bytes, new: bytes = b"") -> bytes:
        """Replace names in non-ASCII bytes, whatever character set they are in.

        Args:
            value: The encoded value.
            new: Replacement for each name.
        """
        for raw in self._raw:
            if raw in value:
                value = value.replace(raw, new)
        return value

    def is_in_bytes(self, value: bytes) -> bool:
        """Return whether a binary value or code contains a term."""
        squeezed = value.lower().translate(None, SEPARATORS)
        if any(needle in squeezed for needle in self._squeezed if len(needle) >= _SHORTEST_IN_BYTES):
            return True
        if any(raw in value for raw in self._raw if len(raw) >= _SHORTEST_IN_BYTES):
            return True
        return bool(
            value.isascii()
            and value.translate(None, b"\0").decode().isprintable()
            and self.find(value.decode().strip("\0 "))
        )

    def is_whole(self, value: bytes) -> bool:
        """Return whether any number or date of an element equals a term."""
        squeezed = [part.lower().translate(None, SEPARATORS) for part in value.split(b"\\")]
        return any(part in self._squeezed or part.lstrip(b"0") in self._squeezed for part in squeezed)

    def is_everyday(self, value: bytes) -> bool:
        """Return whether a code consists of clinical words, and the only terms in it are such words.

        One of them is also a name of the patient. A number of the patient is none of them: DERIVED 204816.
        """
        text = value.decode("latin-1").strip("\0 ")
        words = _WORD.findall(text)
        if not words or any(fold(word) not in vocabulary() for word in words):
            return False
        found = self._spans(text)
        return bool(found) and not any(_DIGIT.search(text, start, end) for start, end in found)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        found = [(match.start, match.end) for match in self._terms.find(text)]
        found += [(match.start, match.end) for detector in self._detectors for match in detector.find(text)]
        if self._days and _DIGITS.search(text):
            found += [
                (item.start, item.end)
                for item in find_dates(text)
                if any(reading.to_date(0) in self._days for reading in item.readings() if reading.year and reading.day)
            ]
        return sorted(found)


def _header(texts: Sequence[tuple[ValueKind, str]]) -> HeaderValues:
    days = {
        source: frozenset(day for kind, text in texts if kind is source and (day := day_of(text)))
        for source in (ValueKind.BIRTH_DATE, ValueKind.DATE)
    }
    values = {(source, text) for source, text in texts if source not in days}
    births = days[ValueKind.BIRTH_DATE]
    return HeaderValues("", "", tuple(sorted(values)), births, births | days[ValueKind.DATE], 2001)
