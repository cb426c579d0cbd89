"""Text values: their bytes read in the character set that the instance names, or in the one they are really in.

Archives hold text whose bytes are in another character set than (0008,0005) says. A decoding that cannot be right is
noticed, and the likely sets are tried: what nobody can read may say anything.
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
"""VRs whose text is in the character set that the instance names (PS3.5 section 6.1.2.2)."""
DEFAULT_ENCODING: tuple[str, ...] = ("iso8859",)
LIKELY = ("utf_8", "shift_jis", "euc_kr", "gb18030", "big5", "cp1251", "latin_1")
"""Python encodings to try where the named one cannot be right, those that refuse most first."""
_DEFAULT_REPERTOIRE = frozenset(map(chr, range(0x20, 0x7F)))
"""Characters of ISO IR 6, the character set where none is named (PS3.5 section 6.1.2.1)."""
_ESCAPE = b"\x1b"
_IMPOSSIBLE = re.compile(r"[\ufffd\x80-\x9f]")
"""What a wrong decoding leaves: replacement characters, and control characters that no device writes."""
_LONE_HIGH_BYTES = re.compile(rb"(?:[\x00-\x7f]*[\x80-\xff](?![\x80-\xff]))+[\x00-\x7f]*")


class Reading(NamedTuple):
    """A text value, decoded.

    Attributes:
        text: The text; None where no character set makes sense of the bytes.
        encodings: Python encodings that it was read with, and is written with.
        contradicts: Whether the bytes are not in the character set that the instance names.
    """

    text: str | None
    encodings: tuple[str, ...]
    contradicts: bool = False


def encoding_named(name: str) -> str:
    """Return the Python encoding of a DICOM term, or of Python's own name for one; empty for none.

    Raises:
        ConfigError: Neither knows the name.
    """
    if not name:
        return ""
    known = python_encoding.get(name) or python_encoding.get(name.replace("_", " ")) or name
    try:
        return codecs.lookup(known).name
    except LookupError:
        raise ConfigError('fallback_charset: a DICOM term such as "GB18030", or a Python encoding, is needed') from None


def encodings_of(value: bytes | None) -> tuple[str, ...]:
    """Return Python encodings for a SpecificCharacterSet value; what is unknown is read as Latin-1."""
    return _known_encodings(value) if value else DEFAULT_ENCODING


@lru_cache(maxsize=256)
def _known_encodings(value: bytes) -> tuple[str, ...]:
    names = [part.strip(b"\0 ").decode("ascii", "replace") for part in value.split(b"\\")]
    try:
        return tuple(convert_encodings(names))
    except (LookupError, ValueError):
        return DEFAULT_ENCODING


def read_text(value: bytes, vr: str, encodings: Sequence[str], fallback: str = "") -> Reading:
    """Decode a value.

    Args:
        value: As encoded.
        vr: Its VR.
        encodings: Python encodings of the character set that the instance names.
        fallback: The Python encoding to try first where that one cannot be right.
    """
    used = tuple(encodings) if vr in CHARSET_VRS else DEFAULT_ENCODING
    if value.isascii() and (_ESCAPE not in value or len(used) == 1):
        return Reading(_decoded(value, vr, used), used)
    text = _decoded(value, vr, used)
    if not _contradicts(value, text, used):
        return Reading(text, used)
    lone = _LONE_HIGH_BYTES.fullmatch(value) is not None
    for encoding in filter(None, (fallback, "utf_8", *(("cp1252",) if lone else ()), *LIKELY)):
        try:
            text = value.decode(encoding)
        except (UnicodeError, LookupError):
            continue
        if not _IMPOSSIBLE.search(text):
            return Reading(_decoded(value, vr, (encoding,)), (encoding,), contradicts=True)
    return Reading(None, used, contradicts=True)


def _contradicts(value: bytes, text: str, encodings: tuple[str, ...]) -> bool:
    if _IMPOSSIBLE.search(text):
        return True
    named, *further = encodings
    if further or named in ("utf8", "utf_8"):
        return False
    if named == DEFAULT_ENCODING[0]:
        return True  # the default repertoire is ASCII
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return named not in ("gb18030", "GBK", "gbk")  # two bytes of one Chinese letter are also UTF-8, by chance


def write_text(text: str, vr: str, encodings: Sequence[str], old: str) -> bytes:
    """Encode a value, padded.

    Raises:
        UnicodeError: The character set lacks a character that the old value had not.
    """
    if encodings[0] == DEFAULT_ENCODING[0] and not set(text).difference(old) <= _DEFAULT_REPERTOIRE:
        raise UnicodeError  # pydicom reads as Latin-1 what says nothing of its character set, and may hold ASCII only
    if vr == "PN":
        names = [PersonName(part, list(encodings)) for part in text.split("\\")]
        value = b"\\".join(name.encode(list(encodings)) if name else b"" for name in names)
    else:
        value = encode_string(text, list(encodings))
    if _decoded(value, vr, tuple(encodings)) != text:
        raise UnicodeError  # pydicom writes "?" for what it cannot write
    return value + b" " if len(value) % 2 else value


def _decoded(value: bytes, vr: str, encodings: tuple[str, ...]) -> str:
    # As a whole: in a two-byte character set, delimiters are also second bytes of other characters.
    text = decode_bytes(value, list(encodings), TEXT_VR_DELIMS)
    return "\\".join(part.rstrip("=") for part in text.split("\\")) if vr == "PN" else text
