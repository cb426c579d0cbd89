"""State of one dataset while its encoded elements are rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from healthcare_deid.engine.dicom.encoding import UNDEFINED, read_u16, read_u32, tag_at
from healthcare_deid.engine.header.fast.entries import LAST_CREATOR
from healthcare_deid.engine.plan.rules import Inside

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.entries import ElementDecision, Record

NO_TAG = 0x1_0000_0000
"""Sorts after every tag."""


class Slot(bytes):
    """Empty place in the output for a late element.

    Its content is known only at the end.
    """

    tag: int

    def __new__(cls, tag: int) -> Self:
        """Make the slot of a tag."""
        made = super().__new__(cls)
        made.tag = tag
        return made


class DatasetWriter:
    """Input and output state of one dataset: the instance or an item.

    Attributes:
        output: Bytes written.
        records: Changes made.
        creators: Private creators by tag, as encoded.
        last_tag: Tag of the last element.
        encodings: Python encodings of the SpecificCharacterSet.
        next_slot: Tag of the next remaining slot.
    """

    __slots__ = (
        "around",
        "creators",
        "depth",
        "encodings",
        "explicit",
        "last_tag",
        "next_slot",
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
        self.next_slot = NO_TAG


def length_of(data: bytes, position: int, entry: ElementDecision, *, explicit: bool) -> int:
    """Return the length in an element's header."""
    if not explicit:
        return int(read_u32(data, position + 4)[0])
    return int(read_u16(data, position + 6)[0] if entry.header == 8 else read_u32(data, position + 8)[0])


def note_creator(data: bytes, position: int, level: DatasetWriter) -> None:
    """Remember a private creator before its own element is processed."""
    tag = tag_at(data, position)
    if tag & 0xFFFF > LAST_CREATOR:
        return
    size, length = 8, 0
    if not level.explicit:
        length = read_u32(data, position + 4)[0]
    elif data[position + 4 : position + 6] == b"LO":
        length = read_u16(data, position + 6)[0]
    elif data[position + 4 : position + 6] == b"UN":
        size, length = 12, read_u32(data, position + 8)[0]
    # A private creator has VR LO; UN is accepted because converters write it (PS3.5 sections 7.8.1 and 6.2.2).
    value = data[position + size : position + size + length] if length != UNDEFINED else b""
    level.creators[tag] = value
