"""Fragments of encapsulated pixel data, grouped into frames (PS3.5 annex A.4)."""

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
"""Start and stop of a fragment's bytes in the value."""

END_OF_IMAGE = b"\xff\xd9"
"""End marker of every JPEG, JPEG-LS and JPEG 2000 codestream; it cannot occur inside one."""
ITEM_HEADER = Struct("<II")
"""Tag and length of an item, in little endian."""
ITEM_TAG = 0xE000FFFE
_END = 0xE0DDFFFE
# Bytes at a fragment's end that are searched for the end marker, because some devices add padding.
_TAIL = 10
# Codings whose frames have no end marker, with the start markers of their frames.
_BEGINNINGS: dict[Coding, tuple[bytes, ...]] = {
    Coding.JPEG_XL: (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    Coding.DEFLATED_FRAMES: (),
    Coding.UNCOMPRESSED_FRAMES: (),
}


@dataclass(frozen=True, slots=True)
class Fragments:
    """Items of an encapsulated value.

    Attributes:
        table: Offsets in the Basic Offset Table; empty if the table is empty.
        table_at: Range of the table's bytes.
        places: Ranges of the fragments, including empty ones.
        end: End of the last fragment. Bytes between there and the delimiter are not an item.
    """

    table: tuple[int, ...]
    table_at: Fragment
    places: list[Fragment]
    end: int

    @property
    def filled(self) -> list[Fragment]:
        """Fragments that are not empty."""
        return [place for place in self.places if place[0] < place[1]]

    def starts(self) -> dict[int, int]:
        """Return the index of each fragment by offset.

        Offsets count from the first fragment's item tag (PS3.5 annex A.4).
        """
        first = self.places[0][0]
        return {start - first: index for index, (start, _) in enumerate(self.places)}


def is_encapsulated(storage: Storage) -> bool:
    """Return whether a value begins with an item."""
    # Some files give encapsulated data a defined length; that does not make it native.
    return bytes(storage.read_at(0, 4)) == ITEM_HEADER.pack(ITEM_TAG, 0)[:4]


def fragments_of(storage: Storage) -> Fragments:
    """Find the fragments of a value.

    Raises:
        UnsupportedPixelsError: The value has no fragment, or their headers are broken.
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
        raise UnsupportedPixelsError("the pixel data has no fragments")
    return found


def group_fragments(
    storage: Storage,
    found: Fragments,
    frames: int,
    extended: tuple[bytes, bytes] | None = None,
    coding: Coding | None = None,
) -> list[list[Fragment]]:
    """Group the fragments into frames.

    Returns fewer than ``frames`` if some are missing.

    Args:
        storage: The value.
        found: Its fragments.
        frames: NumberOfFrames of the instance.
        extended: Extended Offset Table and Extended Offset Table Lengths, if present.
        coding: Coding of the frames, if known.

    Raises:
        UnsupportedPixelsError: The frame boundaries cannot be found.
    """
    grouped = group_by_extended_table(extended, found, frames) if extended else None
    grouped = grouped or group_by_basic_table(found, frames)
    if grouped is None and coding in _BEGINNINGS:
        grouped = _by_their_beginnings(storage, found.filled, frames, _BEGINNINGS[coding])
    return (grouped or _by_their_ends(storage, found.filled, frames))[:frames]


def group_by_extended_table(
    extended: tuple[bytes, bytes], found: Fragments, frames: int
) -> list[list[Fragment]] | None:
    """Group by the Extended Offset Table.

    It has one fragment per frame and gives the length of the codestream in it. Returns None if it is wrong.
    """
    offsets, lengths = (unpack(f"<{len(table) // 8}Q", table[: len(table) // 8 * 8]) for table in extended)
    starts = found.starts()
    if len(offsets) < frames or len(lengths) < len(offsets) or not starts.keys() >= set(offsets):
        return None
    # The last fragment may be padded, so the table's length cuts it.
    placed = zip((found.places[starts[offset]] for offset in offsets), lengths, strict=False)
    return [[(start, min(stop, start + length))] for (start, stop), length in placed]


def group_by_basic_table(found: Fragments, frames: int) -> list[list[Fragment]] | None:
    """Group by the Basic Offset Table.

    Returns None if it is wrong.
    """
    # The first offset is 0 and offsets ascend (PS3.5 annex A.4). Devices write tables that are not so.
    table, starts = found.table, found.starts()
    if len(table) < frames or table[0] != 0 or list(table) != sorted(set(table)) or not starts.keys() >= set(table):
        return None
    bounds = [*(starts[offset] for offset in table), len(found.places)]
    return [found.places[start:stop] for start, stop in pairwise(bounds)]


def _by_their_ends(storage: Storage, fragments: list[Fragment], frames: int) -> list[list[Fragment]]:
    """Group fragments without an offset table.

    Each is a frame if the numbers agree; otherwise end markers decide.
    """
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
    """Group fragments of a coding without end markers.

    Each is a frame if the numbers agree; otherwise start markers decide.
    """
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
    return UnsupportedPixelsError(
        "the pixel data's fragments cannot be assigned to frames without a valid offset table"
    )
