"""Parsing of a Store reply: stored, conflict, or invalid.

The service replies HTTP 409 both for an instance that exists with different bytes and for an invalid instance. The
private element ``(0009,0097)`` of creator ``GOOGLE`` and the failure reason tell them apart. The body is DICOM JSON or
``NativeDicomModel`` XML (PS3.18 Annex I, PS3.19 Annex A).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal
from xml.etree import ElementTree as ET

from healthcare_deid.client.protocol.replies import parsed_json
from healthcare_deid.client.transfers.identifiers import first_value

Verdict = Literal["conflict", "invalid", "unknown"]

# Duplicate SOP Instance (PS3.4 Annex B.2.3, PS3.7 Annex C.5.7).
_DUPLICATE_REASONS = frozenset({0x0111})
_FAILED, _REASON, _SOP_INSTANCE, _DETAIL = "00081198", "00081197", "00081155", "00090097"
_OTHER_FAILED = "0008119A"
_STORED = "00081199"
_EXISTS = re.compile(r"already\s+exist|checksum|files?\s+differ|duplicate", re.IGNORECASE)
_INVALID = re.compile(
    r"invalid|malformed|not\s+a?\s*(valid\s+)?dicom|pars(e|ing)|missing|corrupt|unsupported", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """Parsed Store reply."""

    failed: bool
    stored: bool = False
    """Whether the body reports a stored instance or is empty. A proxy's HTML page is neither."""
    verdict: Verdict = "unknown"
    reason: int | None = None
    """Failure Reason ``(0008,1197)``."""
    sop_instance_uid: str = field(default="", repr=False)
    detail: str = field(default="", repr=False)
    """Text from the service. It may contain patient data."""


def read_answer(content: bytes) -> StoreAnswer:
    """Parse the body of a Store reply."""
    text = content.decode("utf-8", "replace")
    if not text.strip():
        return StoreAnswer(failed=False, stored=True)
    values = _from_json(text)
    if values is None:
        values = _from_xml(text)
    if values is None:
        return StoreAnswer(failed=False)
    if not values:
        return StoreAnswer(failed=False, stored=True)
    reason = int(values[_REASON]) if re.fullmatch("[0-9]{1,5}", values[_REASON]) else None
    detail = values[_DETAIL]
    verdict: Verdict = "unknown"
    if reason in _DUPLICATE_REASONS or _EXISTS.search(detail):
        verdict = "conflict"
    # 0xA700 and above: out of resources, dataset does not match SOP class, cannot understand (PS3.4 Annex B.2.3).
    elif _INVALID.search(detail) or (reason is not None and reason >= 0xA700):
        verdict = "invalid"
    return StoreAnswer(True, False, verdict, reason, values[_SOP_INSTANCE], detail)


def _from_json(text: str) -> dict[str, str] | None:
    """Return the reason and text for the first failed instance.

    Returns an empty dict if all are stored, and None if the text is not a Store reply.
    """
    value = parsed_json(text)
    # The DICOM JSON model is a list of datasets; the service sends a single object.
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None
    for tag in (_FAILED, _OTHER_FAILED):
        items: Any = value.get(tag, {}).get("Value") if isinstance(value.get(tag), dict) else None
        if isinstance(items, list) and items and isinstance(items[0], dict):
            item: dict[str, Any] = items[0]
            detail = first_value(item, _DETAIL) or first_value(value, _DETAIL)
            return {
                _REASON: first_value(item, _REASON),
                _SOP_INSTANCE: first_value(item, _SOP_INSTANCE),
                _DETAIL: detail,
            }
    return {} if _STORED in value else None


def _from_xml(text: str) -> dict[str, str] | None:
    """Return the same as `_from_json` for XML."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - expat limits entity expansion, and Limits limits the size
    except ET.ParseError:
        return None
    found: dict[str, str] = {}
    for node in root.iter():
        if node.tag.rpartition("}")[2] == "DicomAttribute":
            found.setdefault(node.get("tag", ""), (node.findtext("{*}Value") or "").strip())
    if _FAILED not in found and _OTHER_FAILED not in found:
        return {} if _STORED in found else None
    return {tag: found.get(tag, "") for tag in (_REASON, _SOP_INSTANCE, _DETAIL)}
