"""Lossless encoding of frames: one encoder for each transfer syntax that has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID

from healthcare_deid.engine.dicom.jpeg_xl import EXTRA
from healthcare_deid.engine.dicom.sidedata import without_side_data
from healthcare_deid.engine.dicom.transfer_syntaxes import Coding, TransferSyntax, name_of, transfer_syntax
from healthcare_deid.engine.pixels.frames.codecs import jpeg_lossless as jpeglossless
from healthcare_deid.engine.pixels.frames.codecs import native_frames
from healthcare_deid.engine.pixels.frames.codecs.decoders import has_extra, has_jpeg_ls, one_at_a_time, options_of
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout

_RPCL = "1.2.840.10008.1.2.4.202"
_CODING_STYLE = b"\xff\x52"
"""Marker of the COD segment (ITU-T T.800 A.6.1)."""
_LEVELS_AT = 9
"""Offset of the number of decomposition levels from the COD marker, in bytes."""
_FEWEST_LEVELS = 5
_THUMBNAIL = 64
"""Most rows and columns of the smallest resolution (PS3.5 section 10.18)."""
_FIRST_DEPTH = 42
"""Offset of the first component's depth (Ssiz) in a codestream, in bytes (ITU-T T.800 A.5.1)."""


class NotEncodableError(UnsupportedPixelsError):
    """No installed encoder writes these frames in their own transfer syntax; they can still be written natively."""


def has_encoder(uid: UID, layout: PixelLayout) -> bool:
    """Return True if frames of this layout can be written in a transfer syntax."""
    syntax = transfer_syntax(uid)
    if syntax is None or not syntax.encoder:
        return False
    if syntax.stores_native_frames:
        return True
    if layout.signed_color:
        return False
    if syntax.coding is Coding.JPEG_LS:
        return has_jpeg_ls()
    if syntax.coding is Coding.JPEG_XL:
        return layout.samples in (1, 3) and layout.bits_stored + layout.shift <= 16 and has_extra()
    if syntax.coding is Coding.HTJ2K:
        return layout.samples in (1, 3) and layout.bits_allocated <= 16 and has_extra()
    return True


def why_native(uid: UID) -> str:
    """Return the warning for an instance whose frames could not be re-encoded."""
    syntax = transfer_syntax(uid)
    lacks_extra = syntax is not None and syntax.coding in (Coding.HTJ2K, Coding.JPEG_XL) and not has_extra()
    lacks_jpeg_ls = syntax is not None and syntax.coding is Coding.JPEG_LS and not has_jpeg_ls()
    remedy = f" ({EXTRA} adds one)" if lacks_extra else " (pip install pyjpegls adds one)" if lacks_jpeg_ls else ""
    return f"no encoder for transfer syntax {name_of(uid)}{remedy}: the pixel data is written uncompressed"


def encode(words: Words, uid: UID, layout: PixelLayout) -> bytes:
    """Encode a frame's words losslessly, without the comments in which encoders write about themselves.

    Args:
        words: Shape (rows, columns) or (rows, columns, samples); RGB if decoding undoes the codec's color transform.
        uid: The transfer syntax.
        layout: Layout by the future attributes: YBR_RCT for RGB words that the codec has to transform.

    Raises:
        NotEncodableError: No installed encoder writes these words in the transfer syntax.
    """
    syntax = transfer_syntax(uid)
    if syntax is None or not syntax.encoder:
        raise NotEncodableError(why_native(uid))
    if syntax.stores_native_frames:
        return native_frames.encode(words, syntax.coding, layout)
    values = np.ascontiguousarray(layout.values(words))
    keeps_words = syntax.coding in (Coding.JPEG_LOSSLESS, Coding.RLE, Coding.JPEG_XL)
    if not keeps_words and holds_more(words, layout):
        raise NotEncodableError("the pixel data has bits in use that its transfer syntax does not keep")
    try:
        stream = _encoded(words, values, syntax, layout)
        return without_side_data(stream, syntax.coding, layout.rows * layout.columns)
    except Exception as error:  # noqa: BLE001 - plugins raise anything, and their text may quote the data
        raise NotEncodableError(f"the pixel data could not be encoded: {type(error).__name__}") from None


