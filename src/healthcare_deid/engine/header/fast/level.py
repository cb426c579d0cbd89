"""Encoded elements of one dataset on their way: what was seen, and what was written."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.header.fast.tables import LAST_CREATOR, UNDEFINED, UseDatasetExecutor
from healthcare_deid.engine.plan.tags import Inside

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.tables import Entry, Record

ITEM = b"\xfe\xff\x00\xe0"
NO_TAG = 0x1_0000_0000
"""After every tag."""
SEQUENCE_END = b"\xfe\xff\xdd\xe0"

_TAG = Struct("<HH")
_read_u16 = Struct("<H").unpack_from
_read_u32 = Struct("<I").unpack_from


class Short(Exception):  # noqa: N818 - asks for more data
    """The data ends inside an element."""


class Level:
    """One dataset on its way through, the instance's own or an item's: where it stands, and what was seen of it.

    Attributes:
        output: What was written.
        records: What was changed.
        creators: Private creators by tag, as written.
        last_tag: The tag of the last element.
        encodings: Python encodings of its character set.
        next_insert: The tag of the next marker that is written into it.
    """

    __slots__ = (
        "around",
        "creators",
        "depth",
        "encodings",
        "explicit",
        "last_tag",
        "next_insert",
        "output",
        "path",
        "records",
    )

    def __init__(
        self,
        *,
        explicit: bool,
        path: str = "",
        depth: int = 0,
        around: Inside = Inside.TOP,
        encodings: tuple[str, ...] = ("iso8859",),
    ) -> None:
        self.explicit = explicit
        self.path = path
        self.depth = depth
        self.around = around
        self.encodings = encodings
        self.output: list[bytes] = []
        self.records: list[Record] = []
        self.creators: dict[int, bytes] = {}
        self.last_tag = -1
        self.next_insert = NO_TAG


def length_of(data: bytes, position: int, entry: Entry, *, explicit: bool) -> int:
    """Return the length that an element's header says."""
    if not explicit:
        return int(_read_u32(data, position + 4)[0])
    return int(_read_u16(data, position + 6)[0] if entry.header == 8 else _read_u32(data, position + 8)[0])


def note_creator(data: bytes, position: int, level: Level) -> None:
    """Remember a private creator, before its own element is dealt with."""
    group, element = _TAG.unpack_from(data, position)
    if element <= LAST_CREATOR:
        length = _read_u16(data, position + 6)[0] if level.explicit else _read_u32(data, position + 4)[0]
        value = data[position + 8 : position + 8 + length]
        level.creators[group << 16 | element] = value


def fragments(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return the number of fragments of encapsulated pixel data (PS3.5 annex A.4), and the position after it."""
    count = 0
    while True:
        if position + 8 > end:
            raise Short
        code = data[position : position + 4]
        length = _read_u32(data, position + 4)[0]
        position += 8
        if code == SEQUENCE_END:
            return count, position
        if code != ITEM or length == UNDEFINED:
            raise UseDatasetExecutor
        position += length
        count += 1
