"""Encoded text without accents, for the search of names that are typed with and without them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from healthcare_deid.engine.text.find.lexicon import fold

_SHARP_S = b"\xdf"
# UTF-8 of accented Latin letters, combining marks (U+0300 on), invisible characters, spaces and dashes (U+2000 on), and
# full-width letters.
_UTF8 = re.compile(
    rb"[\xc2-\xc5\xcc][\x80-\xbf]|\xcd[\x80-\xaf]|(?:\xe1[\xb8-\xbb]|\xe2[\x80\x81]|\xef[\xbb-\xbd])[\x80-\xbf]"
)
_LEADS = (b"\xc3", b"\xc2", b"\xc4", b"\xc5", b"\xcc", b"\xcd", b"\xe1", b"\xe2", b"\xef")
_DROPPED = dict.fromkeys([0xAD, *range(0x200B, 0x2010), 0xFEFF])
_INVISIBLE, _SEPARATORS = frozenset({"Mn", "Cf"}), frozenset({"Zs", "Pd"})
# Python encodings of more than one byte a letter; ISO-2022-JP is ASCII, and recognized by its escape sequences.
_MULTIBYTE = frozenset({"gb18030", "gbk", "gb2312", "iso_ir_58", "euc_kr", "shift_jis"})


def plain_bytes(lower: bytes, encodings: tuple[str, ...]) -> bytes:
    """Return encoded elements with their accented Latin letters as plain ones.

    Bytes of numbers change too, so the result is good for a search only.

    Args:
        lower: The elements in lower case.
        encodings: Python encodings of their SpecificCharacterSet. UTF-8 is read in any case.
    """
    if lower.isascii():
        return lower
    for encoding in encodings:
        if encoding.lower() in _MULTIBYTE:
            return fold(lower.decode(encoding, "ignore").translate(_DROPPED)).encode("utf-8", "ignore")
    for lead in _LEADS:
        if lead in lower:
            lower = _UTF8.sub(_plain_letter, lower)
            break
    if _SHARP_S in lower:
        lower = lower.replace(_SHARP_S, b"ss")
    return lower.translate(_table(encodings))


@lru_cache(maxsize=64)
def _table(encodings: tuple[str, ...]) -> bytes:
    """Return the plain letter of every byte, in the first of the encodings that has one, or in Latin-1."""
    return bytes(_plain_byte(number, (*encodings, "latin_1")) for number in range(256))


def _plain_byte(number: int, encodings: tuple[str, ...]) -> int:
    for encoding in encodings if number >= 0x80 else ():
        try:
            plain = fold(bytes([number]).decode(encoding))
        except UnicodeError:
            continue
        return ord(plain) if len(plain) == 1 and plain.isascii() and plain.isalpha() else number
    return number


def _plain_letter(found: re.Match[bytes]) -> bytes:
    return _plain_of(found[0])


@lru_cache(maxsize=1024)
def _plain_of(encoded: bytes) -> bytes:
    character = encoded.decode("utf-8", "ignore")
    plain = fold(character)
    if plain.isascii() and plain.isalnum():
        return plain.encode()
    category = unicodedata.category(character) if character else ""
    if category in _INVISIBLE:
        return b""
    return b" " if category in _SEPARATORS else encoded
