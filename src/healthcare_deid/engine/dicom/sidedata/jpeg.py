"""Side data in JPEG and JPEG-LS frames.

Source: ITU-T T.81 annex B, T.87 annex C, T.871, T.872.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

START = b"\xff\xd8"
_EOI, _SOS = 0xD9, 0xDA
_QUANTIZATION, _HUFFMAN = 0xDB, 0xC4
_LS_FRAME = 0xF7
# Frame headers, including the hierarchical one.
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xDE, _LS_FRAME}) - {_HUFFMAN, 0xC8, 0xCC}
_LAST_TABLE = 3
_MOST_VALUES = 256
# Sizes of the segments for number of lines, restart interval and expansion.
_FIXED = {0xDC: 2, 0xDD: 2, 0xDF: 1}
# Arithmetic conditioning, JPEG-LS parameters.
_OTHER_TABLES = frozenset({0xCC, 0xF8})
_APP0, _APP8, _APP14, _COMMENT = 0xE0, 0xE8, 0xEE, 0xFE
# Application segments, extensions and comments.
_NOT_NEEDED = frozenset({*range(0xE0, 0xF0), *range(0xF0, 0xFF)}) - {_LS_FRAME, 0xF8} | {_COMMENT}

# Segments that tell a decoder the color transform: their first bytes, and the number of bytes it needs.
_NEEDED_START = {
    _APP0: (b"JFIF\0", 12),  # implies YCbCr; a thumbnail may follow the densities
    _APP8: (b"mrfx", 5),  # color transform of JPEG-LS, as HP's decoder and CharLS read it
    _APP14: (b"Adobe", 12),  # color transform
}

# End of entropy-coded data: a marker other than a stuffed zero, a restart or fill bytes (T.81 B.1.1.5).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# The same for JPEG-LS, which stuffs one bit, so the byte after FF is below 80 (T.87 annex A.1).
_LS_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


def blank_jpeg(frame: FrameBytes) -> None:
    """Blank comments, application segments, and everything after the end marker.

    Raises:
        UnsupportedPixelsError: The markers are broken.
    """
    position = len(START)
    marker, pattern = 0, _MARKER
    while True:
        while frame.number(position, 2) == 0xFFFF:  # fill bytes
            position += 1
        lead, marker = frame.peek(position, 2)
        if lead != 0xFF:
            raise unreadable()
        position += 2
        if marker == _EOI:
            frame.blank_after_end(position, len(frame))
            return
        length = frame.number(position, 2)
        end = position + length
        if length < 2 or end > len(frame):
            raise unreadable()
        _segment(frame, marker, position + 2, end)
        position = end
        if marker == _LS_FRAME:
            pattern = _LS_MARKER
        if marker == _SOS:
            found = frame.find(pattern, position)
            if found is None:  # a truncated frame: the rest is entropy-coded data
                return
            position = found


def _segment(frame: FrameBytes, marker: int, start: int, end: int) -> None:
    if marker in _NOT_NEEDED:
        begins, needed = _NEEDED_START.get(marker, (b"", 0))
        keeps = begins and needed <= end - start and frame.peek(start, len(begins)) == begins
        frame.blank(start + needed if keeps else start, end)
    elif not _is_sound(frame, marker, start, end - start):
        raise unreadable()


def _is_sound(frame: FrameBytes, marker: int, start: int, size: int) -> bool:
    """Return whether the length of a decoder's segment matches its content."""
    if marker in _FRAMES:
        return size >= 6 and size == 6 + 3 * frame.number(start + 5, 1)
    if marker == _SOS:
        return size >= 4 and size == 4 + 2 * frame.number(start, 1)
    if marker in (_QUANTIZATION, _HUFFMAN):
        return _holds_tables(frame.peek(start, size), huffman=marker == _HUFFMAN)
    return marker in _OTHER_TABLES or _FIXED.get(marker) == size


def _holds_tables(data: bytes, *, huffman: bool) -> bool:
    """Return whether a segment consists of tables only, of numbers that a decoder knows (T.81 B.2.4.1, B.2.4.2)."""
    position = 0
    while position < len(data):
        form, number = divmod(data[position], 16)
        if form > 1 or number > _LAST_TABLE:
            return False
        if huffman:
            values = sum(data[position + 1 : position + 17])
            position += 17 + values
            # A DC or lossless table codes the sizes of differences, of which the largest is 16.
            if values > _MOST_VALUES or (not form and any(size > 16 for size in data[position - values : position])):
                return False
        else:
            position += 1 + (128 if form else 64)
    return position == len(data)
