"""Parser of encoded data elements (PS3.5 section 7.1, annex A.4).

Everything is little endian. Data is read through a function that takes start and stop. So one parser serves bytes in
memory and files of which only the headers are read.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    ReadAt = Callable[[int, int], bytes]

LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""VRs with two reserved bytes and a 4-byte length (PS3.5 table 7.1-1)."""
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs with a 2-byte length (PS3.5 table 7.1-2)."""
_VRS = SHORT_VRS | LONG_VRS
UNDEFINED = 0xFFFFFFFF
"""Undefined length: a delimiter ends the value."""
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0"
TRAILING_PADDING = 0xFFFCFFFC
"""Data Set Trailing Padding, to be ignored (PS3.10 section 7.2)."""
FILLER = b"\0 \r\n\t\x1a"
"""Meaningless bytes that tools append to files."""
MAX_DEPTH = 64
"""Deepest nesting of sequences. Deeper input is refused, because parsing recurses and must not exhaust the stack."""

_DELIMITERS = 0xFFFE
_PIXEL_DATA = 0x7FE00010
# Tag, VR, two reserved bytes and a 4-byte length (PS3.5 section 7.1.2).
_LONGEST_HEADER = 12
_read_tag = Struct("<HH").unpack_from
read_u16 = Struct("<H").unpack_from
read_u32 = Struct("<I").unpack_from


class Short(Exception):  # noqa: N818 - the caller may have more data
    """The data ends inside an element."""


class Malformed(Exception):  # noqa: N818 - an answer, caught by whoever asked
    """The bytes are not the expected elements, items or fragments."""


def truncated() -> InvalidDicomError:
    """Return the error for data that ends inside an element."""
    return InvalidDicomError("the data ends inside an element", reason="truncated")


def tag_at(data: bytes, position: int) -> int:
    """Return the tag at a position as one number."""
    group, element = _read_tag(data, position)
    return int(group << 16 | element)


class ElementHeader(NamedTuple):
    """Header of an encoded data element.

    Attributes:
        tag: Tag as one number.
        vr: VR as written; empty if the header has none.
        size: Size of the header in bytes.
        length: Length of the value in bytes, or `UNDEFINED`.
    """

    tag: int
    vr: bytes
    size: int
    length: int


def element_header(data: bytes, position: int, *, explicit: bool) -> ElementHeader:
    """Parse the header of the element, item or delimiter at a position.

    Raises:
        Short: The data ends before the value.
        Malformed: The VR has the form of one but does not exist.
    """
    if position + 8 > len(data):
        raise Short
    group, element = _read_tag(data, position)
    tag = group << 16 | element
    code = data[position + 4 : position + 6]
    if explicit and code in SHORT_VRS:
        return ElementHeader(tag, code, 8, read_u16(data, position + 6)[0])
    # Some devices write single elements without VR into explicit VR data, and every common reader accepts that.
    if not explicit or group == _DELIMITERS or not (code.isalpha() and code.isupper()):
        return ElementHeader(tag, b"", 8, read_u32(data, position + 4)[0])
    if code not in LONG_VRS:
        raise Malformed
    if position + _LONGEST_HEADER > len(data):
        raise Short
    return ElementHeader(tag, code, _LONGEST_HEADER, read_u32(data, position + 8)[0])


def looks_explicit(data: bytes, position: int) -> bool:
    """Return whether the element at a position is explicit VR."""
    return data[position + 4 : position + 6] in _VRS


def reader_of(data: bytes) -> ReadAt:
    """Return a reader over bytes in memory."""
    return lambda start, stop: data[start:stop]


def fragments(read: ReadAt, start: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each fragment, including the offset table.

    Args:
        read: Reads the data.
        start: Position of the first item.

    Raises:
        Short: The data ends before the sequence delimiter.
        Malformed: Something other than an item of defined length is found.
    """
    position = start
    while True:
        header = read(position, position + 8)
        if len(header) < 8:
            raise Short
        if header.startswith(SEQUENCE_END):
            return
        length = read_u32(header, 4)[0]
        if not header.startswith(ITEM) or length == UNDEFINED:
            raise Malformed
        yield position + 8, position + 8 + length
        position += 8 + length


def end_of_fragments(read: ReadAt, start: int) -> int:
    """Return the position after encapsulated pixel data and its delimiter.

    Raises:
        Short: The data ends too early.
        Malformed: The data is not a series of fragments.
    """
    return max((stop for _, stop in fragments(read, start)), default=start) + 8


