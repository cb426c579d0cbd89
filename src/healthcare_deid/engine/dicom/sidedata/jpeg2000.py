"""Side data in JPEG 2000 and HTJ2K frames.

Source: ITU-T T.800 annexes A and I, T.801, T.814.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.boxes import boxes_of, free
from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

START = b"\xff\x4f"
JP2_START = b"\0\0\0\x0cjP  "
_SOT, _SOD, _EOC = 0xFF90, 0xFF93, 0xFFD9
_SOT_SIZE = 12
_MARKER_SIZE = 2
# Segments that a decoder reads.
_NEEDED = frozenset(
    {
        *(0xFF50, 0xFF51, 0xFF52, 0xFF53, 0xFF56),  # capabilities, size, coding style, profile
        *(0xFF55, 0xFF57, 0xFF58, 0xFF59),  # lengths of tile-parts and packets, corresponding profile
        *(0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F),  # quantization, region of interest, progression
        *(0xFF60, 0xFF61, 0xFF63),  # packed packet headers, component registration
        *range(0xFF70, 0xFF7A),  # extensions of part 2, such as multi-component transforms
    }
)
# Reserved markers that stand alone, without a length (T.800 annex A).
_WITHOUT_LENGTH = range(0xFF30, 0xFF40)
# A marker that cannot occur in packets: there the byte after FF is at most 8F (T.800 B.10.1), apart from the packet
# markers 91 and 92.
_BODY_END = re.compile(rb"\xff[\x90\x93-\xfe]")

_KEPT_BOXES = frozenset({b"jP  "})
_FILE_TYPE_BOX = b"ftyp"
# Brands of JP2, JPX, JPH and JPM (T.800 I.5.2, T.801 M.11.2, T.814 D.4).
_BRANDS = frozenset({b"jp2 ", b"jpx ", b"jpxb", b"jph ", b"jpm "})
_HEADER_BOX, _CODESTREAM_BOX = b"jp2h", b"jp2c"
_KEPT_IN_HEADER = frozenset({b"ihdr", b"bpcc", b"pclr", b"cmap", b"cdef"})
_COLOR_BOX, _ENUMERATED = b"colr", 1
# Enumerated color spaces (T.800 table I.10).
_GRAY, _SRGB = 17, 16


def blank_codestream(frame: FrameBytes, start: int = 0, stop: int | None = None) -> None:
    """Blank comments, unknown segments, and everything after the end marker.

    Headers of tile-parts are included. Packets are skipped by the length of their tile-part.

    Args:
        frame: The frame that contains the codestream.
        start: Start of the codestream.
        stop: End of its box; None for the end of the frame.

    Raises:
        UnsupportedPixelsError: The markers are broken.
    """
    limit = len(frame) if stop is None else stop
    position = _blank_segments(frame, start + len(START))
    while limit - position >= _MARKER_SIZE:  # a truncated stream has no end marker
        marker = frame.number(position, _MARKER_SIZE)
        if marker == _EOC:
            frame.blank_after_end(position + _MARKER_SIZE, limit)
            return
        if marker != _SOT or frame.number(position + 2, 2) != _SOT_SIZE - 2:
            raise unreadable()
        length = frame.number(position + 6, 4)
        body = _blank_segments(frame, position + _SOT_SIZE) + _MARKER_SIZE
        position = _after_packets(frame, body, position + length if length else None, limit)
    frame.blank(position, limit)


def _after_packets(frame: FrameBytes, body: int, said: int | None, limit: int) -> int:
    """Return the end of a tile-part."""
    # A tile-part's length is trusted only if a marker follows it. Otherwise the packets are searched for one.
    if said is not None and body <= said <= limit - 2 and frame.number(said, 2) in (_SOT, _EOC):
        return said
    found = frame.find(_BODY_END, body)
    return limit if found is None or found > limit else found


def _blank_segments(frame: FrameBytes, position: int) -> int:
    """Blank unneeded segments of a header.

    Returns the position of the marker that ends it.
    """
    while True:
        marker = frame.number(position, 2)
        if marker in (_SOT, _SOD):
            return position
        position += 2
        if marker in _WITHOUT_LENGTH:
            continue
        length = frame.number(position, 2)
        if marker < 0xFF01 or marker == _EOC or length < 2 or position + length > len(frame):
            raise unreadable()
        if marker not in _NEEDED:
            frame.blank(position + 2, position + length)
        position += length


def blank_jp2(frame: FrameBytes) -> None:
    """Blank unneeded boxes and side data of a JP2 file.

    Raises:
        UnsupportedPixelsError: The boxes are broken.
    """
    codestreams = 0
    for kind, at, start, stop in boxes_of(frame, 0, len(frame), last=_CODESTREAM_BOX):
        if kind == _CODESTREAM_BOX:
            codestreams += 1
            if frame.peek(start, len(START)) != START:
                raise unreadable()
            blank_codestream(frame, start, stop)
        elif kind == _HEADER_BOX:
            _blank_header_box(frame, start, stop)
        elif kind == _FILE_TYPE_BOX:
            _replace_unknown_brands(frame, start, stop)
        elif kind not in _KEPT_BOXES:
            free(frame, kind, at, start, stop)
    if codestreams != 1:
        raise unreadable()


def _replace_unknown_brands(frame: FrameBytes, start: int, stop: int) -> None:
    """Keep the brand, its version and the list of compatible brands, and nothing else, in a file type box."""
    for at in (start, *range(start + 8, stop - 3, 4)):
        if frame.peek(at, 4) not in _BRANDS:
            frame.replace(at, b"jp2 ")
    frame.blank(start + 4, min(start + 8, stop))
    frame.blank(start + (stop - start) // 4 * 4, stop)


def _blank_header_box(frame: FrameBytes, start: int, stop: int) -> None:
    components = 1
    for kind, at, first, last in boxes_of(frame, start, stop):
        if kind == b"ihdr":
            components = frame.number(first + 8, 2)
        elif kind == _COLOR_BOX:
            if frame.number(first, 1) == _ENUMERATED:
                frame.blank(first + 7, last)
            else:  # an ICC profile holds texts about its maker; DICOM's own attributes define the color space
                space = _GRAY if components < 3 else _SRGB
                new = bytes((_ENUMERATED, 0, 0)) + space.to_bytes(4, "big")
                if last - first < len(new):
                    raise unreadable()
                frame.replace(first, new + bytes(last - first - len(new)))
        elif kind not in _KEPT_IN_HEADER:
            free(frame, kind, at, first, last)
