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

_CUES = rb"pt|pat|patient|name|mr|mrs|ms|miss|dr|prof|herr|frau|mme|sr|sra|for|of|by"

# Respellings of letters on keyboards without them.
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})

_WORD = re.compile(r"[^\W\d_]+")

_NAME_WORD = re.compile(r"[^\W_]*[^\W\d_][^\W_]*")

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


def _written_days(source: ValueKind, text: str) -> Iterator[bytes]:
    """Yield patterns of a birth date in numbers with separators: 3/2/58."""
    day = day_of(text) if source is ValueKind.BIRTH_DATE else None
    if day is not None:
        for first, second in ((day.day, day.month), (day.month, day.day)):
            yield rb"\b0?%d[./ -]0?%d[./ -](?:%02d)?%02d\b" % (first, second, day.year // 100, day.year % 100)


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
        if 1 < len(squeezed) < _SHORTEST_NUMBER:
            yield squeezed


def _middle_words(source: ValueKind, text: str) -> Iterator[bytes]:
    """Yield names of three letters.

    They are too short to be searched inside words.
    """
    if source is ValueKind.NAME:
        for word in _NAME_WORD.findall(text):
            plain = fold(word)
            if len(plain) == 3 and plain.isascii() and plain not in vocabulary():
                yield plain.encode()


def pattern_of_short_words(texts: Sequence[tuple[ValueKind, str]]) -> re.Pattern[bytes] | None:
    """Return a pattern of terms that are too short to be searched anywhere, or None."""
    short = sorted({word for source, text in texts for word in _short_words(source, text)})
    middle = sorted({word for source, text in texts for word in _middle_words(source, text)})
    days = [pattern for source, text in texts for pattern in _written_days(source, text)]
    return _short_pattern(short, middle, days)


def _short_pattern(short: Sequence[bytes], middle: Sequence[bytes], days: Sequence[bytes]) -> re.Pattern[bytes] | None:
    forms = [*days]
    if short:
        words = b"|".join(map(re.escape, short))
        forms.append(rb"(?:[\0\\^]|\b(?:%b)\b[ .:#^-]{0,3})(?:%b)(?![a-z0-9])" % (_CUES, words))
        forms.append(rb"\b(?:%b)\^" % words)
    if middle:
        forms.append(rb"\b(?:%b)\b" % b"|".join(map(re.escape, middle)))
    return re.compile(b"|".join(forms)) if forms else None


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
    return fold(text).encode("ascii", "ignore").translate(None, SEPARATORS)