def _encoded(words: Words, values: Words, syntax: TransferSyntax, layout: PixelLayout) -> bytes:
    """Return a frame as its encoder writes it."""
    match syntax.coding:
        case Coding.JPEG_LOSSLESS:
            return jpeglossless.encode(words, layout.bits_stored + layout.shift, rgb=layout.photometric == "RGB")
        case Coding.RLE:
            return _rle(words, layout)
        case Coding.HTJ2K:
            return _htj2k(values, UID(syntax.uid), layout)
        case Coding.JPEG_XL:
            return _jpeg_xl(words, layout)
        case _:
            return _by_pydicom(values, syntax, layout)


def holds_more(words: Words, layout: PixelLayout) -> bool:
    """Return True if unused bits hold anything other than zeros or the extended sign."""
    if layout.bits_stored == layout.bits_allocated:
        return False
    used = layout.dtype.type((1 << layout.bits_stored) - 1)
    sign_extended = np.ascontiguousarray(layout.values(words)).view(layout.dtype)
    return bool(((words != sign_extended) & (words != (sign_extended & used))).any())


def _rle(words: Words, layout: PixelLayout) -> bytes:
    """Encode whole words with unused bits, also of 32 bits, which pydicom rejects by PS3.5 section 8.2.2."""
    from rle.rle import encode_frame

    little = words.astype(words.dtype.newbyteorder("<"), copy=False)
    bits = max(8, layout.bits_allocated)
    return bytes(encode_frame(little.tobytes(), layout.rows, layout.columns, layout.samples, bits, "<"))


def _by_pydicom(source: Any, syntax: TransferSyntax, layout: PixelLayout) -> bytes:
    encoder = get_encoder(UID(syntax.encodes_as or syntax.uid))
    with one_at_a_time:
        return bytes(encoder.encode(source, index=None, encoding_plugin=syntax.encoder, **options_of(layout)))


def _jpeg_xl(words: Words, layout: PixelLayout) -> bytes:
    """Encode words up to High Bit. JPEG XL has no signed samples, so bits above may only be the extended sign."""
    import imagecodecs

    bits = layout.bits_stored + layout.shift
    if layout.bits_allocated > bits and (words >> bits).any():
        if holds_more(words, layout):
            raise NotEncodableError("the pixel data has bits in use that its transfer syntax does not keep")
        words = words & layout.dtype.type((1 << bits) - 1)
    words = words.astype("u1" if bits <= 8 else "u2")  # the encoder requires the smallest type that holds the bits
    with one_at_a_time:
        return bytes(imagecodecs.jpegxl_encode(words, lossless=True, bitspersample=bits, numthreads=1))


def _htj2k(values: Words, uid: UID, layout: PixelLayout) -> bytes:
    """Encode with the progression order, resolutions and TLM segment of the RPCL syntax (PS3.5 section 10.18).

    The encoder supports only samples of whole bytes. It gets signed ones, which have no DC level shift; the header is
    then patched to the depth and sign of the attributes.
    """
    import imagecodecs

    offset = 0 if layout.signed else 1 << (layout.bits_stored - 1)
    centered = (values.astype(np.int32) - offset).astype(f"i{layout.dtype.itemsize}")
    levels = max(_FEWEST_LEVELS, ((max(layout.rows, layout.columns) - 1) // _THUMBNAIL).bit_length())
    with one_at_a_time:
        stream = bytearray(
            imagecodecs.htj2k_encode(
                centered, reversible=True, rgb=layout.photometric == "YBR_RCT", resolutions=levels, tlm=True
            )
        )
    written = stream[stream.index(_CODING_STYLE) + _LEVELS_AT]
    if uid == _RPCL and max(layout.rows, layout.columns) > _THUMBNAIL << written:
        # Some versions of the encoder limit the number of levels by the shorter side.
        raise NotEncodableError("the encoder does not write the smallest resolution that the transfer syntax requires")
    depth = layout.bits_stored - 1 | (0x80 if layout.signed else 0)
    for component in range(layout.samples):
        stream[_FIRST_DEPTH + 3 * component] = depth
    return bytes(stream)
