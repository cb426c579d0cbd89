"""Side data after deflated and uncompressed frames (PS3.5 sections A.4.11 and A.4.13)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

_PIECE = 1 << 20
SUBSAMPLED = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
"""Photometric interpretations with one chroma pair for every two columns."""


def native_size(pixels: int, samples: int, bits_allocated: int, photometric: str) -> int:
    """Return the size of a native frame in bytes, from its Image Pixel module."""
    if samples == 3 and photometric in SUBSAMPLED:
        samples = 2
    return -(-pixels * samples * bits_allocated // 8)


def inflated(data: bytes, size: int) -> bytes:
    """Inflate a frame.

    Args:
        data: A raw deflate stream (RFC 1951), and any bytes after it.
        size: Size by the attributes. One more byte may pad it to an even length.

    Raises:
        UnsupportedPixelsError: The stream is invalid or has another size.
    """
    return b"".join(_pieces(data, size, zlib.decompressobj(wbits=-zlib.MAX_WBITS)))[:size]


def blank_deflated(frame: FrameBytes, size: int) -> None:
    """Blank the bytes after the stream.

    Raises:
        UnsupportedPixelsError: The stream is invalid or has another size.
    """
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    for _ in _pieces(frame.read(0, len(frame)), size, inflater):
        pass  # in pieces, because a stream can expand to more than memory holds
    frame.blank(len(frame) - len(inflater.unused_data), len(frame))


def _pieces(data: bytes, size: int, inflater: zlib._Decompress) -> Iterator[bytes]:
    """Yield an inflated stream, checking its size.

    A zero byte of padding is allowed.
    """
    length = 0
    while not inflater.eof:
        try:
            piece = inflater.decompress(data, _PIECE)
        except zlib.error:
            raise unreadable() from None
        data = inflater.unconsumed_tail
        is_cut_off = not piece and not data and not inflater.eof
        if is_cut_off or length + len(piece) > size + size % 2 or any(piece[max(0, size - length) :]):
            raise unreadable()
        length += len(piece)
        yield piece
    if length < size:
        raise unreadable()


def blank_after_pixels(frame: FrameBytes, size: int) -> None:
    """Blank the bytes after an uncompressed frame.

    Raises:
        UnsupportedPixelsError: The frame is too short.
    """
    if len(frame) < size:
        raise unreadable()
    frame.blank(size, len(frame))
