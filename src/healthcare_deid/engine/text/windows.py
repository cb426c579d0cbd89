"""Overlapping windows of long texts.

A text is inspected window by window, so that the time grows linearly with its length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator


_WINDOW = 4096

_OVERLAP = 256


def windows(text: str) -> Iterator[tuple[int, str]]:
    """Yield a long text in overlapping windows.

    Each comes with its offset and is cut at spaces.
    """
    start = 0
    while len(text) - start > _WINDOW:
        end = text.rfind(" ", start + _WINDOW // 2, start + _WINDOW)
        end = end if end > 0 else start + _WINDOW
        yield start, text[start:end]
        again = text.find(" ", end - _OVERLAP, end)
        start = again + 1 if again > 0 else end - _OVERLAP
    yield start, text[start:]


def in_text(match: Match, start: int) -> Match:
    """Return a finding of the window at ``start`` as one of the whole text."""
    return Match(match.start + start, match.end + start, match.info_type) if start else match
