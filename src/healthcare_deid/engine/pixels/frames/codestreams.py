"""Reading and writing of the codestreams of encapsulated pixel data (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

from healthcare_deid.engine.dicom.fragments import ITEM_HEADER, ITEM_TAG, fragments_of, group_fragments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.dicom.long_values import Storage
    from healthcare_deid.engine.dicom.transfer_syntaxes import Coding
    from healthcare_deid.engine.pixels.frames.value_pieces import NewValue

LONGEST_BASIC_OFFSET = (1 << 32) - 1
"""Largest offset in a Basic Offset Table, which has 32 bits; larger values need an Extended Offset Table."""


class Codestreams(Sequence[bytes]):
    """The codestream of every frame of an encapsulated value, read on access.

    Args:
        storage: The element's value.
        frames: NumberOfFrames.
        extended: Extended Offset Table and Extended Offset Table Lengths, if present.
        coding: Coding of the frames, if known.

    Attributes:
        excess: Whether fragments or parts of them belong to no frame.

    Raises:
        UnsupportedPixelsError: The fragments cannot be assigned to frames.
    """

    def __init__(
        self,
        storage: Storage,
        frames: int,
        extended: tuple[bytes, bytes] | None = None,
        coding: Coding | None = None,
    ) -> None:
        self._storage = storage
        found = fragments_of(storage)
        self._frames = group_fragments(storage, found, frames, extended, coding)
        taken = {start: stop for frame in self._frames for start, stop in frame}
        # Fragments are padded to even length, so a frame may end one byte earlier.
        self.excess = any(taken.get(start, start) < stop - 1 for start, stop in found.filled)

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        return b"".join(self._storage.read_at(*fragment) for fragment in self._frames[index])


def write_encapsulated(
    value: NewValue, streams: Iterable[bytes], frames: int, *, extended: bool
) -> tuple[int, tuple[bytes, bytes] | None]:
    """Write codestreams, one fragment per frame, after a Basic Offset Table.

    Args:
        value: An empty value to write to.
        streams: One codestream per frame, consumed one by one.
        frames: Number of codestreams.
        extended: Write an Extended Offset Table and an empty basic one; also done if offsets need more than 32 bits.

    Returns:
        Offset at which the value begins, and the Extended Offset Table with its lengths if there is one.
    """
    table = ITEM_HEADER.pack(ITEM_TAG, 4 * frames) + bytes(4 * frames)
    value.append(table)
    offsets: list[int] = []
    lengths: list[int] = []
    for stream in streams:
        even = stream + b"\0" * (len(stream) % 2)
        offsets.append(len(value) - len(table))
        lengths.append(len(even))
        value.append(ITEM_HEADER.pack(ITEM_TAG, len(even)) + even)
    if not extended and offsets[-1] <= LONGEST_BASIC_OFFSET:
        value.write_at(ITEM_HEADER.size, np.array(offsets, "<u4").tobytes())
        return 0, None
    begin = 4 * frames  # skip the reserved table, leaving room for the header of an empty one
    value.write_at(begin, ITEM_HEADER.pack(ITEM_TAG, 0))
    return begin, (np.array(offsets, "<u8").tobytes(), np.array(lengths, "<u8").tobytes())
