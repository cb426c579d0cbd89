"""What became of elements, to be used again: within a series, nine of ten values repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from healthcare_deid.engine.tags.entries import Record

LONGEST_REMEMBERED = 1024
"""Longer elements are not remembered."""
_MOST = 20_000


class Remembered(NamedTuple):
    """What became of an element of which only the value counts: the new one, if it has a record, and warnings."""

    new: bytes
    record: Record | None
    warnings: tuple[str, ...]


class Memo:
    """What became of elements of which only the value counts, by all of their bytes.

    Apart for each table, because the same bytes can mean another rule in another place, and for each character set.
    Where text is inspected, it is good for instances with the same header only.
    """

    def __init__(self) -> None:
        self._elements: dict[tuple[int, tuple[str, ...]], dict[bytes, Remembered]] = {}

    def of(self, table: int, encodings: tuple[str, ...]) -> dict[bytes, Remembered]:
        """Return what is known of elements of a table, in a character set; new ones are put there."""
        known = self._elements.setdefault((table, encodings), {})
        if len(known) > _MOST:
            known.clear()
        return known
