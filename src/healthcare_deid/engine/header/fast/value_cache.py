"""Cache of new values.

Within a series, nine of ten values repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.header.fast.run_cache import Runs
from healthcare_deid.engine.header.fast.run_follower import DoneRun

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.entries import Record

LONGEST_REMEMBERED = 1024
"""Largest cached element, in bytes."""
# Bounds on memory: a cache that is full starts over.
_MOST = 20_000
_MOST_FORMS = 256


class Remembered(NamedTuple):
    """Cached new bytes, record and warnings of an element."""

    new: bytes
    record: Record | None
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Known:
    """Cached results for one table and one character set.

    Attributes:
        encodings: Python encodings of the character set.
        elements: Results by all bytes of an element.
        runs: Results of runs.
        met: Whether elements have come before. Runs are worth learning only from the second instance on.
    """

    encodings: tuple[str, ...]
    elements: dict[bytes, Remembered] = field(default_factory=dict[bytes, Remembered])
    runs: Runs[DoneRun] = field(default_factory=Runs[DoneRun])
    met: bool = False


class Memo:
    """Cache of results for elements decided by their value.

    The key is all bytes of the element. The cache is separate for each table, because equal bytes may follow another
    rule elsewhere, and for each character set. If text is inspected, it holds only for instances with the same header.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[str, ...]], Known] = {}

    def of(self, table: int, encodings: tuple[str, ...]) -> Known:
        """Return the cached results to read and extend.

        They belong to a table and a character set.
        """
        known = self._known.get((table, encodings))
        if known is None:
            if len(self._known) >= _MOST_FORMS:
                self._known.clear()
            known = self._known[table, encodings] = Known(encodings)
        elif len(known.elements) > _MOST:
            known.elements.clear()
        return known
