"""RLE: bytes between and after the segments (PS3.5 annex G)."""

from __future__ import annotations

from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

# Number of segments and 15 offsets (PS3.5 annex G).
_HEADER = Struct("<16I")
# The only byte that every decoder skips after a segment's last pixel (PS3.5 G.3.1).
_NO_OPERATION = b"\x80"


def blank_rle(frame: FrameBytes, pixels: int) -> None:
    """Blank everything in an RLE frame that is not pixels.

    This means unused offsets, gaps between segments, and bytes after each segment's last pixel.

    Args:
        frame: The frame.
        pixels: Number of pixels in a frame, which is the decoded size of a segment.

    Raises:
        UnsupportedPixelsError: The header is broken.
    """
    count, *offsets = _HEADER.unpack(frame.peek(0, _HEADER.size))
    bounds = [*offsets[:count], len(frame)]
    if not 1 <= count <= len(offsets) or bounds[0] < _HEADER.size or bounds != sorted(bounds):
        raise unreadable()
    frame.blank(4 * (1 + count), bounds[0])
    for start, stop in pairwise(bounds):
        segment = frame.read(start, stop)
        end = start + _end(segment, pixels)
        if frame.read(end, stop).strip(b"\0"):  # a zero pads a segment to even length
            frame.blank(end, stop, _NO_OPERATION)


def _end(segment: bytes, pixels: int) -> int:
    """Return the position after a segment's last pixel."""
    unpadded = segment[:-1] if segment.endswith(b"\0") else segment
    for known in (segment, unpadded):  # the decoder refuses a padding byte
        if _decodes_to(known, pixels):
            return len(known)
    position = done = 0
    while done < pixels and position < len(segment):
        code = segment[position]
        if code < 128:
            done += code + 1
            position += code + 2
        elif code > 128:
            done += 257 - code
            position += 2
        else:
            position += 1
    return min(position, len(segment))


def _decodes_to(segment: bytes, pixels: int) -> bool:
    """Return whether a segment decodes to this many pixels."""
    # The compiled decoder was six times as fast as following the codes in Python.
    try:
        from rle.rle import decode_segment

        return len(decode_segment(segment)) == pixels
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - missing, or it refuses the data; its panics do not derive from Exception
        return False
