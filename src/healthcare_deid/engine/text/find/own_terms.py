"""The patient's own names and numbers, searched for in every kept element.

A search of the whole header comes first: its bytes in lower case and without separators, one search per term. Most
headers
contain none and need no further work. Otherwise single values are decoded and searched.
"""

from __future__ import annotations

import re
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import tag_for_keyword

from healthcare_deid.engine.dicom.charsets import read_text
from healthcare_deid.engine.text.calendar_dates import find_dates
from healthcare_deid.engine.text.dicom_dates import parse_da
from healthcare_deid.engine.text.find.header_values import PLACEHOLDERS, Header, Source, sources
from healthcare_deid.engine.text.find.lexicon import fold, vocabulary
from healthcare_deid.engine.text.find.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from healthcare_deid.engine.text.match import Match

_SEPARATORS = b" ^-./,_:'()+=\r\n\t\0"
_PIXEL_GROUP = b"\xe0\x7f"
_MOST_CLEAR = 5_000
_WORTH_KEEPING = 64
# Shortest name or place that is searched inside other words, in letters.
_SHORTEST_WORD = 4
# Shortest number that counts anywhere, in digits.
_SHORTEST_NUMBER = 5
# Shortest term that is searched in binary values, in bytes. Shorter ones occur by chance.
_SHORTEST_IN_BYTES = 5
_NUMBERS = re.compile(r"\d+")
_DIGITS = re.compile(r"\d\d")
_CUES = rb"pt|pat|patient|name|mr|mrs|ms|miss|dr|prof|herr|frau|mme|sr|sra|for|of|by"
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_WORD = re.compile(r"[^\W\d_]+")
_NAME_WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]*")
_ESCAPES = re.compile(rb"\x1b[$(),\-.]*[@-~]")
# Python encodings that text of the instance may have, whatever its SpecificCharacterSet.
_FURTHER_ENCODINGS = (
    *("utf_8", "latin_1", "gb18030", "big5", "shift_jis", "euc_jp", "iso2022_jp", "euc_kr", "cp1251", "koi8_r"),
    *("iso8859_5", "iso8859_2", "cp1253", "iso8859_7", "cp1255", "iso8859_8", "cp1254", "iso8859_9", "cp1256"),
    *("iso8859_6", "cp1250", "tis_620"),
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


class OwnValue(NamedTuple):
    """A header value that identifies the patient.

    Attributes:
        source: Kind of the value.
        value: The encoded value.
        encodings: Python encodings of its SpecificCharacterSet.
    """

    source: Source
    value: bytes
    encodings: tuple[str, ...]


# Attributes that identify a device or a trial, not the patient.
_DEVICE = (
    "DeviceSerialNumber GantryID DetectorID PlateID CassetteID StationName PerformedStationName ScheduledStationName "
    "ClinicalTrialProtocolID"
)


@cache
def own_sources() -> dict[int, Source]:
    """Return the kind of each attribute that identifies the patient, by tag."""
    devices = {tag_for_keyword(keyword) for keyword in _DEVICE.split()}
    return {tag: source for tag, source in sources().items() if source is not Source.CONTEXT and tag not in devices}


@cache
def name_tags() -> frozenset[int]:
    """Return the attributes that hold person names."""
    return frozenset(tag for tag, source in own_sources().items() if source is Source.NAME)


class OwnTerms:
    """The patient's own identifiers, as search terms for bytes and text.

    Args:
        values: Identifying header values.
    """

    def __init__(self, values: Iterable[OwnValue]) -> None:
        self._values = tuple(dict.fromkeys(values))
        self._clear: set[bytes] = set()

    @cached_property
    def _texts(self) -> list[tuple[Source, str]]:
        return [(item.source, text) for item in self._values for text in _texts(item)]

    @cached_property
    def _squeezed(self) -> tuple[bytes, ...]:
        return tuple(dict.fromkeys(needle for source, text in self._texts for needle in _needles(source, text)))

    @cached_property
    def _raw(self) -> tuple[bytes, ...]:
        return tuple(sorted({raw for item in self._values for raw in _raw(item)}, key=len, reverse=True))

    @cached_property
    def _short(self) -> re.Pattern[bytes] | None:
        short = sorted({word for source, text in self._texts for word in _short_words(source, text)})
        middle = sorted({word for source, text in self._texts for word in _middle_words(source, text)})
        days = [pattern for source, text in self._texts for pattern in _written_days(source, text)]
        return _short_pattern(short, middle, days)

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

        False is certain.
        """
        lower = data.lower()
        squeezed = lower.translate(None, _SEPARATORS)
        if any(needle in squeezed for needle in self._squeezed) or any(raw in data for raw in self._raw):
            return True
        return self._short is not None and self._short.search(lower) is not None

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
        squeezed = value.lower().translate(None, _SEPARATORS)
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
        squeezed = [part.lower().translate(None, _SEPARATORS) for part in value.split(b"\\")]
        return any(part in self._squeezed or part.lstrip(b"0") in self._squeezed for part in squeezed)

    def is_everyday(self, value: bytes) -> bool:
        """Return whether a code consists of clinical words.

        One of them is also a name of the patient.
        """
        text = value.decode("latin-1").strip("\0 ")
        words = _WORD.findall(text)
        return bool(words) and all(fold(word) in vocabulary() for word in words) and self.find(text)

    def _spans(self, text: str) -> list[tuple[int, int]]:
        found = [(match.start, match.end) for match in self._terms.find(text)]
        if self._days and _DIGITS.search(text):
            found += [
                (item.start, item.end)
                for item in find_dates(text)
                if any(reading.to_date(0) in self._days for reading in item.readings() if reading.year and reading.day)
            ]
        return sorted(found)


def _header(texts: Sequence[tuple[Source, str]]) -> Header:
    days = {
        source: frozenset(day for kind, text in texts if kind is source and (day := _day(text)))
        for source in (Source.BIRTH_DATE, Source.DATE)
    }
    values = {(source, text) for source, text in texts if source not in days}
    births = days[Source.BIRTH_DATE]
    return Header("", "", tuple(sorted(values)), births, births | days[Source.DATE], 2001)


def _day(text: str) -> date | None:
    return parse_da(text[:8]) or parse_da(text[:10])


def _texts(item: OwnValue) -> list[str]:
    """Return the texts of a value.

    It is decoded by the named or a likely character set.
    """
    vr = "PN" if item.source is Source.NAME else "LO"
    reading = read_text(item.value, vr, item.encodings)
    text = reading.text if reading.text is not None else item.value.decode("latin-1")
    parts = [re.sub(r"\s+", " ", part).strip(" \0") for part in text.split("\\")]
    return [part for part in parts if part and not is_placeholder(part)]


@lru_cache(maxsize=4096)
def is_placeholder(text: str) -> bool:
    """Return whether a header value is a placeholder such as ANONYMOUS."""
    return text.upper().strip("^= ") in PLACEHOLDERS


def _needles(source: Source, text: str) -> Iterator[bytes]:
    """Yield search terms for lower case bytes without separators."""
    if source in (Source.DATE, Source.BIRTH_DATE):
        yield from _date_needles(text, spelled=source is Source.BIRTH_DATE)
        return
    if source is Source.NAME:
        yield from _name_needles(text)
        return
    for number in _NUMBERS.findall(text):
        digits = number.lstrip("0")
        if len(digits) >= _SHORTEST_NUMBER:
            yield digits.encode()
    squeezed = _squeezed(text)
    if len(squeezed) >= _SHORTEST_NUMBER and fold(text) not in vocabulary() and not squeezed.isdigit():
        yield squeezed
    if source in (Source.RECORD, Source.PHONE):
        digits = re.sub(r"\D", "", text).lstrip("0")
        if len(digits) >= _SHORTEST_NUMBER:
            yield digits.encode()
        return
    for word in _WORD.findall(text):
        plain = fold(word)
        if len(plain) > _SHORTEST_WORD and plain not in vocabulary() and plain.isascii():
            yield plain.encode()


def _name_needles(text: str) -> Iterator[bytes]:
    for group in text.split("="):
        words = _NAME_WORD.findall(group)
        parts = [part for word in words for part in _spellings(word) if part.isascii()]
        for part in parts:
            if len(part) >= _SHORTEST_WORD and part not in vocabulary():
                yield part.encode()
        for first in parts[:4]:
            for second in parts[:4]:
                if first is not second and len(first) + len(second) >= _SHORTEST_WORD:
                    yield (first + second).encode()


def _spellings(word: str) -> tuple[str, ...]:
    """Return a name without accents, also in national respellings.

    Examples: Muller, Mueller.
    """
    plain, written_out = fold(word), fold(word.lower().translate(_WRITTEN_OUT))
    return (plain,) if plain == written_out else (plain, written_out)


def _date_needles(text: str, *, spelled: bool) -> Iterator[bytes]:
    day = _day(text)
    if day is None:
        return
    year, month, number = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    yield (year + month + number).encode()
    yield (number + month + year).encode()
    yield (month + number + year).encode()
    if not spelled:
        return
    name = _MONTHS[day.month - 1]
    for form in (name, name[:3]):
        for spelling in (
            f"{day.day}{form}{year}",
            f"{form}{day.day}{year}",
            f"{form}{number}{year}",
            f"{year}{form}{number}",
        ):
            yield spelling.encode()
    for short in (number + month + year[2:], month + number + year[2:], year[2:] + month + number):
        yield short.encode()


def _written_days(source: Source, text: str) -> Iterator[bytes]:
    """Yield patterns of a birth date in numbers with separators: 3/2/58."""
    day = _day(text) if source is Source.BIRTH_DATE else None
    if day is not None:
        for first, second in ((day.day, day.month), (day.month, day.day)):
            yield rb"\b0?%d[./ -]0?%d[./ -](?:%02d)?%02d\b" % (first, second, day.year // 100, day.year % 100)


def _short_words(source: Source, text: str) -> Iterator[bytes]:
    """Yield words that need a context to count.

    They count as a name component, after a cue, or as a whole value.
    """
    if source is Source.NAME:
        for word in _NAME_WORD.findall(text):
            plain = fold(word)
            if plain.isascii() and len(plain) > 1 and (len(plain) < 3 or plain in vocabulary()):
                yield plain.encode()
    elif source is Source.RECORD:
        squeezed = _squeezed(text)
        if 1 < len(squeezed) < _SHORTEST_NUMBER:
            yield squeezed


def _middle_words(source: Source, text: str) -> Iterator[bytes]:
    """Yield names of three letters.

    They are too short to be searched inside words.
    """
    if source is Source.NAME:
        for word in _NAME_WORD.findall(text):
            plain = fold(word)
            if len(plain) == 3 and plain.isascii() and plain not in vocabulary():
                yield plain.encode()


def _short_pattern(short: Sequence[bytes], middle: Sequence[bytes], days: Sequence[bytes]) -> re.Pattern[bytes] | None:
    forms = [*days]
    if short:
        words = b"|".join(map(re.escape, short))
        forms.append(rb"(?:[\0\\^]|\b(?:%b)\b[ .:#^-]{0,3})(?:%b)(?![a-z0-9])" % (_CUES, words))
        forms.append(rb"\b(?:%b)\^" % words)
    if middle:
        forms.append(rb"\b(?:%b)\b" % b"|".join(map(re.escape, middle)))
    return re.compile(b"|".join(forms)) if forms else None


def _raw(item: OwnValue) -> Iterator[bytes]:
    """Yield a name's non-ASCII bytes, as encoded and in further encodings."""
    if item.source is not Source.NAME:
        return
    stripped = item.value.strip(b"\0 ")
    if not stripped.isascii() or b"\x1b" in stripped:
        yield from _raw_forms(stripped)
    for text in _texts(item):
        if not text.isascii():
            for encoding in _FURTHER_ENCODINGS:
                for form in (text, text.upper(), text.lower(), text.title()):
                    try:
                        encoded = form.encode(encoding)
                    except UnicodeError:
                        continue
                    yield from _raw_forms(encoded)


def _raw_forms(name: bytes) -> Iterator[bytes]:
    """Yield spellings of an encoded name.

    Its parts are joined in several ways, and each part of four or more bytes counts alone.
    """
    for group in _ESCAPES.sub(b"", name).split(b"="):
        parts = [part.strip() for part in re.split(rb"[\^ ,]+", group) if part.strip()]
        foreign = [part for part in parts if not part.isascii()]
        if not foreign:
            continue
        for separator in (b"", b" ", b"^", b", "):
            for ordered in (parts, parts[::-1]):
                joined = separator.join(ordered)
                if len(joined) >= _SHORTEST_WORD and not joined.isascii():
                    yield joined
        yield from (part for part in foreign if len(part) >= _SHORTEST_WORD)


def _squeezed(text: str) -> bytes:
    return fold(text).encode("ascii", "ignore").translate(None, _SEPARATORS)
