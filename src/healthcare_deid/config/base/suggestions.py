"""Suggestions for misspelled names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def nearest(word: str, known: Sequence[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known word most like ``word``, or `None`."""
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=cutoff)
    return lowered[near[0]] if near else None


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Return ``": did you mean X?"``, or an empty string."""
    near = nearest(word, known)
    return f": did you mean {near}?" if near else ""
