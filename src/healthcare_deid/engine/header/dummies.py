"""The placeholders of action D: what stands in the place of a value that must be there and may tell nothing."""

from __future__ import annotations

from healthcare_deid.engine.plan.tags import MIME_TYPE_OF_DOCUMENT

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
"""The placeholder of every VR: fixed, valid, of even length, never derived from data (PS3.15 E.1.1, action D)."""

_DUMMIES_BY_TAG = {MIME_TYPE_OF_DOCUMENT: b"application/octet-stream"}
"""What a document's placeholder is, whatever the document was."""


def dummy_of(tag: int, vr: str) -> bytes:
    """Return the placeholder of an element that is no UID."""
    return _DUMMIES_BY_TAG.get(tag) or DUMMIES.get(vr, b"")
