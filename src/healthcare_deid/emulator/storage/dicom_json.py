"""DICOM JSON of a dataset (PS3.18 Annex F), with links to bulk data.

Most elements hold plain ASCII text or numbers. A table of VRs reads these from their bytes, which fills the index
several times faster. pydicom converts the others. Both give the same result.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
"""VRs of bulk data: a link in metadata, and omitted from search results."""

_PIXEL_GROUP = 0x7FE0
_ESCAPE = 0x1B  # starts an ISO 2022 escape sequence, which changes the character set
# Longer numbers and exponents are left to pydicom.
_DECIMAL = re.compile(rb"-?\d{1,15}(\.\d{1,15})?")
_INTEGER = re.compile(rb"-?\d{1,9}")


def to_json(dataset: Dataset, path: str = "", *, fast: bool = True) -> dict[str, Any]:
    """Convert a dataset to DICOM JSON.

    An element that cannot be converted keeps its VR and loses its value.

    Args:
        dataset: Dataset.
        path: Path of a sequence item in its instance, with a trailing slash. Links to bulk data start with it.
        fast: Whether to read plain values from their bytes. Tests turn it off to compare.
    """
    made: dict[str, Any] = {}
    for tag, element in list(dataset.items()):
        if not tag & 0xFFFF:  # a group length (gggg,0000), which DICOM JSON does not have
            continue
        name = f"{tag:08X}"
        try:
            plain = _plain(element, f"{path}{name}") if fast else None
            made[name] = plain or _element(dataset, tag, f"{path}{name}", fast=fast)
        except Exception:  # noqa: BLE001 - invalid values make pydicom raise anything
            made[name] = {"vr": str(getattr(element, "VR", None) or "UN")}
    return made


def _plain(element: Any, path: str) -> dict[str, Any] | None:
    """Convert an undecoded element whose bytes need no interpretation.

    Returns None for any other element.
    """
    if not isinstance(element, RawDataElement) or element.tag.group == _PIXEL_GROUP:
        return None
    vr = element.VR or (dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "")
    deferred = element.value is None and element.length > 0
    if vr in BULK_VRS and (vr != "UN" or deferred):  # pydicom may find the real VR of a UN element
        return {"vr": vr, "BulkDataURI": f"bulkdata/{path}"} if element.length else {"vr": vr}
    if not element.value:
        known = vr in _NUMBERS or vr in _TEXT_READERS
        return {"vr": vr} if known and element.length == 0 else None
    if vr in _NUMBERS:
        values = _numbers(element.value, _NUMBERS[vr], little=element.is_little_endian)
    else:
        reader = _TEXT_READERS.get(vr)
        values = _plain_text(element.value, reader) if reader else None
    return None if values is None else {"vr": vr, "Value": values}


def _numbers(value: bytes, code: str, *, little: bool) -> list[Any] | None:
    count, odd = divmod(len(value), struct.calcsize(code))
    return None if odd else _finite(struct.unpack(f"{'<' if little else '>'}{count}{code}", value))


def _plain_text(value: bytes, reader: Callable[[list[bytes]], list[Any] | None]) -> list[Any] | None:
    # Text is padded to an even length with a space or NUL (PS3.5 section 6.2).
    value = value.rstrip(b" \0")
    if not value.isascii() or _ESCAPE in value or 0 in value:
        return None
    parts = value.split(b"\\")
    return reader(parts) if all(part and part == part.strip() for part in parts) else None


def _texts(parts: list[bytes]) -> list[Any]:
    return [part.decode() for part in parts]


# A backslash does not separate values in LT, ST and UT (PS3.5 section 6.2).
def _whole_text(parts: list[bytes]) -> list[Any] | None:
    return _texts(parts) if len(parts) == 1 else None


# "=" separates the alphabetic, ideographic and phonetic representations of a PN (PS3.5 section 6.2).
def _names(parts: list[bytes]) -> list[Any] | None:
    return None if any(b"=" in part for part in parts) else [{"Alphabetic": part.decode()} for part in parts]


def _decimals(parts: list[bytes]) -> list[Any] | None:
    return [float(part) for part in parts] if all(map(_DECIMAL.fullmatch, parts)) else None


def _integers(parts: list[bytes]) -> list[Any] | None:
    return [int(part) for part in parts] if all(map(_INTEGER.fullmatch, parts)) else None


_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
# Readers of plain values by VR. A reader returns None for values that pydicom must convert.
_TEXT_READERS: dict[str, Callable[[list[bytes]], list[Any] | None]] = {
    **dict.fromkeys(("AE", "AS", "CS", "DA", "LO", "SH", "TM", "UI"), _texts),
    **dict.fromkeys(("LT", "ST", "UT"), _whole_text),
    "PN": _names,
    "DS": _decimals,
    "IS": _integers,
}


def _element(dataset: Dataset, tag: BaseTag, path: str, *, fast: bool) -> dict[str, Any]:
    if tag.group == _PIXEL_GROUP:
        # Not accessed: the index needs no pixels, and access would read a deferred value from disk.
        vr = getattr(dataset.get_item(tag, keep_deferred=True), "VR", None)
        return {"vr": str(vr or "OW"), "BulkDataURI": f"bulkdata/{path}"}
    element = dataset[tag]
    vr = str(element.VR)
    if vr == "SQ":
        items = [to_json(item, f"{path}/{index}/", fast=fast) for index, item in enumerate(element.value)]
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    if vr in BULK_VRS:
        return {"vr": vr, "BulkDataURI": f"bulkdata/{path}"} if element.value else {"vr": vr}
    converted: dict[str, Any] = element.to_json_dict(None, 1 << 62)
    if "Value" in converted:
        converted["Value"] = _finite(converted["Value"])
    return converted


def _finite(values: Iterable[Any]) -> list[Any]:
    """Replace infinities and NaN, which JSON does not have, with null."""
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]
