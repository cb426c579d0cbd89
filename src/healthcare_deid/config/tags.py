"""DICOM tags by keyword or number, from PS3.6."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.config.base.suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

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
"""Tags kept by every keep list and by `MINIMAL_KEEP_LIST_PROFILE`, in numeric order.

Google's documentation says that such a set exists and names part of it. The set itself is assumed (fidelity F-02).
"""

PRIMARY_UIDS: tuple[str, ...] = (
    "MediaStorageSOPInstanceUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
)
"""UIDs regenerated unless the config says otherwise (v1 ``DicomConfig.skipIdRedaction``)."""

_VR_TEXT = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
VRS: frozenset[str] = frozenset(_VR_TEXT.split())
"""Value representations, PS3.5 section 6.2."""

# 00100010 or 0x00100010
_HEX = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{8})")
# 0010,0010 or (0010,0010)
_PAIR = re.compile(r"\(?\s*(?:0[xX])?([0-9A-Fa-f]{4})\s*,\s*(?:0[xX])?([0-9A-Fa-f]{4})\s*\)?")
_MAX_TAG = 0xFFFFFFFF


class DictionaryEntry(NamedTuple):
    """A data element of PS3.6.

    Attributes:
        number: Tag; the first one of a repeating group.
        vr: Value representation; several are joined by a slash.
        keyword: Keyword.
    """

    number: int
    vr: str
    keyword: str


class _Table(NamedTuple):
    by_number: dict[int, DictionaryEntry]
    by_keyword: dict[str, DictionaryEntry]
    by_lower_keyword: dict[str, DictionaryEntry]
    repeating: tuple[tuple[int, int, DictionaryEntry], ...]


@lru_cache(maxsize=1)
def _table() -> _Table:
    by_number: dict[int, DictionaryEntry] = {}
    by_keyword: dict[str, DictionaryEntry] = {}
    repeating: list[tuple[int, int, DictionaryEntry]] = []
    text = Path(__file__).with_name("data").joinpath("tags.txt").read_text("ascii")
    for line in text.splitlines()[1:]:
        tag, vr, keyword = line.split(" ")
        # A repeating group such as 60xx (overlays): PS3.6 lists it once, with x for the digits that vary.
        if "x" in tag:
            mask = int("".join("0" if digit == "x" else "F" for digit in tag), 16)
            entry = DictionaryEntry(int(tag.replace("x", "0"), 16), vr, keyword)
            repeating.append((mask, entry.number, entry))
        else:
            entry = by_number[int(tag, 16)] = DictionaryEntry(int(tag, 16), vr, keyword)
        by_keyword[keyword] = entry
    lower = {keyword.lower(): entry for keyword, entry in by_keyword.items()}
    return _Table(by_number, by_keyword, lower, tuple(repeating))


def entry_of(number: int) -> DictionaryEntry | None:
    """Return the dictionary entry of a tag, or `None`."""
    table = _table()
    found = table.by_number.get(number)
    if found is None:
        found = next((entry for mask, value, entry in table.repeating if number & mask == value), None)
    return found


def dictionary_entries() -> Iterator[DictionaryEntry]:
    """Yield every data element of PS3.6.

    A repeating group occurs once, by its first tag.
    """
    table = _table()
    yield from table.by_number.values()
    yield from (entry for _, _, entry in table.repeating)


def keyword_of(number: int) -> str | None:
    """Return the keyword of a tag, or `None`."""
    entry = entry_of(number)
    return entry.keyword if entry else None


def vr_of(tag: str) -> str | None:
    """Return the value representation of a tag, or `None`."""
    entry = entry_of(tag_number(tag))
    return entry.vr if entry else None


def is_private(number: int) -> bool:
    """Return whether a tag is private.

    Private tags have an odd group (PS3.5 section 7.8).
    """
    return bool(number >> 16 & 1)


def tag_number(tag: str) -> int:
    """Return the number of a tag in any spelling.

    Raises:
        ValueError: The text is not a tag.
    """
    entry = _table().by_keyword.get(tag)
    if entry:
        return entry.number
    written = normalize(tag)
    entry = _table().by_keyword.get(written)
    return entry.number if entry else int(written, 16)


def same_tag(one: str, other: str) -> bool:
    """Return whether two spellings denote the same data element."""
    return tag_number(one) == tag_number(other)


def normalize(tag: object) -> str:
    """Return a tag as the API spells it: a keyword or eight hexadecimal digits.

    Args:
        tag: A keyword in any case, ``00100010``, ``0010,0010``, ``(0010,0010)``, ``0x00100010``, or a pydicom tag (a
            number, or a pair of group and element).

    Raises:
        ValueError: The value is not a tag of PS3.6; the text suggests the nearest one.
    """
    if isinstance(tag, str):
        return _normalize_text(tag)
    number = tag
    if isinstance(tag, tuple) and len(tag) == 2 and all(type(part) is int and 0 <= part <= 0xFFFF for part in tag):  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType] # narrowed by the check itself
        number = tag[0] << 16 | tag[1]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MAX_TAG:
        raise ValueError("a tag must be a keyword, eight hexadecimal digits, (gggg,eeee), or a pydicom tag")
    return _known(int(number))


@lru_cache(maxsize=4096)
def _normalize_text(text: str) -> str:
    # A misspelled keyword may be repeated in the error; a wrong value in its place may be patient data.
    found = _table().by_lower_keyword.get(text.strip().lower())
    if found:
        return found.keyword
    digits = _HEX.fullmatch(text.strip()) or _PAIR.fullmatch(text.strip())
    if digits:
        return _known(int("".join(digits.groups()), 16))
    if re.fullmatch(r"[0-9A-Fa-fxX*,()]*[xX*][0-9A-Fa-fxX*,()]*", text.strip()):
        raise ValueError("a tag must not have wildcards")
    if "." in text or "/" in text or ">" in text:
        raise ValueError("a path into a sequence is not a tag: use the sequence or the nested tag itself")
    if text in VRS:
        raise ValueError(f"{text} is a VR; only queries of v1beta1 tag actions accept one")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,79}", text.strip()):
        raise ValueError("a tag must be a keyword, eight hexadecimal digits or (gggg,eeee)")
    raise ValueError(_unknown_keyword(text.strip()))


def _unknown_keyword(text: str) -> str:
    """Describe an unknown keyword, repeating it only if misspelled.

    A near miss is a misspelling. Any other text may be a value.
    """
    guess = did_you_mean(text, list(_table().by_keyword))
    return f"{text} is not a DICOM keyword{guess}" if guess else "not a DICOM keyword"


def _known(number: int) -> str:
    written = f"{number:08X}"
    if is_private(number) or entry_of(number):
        return written
    group = [entry for entry in _table().by_number.values() if entry.number >> 16 == number >> 16]
    if not group:
        raise ValueError(f"{written} is not a tag of DICOM PS3.6, which has no group {number >> 16:04X}")
    near = min(group, key=lambda entry: abs(entry.number - number))
    raise ValueError(f"{written} is not a tag of DICOM PS3.6: did you mean {near.number:08X} ({near.keyword})?")
