"""Replacement of ranges in a value."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.file_slices import FileSlice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthcare_deid.engine.dicom.long_values import Storage


class Splice(NamedTuple):
    """A range of a value, and the bytes that replace it."""

    start: int
    stop: int
    new: bytes


def pieces_of(length: int, splices: Iterable[Splice]) -> Iterator[bytes | tuple[int, int]]:
    """Yield the pieces of a spliced value.

    A piece is new bytes, or start and stop of an unchanged range.

    Args:
        length: Length of the value in bytes.
        splices: Replacements that do not overlap.
    """
    position = 0
    for start, stop, new in sorted(splices):
        if start > position:
            yield position, start
        if new:
            yield new
        position = stop
    if position < length:
        yield position, length


class Spliced(FileSlice):
    """A view of a value with its splices applied.

    Args:
        storage: The old value.
        splices: Replacements that do not overlap.
    """

    def __init__(self, storage: Storage, splices: Iterable[Splice]) -> None:
        self._storage = storage
        self._pieces = list(pieces_of(len(storage), splices))
        sizes = (len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in self._pieces)
        self._begins = list(accumulate(sizes, initial=0))
        self._length = self._begins[-1]
        self._position = 0

    @property
    def in_memory(self) -> bool:
        """Whether the old value's bytes are in memory."""
        return self._storage.in_memory

    def read_at(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to ``stop``."""
        parts: list[bytes] = []
        index = bisect_right(self._begins, start) - 1
        while index < len(self._pieces) and self._begins[index] < stop:
            begin, piece = self._begins[index], self._pieces[index]
            first, last = max(start - begin, 0), min(stop, self._begins[index + 1]) - begin
            if isinstance(piece, bytes):
                parts.append(piece[first:last])
            else:
                parts.append(bytes(self._storage.read_at(piece[0] + first, piece[0] + last)))
            index += 1
        return parts[0] if len(parts) == 1 else b"".join(parts)
