"""Frames stored as compressed codestreams, decoded one by one and re-encoded if they changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.dicom.transfer_syntaxes import Coding
from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.frames.codecs.codestream_headers import checked_header
from healthcare_deid.engine.pixels.frames.codecs.decoders import MOST_BITS, checked_decodable, decode, has_luma
from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError, encode, has_encoder, holds_more
from healthcare_deid.engine.pixels.frames.codecs.jpeg_dct import blanked, chroma_margin, mcu_size
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.uid import (
        UID,
    )

    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.codestreams import Codestreams
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout


NEARLY_DARK = 8
"""Largest deviation from black, in gray levels, that color conversion may round a blanked DCT block to."""


class EncapsulatedFrames:
    """Frames of an encapsulated pixel data element (PS3.5 A.4).

    Args:
        layout: Layout by the attributes.
        uid: The transfer syntax.
        codestreams: One per frame.

    Attributes:
        layout: The layout of `words`.
        can_encode: Whether changed frames can stay in the transfer syntax.

    Raises:
        UnsupportedPixelsError: Frames are missing, or no installed decoder reads the transfer syntax.
    """

    def __init__(self, layout: PixelLayout, uid: UID, codestreams: Codestreams) -> None:
        if len(codestreams) < layout.frames:
            raise UnsupportedPixelsError("the pixel data holds fewer frames than NumberOfFrames says")
        self._uid = uid
        syntax = checked_decodable(uid)
        if layout.bits_allocated == 1 and not syntax.holds_single_bits:
            raise UnsupportedPixelsError("single-bit pixel data cannot be in this transfer syntax")
        self._syntax = syntax
        is_jpeg = syntax.coding is Coding.JPEG
        self.codestreams = codestreams
        self._said = layout
        self._depth = checked_header(codestreams[0], uid, layout).precision if syntax.has_own_depth else 0
        self._deep = self._with_own_depth(layout)
        self._holds_more = False
        blanks = is_jpeg and layout.photometric != "PALETTE COLOR"
        self._mcu = mcu_size(self.codestreams[0]) if blanks else None
        self.can_encode = has_encoder(uid, layout) or self._mcu is not None
        self._color = self._stored_color()
        self.new_photometric = self._new_photometric()
        """Photometric Interpretation of all frames after one was re-encoded losslessly; empty if it does not change."""
        self.layout = self._decoded_layout()

    @property
    def excess(self) -> bool:
        """Whether fragments follow the last frame."""
        return self.codestreams.excess

    @property
    def stored(self) -> PixelLayout:
        """The attributes' layout; a deeper one once a decoded frame had values beyond it.

        Codestreams often declare a higher precision than any of their values needs, which is harmless.
        """
        return self._deep if self._holds_more else self._said

    def _with_own_depth(self, layout: PixelLayout) -> PixelLayout:
        """Return a layout deep enough for every value that the first frame's codestream can hold."""
        if self._depth <= layout.high_bit + 1:
            return layout
        deep = replace(layout, bits_stored=self._depth, high_bit=self._depth - 1)
        no_sign = self._syntax.coding in (Coding.JPEG_LS, Coding.JPEG_XL)
        if layout.signed and no_sign and not holds_more(decode(self.codestreams[0], self._uid, deep), layout):
            return layout  # the sign bit is where the attributes say
        return deep

    def _decoded_layout(self) -> PixelLayout:
        """Return the layout of `words`: interleaved, and RGB if the decoder undoes the codec's color transform."""
        stored = self._deep
        if self._syntax.stores_native_frames:
            return stored
        photometric = stored.photometric
        undone = self._syntax.coding is Coding.JPEG or self._color or photometric in ("YBR_RCT", "YBR_ICT", "XYB")
        if stored.samples == 3 and undone:
            photometric = "RGB"
        elif photometric == "YBR_FULL_422":
            photometric = "YBR_FULL"
        return replace(stored, planar=False, photometric=photometric)

    def _stored_color(self, index: int = 0) -> str:
        """Return the decoded color space of a JPEG XL frame whose codestream transforms colors; otherwise empty."""
        if self._syntax.coding is not Coding.JPEG_XL:
            return ""
        return checked_header(self.codestreams[index], self._uid, self._deep).photometric

    def _new_photometric(self) -> str:
        if self._syntax.coding is Coding.JPEG_XL:
            return self._color if self._color != self._said.photometric else ""
        return "YBR_RCT" if self._said.photometric == "YBR_ICT" else ""

    def words(self, index: int) -> Words:
        """Return a frame's words, of shape (rows, columns) or (rows, columns, samples).

        Raises:
            UnsupportedPixelsError: The frame cannot be decoded, or its depth or color space differs from the others.
        """
        if self._stored_color(index) != self._color:
            raise UnsupportedPixelsError("the frames of the pixel data have different color spaces")
        deepest = max(self._depth, self._said.high_bit + 1) if self._syntax.has_own_depth else MOST_BITS
        words = decode(self.codestreams[index], self._uid, self._deep, deepest=deepest)
        if self._deep != self._said and not np.array_equal(self._said.values(words), self._deep.values(words)):
            self._holds_more = True
        if self._depth > self._deep.high_bit + 1 and holds_more(words, self._said):
            raise UnsupportedPixelsError("the frames of the pixel data have different depths")
        return words

    def aligned(self, box: Box) -> Box:
        """Grow a box to whole coding units (MCUs in lossy JPEG) and clip it to the frame."""
        if self._mcu is not None and box.width > 0 < box.height:
            across, down = self._mcu
            left, top = box.left // across * across, box.top // down * down
            box = Box(left, top, -(-box.right // across) * across, -(-box.bottom // down) * down)
        return self.layout.aligned(box)

    def covered(self, index: int, words: Words, boxes: Sequence[Box]) -> bytes:
        """Return the new codestream of a covered frame.

        Args:
            index: Index of the frame.
            words: Its words with the boxes already filled.
            boxes: The filled boxes.

        Raises:
            NotEncodableError: No installed encoder keeps all other values.
        """
        return self._encoded(words) if self._mcu is None else self._blanked(index, boxes)

    def _blanked(self, index: int, boxes: Sequence[Box]) -> bytes:
        """Return a lossy JPEG frame with the MCUs under boxes blanked and everything else unchanged."""
        old = self.codestreams[index]
        if mcu_size(old) != self._mcu:
            raise NotEncodableError("the frames of the pixel data use different MCU sizes or JPEG processes")
        header = checked_header(old, self._uid, self._said)
        bright = self._said.photometric == "MONOCHROME1"
        new = blanked(old, boxes, luma=has_luma(self._said, header), bright=bright)
        before, after = (decode(stream, self._uid, self._said) for stream in (old, new))
        # Decoders interpolate subsampled chroma across the edges of blocks, so these pixels are not compared.
        across, down = chroma_margin(old)
        outside = np.ones(before.shape[:2], bool)
        for box in boxes:
            around = self.aligned(box).grown(across, down).clipped(self._said.columns, self._said.rows)
            outside[around.top : around.bottom, around.left : around.right] = False
            inside = self.aligned(box).grown(-across, -down)
            part = after[inside.top : inside.bottom, inside.left : inside.right]
            if part.size and ((part < 255 - NEARLY_DARK).any() if bright else (part > NEARLY_DARK).any()):
                raise NotEncodableError("the blanked blocks do not decode to a dark area")
        if not np.array_equal(before[outside], after[outside]):
            raise NotEncodableError("blanking changed values outside the blocks")
        return new

    def _encoded(self, words: Words) -> bytes:
        """Encode a frame's words, and check that the codestream decodes to exactly the same values."""
        layout = self.layout
        written = replace(self.stored, photometric=self.new_photometric or self.stored.photometric)
        if self._syntax.coding is Coding.JPEG_XL:  # all frames must have the same depth
            written = replace(written, bits_stored=self._depth, high_bit=self._depth - 1)
        stream = encode(words, self._uid, written)
        if not np.array_equal(layout.values(decode(stream, self._uid, written)), layout.values(words)):
            raise NotEncodableError("the encoder did not keep the pixel values")
        return stream
