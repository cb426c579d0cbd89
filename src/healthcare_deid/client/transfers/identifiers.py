"""UIDs, and values in search results."""

from __future__ import annotations

import re
from typing import Any

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_UID_CHARACTERS = 64


def is_uid(text: Any) -> bool:
    """Return whether *text* is a valid UID (PS3.5 Section 9.1).

    A valid UID is safe in a URL and in a path.
    """
    return isinstance(text, str) and len(text) <= _UID_CHARACTERS and _UID.fullmatch(text) is not None


def first_value(dataset: dict[str, Any], tag: str) -> str:
    """Return the first value of an element in the DICOM JSON model.

    Returns an empty string if there is no value. Source: PS3.18 Annex F.
    """
    element = dataset.get(tag)
    values: Any = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""
