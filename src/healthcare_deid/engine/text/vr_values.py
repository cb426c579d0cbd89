"""Lengths and validity of values of the inspected VRs (PS3.5 table 6.2-1)."""

from __future__ import annotations

import re

from healthcare_deid.engine.text.dicom_dates import shift_da, shift_dt

INSPECTED_VRS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "DA", "DT", "AS"})
"""Inspected VRs. Source: v1 ``TagFilterProfile.DEIDENTIFY_TAG_CONTENTS``."""

_MAX_CHARACTERS = {"AE": 16, "SH": 16, "LO": 64, "ST": 1024, "LT": 10240}
_MAX_PN_GROUP = 64
_AGE = re.compile(r"\d{3}[DWMY]")


def split_padding(value: str) -> tuple[str, str, str]:
    """Return the leading padding, the value, and the trailing padding."""
    inner = value.strip(" \0")
    if not inner:
        return value, "", ""
    start = value.index(inner[0]) if inner else 0
    return value[:start], inner, value[start + len(inner) :]


def is_legal(vr: str, new: str, old: str) -> bool:
    """Return whether a new value is valid for the VR, or at least not longer than the old one.

    An empty value always is; whether the IOD allows it depends on the attribute's type (PS3.5 section 7.4).
    """
    if not new:
        return True
    if vr == "AS":
        return _AGE.fullmatch(new) is not None
    if vr == "DA":
        return shift_da(new, 0) == new
    if vr == "DT":
        return shift_dt(new, 0) == new
    if vr == "PN":
        return all(len(group) <= max(_MAX_PN_GROUP, len(old)) for group in new.split("="))
    # A value that was already too long is not made worse; a conforming one must stay so.
    limit = _MAX_CHARACTERS.get(vr)
    return limit is None or len(new) <= max(limit, len(old))
