"""DICOM tags: keywords and numbers, in every spelling people use. The table is PS3.6, read when it is first needed."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from healthcare_deid.config.problems import did_you_mean

MINIMAL_KEEP_TAGS: tuple[str, ...] = (
    "MediaStorageSOPClassUID",
    "MediaStorageSOPInstanceUID",
    "TransferSyntaxUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelAspectRatio",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "ICCProfile",
    "ColorSpace",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "PixelData",
)
"""Tags that stay in every keep list and in `MINIMAL_KEEP_LIST_PROFILE`, in the order of their numbers.

Google's documentation says that such a set exists and names part of it; the set itself is assumed (fidelity F-02).
"""

PRIMARY_UIDS: tuple[str, ...] = (
    "MediaStorageSOPInstanceUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
)
"""UIDs that are regenerated unless the config says otherwise (v1 ``DicomConfig.skipIdRedaction``)."""

_VR_TEXT = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
VRS: frozenset[str] = frozenset(_VR_TEXT.split())
"""Value representations, PS3.5 section 6.2."""

_HEX = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{8})")
_PAIR = re.compile(r"\(?\s*(?:0[xX])?([0-9A-Fa-f]{4})\s*,\s*(?:0[xX])?([0-9A-Fa-f]{4})\s*\)?")
_MAX_TAG = 0xFFFFFFFF


class Entry(NamedTuple):
    """A data element of PS3.6.

    Attributes:
        number: Its tag; of a repeating group the first.
        vr: Its value representation; several joined by a slash.
        keyword: Its keyword.
    """

    number: int
    vr: str
    keyword: str


class _Table(NamedTuple):
    by_number: dict[int, Entry]
    by_keyword: dict[str, Entry]
    by_lower_keyword: dict[str, Entry]
    repeating: tuple[tuple[int, int, Entry], ...]


@lru_cache(maxsize=1)
def _table() -> _Table:
    by_number: dict[int, Entry] = {}
    by_keyword: dict[str, Entry] = {}
    repeating: list[tuple[int, int, Entry]] = []
    text = Path(__file__).with_name("data").joinpath("tags.txt").read_text("ascii")
    for line in text.splitlines()[1:]:
        tag, vr, keyword = line.split(" ")
        if "x" in tag:
            mask = int("".join("0" if digit == "x" else "F" for digit in tag), 16)
            entry = Entry(int(tag.replace("x", "0"), 16), vr, keyword)
            repeating.append((mask, entry.number, entry))
        else:
            entry = by_number[int(tag, 16)] = Entry(int(tag, 16), vr, keyword)
        by_keyword[keyword] = entry
    lower = {keyword.lower(): entry for keyword, entry in by_keyword.items()}
    return _Table(by_number, by_keyword, lower, tuple(repeating))


def entry_of(number: int) -> Entry | None:
    """Return what PS3.6 says of a tag; nothing for a private or unknown one."""
    table = _table()
    found = table.by_number.get(number)
    if found is None:
        found = next((entry for mask, value, entry in table.repeating if number & mask == value), None)
    return found


def keyword_of(number: int) -> str | None:
    """Return the keyword of a tag; nothing for a private or unknown one."""
    entry = entry_of(number)
    return entry.keyword if entry else None


def vr_of(tag: str) -> str | None:
    """Return the value representation of a keyword or 8-hex tag; nothing for a private or unknown one."""
    entry = entry_of(tag_number(tag))
    return entry.vr if entry else None


def is_private(number: int) -> bool:
    """Return whether a tag is private: its group is odd (PS3.5 section 7.8)."""
    return bool(number >> 16 & 1)


def tag_number(tag: str) -> int:
    """Return the number of a keyword or of a tag in any spelling `normalise` takes.

    Raises:
        ValueError: It is none.
    """
    entry = _table().by_keyword.get(tag)
    if entry:
        return entry.number
    written = normalise(tag)
    entry = _table().by_keyword.get(written)
    return entry.number if entry else int(written, 16)


def same_tag(one: str, other: str) -> bool:
    """Return whether two spellings mean the same data element."""
    return tag_number(one) == tag_number(other)


def normalise(tag: object) -> str:
    """Return a tag as the API takes it: a keyword stays a keyword, a number becomes eight hexadecimal digits.

    Args:
        tag: A keyword in any case, ``00100010``, ``0010,0010``, ``(0010,0010)``, ``0x00100010``, or a pydicom tag: a
            number, or a pair of group and element.

    Raises:
        ValueError: It is no tag, or one that PS3.6 does not have; the text names the nearest that it has.
    """
    if isinstance(tag, str):
        return _normalise_text(tag)
    number = tag
    if isinstance(tag, tuple) and len(tag) == 2 and all(type(part) is int and 0 <= part <= 0xFFFF for part in tag):  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] # narrowed by the check itself
        number = tag[0] << 16 | tag[1]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MAX_TAG:
        raise ValueError("a tag is a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag")
    return _known(int(number))


@lru_cache(maxsize=4096)
def _normalise_text(text: str) -> str:
    found = _table().by_lower_keyword.get(text.strip().lower())
    if found:
        return found.keyword
    digits = _HEX.fullmatch(text.strip()) or _PAIR.fullmatch(text.strip())
    if digits:
        return _known(int("".join(digits.groups()), 16))
    if re.fullmatch(r"[0-9A-Fa-fxX*,()]*[xX*][0-9A-Fa-fxX*,()]*", text.strip()):
        raise ValueError("a tag has no wildcards")
    if "." in text or "/" in text or ">" in text:
        raise ValueError("a path into a sequence is no tag: name the sequence, or the tag itself")
    if text in VRS:
        raise ValueError(f"{text} is a VR; only the queries of v1beta1 tag actions take one")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,79}", text.strip()):
        raise ValueError("a tag is a keyword, eight hexadecimal digits or (gggg,eeee)")
    raise ValueError(_unknown_keyword(text.strip()))


def _unknown_keyword(text: str) -> str:
    """Repeat the text only where it is nearly a keyword: such a text is a misspelling and no value."""
    guess = did_you_mean(text, list(_table().by_keyword))
    return f"{text} is no DICOM keyword{guess}" if guess else "no DICOM keyword"


def _known(number: int) -> str:
    written = f"{number:08X}"
    if is_private(number) or entry_of(number):
        return written
    group = [entry for entry in _table().by_number.values() if entry.number >> 16 == number >> 16]
    if not group:
        raise ValueError(f"{written} is no tag of DICOM PS3.6, which has no group {number >> 16:04X}")
    near = min(group, key=lambda entry: abs(entry.number - number))
    raise ValueError(f"{written} is no tag of DICOM PS3.6: did you mean {near.number:08X} ({near.keyword})?")
