"""Frames stored as compressed codestreams: decoded one by one, and encoded again where they were changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import (
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from healthcare_deid.engine.pixels.decoders import DCT, decode
from healthcare_deid.engine.pixels.encoders import NotEncodableError, encode, has_encoder
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.fragments import Codestreams
    from healthcare_deid.engine.pixels.layout import PixelLayout

LOSSLESS = frozenset(
    {
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
        JPEGLossless,
        JPEGLosslessSV1,
        HTJ2KLossless,
        HTJ2KLosslessRPCL,
        "1.2.840.10008.1.2.4.110",  # JPEG XL lossless
    }
)
"""Syntaxes in which nothing was lost."""


class EncapsulatedFrames:
    """Frames of an encapsulated pixel data element (PS3.5 A.4).

    Args:
        layout: What the attributes say.
        uid: The transfer syntax.
        codestreams: One a frame.
    """

    def __init__(self, layout: PixelLayout, uid: UID, codestreams: Codestreams) -> None:
        if layout.bits_allocated == 1:
            raise UnsupportedPixelsError("compressed single-bit pixel data cannot be looked at")
        if len(codestreams) < layout.frames:
            raise UnsupportedPixelsError("the pixel data holds fewer frames than NumberOfFrames says")
        self._stored = layout
        self._uid = uid
        self.codestreams = codestreams
        self.can_encode = has_encoder(uid, layout)
        self.colour_changes = layout.photometric == "YBR_ICT"
        """Whether writing one frame means writing all: the lossless codestream has another colour transformation."""
        self.layout = self._decoded_layout()

    @property
    def excess(self) -> bool:
        """Whether fragments follow the last frame."""
        return self.codestreams.excess

    def _decoded_layout(self) -> PixelLayout:
        """Return the layout of `words`: pixel by pixel, and RGB where the codec's own colour space is undone."""
        stored = self._stored
        photometric = stored.photometric
        if stored.samples == 3 and (self._uid in DCT or photometric in ("YBR_RCT", "YBR_ICT")):
            photometric = "RGB"
        elif photometric == "YBR_FULL_422":
            photometric = "YBR_FULL"
        return replace(stored, planar=False, photometric=photometric)

    def words(self, index: int) -> Words:
        """Return a frame's words: (rows, columns) or (rows, columns, samples).

        Raises:
            UnsupportedPixelsError: No installed decoder reads it.
        """
        return decode(self.codestreams[index], self._uid, self._stored)

    def encoded(self, words: Words) -> bytes:
        """Return a frame's words as a codestream that decodes to exactly them.

        Raises:
            NotEncodableError: No installed encoder does that.
        """
        layout = self.layout
        written = replace(self._stored, photometric="YBR_RCT") if self.colour_changes else self._stored
        stream = encode(words, self._uid, written)
        if not np.array_equal(layout.values(decode(stream, self._uid, written)), layout.values(words)):
            raise NotEncodableError("the encoder did not keep the pixel values")
        return stream
