"""Encoded data elements: the one place where their headers are read (PS3.5 section 7.1 and annex A.4).

Everything here is little endian. Data is read through a function from two positions to the bytes between them, so that
the same walk goes over bytes in memory and over a file of which only the headers are read.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    ReadAt = Callable[[int, int], bytes]

LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""VRs that are followed by two reserved bytes and a length of four (PS3.5 table 7.1-1)."""
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs that are followed by a length of two bytes (PS3.5 table 7.1-2)."""
_VRS = SHORT_VRS | LONG_VRS
UNDEFINED = 0xFFFFFFFF
"""The length of a value that a delimiter ends."""
ITEM = b"\xfe\xff\x00\xe0"
ITEM_END = b"\xfe\xff\x0d\xe0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0"
TRAILING_PADDING = 0xFFFCFFFC
"""Data Set Trailing Padding: bytes with no meaning (PS3.10 section 7.2)."""
FILLER = b"\0 \r\n\t\x1a"
"""Bytes that tools add to the end of files, and that mean nothing."""
MAX_DEPTH = 64
"""Sequences nested deeper than this are no instance anybody made; they are refused: no input may exhaust the stack."""

_DELIMITERS = 0xFFFE
_PIXEL_DATA = 0x7FE00010
_LONGEST_HEADER = 12
read_tag = Struct("<HH").unpack_from
read_u16 = Struct("<H").unpack_from
read_u32 = Struct("<I").unpack_from


class Short(Exception):  # noqa: N818 - the caller may have more data
    """The data ends inside an element."""


class Malformed(Exception):  # noqa: N818 - an answer, caught by whoever asked
    """The bytes are not the elements, items or fragments that should stand there."""


class ElementHeader(NamedTuple):
    """Header of an encoded data element.

    Attributes:
        tag: The tag as one number.
        vr: The VR as written; empty where none is written.
        size: Bytes of the header itself: the value begins after them.
        length: Bytes of the value, or `UNDEFINED`.
    """

    tag: int
    vr: bytes
    size: int
    length: int


def element_header(data: bytes, position: int, *, explicit: bool) -> ElementHeader:
    """Read the header of the element, item or delimiter at a position.

    Where VRs should be written and two bytes there cannot be one, the element is taken as implicit: some devices write
    single elements so, and every reader follows.

    Raises:
        Short: The data ends before the value.
        Malformed: The VR is spelled as one and does not exist.
    """
    if position + 8 > len(data):
        raise Short
    group, element = read_tag(data, position)
    tag = group << 16 | element
    code = data[position + 4 : position + 6]
    if explicit and code in SHORT_VRS:
        return ElementHeader(tag, code, 8, read_u16(data, position + 6)[0])
    if not explicit or group == _DELIMITERS or not (code.isalpha() and code.isupper()):
        return ElementHeader(tag, b"", 8, read_u32(data, position + 4)[0])
    if code not in LONG_VRS:
        raise Malformed
    if position + _LONGEST_HEADER > len(data):
        raise Short
    return ElementHeader(tag, code, _LONGEST_HEADER, read_u32(data, position + 8)[0])


def looks_explicit(data: bytes, position: int) -> bool:
    """Return whether a VR is written in the element at a position."""
    return data[position + 4 : position + 6] in _VRS


def reader_of(data: bytes) -> ReadAt:
    """Return a reader of bytes in memory."""
    return lambda start, stop: data[start:stop]


def fragments(read: ReadAt, start: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of each fragment of encapsulated pixel data, the offset table included.

    Args:
        read: Reads the data.
        start: Where the first item begins.

    Raises:
        Short: The data ends before the sequence delimiter.
        Malformed: Something else than an item of known length stands between them.
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
    """Return the position after encapsulated pixel data, its delimiter included.

    Raises:
        Short: The data ends before.
        Malformed: Something else than fragments stands there.
    """
    return max((stop for _, stop in fragments(read, start)), default=start) + 8


def end_of_dataset(read: ReadAt, start: int, size: int, *, explicit: bool) -> tuple[int, int]:
    """Return where a dataset's last whole element ends, and its tag: what follows up to ``size`` is no element.

    An element after the pixel data that is out of order is none: there, noise reads as elements.

    Args:
        read: Reads the data.
        start: Where the dataset begins.
        size: Where the data ends.
        explicit: Whether VRs are written.
    """
    position, last = start, -1
    while position < size:
        head = read(position, position + _LONGEST_HEADER)
        try:
            after = past_element(read, position, head, explicit=explicit)
        except (Short, Malformed):
            break
        tag = element_header(head, 0, explicit=explicit).tag
        if last >= _PIXEL_DATA and tag <= last:
            break
        position, last = after, tag
    return position, last


def end_of_sequence(read: ReadAt, start: int, *, explicit: bool, depth: int = 0) -> int:
    """Return the position after a sequence of undefined length, its delimiter included.

    Raises:
        Short: The data ends before.
        Malformed: Something else than items stands there, or they are nested too deep.
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
    """Return the position after a value of undefined length, its delimiter included.

    Args:
        read: Reads the data.
        start: Where the value begins.
        vr: The VR as written.
        explicit: Whether VRs are written around the value.
        depth: How many sequences it stands in.

    Raises:
        Short: The data ends before.
        Malformed: The value is neither fragments nor items.
    """
    if vr in (b"OB", b"OW"):
        return end_of_fragments(read, start)
    # Under UN, and where no VR is written, it is a sequence whose items are implicit (PS3.5 section 6.2.2, note 2).
    return end_of_sequence(read, start, explicit=explicit and vr == b"SQ", depth=depth + 1)


def holds_items(data: bytes, start: int = 0, end: int | None = None, *, explicit: bool = False) -> bool:
    """Return whether bytes are items of a sequence from first to last, and every item is whole elements.

    Sequences inside them whose length is known are not entered.

    Args:
        data: The bytes are in it.
        start: Where they begin.
        end: Where they end; None means at the end.
        explicit: Whether VRs are written in the items.
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
    """Yield the values of each item of a sequence by tag; values of undefined length are left out.

    Raises:
        Short: The data ends inside an item.
        Malformed: Something else than items stands there.
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
        position: Where the element begins.
        head: Its first twelve bytes, or fewer where the data ends.
        explicit: Whether VRs are written.
        depth: How many sequences the element stands in.

    Raises:
        Short: The data ends inside it.
        Malformed: It is not an element.
    """
    tag, vr, size, length = element_header(head, 0, explicit=explicit)
    if tag >> 16 == _DELIMITERS:
        raise Malformed
    value = position + size
    if length == UNDEFINED:
        return end_of_undefined(read, value, vr, explicit=explicit, depth=depth)
    if length and len(read(value + length - 1, value + length)) < 1:
        raise Short
    return value + length
