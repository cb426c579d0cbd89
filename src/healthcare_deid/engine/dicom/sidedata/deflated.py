"""Frames stored as they are natively, deflated or not: what follows the last pixel (PS3.5 A.4.11, A.4.13)."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.sidedata.frame import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.engine.dicom.sidedata.frame import FrameBytes

_PIECE = 1 << 20
SUBSAMPLED = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
"""Photometric interpretations whose native frames hold two luma samples and one chroma pair for every two columns."""


def native_size(pixels: int, samples: int, bits_allocated: int, photometric: str) -> int:
    """Return how many bytes a frame has natively, by the attributes of the Image Pixel module."""
    if samples == 3 and photometric in SUBSAMPLED:
        samples = 2
    return -(-pixels * samples * bits_allocated // 8)


def inflated(data: bytes, size: int) -> bytes:
    """Inflate a frame.

    Args:
        data: A raw deflate stream (RFC 1951), and what follows it.
        size: Bytes that the attributes say. One more may pad them to even length.

    Raises:
        UnsupportedPixelsError: It is no such stream, or it holds another number of bytes.
    """
    return b"".join(_pieces(data, size, zlib.decompressobj(wbits=-zlib.MAX_WBITS)))[:size]


def blank_deflated(frame: FrameBytes, size: int) -> None:
    """Blank what follows the stream.

    Raises:
        UnsupportedPixelsError: It is no stream of so many bytes.
    """
    inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    for _ in _pieces(frame.read(0, len(frame)), size, inflater):
        pass  # a stream may stand for more than memory holds
    frame.blank(len(frame) - len(inflater.unused_data), len(frame))


def _pieces(data: bytes, size: int, inflater: zlib._Decompress) -> Iterator[bytes]:
    """Yield what a stream holds, and see that it is so many bytes, and a zero at most."""
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
    """Blank what follows an uncompressed frame.

    Raises:
        UnsupportedPixelsError: It is shorter.
    """
    if len(frame) < size:
        raise unreadable()
    frame.blank(size, len(frame))
