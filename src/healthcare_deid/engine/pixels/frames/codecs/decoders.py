"""Decoding of frames: one decoder for each transfer syntax, called after the header was checked.

GDCM decodes only JPEG Lossless. Its binding does not catch C++ exceptions, so many invalid frames crash the process
(python-gdcm 3.2.6); the decoders of the other syntaxes refuse such frames.
"""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import UID

from healthcare_deid.engine.dicom.fragments import END_OF_IMAGE
from healthcare_deid.engine.dicom.jpeg_xl import EXTRA
from healthcare_deid.engine.dicom.transfer_syntaxes import Coding, TransferSyntax, name_of, transfer_syntax
from healthcare_deid.engine.pixels.frames.codecs import native_frames
from healthcare_deid.engine.pixels.frames.codecs.codestream_headers import Header, checked_header
from healthcare_deid.engine.pixels.frames.codecs.jpeg_ls import put_right
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

MOST_BITS = 64
"""Most bits per sample."""
_PILLOW_BITS = 8
_EXTRA_PACKAGE = "imagecodecs"
_JPEG_LS_PACKAGE = "jpeg_ls"

_ELSEWHERE = {
    Coding.VIDEO: ": text in video is covered neither here nor by the service; convert it to a multi-frame image "
    "first, or leave its pixels as they are (no text redaction)",
    Coding.REFERENCED: ": the pixels are not in the instance; retrieve them in another transfer syntax first",
}
"""Remedies for codings that cannot be decoded."""

one_at_a_time = threading.Lock()
"""Lock around all codecs. GDCM's Python binding crashes the process if two threads use it, or use it and OpenJPEG's
(python-gdcm 3.2.6, pylibjpeg-openjpeg 2.6). The cost is low: most codecs hold the GIL anyway."""


def has_extra() -> bool:
    """Return True if imagecodecs is installed."""
    return find_spec(_EXTRA_PACKAGE) is not None


def has_jpeg_ls() -> bool:
    """Return True if pyjpegls is installed. It has no wheels for Python 3.14 yet (1.5.1)."""
    return find_spec(_JPEG_LS_PACKAGE) is not None


def checked_decodable(uid: str) -> TransferSyntax:
    """Return the description of a transfer syntax whose frames can be decoded.

    Raises:
        UnsupportedPixelsError: No installed decoder reads it; the text names it.
    """
    syntax = transfer_syntax(uid)
    remedy = _ELSEWHERE.get(syntax.coding, "") if syntax is not None else ""
    by_extra = syntax is not None and (
        syntax.coding is Coding.JPEG_XL or (syntax.coding is Coding.JPEG_LS and not has_jpeg_ls())
    )
    if by_extra and not has_extra():
        remedy = f": {EXTRA} adds one"
    if syntax is None or not syntax.decoder or remedy:
        raise UnsupportedPixelsError(f"no decoder for transfer syntax {name_of(uid)}{remedy}")
    return syntax


def decode(stream: bytes, uid: UID, layout: PixelLayout, *, deepest: int = MOST_BITS) -> Words:
    """Return a frame's words, of shape (rows, columns) or (rows, columns, samples). Color lossy JPEG becomes RGB.

    Args:
        stream: The frame's codestream.
        uid: The transfer syntax.
        layout: Layout by the attributes.
        deepest: Most bits per sample of the codestream.

    Raises:
        UnsupportedPixelsError: The frame cannot be decoded, or contradicts the attributes.
    """
    syntax = checked_decodable(uid)
    if syntax.stores_native_frames:
        return native_frames.decode(stream, syntax.coding, layout)
    header = checked_header(stream, uid, layout)
    if header.precision > deepest:
        raise UnsupportedPixelsError("the frames of the pixel data have different depths")
    if syntax.coding is Coding.JPEG and header.precision != _PILLOW_BITS and not has_extra():
        raise UnsupportedPixelsError(f"no decoder for lossy JPEG of {header.precision} bits: {EXTRA} adds one")
    try:
        with one_at_a_time:
            array = _decoded(stream, syntax, layout, header)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - plugins raise anything; panics of pylibjpeg-rle derive from BaseException
        raise UnsupportedPixelsError(f"the pixel data could not be decoded: {type(error).__name__}") from None
    shape = (layout.rows, layout.columns) if layout.samples == 1 else (layout.rows, layout.columns, layout.samples)
    if array.shape != shape or array.dtype.itemsize > layout.dtype.itemsize:
        raise UnsupportedPixelsError("the shape of the decoded pixel data contradicts its attributes")
    return np.ascontiguousarray(array, f"{array.dtype.kind}{layout.dtype.itemsize}").view(layout.dtype)


