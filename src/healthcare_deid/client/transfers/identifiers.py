"""UIDs and the values of search results."""

from __future__ import annotations

import re
from typing import Any

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_UID_CHARACTERS = 64  # PS3.5 Section 9.1


def is_uid(text: Any) -> bool:
    """Return whether a text is a UID, and so safe as part of a URL or a path."""
    return isinstance(text, str) and len(text) <= _UID_CHARACTERS and _UID.fullmatch(text) is not None


def first_value(dataset: dict[str, Any], tag: str) -> str:
    """Return the first value of an element in the DICOM JSON model (PS3.18 Annex F).

    Empty if there is none.
    """
    element = dataset.get(tag)
    values: Any = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""
