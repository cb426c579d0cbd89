"""Search terms for encoded bytes, made from header values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.header_values import ValueKind
from healthcare_deid.engine.text.find.lexicon import fold, vocabulary
from healthcare_deid.engine.text.find.own_values import OwnValue, day_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


SEPARATORS = b" ^-./,_:'()+=\r\n\t\0"

# Shortest name or place that is searched inside other words, in letters.
_SHORTEST_WORD = 4

# Shortest number that counts anywhere, in digits.
_SHORTEST_NUMBER = 5

_NUMBERS = re.compile(r"\d+")

# What a short term follows where it counts.
_CONTEXT = re.compile(
    rb"(?:[\0\\^]|\b(?:pt|pat|patient|name|mr|mrs|ms|miss|dr|prof|herr|frau|mme|sr|sra|for|of|by|id|pid"
    rb"|mrn|no|nr|number)[ .:#^-]{0,3})\Z"
)
_LONGEST_CONTEXT = 11  # a byte more than the longest cue and three separators, to see where the cue begins

_EDGE = re.compile(rb"\b")

# It looks ahead, so that dates may overlap: 1.3.2.58.
_WRITTEN_DAY = re.compile(rb"\b(?=(\d{1,3})[./ -](\d{1,3})[./ -](\d{4}|\d\d)\b)")

# Respellings of letters on keyboards without them.
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})

_WORD = re.compile(r"[^\W\d_]+")

_NAME_WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]*")

_PIECES = re.compile(rb"[-'.]")

# ISO 2022 escape sequences, which separate parts of a name in some encodings.
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


def needles(source: ValueKind, text: str) -> Iterator[bytes]:
    """Yield search terms for lower case bytes without separators."""
    if source in (ValueKind.DATE, ValueKind.BIRTH_DATE):
        yield from _date_needles(text, spelled=source is ValueKind.BIRTH_DATE)
        return
    if source is ValueKind.NAME:
        yield from _name_needles(text)
        return
    for number in _NUMBERS.findall(text):
        digits = number.lstrip("0")
        if len(digits) >= _SHORTEST_NUMBER:
            yield digits.encode()
    squeezed = _squeezed(text)
    if len(squeezed) >= _SHORTEST_NUMBER and fold(text) not in vocabulary() and not squeezed.isdigit():
        yield squeezed
    if source in (ValueKind.RECORD, ValueKind.PHONE):
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
    day = day_of(text)
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


def _short_words(source: ValueKind, text: str) -> Iterator[bytes]:
    """Yield words that need a context to count.

    They count as a name component, after a cue, or as a whole value.
    """
    if source is ValueKind.NAME:
        for word in _NAME_WORD.findall(text):
            plain = fold(word)
            if plain.isascii() and len(plain) > 1 and (len(plain) < 3 or plain in vocabulary()):
                yield plain.encode()
    elif source is ValueKind.RECORD:
        squeezed = _squeezed(text)
        for number in {squeezed, *(run.lstrip("0").encode() for run in _NUMBERS.findall(text))}:
            if 1 < len(number) < _SHORTEST_NUMBER:
                yield number


def _middle_words(source: ValueKind, text: str) -> Iterator[bytes]:
    """Yield names of three letters.

    They are too short to be searched inside words.
    """
    if source is ValueKind.NAME:
        for word in _NAME_WORD.findall(text):
            plain = fold(word)
            if len(plain) == 3 and plain.isascii() and plain not in vocabulary():
                yield plain.encode()


class ShortTerms:
    """Terms that are too short to be searched for anywhere, and birth dates in numbers with separators: 3/2/58.

    A pattern of them all would have to be compiled for every patient, which takes longer than this search.

    Args:
        texts: Identifying header values.
    """

    def __init__(self, texts: Sequence[tuple[ValueKind, str]]) -> None:
        self._short = {word for source, text in texts for word in _short_words(source, text)}
        self._middle = {word for source, text in texts for word in _middle_words(source, text)}
        days = [day for source, text in texts if source is ValueKind.BIRTH_DATE and (day := day_of(text))]
        self._days = {
            (first, second, year)
            for day in days
            for first, second in ((day.day, day.month), (day.month, day.day))
            for year in (b"%04d" % day.year, b"%02d" % (day.year % 100))
        }

    def are_in(self, lower: bytes) -> bool:
        """Return whether encoded elements in lower case contain a term where it counts."""
        return (
            any(_stands_alone(lower, word) for word in self._middle)
            or any(_has_context(lower, word) for word in self._short)
            or (bool(self._days) and self._has_day(lower))
        )

    def _has_day(self, lower: bytes) -> bool:
        written = (match.groups() for match in _WRITTEN_DAY.finditer(lower))
        return any((int(first), int(second), year) in self._days for first, second, year in written)


def _places_of(lower: bytes, word: bytes) -> Iterator[tuple[int, int]]:
    at = lower.find(word)
    while at >= 0:
        yield at, at + len(word)
        at = lower.find(word, at + 1)


def _stands_alone(lower: bytes, word: bytes) -> bool:
    return any(_EDGE.match(lower, at) and _EDGE.match(lower, end) for at, end in _places_of(lower, word))


def _has_context(lower: bytes, word: bytes) -> bool:
    """Return whether a word stands in a name component, after a cue, or as a whole value."""
    for at, end in _places_of(lower, word):
        while word.isdigit() and lower[at - 1 : at] == b"0":
            at -= 1  # noqa: PLW2901 - leading zeros belong to the number
        after = lower[end : end + 1]
        if after == b"^" and _EDGE.match(lower, at):
            return True
        is_joined = lower[max(0, at - 1) : at].isalnum() and not _EDGE.match(lower, at)
        if not (after.isalnum() or is_joined) and _CONTEXT.search(lower, max(0, at - _LONGEST_CONTEXT), at):
            return True
    return False


def raw_names(item: OwnValue) -> Iterator[bytes]:
    """Yield a name's non-ASCII bytes, as encoded and in further encodings."""
    if item.source is not ValueKind.NAME:
        return
    stripped = item.value.strip(b"\0 ")
    if not stripped.isascii() or b"\x1b" in stripped:
        yield from _raw_forms(stripped)
    for text in texts_of(item):
        if not text.isascii():
            for encoding in _FURTHER_ENCODINGS:
                plain = fold(text)  # capitals are often written without accents
                for form in {text, text.upper(), text.lower(), text.title(), plain, plain.upper(), plain.title()}:
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
        for part in foreign:  # García-López, O'Brién
            pieces = _PIECES.split(part)
            if len(pieces) > 1:
                yield from (piece for piece in pieces if len(piece) >= _SHORTEST_WORD and not piece.isascii())


def _squeezed(text: str) -> bytes:
    return fold(text).encode("ascii", "ignore").translate(None, SEPARATORS)