def _decoded(stream: bytes, syntax: TransferSyntax, layout: PixelLayout, header: Header) -> Words:
    if syntax.coding is Coding.JPEG:
        return _dct(stream, layout, header)
    if syntax.coding is Coding.JPEG_XL:
        import imagecodecs

        array: Words = imagecodecs.jpegxl_decode(stream, numthreads=1)
        return array
    if syntax.coding is Coding.JPEG_LS:
        return _jpeg_ls(stream, syntax, layout, header)
    return _by_pydicom(stream, syntax, layout, header)


def _jpeg_ls(stream: bytes, syntax: TransferSyntax, layout: PixelLayout, header: Header) -> Words:
    """Decode the original codestream, else the repaired one, else with imagecodecs, which has a newer CharLS."""
    right = put_right(stream)
    # Without an end marker the decoders never return.
    for form in (stream, right) if END_OF_IMAGE in stream else (right,):
        with suppress(Exception):
            return _by_pydicom(form, syntax, layout, header)
    import imagecodecs

    array: Words = imagecodecs.jpegls_decode(right)
    return array


def _dct(stream: bytes, layout: PixelLayout, header: Header) -> Words:
    """Decode lossy JPEG without the decoder's own color conversion, which guesses the color space from markers."""
    if header.precision != _PILLOW_BITS:
        import imagecodecs

        gray: Words = imagecodecs.jpeg8_decode(stream)
        return gray
    image = Image.open(io.BytesIO(stream), formats=("JPEG",))
    if layout.samples == 3:
        image.draft("YCbCr", image.size)
        image.tile = [image.tile[0]._replace(args=("YCbCr", "YCbCr"))]
    array: Words = np.asarray(image)
    if has_luma(layout, header):
        return convert_color_space(array, "YBR_FULL", "RGB")
    return array


def has_luma(layout: PixelLayout, header: Header) -> bool:
    """Return True if the components of lossy JPEG are luma and chroma, by the header or the attributes."""
    photometric = header.photometric if header.photometric == "RGB" or "YBR" not in layout.photometric else ""
    return layout.samples == 3 and (photometric or layout.photometric).startswith("YBR")


def _by_pydicom(stream: bytes, syntax: TransferSyntax, layout: PixelLayout, header: Header) -> Words:
    options: dict[str, Any] = options_of(layout) | {"raw": True, "decoding_plugin": syntax.decoder}
    if syntax.coding is Coding.RLE:
        options["correct_unused_bits"] = False
    if syntax.decoder == "gdcm":  # other values than these may raise in its JPEG code
        bits = 8 if header.precision <= 8 else 16
        color = "MONOCHROME2" if layout.samples == 1 else "RGB"
        options |= {"bits_allocated": bits, "bits_stored": bits, "photometric_interpretation": color}
    array, _ = get_decoder(UID(syntax.uid)).as_array(_one_item(stream), index=0, **options)
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False)


def options_of(layout: PixelLayout) -> dict[str, Any]:
    """Return a frame's layout as the options of pydicom's decoders and encoders."""
    # Codecs expand single-bit samples to bytes.
    options: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": 1,
        "samples_per_pixel": layout.samples,
        "photometric_interpretation": layout.photometric,
        "bits_allocated": max(layout.bits_allocated, 8),
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
    }
    if layout.samples > 1:
        options["planar_configuration"] = 0
    return options


def _one_item(stream: bytes) -> bytes:
    """Wrap a codestream in an encapsulated value: an empty Basic Offset Table and one fragment (PS3.5 A.4)."""
    padded = stream + b"\0" * (len(stream) % 2)
    return b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0" + len(padded).to_bytes(4, "little") + padded
