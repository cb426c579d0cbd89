"""Placeholders for action D of PS3.15."""

from __future__ import annotations

from healthcare_deid.engine.plan.rules import MIME_TYPE_OF_DOCUMENT

DUMMIES: dict[str, bytes] = {
    "AE": b"ANONYMIZED",
    "AS": b"000Y",
    "CS": b"ANONYMIZED",
    "DA": b"19000101",
    "DS": b"0 ",
    "DT": b"19000101000000",
    "IS": b"0 ",
    "LO": b"ANONYMIZED",
    "LT": b"ANONYMIZED",
    "PN": b"ANONYMIZED",
    "SH": b"ANONYMIZED",
    "ST": b"ANONYMIZED",
    "TM": b"000000",
    "UC": b"ANONYMIZED",
    # The domain .invalid is reserved and never resolves (RFC 2606).
    "UR": b"https://example.invalid/",
    "UT": b"ANONYMIZED",
    "OB": b"\0\0",
    "OD": bytes(8),
    "OF": bytes(4),
    "OL": bytes(4),
    "OV": bytes(8),
    "OW": b"\0\0",
    "AT": bytes(4),
    "FD": bytes(8),
    "FL": bytes(4),
    "SL": bytes(4),
    "SS": b"\0\0",
    "SV": bytes(8),
    "UL": bytes(4),
    "US": b"\0\0",
    "UV": bytes(8),
    "UN": b"",
}
"""Placeholder of every VR: fixed, valid and of even length, so it reveals nothing (PS3.15 E.1.1, action D)."""

# Placeholders of single elements. An emptied document no longer has its MIME type.
_DUMMIES_BY_TAG = {MIME_TYPE_OF_DOCUMENT: b"application/octet-stream"}


def dummy_of(tag: int, vr: str) -> bytes:
    """Return the placeholder of an element that is not a UID."""
    return _DUMMIES_BY_TAG.get(tag) or DUMMIES.get(vr, b"")
