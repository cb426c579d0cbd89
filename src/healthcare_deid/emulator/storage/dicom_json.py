"""A dataset as DICOM JSON (PS3.18 annex F): what searches and metadata give; bulk values as links.

Most elements hold plain ASCII text or numbers. Those are read from their bytes; pydicom, which knows every exception,
does the others. The results are the same, and the index is filled several times faster.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import RawDataElement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydicom.dataset import Dataset
    from pydicom.tag import BaseTag

BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
"""VRs whose values are never part of search results or metadata, only a link."""

_PIXEL_GROUP = 0x7FE0
_TEXT = frozenset({"AE", "AS", "CS", "DA", "LO", "SH", "TM", "UI"})
_WHOLE_TEXT = frozenset({"LT", "ST", "UT"})
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_EMPTIED = _TEXT | _WHOLE_TEXT | _NUMBERS.keys() | {"DS", "IS", "PN"}
_DECIMAL = re.compile(rb"-?\d{1,15}(\.\d{1,15})?")
_INTEGER = re.compile(rb"-?\d{1,9}")
_ESCAPE = 0x1B


def to_json(dataset: Dataset, path: str = "", *, fast: bool = True) -> dict[str, Any]:
    """Return a dataset as DICOM JSON; an element that cannot be expressed keeps its VR and loses its value.

    Args:
        dataset: The dataset.
        path: Where it is in its instance, with a slash at the end; links to bulk values start with it.
        fast: Read plain values from their bytes; for tests, which compare.
    """
    made: dict[str, Any] = {}
    for tag, element in list(dataset.items()):
        if not tag & 0xFFFF:  # group lengths
            continue
        name = f"{tag:08X}"
        try:
            plain = _plain(element, f"{path}{name}") if fast else None
            made[name] = plain or _element(dataset, tag, f"{path}{name}", fast=fast)
        except Exception:  # noqa: BLE001 - values in the wild break converters in many ways
            made[name] = {"vr": str(getattr(element, "VR", None) or "UN")}
    return made


def _plain(element: Any, path: str) -> dict[str, Any] | None:
    """Return an element whose bytes say it all, or None."""
    if not isinstance(element, RawDataElement) or element.tag.group == _PIXEL_GROUP:
        return None
    vr = element.VR or (dictionary_VR(element.tag) if dictionary_has_tag(element.tag) else "")
    deferred = element.value is None and element.length > 0
    if vr in BULK_VRS and (vr != "UN" or deferred):  # pydicom may know better what a UN is
        return {"vr": vr, "BulkDataURI": f"bulkdata/{path}"} if element.length else {"vr": vr}
    if not element.value:
        return {"vr": vr} if vr in _EMPTIED and element.length == 0 else None
    value = element.value
    if vr in _NUMBERS:
        count, odd = divmod(len(value), struct.calcsize(_NUMBERS[vr]))
        order = "<" if element.is_little_endian else ">"
        return None if odd else {"vr": vr, "Value": _finite(struct.unpack(f"{order}{count}{_NUMBERS[vr]}", value))}
    value = value.rstrip(b" \0")
    if not value.isascii() or _ESCAPE in value or 0 in value:
        return None
    parts = value.split(b"\\")
    if not all(part and part == part.strip() for part in parts):
        return None
    if vr in _TEXT:
        return {"vr": vr, "Value": [part.decode() for part in parts]}
    if vr in _WHOLE_TEXT and len(parts) == 1:
        return {"vr": vr, "Value": [value.decode()]}
    if vr == "PN" and b"=" not in value:
        return {"vr": vr, "Value": [{"Alphabetic": part.decode()} for part in parts]}
    if vr == "DS" and all(_DECIMAL.fullmatch(part) for part in parts):
        return {"vr": vr, "Value": [float(part) for part in parts]}
    if vr == "IS" and all(_INTEGER.fullmatch(part) for part in parts):
        return {"vr": vr, "Value": [int(part) for part in parts]}
    return None


def _element(dataset: Dataset, tag: BaseTag, path: str, *, fast: bool) -> dict[str, Any]:
    if tag.group == _PIXEL_GROUP:
        # Not decoded: the index needs no pixels, and a deferred value would be read from disk.
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
    """Put null, an empty value, where JSON has no number: infinities, and what is none."""
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]
