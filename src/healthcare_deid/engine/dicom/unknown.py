"""Elements of unknown VR that hold a sequence: nothing but the value tells it from any other bytes.

Where VRs are not written, that is every private sequence whose creator no dictionary knows. Its items are Implicit VR
Little Endian (PS3.5 section 6.2.2, note 2).
"""

from __future__ import annotations

from struct import Struct

from healthcare_deid.engine.dicom.elements import MAX_DEPTH
from healthcare_deid.engine.header.fast.level import ITEM, SEQUENCE_END

UNREAD = "an element of unknown VR begins as a sequence does and cannot be read as one: it stays as it is"
_ITEM_END = b"\xfe\xff\x0d\xe0"
_UNDEFINED = 0xFFFFFFFF
_read_tag = Struct("<HH").unpack_from
_read_u32 = Struct("<I").unpack_from


class _NoItems(Exception):  # noqa: N818 - an answer
    """The bytes are no items."""


def holds_items(data: bytes, start: int = 0, end: int | None = None) -> bool:
    """Return whether bytes are items, from first to last: all of it, with elements in tag order, fits together.

    Args:
        data: The bytes are in it.
        start: Where they begin.
        end: Where they end; None means at the end.
    """
    stop = len(data) if end is None else end
    if not data.startswith(ITEM, start, stop):
        return False
    position = start
    try:
        while position < stop:
            position = _past_item(data, position, stop, 0)
    except _NoItems:
        return False
    return True


def _past_item(data: bytes, position: int, stop: int, depth: int) -> int:
    if depth > MAX_DEPTH or position + 8 > stop or not data.startswith(ITEM, position):
        raise _NoItems
    length = _read_u32(data, position + 4)[0]
    position += 8
    if length == _UNDEFINED:
        position = _past_elements(data, position, stop, depth, delimited=True)
        return position + 8
    if position + length > stop:
        raise _NoItems
    return _past_elements(data, position, position + length, depth, delimited=False)


def _past_elements(data: bytes, position: int, stop: int, depth: int, *, delimited: bool) -> int:
    last = -1
    while position < stop:
        if position + 8 > stop:
            raise _NoItems
        if delimited and data.startswith(_ITEM_END, position):
            return position
        group, element = _read_tag(data, position)
        tag = group << 16 | element
        length = _read_u32(data, position + 4)[0]
        if tag <= last or group >= 0xFFFE:
            raise _NoItems
        last = tag
        position += 8
        if length == _UNDEFINED:
            while not data.startswith(SEQUENCE_END, position):
                position = _past_item(data, position, stop, depth + 1)
            position += 8
        else:
            position += length
        if position > stop:
            raise _NoItems
    if delimited:
        raise _NoItems
    return position
