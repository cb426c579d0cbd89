"""Frames stored as compressed codestreams: decoded one by one, and encoded again where they were changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.dicom.transfer_syntaxes import Coding, transfer_syntax
from healthcare_deid.engine.pixels.frames.codecs.codestream_headers import checked_header
from healthcare_deid.engine.pixels.frames.codecs.decoders import MOST_BITS, decode
from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError, encode, has_encoder
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from pydicom.uid import (
        UID,
    )

    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.codestreams import Codestreams
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout


class EncapsulatedFrames:
    """Frames of an encapsulated pixel data element (PS3.5 A.4).

    Args:
        layout: What the attributes say.
        uid: The transfer syntax.
        codestreams: One a frame.

    Attributes:
        layout: The layout of `words`.
    """

    def __init__(self, layout: PixelLayout, uid: UID, codestreams: Codestreams) -> None:
        if layout.bits_allocated == 1:
            raise UnsupportedPixelsError("compressed single-bit pixel data cannot be looked at")
        if len(codestreams) < layout.frames:
            raise UnsupportedPixelsError("the pixel data holds fewer frames than NumberOfFrames says")
        self._uid = uid
        syntax = transfer_syntax(uid)
        self._has_own_depth = syntax is not None and syntax.has_own_depth
        self._is_jpeg = syntax is not None and syntax.coding is Coding.JPEG
        self.codestreams = codestreams
        self._said = layout
        self._deep = self._with_own_depth(layout)
        self._holds_more = False
        self.can_encode = has_encoder(uid, layout)
        self.colour_changes = layout.photometric == "YBR_ICT"
        """Whether writing one frame means writing all: the lossless codestream has another colour transformation."""
        self.layout = self._decoded_layout()

    @property
    def excess(self) -> bool:
        """Whether fragments follow the last frame."""
        return self.codestreams.excess

    @property
    def stored(self) -> PixelLayout:
        """The attributes' layout; a deeper one, once a frame was decoded that has values beyond it.

        Codestreams are often deeper than any value in them, which harms nobody.
        """
        return self._deep if self._holds_more else self._said

    def _with_own_depth(self, layout: PixelLayout) -> PixelLayout:
        """Return a layout with room for every value that the first frame's codestream can hold."""
        if not self._has_own_depth:
            return layout
        depth = checked_header(self.codestreams[0], self._uid, layout).precision
        return layout if depth <= layout.high_bit + 1 else replace(layout, bits_stored=depth, high_bit=depth - 1)

    def _decoded_layout(self) -> PixelLayout:
        """Return the layout of `words`: pixel by pixel, and RGB where the codec's own colour space is undone."""
        stored = self._deep
        photometric = stored.photometric
        if stored.samples == 3 and (self._is_jpeg or photometric in ("YBR_RCT", "YBR_ICT")):
            photometric = "RGB"
        elif photometric == "YBR_FULL_422":
            photometric = "YBR_FULL"
        return replace(stored, planar=False, photometric=photometric)

    def words(self, index: int) -> Words:
        """Return a frame's words: (rows, columns) or (rows, columns, samples).

        Raises:
            UnsupportedPixelsError: No installed decoder reads it.
        """
        deepest = self._deep.high_bit + 1 if self._has_own_depth else MOST_BITS
        words = decode(self.codestreams[index], self._uid, self._deep, deepest=deepest)
        if self._deep != self._said and not np.array_equal(self._said.values(words), self._deep.values(words)):
            self._holds_more = True
        return words

    def encoded(self, words: Words) -> bytes:
        """Return a frame's words as a codestream that decodes to exactly them.

        Raises:
            NotEncodableError: No installed encoder does that.
        """
        layout = self.layout
        written = replace(self.stored, photometric="YBR_RCT") if self.colour_changes else self.stored
        stream = encode(words, self._uid, written)
        if not np.array_equal(layout.values(decode(stream, self._uid, written)), layout.values(words)):
            raise NotEncodableError("the encoder did not keep the pixel values")
        return stream
