"""What a store's answer to an instance means: stored, conflict, or invalid. No I/O.

The service answers HTTP 409 both when an instance with the same UIDs and other bytes exists and when an instance is
invalid. They differ in the attribute ``(0009,0097)`` of the private creator ``GOOGLE`` and in the failure reason, in a
body that is DICOM JSON or ``NativeDicomModel`` XML (PS3.18 Annex I, PS3.19 Annex A).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Literal

Verdict = Literal["conflict", "invalid", "unknown"]

_DUPLICATE_REASONS = frozenset({0x0111})
"""PS3.4 Annex B.2.3 / PS3.7 Annex C.5.7: Duplicate SOP Instance."""
_FAILED, _REASON, _SOP_INSTANCE, _DETAIL = "00081198", "00081197", "00081155", "00090097"
_OTHER_FAILED = "0008119A"
_EXISTS = re.compile(r"already\s+exist|checksum|files?\s+differ|duplicate", re.IGNORECASE)
_INVALID = re.compile(
    r"invalid|malformed|not\s+a?\s*(valid\s+)?dicom|pars(e|ing)|missing|corrupt|unsupported", re.IGNORECASE
)
_XML_VALUE = r'<DicomAttribute[^>]*\btag="{tag}"[^>]*>\s*<Value[^>]*>([^<]*)</Value>'


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """What the body of an answer to Store says."""

    failed: bool
    verdict: Verdict = "unknown"
    reason: int | None = None
    """Failure Reason ``(0008,1197)``."""
    sop_instance_uid: str = field(default="", repr=False)
    detail: str = field(default="", repr=False)
    """The service's own words; may hold data."""


def read_answer(content: bytes) -> StoreAnswer:
    """Read the body of an answer to Store."""
    text = content.decode("utf-8", "replace")
    values = _from_json(text) or _from_xml(text)
    if values is None:
        return StoreAnswer(failed=False)
    reason = int(values[_REASON]) if values[_REASON].isdecimal() else None
    detail = values[_DETAIL]
    verdict: Verdict = "unknown"
    if reason in _DUPLICATE_REASONS or _EXISTS.search(detail):
        verdict = "conflict"
    elif _INVALID.search(detail) or (reason is not None and reason >= 0xA700):
        verdict = "invalid"
    return StoreAnswer(True, verdict, reason, values[_SOP_INSTANCE], detail)


def _from_json(text: str) -> dict[str, str] | None:
    try:
        value: Any = json.loads(text)
    except ValueError:
        return None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    for tag in (_FAILED, _OTHER_FAILED):
        items: Any = value.get(tag, {}).get("Value") if isinstance(value.get(tag), dict) else None
        if isinstance(items, list) and items and isinstance(items[0], dict):
            item: dict[str, Any] = items[0]
            detail = _first(item, _DETAIL) or _first(value, _DETAIL)
            return {
                _REASON: _first(item, _REASON),
                _SOP_INSTANCE: _first(item, _SOP_INSTANCE),
                _DETAIL: detail,
            }
    return None


def _first(item: dict[str, Any], tag: str) -> str:
    element = item.get(tag)
    values: Any = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _from_xml(text: str) -> dict[str, str] | None:
    if f'tag="{_FAILED}"' not in text and f'tag="{_OTHER_FAILED}"' not in text:
        return None
    found: dict[str, str] = {}
    for tag in (_REASON, _SOP_INSTANCE, _DETAIL):
        match = re.search(_XML_VALUE.format(tag=tag), text)
        found[tag] = unescape(match.group(1)).strip() if match else ""
    return found
