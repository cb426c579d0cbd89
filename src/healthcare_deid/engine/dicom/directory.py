"""Correction of byte offsets in a rewritten DICOMDIR (PS3.3 annex F)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.encoding import (
    UNDEFINED,
    Malformed,
    Short,
    element_header,
    end_of_sequence,
    reader_of,
)
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Iterator

MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
_RECORDS = 0x00041220
_OFFSETS = frozenset({0x00041200, 0x00041202, 0x00041400, 0x00041420})
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PREAMBLE = 132
_U32 = Struct("<I")


def with_offsets(old: bytes, new: bytes) -> bytes:
    """Return a rewritten DICOMDIR with correct offsets.

    Args:
        old: The original file. A DICOMDIR is always Explicit VR Little Endian.
        new: The rewritten file, with the same records in the same order or with no record.

    Raises:
        InvalidDicomError: The records cannot be parsed, or an offset does not point at a record.
    """
    before, _ = _records(old)
    after, places = _records(new)
    if after and len(after) != len(before):
        raise InvalidDicomError("the directory's records cannot be followed", reason="broken")
    moved = dict(zip(before, after, strict=bool(after)))
    moved[0] = 0
    fixed = bytearray(new)
    for place in places:
        offset = _U32.unpack_from(new, place)[0]
        if after and offset not in moved:
            raise InvalidDicomError("an offset in the directory does not point at a record", reason="broken")
        _U32.pack_into(fixed, place, moved.get(offset, 0))
    return bytes(fixed)


def _records(data: bytes) -> tuple[list[int], list[int]]:
    """Return the start of each record and the position of each offset."""
    starts: list[int] = []
    places: list[int] = []
    position = _PREAMBLE
    try:
        while position + 8 <= len(data):
            tag, value, length = _element(data, position)
            if tag == _RECORDS:
                position = value
                for start, end, after in _items(data, value, length):
                    starts.append(start)
                    places += _offset_places(data, start + 8, end)
                    position = after
                continue
            if tag in _OFFSETS and length == _U32.size:
                places.append(value)
            position = _past(data, value, length)
    except (Short, Malformed):
        raise InvalidDicomError("the directory's records cannot be followed", reason="broken") from None
    return starts, places


def _offset_places(data: bytes, position: int, end: int) -> list[int]:
    places: list[int] = []
    while position + 8 <= end:
        tag, value, length = _element(data, position)
        if tag == _ITEM_END:
            break
        if tag in _OFFSETS and length == _U32.size:
            places.append(value)
        position = _past(data, value, length)
    return places


def _element(data: bytes, position: int) -> tuple[int, int, int]:
    """Return tag, value position and length at a position."""
    tag, _, size, length = element_header(data, position, explicit=True)
    return tag, position + size, length


def _past(data: bytes, value: int, length: int) -> int:
    """Return the position after an element's value."""
    return end_of_sequence(reader_of(data), value, explicit=True) if length == UNDEFINED else value + length


def _items(data: bytes, position: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Yield start, end of content and following position of every item.

    The following position of the last item is after the sequence delimiter.
    """
    stop = len(data) if length == UNDEFINED else position + length
    # An item is yielded late: only the next header shows whether the sequence's delimiter follows it.
    waiting: tuple[int, int] | None = None
    while position < stop:
        tag, value, item_length = _element(data, position)
        if waiting is not None:
            yield (*waiting, value if tag == _SEQUENCE_END else position)
            waiting = None
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise Malformed
        start, position = position, value
        if item_length != UNDEFINED:
            position += item_length
            waiting = (start, position)
            continue
        while _element(data, position)[0] != _ITEM_END:
            _, inner, inner_length = _element(data, position)
            position = _past(data, inner, inner_length)
        waiting = (start, position)
        position += 8
    if waiting is not None:
        yield (*waiting, position)
