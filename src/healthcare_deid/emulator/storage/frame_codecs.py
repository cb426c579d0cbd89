"""Encoders of single frames: the engine's, and lossy ones."""

from __future__ import annotations

import importlib
import io
from typing import TYPE_CHECKING, Any

from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from healthcare_deid.engine.pixels.frames.codecs.encoders import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from pydicom.uid import UID

    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

_JPEG_EXTENDED_BITS = 12
_JPEG_QUALITY = 90
_BYTE = 8
_JPEG_XL_DISTANCE = 0.5


def _jpeg_as_xl(frame: bytes) -> bytes:
    """Return the JPEG XL stream of a baseline JPEG stream, which can be undone."""
    made: bytes = _imagecodecs().jpegxl_encode_jpeg(frame)
    return made


def _xl_as_jpeg(frame: bytes) -> bytes:
    """Return the baseline JPEG stream that a JPEG XL stream was made of.

    Raises:
        Exception: It was made of none, or that cannot be told any more.
    """
    made: bytes = _imagecodecs().jpegxl_decode_jpeg(frame)
    return made


def _imagecodecs() -> Any:
    """Import the codec package of the extra ``[codecs]``."""
    return importlib.import_module("imagecodecs")


def _jpeg(array: NDArray[Any], _: PixelLayout) -> bytes:
    if array.dtype != "u1":
        raise ValueError("JPEG Baseline supports unsigned 8-bit samples only")
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:2")
    return buffer.getvalue()


def _jpeg_extended(array: NDArray[Any], layout: PixelLayout) -> bytes:
    if array.dtype.kind != "u" or layout.bits_stored > _JPEG_EXTENDED_BITS or array.dtype == "u1":
        raise ValueError("JPEG Extended supports unsigned 9-bit to 12-bit samples only")
    made: bytes = _imagecodecs().jpeg8_encode(array, level=_JPEG_QUALITY, bitspersample=_JPEG_EXTENDED_BITS)
    return made


def _jpeg_xl(array: NDArray[Any], layout: PixelLayout) -> bytes:
    if array.dtype.kind != "u":
        raise ValueError("lossy JPEG XL holds no signed integers")
    small = array.astype("u1" if layout.bits_stored <= _BYTE else "u2")
    made: bytes = _imagecodecs().jpegxl_encode(small, bitspersample=layout.bits_stored, distance=_JPEG_XL_DISTANCE)
    return made


_JPEG_XL_OF_JPEG = "1.2.840.10008.1.2.4.111"
BIT_BY_BIT: dict[tuple[str, str], Callable[[bytes], bytes]] = {
    (JPEGBaseline8Bit, _JPEG_XL_OF_JPEG): _jpeg_as_xl,
    (_JPEG_XL_OF_JPEG, JPEGBaseline8Bit): _xl_as_jpeg,
}
"""What one transfer syntax becomes in another without being decoded."""
_LOSSY: dict[str, Callable[[NDArray[Any], PixelLayout], bytes]] = {
    JPEGBaseline8Bit: _jpeg,
    "1.2.840.10008.1.2.4.51": _jpeg_extended,
    "1.2.840.10008.1.2.4.112": _jpeg_xl,
}


def encode_frame(words: Words, target: UID, layout: PixelLayout) -> bytes:
    """Return a frame's words as a codestream: with loss where the transfer syntax is for that, and otherwise without.

    Raises:
        Exception: The transfer syntax does not hold such pixels.
    """
    lossy = _LOSSY.get(target)
    return encode(words, target, layout) if lossy is None else lossy(layout.values(words), layout)
