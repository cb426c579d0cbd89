"""RLE: what stands around and behind its segments (PS3.5 annex G)."""

from __future__ import annotations

from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

_HEADER = Struct("<16I")
_NO_OPERATION = b"\x80"
"""The only byte after a segment's last pixel that every decoder passes over (PS3.5 G.3.1)."""


def blank_rle(frame: FrameBytes, pixels: int) -> None:
    """Blank unused offsets, gaps between segments, and what follows the last pixel of each.

    Args:
        frame: The frame.
        pixels: Bytes that a segment stands for: pixels of a frame.

    Raises:
        UnsupportedPixelsError: Its header makes no sense.
    """
    count, *offsets = _HEADER.unpack(frame.peek(0, _HEADER.size))
    bounds = [*offsets[:count], len(frame)]
    if not 1 <= count <= len(offsets) or bounds[0] < _HEADER.size or bounds != sorted(bounds):
        raise unreadable()
    frame.blank(4 * (1 + count), bounds[0])
    for start, stop in pairwise(bounds):
        segment = frame.read(start, stop)
        end = start + _end(segment, pixels)
        if frame.read(end, stop).strip(b"\0"):  # zeros are how a segment is padded to even length
            frame.blank(end, stop, _NO_OPERATION)


def _end(segment: bytes, pixels: int) -> int:
    """Return where a segment has all its pixels."""
    unpadded = segment[:-1] if segment.endswith(b"\0") else segment
    for known in (segment, unpadded):  # the decoder does not take a byte of padding
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
    """Return whether a segment has so many pixels: by a compiled decoder, six times as fast as following its codes."""
    try:
        from rle.rle import decode_segment

        return len(decode_segment(segment)) == pixels
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - not installed, or it refuses the data; its panics are no Exception
        return False
