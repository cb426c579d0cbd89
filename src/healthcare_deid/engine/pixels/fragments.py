"""Encapsulated pixel data: which of its fragments make which frame, and the same for what is written (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING, overload

import numpy as np

from healthcare_deid.engine.pixels.codestream import END_OF_IMAGE
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.pixels.storage import NewValue, Storage

LONGEST_BASIC_OFFSET = (1 << 32) - 1
"""A Basic Offset Table counts in 32 bits; frames that begin further back need an Extended Offset Table."""

_ITEM, _END = 0xE000FFFE, 0xE0DDFFFE
_TAIL = 10
"""Bytes at a fragment's end among which a codestream's end is looked for: some devices fill up."""
_HEADER = Struct("<II")

Fragment = tuple[int, int]
"""Where a fragment's bytes are in the value: start and stop."""


class Codestreams(Sequence[bytes]):
    """The codestream of every frame of an encapsulated value, read when it is asked for.

    Args:
        storage: The element's value.
        frames: How many frames its attributes announce.
        extended: Extended Offset Table and Extended Offset Table Lengths, where there are any.

    Attributes:
        excess: Whether there are fragments, or parts of some, that are of none of these frames.

    Raises:
        UnsupportedPixelsError: The fragments cannot be told apart.
    """

    def __init__(self, storage: Storage, frames: int, extended: tuple[bytes, bytes] | None = None) -> None:
        self._storage = storage
        table, fragments = _fragments(storage)
        if not any(start < stop for start, stop in fragments):
            raise UnsupportedPixelsError("the pixel data holds no fragments")
        first = fragments[0][0] - _HEADER.size
        starts = {start - _HEADER.size - first: index for index, (start, _) in enumerate(fragments)}
        grouped = _by_extended_table(extended, fragments, starts, frames) if extended else None
        grouped = grouped or _by_basic_table(table, fragments, starts, frames)
        filled = [fragment for fragment in fragments if fragment[0] < fragment[1]]
        grouped = grouped or _by_their_ends(storage, filled, frames)
        self._frames = grouped[:frames]
        taken = {start: stop for frame in self._frames for start, stop in frame}
        # A frame may end a byte before its fragment, which is of even length.
        self.excess = any(taken.get(start, start) < stop - 1 for start, stop in filled)

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


def is_encapsulated(storage: Storage) -> bool:
    """Say whether a value begins with an item: a length that was written all the same does not make it native."""
    return bytes(storage.read_at(0, 4)) == _HEADER.pack(_ITEM, 0)[:4]


def _fragments(storage: Storage) -> tuple[list[int], list[Fragment]]:
    """Return the Basic Offset Table, and where the fragments after it are."""
    items: list[Fragment] = []
    position = 0
    while position + _HEADER.size <= len(storage):
        tag, length = _HEADER.unpack(storage.read_at(position, position + _HEADER.size))
        if tag == _END:
            break
        position += _HEADER.size
        if tag != _ITEM or position + length > len(storage):
            raise UnsupportedPixelsError("the pixel data's fragments cannot be read")
        items.append((position, position + length))
        position += length
    if not items:
        raise UnsupportedPixelsError("the pixel data is not encapsulated as its transfer syntax says")
    table = bytes(storage.read_at(*items[0]))
    return np.frombuffer(table[: len(table) // 4 * 4], "<u4").tolist(), items[1:]


def _by_extended_table(
    extended: tuple[bytes, bytes], fragments: list[Fragment], starts: dict[int, int], frames: int
) -> list[list[Fragment]] | None:
    """Group by the extended tables, which have one fragment a frame and say how much of it is the codestream."""
    offsets, lengths = (np.frombuffer(table[: len(table) // 8 * 8], "<u8").tolist() for table in extended)
    if len(offsets) < frames or len(lengths) < len(offsets) or not starts.keys() >= set(offsets):
        return None
    placed = zip((fragments[starts[offset]] for offset in offsets), lengths, strict=False)
    return [[(start, min(stop, start + length))] for (start, stop), length in placed]


def _by_basic_table(
    table: list[int], fragments: list[Fragment], starts: dict[int, int], frames: int
) -> list[list[Fragment]] | None:
    if len(table) < frames or table[0] != 0 or sorted(set(table)) != table or not starts.keys() >= set(table):
        return None
    bounds = [*(starts[offset] for offset in table), len(fragments)]
    return [fragments[start:stop] for start, stop in pairwise(bounds)]


def _by_their_ends(storage: Storage, fragments: list[Fragment], frames: int) -> list[list[Fragment]]:
    """Group without a table: one a frame where the numbers agree, and otherwise by codestreams that come to an end."""
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    grouped: list[list[Fragment]] = []
    pending: list[Fragment] = []
    for fragment in fragments:
        pending.append(fragment)
        if END_OF_IMAGE in bytes(storage.read_at(max(fragment[0], fragment[1] - _TAIL), fragment[1])):
            grouped.append(pending)
            pending = []
    if len(grouped) >= frames:
        return grouped + [[fragment] for fragment in pending]
    if frames == 1:
        return [fragments]
    raise UnsupportedPixelsError("the pixel data's fragments do not tell where its frames are")


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
    table = _HEADER.pack(_ITEM, 4 * frames) + bytes(4 * frames)
    value.append(table)
    offsets: list[int] = []
    lengths: list[int] = []
    for stream in streams:
        even = stream + b"\0" * (len(stream) % 2)
        offsets.append(len(value) - len(table))
        lengths.append(len(even))
        value.append(_HEADER.pack(_ITEM, len(even)) + even)
    if not extended and offsets[-1] <= LONGEST_BASIC_OFFSET:
        value.write_at(_HEADER.size, np.array(offsets, "<u4").tobytes())
        return 0, None
    begin = 4 * frames  # the room of the table is left out, but for the header of an empty one
    value.write_at(begin, _HEADER.pack(_ITEM, 0))
    return begin, (np.array(offsets, "<u8").tobytes(), np.array(lengths, "<u8").tobytes())
