"""Cache of new values: within a series, nine of ten values repeat."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.header.fast.run_cache import Runs
from healthcare_deid.engine.header.fast.run_follower import DoneRun

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.entries import Record

LONGEST_REMEMBERED = 1024
"""Longer elements are not remembered."""
_MOST = 20_000
_MOST_FORMS = 256


class Remembered(NamedTuple):
    """Cached result for an element decided by its value: new bytes, record and warnings."""

    new: bytes
    record: Record | None
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Known:
    """Cached results for one table and one character set.

    Attributes:
        encodings: Python encodings of the character set.
        elements: What became of single elements, by all of their bytes.
        runs: What became of elements that came one after another, in the same bytes, before.
        met: Whether elements have come before: runs are worth learning when they come again.
    """

    encodings: tuple[str, ...]
    elements: dict[bytes, Remembered] = field(default_factory=dict[bytes, Remembered])
    runs: Runs[DoneRun] = field(default_factory=Runs[DoneRun])
    met: bool = False


class Memo:
    """Cache of results for elements decided by their value, keyed by all of their bytes.

    Apart for each table, because the same bytes can mean another rule in another place, and for each character set.
    Where text is inspected, it is good for instances with the same header only.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[str, ...]], Known] = {}

    def of(self, table: int, encodings: tuple[str, ...]) -> Known:
        """Return what is known of elements of a table, in a character set; what is learnt is put there."""
        known = self._known.get((table, encodings))
        if known is None:
            if len(self._known) >= _MOST_FORMS:
                self._known.clear()
            known = self._known[table, encodings] = Known(encodings)
        elif len(known.elements) > _MOST:
            known.elements.clear()
        return known
