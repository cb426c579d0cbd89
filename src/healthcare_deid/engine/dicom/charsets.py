"""Decoding and encoding of text values.

Archives hold text in another character set than SpecificCharacterSet (0008,0005) says. A decoding that cannot be right
is
detected, and likely character sets are tried. A value that none decodes may hold anything, so callers remove it.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.charset import convert_encodings, decode_bytes, encode_string, python_encoding
from pydicom.valuerep import TEXT_VR_DELIMS, PersonName

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""VRs that SpecificCharacterSet applies to (PS3.5 section 6.1.2.2)."""
DEFAULT_ENCODING: tuple[str, ...] = ("iso8859",)
LIKELY = ("utf_8", "shift_jis", "euc_kr", "gb18030", "big5", "cp1251", "latin_1")
"""Python encodings to try where the named one cannot be right, the strictest first."""
# Characters of ISO IR 6, the default repertoire (PS3.5 section 6.1.2.1).
_DEFAULT_REPERTOIRE = frozenset(map(chr, range(0x20, 0x7F)))
_ESCAPE = b"\x1b"
# Escape sequences of the Japanese, Korean and Chinese sets that ISO-2022-JP-2 knows, in seven bits.
_SEVEN_BIT = re.compile(rb"\x1b\$(?:[@AB]|\([CD])")
# Signs of a wrong decoding: replacement characters, and control characters that no device writes.
_IMPOSSIBLE = re.compile(r"[\ufffd\x80-\x9f]")
_LONE_HIGH_BYTES = re.compile(rb"(?:[\x00-\x7f]*[\x80-\xff](?![\x80-\xff]))+[\x00-\x7f]*")


class DecodedText(NamedTuple):
    """A decoded text value.

    Attributes:
        text: The text, or None if no character set decodes the bytes.
        encodings: Python encodings that it was read with and is written with.
        contradicts: Whether the bytes contradict the instance's SpecificCharacterSet.
    """

    text: str | None
    encodings: tuple[str, ...]
    contradicts: bool = False


def encoding_named(name: str) -> str:
    """Return the Python encoding for a character set name.

    The name is a DICOM defined term or Python's own. An empty name gives an empty result.

    Raises:
        ConfigError: The name is neither.
    """
    if not name:
        return ""
    known = python_encoding.get(name) or python_encoding.get(name.replace("_", " ")) or name
    try:
        return codecs.lookup(known).name
    except LookupError:
        raise ConfigError(
            'fallback_charset: not a known character set; use a DICOM term such as "GB18030" or a Python encoding'
        ) from None


def encodings_of(value: bytes | None) -> tuple[str, ...]:
    """Return the Python encodings for a SpecificCharacterSet value.

    An unknown value is read as Latin-1.
    """
    return _known_encodings(value) if value else DEFAULT_ENCODING


@lru_cache(maxsize=256)
def _known_encodings(value: bytes) -> tuple[str, ...]:
    names = [part.strip(b"\0 ").decode("ascii", "replace") for part in value.split(b"\\")]
    try:
        return tuple(convert_encodings(names))
    except (LookupError, ValueError):
        return DEFAULT_ENCODING


def read_text(value: bytes, vr: str, encodings: Sequence[str], fallback: str = "") -> DecodedText:
    """Decode a text value.

    Args:
        value: The encoded value.
        vr: Its VR.
        encodings: Python encodings of the instance's SpecificCharacterSet.
        fallback: Python encoding to try first if that one cannot be right.
    """
    used = tuple(encodings) if vr in CHARSET_VRS else DEFAULT_ENCODING
    if len(used) == 1 and not used[0].startswith("iso2022") and value.isascii() and _SEVEN_BIT.search(value):
        return _read_escaped(value, vr, used)
    # ASCII is the same in every set, unless an escape sequence selects another one (PS3.5 section 6.1.2.5).
    if value.isascii() and (_ESCAPE not in value or len(used) == 1):
        return DecodedText(_decoded(value, vr, used), used)
    text = _decoded(value, vr, used)
    if not _contradicts(value, text, used):
        return DecodedText(text, used)
    # Single high bytes between ASCII are accented letters of a Western set, not halves of two-byte characters.
    lone = _LONE_HIGH_BYTES.fullmatch(value) is not None
    for encoding in filter(None, (fallback, "utf_8", *(("cp1252",) if lone else ()), *LIKELY)):
        try:
            text = value.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if not _IMPOSSIBLE.search(text):
            return DecodedText(_decoded(value, vr, (encoding,)), (encoding,), contradicts=True)
    return DecodedText(None, used, contradicts=True)


def _read_escaped(value: bytes, vr: str, used: tuple[str, ...]) -> DecodedText:
    """Decode ISO 2022 text of an instance that names a set without escape sequences."""
    try:
        value.decode("iso2022_jp_2")
    except UnicodeDecodeError:
        return DecodedText(None, used, contradicts=True)
    escaped = ("iso8859", "iso2022_jp", "iso2022_jp_2")
    return DecodedText(_decoded(value, vr, escaped), escaped, contradicts=True)


def _contradicts(value: bytes, text: str, encodings: tuple[str, ...]) -> bool:
    if _IMPOSSIBLE.search(text):
        return True
    named, *further = encodings
    codec = codecs.lookup(named).name  # pydicom writes UTF8, GB18030
    # With code extensions the bytes cannot be checked, because escape sequences select the set.
    if further or codec == "utf-8":
        return False
    if named == DEFAULT_ENCODING[0]:
        return True  # the default repertoire is ASCII, and this value is not
    try:
        # Text of a single-byte set is hardly ever valid UTF-8, so valid UTF-8 contradicts the named set.
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return codec not in ("gb18030", "gbk")  # two bytes of a Chinese character can be valid UTF-8 by chance


def write_text(text: str, vr: str, encodings: Sequence[str], old: str) -> bytes:
    """Encode a text value and pad it to even length.

    Raises:
        UnicodeError: The character set lacks a character that is new in the text.
    """
    if encodings[0] == DEFAULT_ENCODING[0] and not set(text).difference(old) <= _DEFAULT_REPERTOIRE:
        # Without SpecificCharacterSet a value may hold ASCII only, although pydicom decodes it as Latin-1.
        raise UnicodeError
    if vr == "PN":
        names = [PersonName(part, list(encodings)) for part in text.split("\\")]
        value = b"\\".join(name.encode(list(encodings)) if name else b"" for name in names)
    else:
        value = encode_string(text, list(encodings))
    if _decoded(value, vr, tuple(encodings)) != text:
        raise UnicodeError  # pydicom writes "?" for characters that it cannot encode
    return value + b" " if len(value) % 2 else value


def _decoded(value: bytes, vr: str, encodings: tuple[str, ...]) -> str:
    # Decode before splitting: in two-byte character sets a backslash or caret can be the second byte of a character.
    text = decode_bytes(value, list(encodings), TEXT_VR_DELIMS)
    return "\\".join(part.rstrip("=") for part in text.split("\\")) if vr == "PN" else text
