"""Frames stored as they are natively, deflated or not: what follows the last pixel (PS3.5 A.4.11, A.4.13)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

SUBSAMPLED = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
"""Photometric interpretations whose native frames hold two luma samples and one chroma pair for every two columns."""


def native_size(pixels: int, samples: int, bits_allocated: int, photometric: str) -> int:
    """Return how many bytes a frame has natively, by the attributes of the Image Pixel module."""
    if samples == 3 and photometric in SUBSAMPLED:
        samples = 2
    return -(-pixels * samples * bits_allocated // 8)


def inflated(data: bytes, size: int) -> tuple[bytes, int]:
    """Inflate a frame.

    Args:
        data: A raw deflate stream (RFC 1951), and what follows it.
        size: Bytes that the attributes say. One more may pad them to even length.

    Returns:
        The frame, and how many bytes the stream has.

    Raises:
        UnsupportedPixelsError: It is no such stream, or it holds another number of bytes.
    """
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    even = size + size % 2
    try:
        # One byte beyond the frame's: a stream that has it is too long.
        frame = inflater.decompress(data, even + 1)
    except zlib.error:
        raise unreadable() from None
    if not inflater.eof or not size <= len(frame) <= even or any(frame[size:]):
        raise unreadable()
    return frame[:size], len(data) - len(inflater.unused_data)


def blank_deflated(frame: FrameBytes, size: int) -> None:
    """Blank what follows the stream.

    Raises:
        UnsupportedPixelsError: It is no stream of so many bytes.
    """
    _, end = inflated(frame.read(0, len(frame)), size)
    frame.blank(end, len(frame))


def blank_after_pixels(frame: FrameBytes, size: int) -> None:
    """Blank what follows an uncompressed frame.

    Raises:
        UnsupportedPixelsError: It is shorter.
    """
    if len(frame) < size:
        raise unreadable()
    frame.blank(size, len(frame))
