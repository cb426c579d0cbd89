"""Encoders and decoders of single frames.

Encoders take arrays of (rows, columns[, samples]). Decoders cover the transfer syntaxes that pydicom cannot decode.
"""

from __future__ import annotations

import importlib
import io
import zlib
from typing import TYPE_CHECKING, Any

from PIL import Image
from pydicom.uid import UID, JPEGBaseline8Bit

from healthcare_deid.engine.pixels.frames.codecs.encoders import encode as encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

_JPEG_EXTENDED_BITS = 12
_JPEG_QUALITY = 90
# Butteraugli distance of lossy JPEG XL. 1.0 is visually lossless.
_JPEG_XL_DISTANCE = 0.5


def jpeg_as_xl(frame: bytes) -> bytes:
    """Recompress a baseline JPEG stream as JPEG XL.

    The original stream can be restored from it.
    """
    made: bytes = _imagecodecs().jpegxl_encode_jpeg(frame)
    return made


def _imagecodecs() -> Any:
    """Import the codec package of the extra ``[codecs]``."""
    return importlib.import_module("imagecodecs")


def _jpeg(array: NDArray[Any], _: UID, __: PixelLayout) -> bytes:
    if array.dtype != "u1":
        raise ValueError("JPEG Baseline supports unsigned 8-bit samples only")
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:2")
    return buffer.getvalue()


def _jpeg_extended(array: NDArray[Any], _: UID, layout: PixelLayout) -> bytes:
    if array.dtype.kind != "u" or layout.bits_stored > _JPEG_EXTENDED_BITS or array.dtype == "u1":
        raise ValueError("JPEG Extended supports unsigned 9-bit to 12-bit samples only")
    made: bytes = _imagecodecs().jpeg8_encode(array, level=_JPEG_QUALITY, bitspersample=_JPEG_EXTENDED_BITS)
    return made


def _by_engine(array: NDArray[Any], target: UID, layout: PixelLayout) -> bytes:
    # The engine's encoders take unsigned samples. The bits stay the same.
    return encode_frame(array.view(f"u{array.dtype.itemsize}"), target, layout)


def _jpeg_xl(array: NDArray[Any], target: UID, layout: PixelLayout) -> bytes:
    if array.dtype.kind != "u":
        raise ValueError("JPEG XL does not support signed integers")
    options = {"lossless": True} if target == _JPEG_XL_LOSSLESS else {"distance": _JPEG_XL_DISTANCE}
    made: bytes = _imagecodecs().jpegxl_encode(array, bitspersample=layout.bits_stored, **options)
    return made


def _deflated(array: NDArray[Any], _: UID, __: PixelLayout) -> bytes:
    # Each frame is a raw deflate stream, RFC 1951 (PS3.5 section A.4.12).
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(array.astype(array.dtype.newbyteorder("<")).tobytes()) + deflate.flush()


def _inflated(frame: bytes) -> bytes:
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(frame)


def _from_jpeg_xl(frame: bytes) -> bytes:
    array = _imagecodecs().jpegxl_decode(frame)
    made: bytes = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return made


_JPEG_XL_LOSSLESS, JPEG_XL_OF_JPEG, _JPEG_XL = (f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112))
_DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"
_ENGINES = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", *(f"1.2.840.10008.1.2.4.{n}" for n in (201, 202, 203)))
ENCODERS: dict[str, Callable[[NDArray[Any], UID, PixelLayout], bytes]] = {
    JPEGBaseline8Bit: _jpeg,
    _JPEG_EXTENDED: _jpeg_extended,
    _JPEG_XL_LOSSLESS: _jpeg_xl,
    _JPEG_XL: _jpeg_xl,
    _DEFLATED_FRAMES: _deflated,
    **dict.fromkeys(_ENGINES, _by_engine),
}
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    _DEFLATED_FRAMES: _inflated,
    **dict.fromkeys((_JPEG_XL_LOSSLESS, JPEG_XL_OF_JPEG, _JPEG_XL), _from_jpeg_xl),
}
"""Decoders for transfer syntaxes that pydicom does not decode."""
