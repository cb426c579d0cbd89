"""Codestreams of encapsulated pixel data, read frame by frame, and written (PS3.5 A.4)."""

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
"""A Basic Offset Table counts in 32 bits; frames that begin further back need an Extended Offset Table."""


class Codestreams(Sequence[bytes]):
    """The codestream of every frame of an encapsulated value, read when it is asked for.

    Args:
        storage: The element's value.
        frames: How many frames its attributes announce.
        extended: Extended Offset Table and Extended Offset Table Lengths, where there are any.
        coding: How they are coded, if known.

    Attributes:
        excess: Whether there are fragments, or parts of some, that are of none of these frames.

    Raises:
        UnsupportedPixelsError: The fragments cannot be told apart.
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
        # A frame may end a byte before its fragment, which is of even length.
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
    """Write codestreams, one fragment a frame, behind a Basic Offset Table.

    Args:
        value: Empty.
        streams: One a frame; taken one by one.
        frames: How many they will be.
        extended: Write an Extended Offset Table, and leave the basic one empty. Done anyway where it has to be.

    Returns:
        Where the value begins, and the Extended Offset Table with its lengths where there is one.
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
    begin = 4 * frames  # the room of the table is left out, but for the header of an empty one
    value.write_at(begin, ITEM_HEADER.pack(ITEM_TAG, 0))
    return begin, (np.array(offsets, "<u8").tobytes(), np.array(lengths, "<u8").tobytes())
