"""Checks of new values against original ones."""

from __future__ import annotations

import re

_RUN = re.compile(r"[^\W\d_]+|\d+")
# Shortest original that is searched inside longer words. Shorter ones must be a whole word or number.
_SHORTEST_PART = 4
_LONGEST = {"LO": 64, "SH": 16, "PN": 64}


def contains_original(new: str, old: str) -> bool:
    """Return whether a new value contains an original one.

    Case, leading zeros, and signs between letters and digits are ignored.
    """
    new, old = new.casefold(), old.strip().casefold()
    if not old:
        return False
    if _plain(old) not in new:  # the usual case, decided first
        return _without_signs(old) == _without_signs(new) != ""
    if old == new or (len(old) >= _SHORTEST_PART and old in new):
        return True
    return _plain(old) in map(_plain, _RUN.findall(new))


def _without_signs(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _plain(word: str) -> str:
    return word.lstrip("0") or word


def is_writable(value: str, vr: str) -> bool:
    """Return whether a value can be written in any instance, whatever its character set."""
    fits = all(len(group) <= _LONGEST[vr] for group in value.split("="))
    return value.isascii() and value.isprintable() and "\\" not in value and fits and bool(value.strip())
