"""Fragments of encapsulated pixel data, and which of them make which frame (PS3.5 A.4)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from struct import Struct, unpack
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.transfer_syntaxes import Coding
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.long_values import Storage

Fragment = tuple[int, int]
"""Where a fragment's bytes are in the value: start and stop."""

END_OF_IMAGE = b"\xff\xd9"
"""The marker at the end of every JPEG, JPEG-LS and JPEG 2000 codestream; it cannot stand within one."""
ITEM_HEADER = Struct("<II")
"""Tag and length of an item, in little endian."""
ITEM_TAG = 0xE000FFFE
_END = 0xE0DDFFFE
_TAIL = 10
"""Bytes at a fragment's end among which a codestream's end is looked for: some devices fill up."""
_BEGINNINGS: dict[Coding, tuple[bytes, ...]] = {
    Coding.JPEG_XL: (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    Coding.DEFLATED_FRAMES: (),
    Coding.UNCOMPRESSED_FRAMES: (),
}
"""Codings without a marker at the end of a frame, and how their frames begin, if in any way of their own."""


@dataclass(frozen=True, slots=True)
class Fragments:
    """The items of an encapsulated value.

    Attributes:
        table: Offsets in the Basic Offset Table; empty where it is.
        table_at: Where the table's bytes are.
        places: Where the fragments are, empty ones too.
        end: Where the last one ends; whatever follows it, up to the delimiter, is no item.
    """

    table: tuple[int, ...]
    table_at: Fragment
    places: list[Fragment]
    end: int

    @property
    def filled(self) -> list[Fragment]:
        """Fragments that hold something."""
        return [place for place in self.places if place[0] < place[1]]

    def starts(self) -> dict[int, int]:
        """Return the index of every fragment by its offset, as the tables count: from the first one's item tag on."""
        first = self.places[0][0]
        return {start - first: index for index, (start, _) in enumerate(self.places)}


def is_encapsulated(storage: Storage) -> bool:
    """Return whether a value begins with an item: a length that was written all the same does not make it native."""
    return bytes(storage.read_at(0, 4)) == ITEM_HEADER.pack(ITEM_TAG, 0)[:4]


def fragments_of(storage: Storage) -> Fragments:
    """Find the fragments of a value by their headers.

    Raises:
        UnsupportedPixelsError: It holds none, or they cannot be followed to their end.
    """
    items: list[Fragment] = []
    position, length_of_all = 0, len(storage)
    while position + ITEM_HEADER.size <= length_of_all:
        tag, length = ITEM_HEADER.unpack(storage.read_at(position, position + ITEM_HEADER.size))
        if tag == _END:
            break
        position += ITEM_HEADER.size
        if tag != ITEM_TAG or position + length > length_of_all:
            raise UnsupportedPixelsError("the pixel data's fragments cannot be read")
        items.append((position, position + length))
        position += length
    if not items:
        raise UnsupportedPixelsError("the pixel data is not encapsulated as its transfer syntax says")
    table = bytes(storage.read_at(*items[0]))
    offsets: tuple[int, ...] = unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])
    found = Fragments(offsets, items[0], items[1:], position)
    if not found.filled:
        raise UnsupportedPixelsError("the pixel data holds no fragments")
    return found


def group_fragments(
    storage: Storage,
    found: Fragments,
    frames: int,
    extended: tuple[bytes, bytes] | None = None,
    coding: Coding | None = None,
) -> list[list[Fragment]]:
    """Return the fragments of every frame; fewer than ``frames`` where there are not as many.

    Args:
        storage: The value.
        found: Its fragments.
        frames: How many frames its attributes announce.
        extended: Extended Offset Table and Extended Offset Table Lengths, where there are any.
        coding: How the frames are coded, if known.

    Raises:
        UnsupportedPixelsError: The fragments do not tell where the frames are.
    """
    grouped = group_by_extended_table(extended, found, frames) if extended else None
    grouped = grouped or group_by_basic_table(found, frames)
    if grouped is None and coding in _BEGINNINGS:
        grouped = _by_their_beginnings(storage, found.filled, frames, _BEGINNINGS[coding])
    return (grouped or _by_their_ends(storage, found.filled, frames))[:frames]


def group_by_extended_table(
    extended: tuple[bytes, bytes], found: Fragments, frames: int
) -> list[list[Fragment]] | None:
    """Group by the extended tables, which have one fragment a frame and say how much of it is the codestream."""
    offsets, lengths = (unpack(f"<{len(table) // 8}Q", table[: len(table) // 8 * 8]) for table in extended)
    starts = found.starts()
    if len(offsets) < frames or len(lengths) < len(offsets) or not starts.keys() >= set(offsets):
        return None
    placed = zip((found.places[starts[offset]] for offset in offsets), lengths, strict=False)
    return [[(start, min(stop, start + length))] for (start, stop), length in placed]


def group_by_basic_table(found: Fragments, frames: int) -> list[list[Fragment]] | None:
    """Group by the Basic Offset Table; None where it does not point at fragments, one after the other."""
    table, starts = found.table, found.starts()
    if len(table) < frames or table[0] != 0 or list(table) != sorted(set(table)) or not starts.keys() >= set(table):
        return None
    bounds = [*(starts[offset] for offset in table), len(found.places)]
    return [found.places[start:stop] for start, stop in pairwise(bounds)]


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
    raise _no_frames()


def _by_their_beginnings(
    storage: Storage, fragments: list[Fragment], frames: int, beginnings: tuple[bytes, ...]
) -> list[list[Fragment]]:
    """Group without a table: one a frame where the numbers agree, and otherwise by how frames begin."""
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    grouped: list[list[Fragment]] = []
    longest = max(map(len, beginnings), default=0)
    for start, stop in fragments:
        begins = bytes(storage.read_at(start, min(start + longest, stop))).startswith(beginnings)
        if begins or not grouped:
            grouped.append([])
        grouped[-1].append((start, stop))
    if len(grouped) < frames:
        raise _no_frames()
    return grouped


def _no_frames() -> UnsupportedPixelsError:
    return UnsupportedPixelsError("the pixel data's fragments do not tell where its frames are")
