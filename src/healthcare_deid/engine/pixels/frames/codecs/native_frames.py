"""Native frames, one per fragment, uncompressed or deflated (PS3.5 A.4.11, A.4.13)."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.long_values import BytesStorage
from healthcare_deid.engine.dicom.sidedata.deflated import inflated
from healthcare_deid.engine.dicom.transfer_syntaxes import Coding
from healthcare_deid.engine.pixels.frames.native import NativeFrames
from healthcare_deid.engine.pixels.frames.value_pieces import NewValue
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout


def decode(stream: bytes, coding: Coding, layout: PixelLayout) -> Words:
    """Return a frame's words, as `NativeFrames.words` does.

    Raises:
        UnsupportedPixelsError: The number of bytes contradicts the attributes.
    """
    one = replace(layout, frames=1)
    data = inflated(stream, one.length) if coding is Coding.DEFLATED_FRAMES else stream
    frames = NativeFrames(one, BytesStorage(data))
    if frames.layout != one or frames.excess:
        raise UnsupportedPixelsError("the length of a frame contradicts its attributes")
    return frames.words(0)


def encode(words: Words, coding: Coding, layout: PixelLayout) -> bytes:
    """Encode a frame's words as one fragment."""
    one = replace(layout, frames=1)
    blank = BytesStorage(bytes(one.length))
    value = NewValue(blank)
    NativeFrames(one, blank).rewrite(value, [0], lambda _: words)
    data = value.value()
    assert isinstance(data, bytes)
    if coding is Coding.UNCOMPRESSED_FRAMES:
        return data
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()