def end_of_dataset(read: ReadAt, start: int, size: int, *, explicit: bool) -> tuple[int, int]:
    """Return the end of a dataset's last complete element, and its tag.

    Bytes between there and ``size`` are not an element.

    Args:
        read: Reads the data.
        start: Position of the dataset.
        size: End of the data.
        explicit: Whether the encoding is explicit VR.
    """
    position, last = start, -1
    while position < size:
        head = read(position, position + _LONGEST_HEADER)
        try:
            after = past_element(read, position, head, explicit=explicit)
        except (Short, Malformed):
            break
        tag = element_header(head, 0, explicit=explicit).tag
        # After the pixel data, noise often parses as an element; one out of tag order is not counted.
        if last >= _PIXEL_DATA and tag <= last:
            break
        position, last = after, tag
    return position, last


def end_of_sequence(read: ReadAt, start: int, *, explicit: bool, depth: int = 0) -> int:
    """Return the position after a sequence of undefined length.

    Raises:
        Short: The data ends too early.
        Malformed: The data is not a series of items, or they are nested too deeply.
    """
    position = start
    while True:
        header = read(position, position + 8)
        if len(header) < 8:
            raise Short
        if header.startswith(SEQUENCE_END):
            return position + 8
        position = _past_item(read, position, header, explicit=explicit, depth=depth)


def end_of_undefined(read: ReadAt, start: int, vr: bytes, *, explicit: bool, depth: int = 0) -> int:
    """Return the position after a value of undefined length.

    Args:
        read: Reads the data.
        start: Position of the value.
        vr: VR as written.
        explicit: Whether the surrounding encoding is explicit VR.
        depth: Number of sequences around the value.

    Raises:
        Short: The data ends too early.
        Malformed: The value is neither fragments nor items.
    """
    if vr in (b"OB", b"OW"):
        return end_of_fragments(read, start)
    # A value of VR UN with undefined length is a sequence in Implicit VR Little Endian (PS3.5 section 6.2.2, note 2).
    return end_of_sequence(read, start, explicit=explicit and vr == b"SQ", depth=depth + 1)


def holds_items(data: bytes, start: int = 0, end: int | None = None, *, explicit: bool = False) -> bool:
    """Return whether bytes are exactly a series of items.

    Their elements must be complete. Nested sequences of defined length are not entered.

    Args:
        data: Data that contains the bytes.
        start: Position of the first byte.
        end: Position after the last byte; None for the end of the data.
        explicit: Whether the items are explicit VR.
    """
    stop = len(data) if end is None else end
    read = reader_of(data if end is None else data[:stop])
    position = start
    try:
        while position < stop:
            position = _past_item(read, position, read(position, position + 8), explicit=explicit, depth=0)
    except (Short, Malformed):
        return False
    return position == stop


def flat_items(data: bytes, *, explicit: bool) -> Iterator[dict[int, bytes]]:
    """Yield the values of each item by tag.

    Values of undefined length are left out.

    Raises:
        Short: The data ends inside an item.
        Malformed: The data is not a series of items.
    """
    read = reader_of(data)
    position = 0
    while position < len(data) and not data.startswith(SEQUENCE_END, position):
        after = _past_item(read, position, data[position : position + 8], explicit=explicit, depth=0)
        found: dict[int, bytes] = {}
        position += 8
        while position < after and not data.startswith(ITEM_END, position):
            tag, _, size, length = element_header(data, position, explicit=explicit)
            if length != UNDEFINED:
                found[tag] = data[position + size : position + size + length]
            position = past_element(read, position, data[position : position + _LONGEST_HEADER], explicit=explicit)
        yield found
        position = after


def _past_item(read: ReadAt, position: int, header: bytes, *, explicit: bool, depth: int) -> int:
    if depth > MAX_DEPTH or not header.startswith(ITEM):
        raise Malformed
    if len(header) < 8:
        raise Short
    length = read_u32(header, 4)[0]
    position += 8
    stop = None if length == UNDEFINED else position + length
    while position != stop:
        head = read(position, position + _LONGEST_HEADER)
        if stop is None and head.startswith(ITEM_END):
            if len(head) < 8 or read_u32(head, 4)[0]:
                raise Malformed
            return position + 8
        position = past_element(read, position, head, explicit=explicit, depth=depth)
        if stop is not None and position > stop:
            raise Malformed
    return position


def past_element(read: ReadAt, position: int, head: bytes, *, explicit: bool, depth: int = 0) -> int:
    """Return the position after an element.

    Args:
        read: Reads the data.
        position: Position of the element.
        head: The first twelve bytes from there, or fewer at the end of the data.
        explicit: Whether the encoding is explicit VR.
        depth: Number of sequences around the element.

    Raises:
        Short: The data ends inside the element.
        Malformed: The bytes are not an element.
    """
    tag, vr, size, length = element_header(head, 0, explicit=explicit)
    if tag >> 16 == _DELIMITERS:
        raise Malformed
    value = position + size
    if length == UNDEFINED:
        return end_of_undefined(read, value, vr, explicit=explicit, depth=depth)
    # Reading the last byte proves that the value is complete without reading it.
    if length and len(read(value + length - 1, value + length)) < 1:
        raise Short
    return value + length
