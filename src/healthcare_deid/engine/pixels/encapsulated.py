"""Frames stored as compressed codestreams: decoded one by one, and encoded again where they were changed."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from healthcare_deid.engine.pixels import jpeglossless
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.fragments import Codestreams
    from healthcare_deid.engine.pixels.layout import PixelLayout

ENCODERS = {
    RLELossless: RLELossless,
    JPEGLSLossless: JPEGLSLossless,
    JPEGLSNearLossless: JPEGLSNearLossless,
    JPEG2000Lossless: JPEG2000Lossless,
    JPEG2000: JPEG2000Lossless,
    JPEGLossless: JPEGLossless,
    JPEGLosslessSV1: JPEGLosslessSV1,
}
"""Syntaxes whose frames can be written again without loss, and the encoder that does it. The lossy ones of the list
hold reversible codestreams too (PS3.5 A.4.3, A.4.4): only touched frames change, and they by nothing but the boxes."""

LOSSLESS = frozenset(
    {
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
        JPEGLossless,
        JPEGLosslessSV1,
        "1.2.840.10008.1.2.4.201",  # HTJ2K lossless
        "1.2.840.10008.1.2.4.202",  # HTJ2K lossless, RPCL
        "1.2.840.10008.1.2.4.110",  # JPEG XL lossless
    }
)
"""Syntaxes in which nothing was lost."""


_one_at_a_time = threading.Lock()
"""GDCM's Python binding crashes the process when two threads are in it, or in it and in OpenJPEG's (python-gdcm 3.2.6,
pylibjpeg-openjpeg 2.6). Little is lost: most codecs hold the interpreter's own lock while they work."""


class NotEncodableError(UnsupportedPixelsError):
    """No installed encoder writes these frames in their own transfer syntax. They can still be written natively."""


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
        self.can_encode = uid in ENCODERS and not layout.signed_colour
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
        if stored.samples == 3 and (not self.can_encode or photometric in ("YBR_RCT", "YBR_ICT")):
            photometric = "RGB"
        elif photometric == "YBR_FULL_422":
            photometric = "YBR_FULL"
        return replace(stored, planar=False, photometric=photometric)

    def words(self, index: int) -> Words:
        """Return a frame's words: (rows, columns) or (rows, columns, samples).

        Raises:
            UnsupportedPixelsError: No installed decoder reads it.
        """
        return self._decode(self.codestreams[index])

    def encoded(self, words: Words) -> bytes:
        """Return a frame's words as a codestream that decodes to exactly them.

        Raises:
            NotEncodableError: No installed encoder does that.
        """
        layout = self.layout
        try:
            stream = self._stream(words)
        except Exception as error:  # noqa: BLE001 - plugins raise anything, and their text may quote the data
            raise NotEncodableError(f"the pixel data could not be encoded: {type(error).__name__}") from None
        if not np.array_equal(layout.values(self._decode(stream)), layout.values(words)):
            raise NotEncodableError("the encoder did not keep the pixel values")
        return stream

    def _stream(self, words: Words) -> bytes:
        layout = self.layout
        if self._uid in (JPEGLossless, JPEGLosslessSV1):
            return jpeglossless.encode(words, layout.bits_stored + layout.shift, rgb=layout.photometric == "RGB")
        options = self._options()
        if self.colour_changes:
            options["photometric_interpretation"] = "YBR_RCT"
        if self._uid == RLELossless:  # the only one that keeps unused bits: given as bytes, they are not refused
            source: Any = np.ascontiguousarray(words).tobytes()
        else:
            source = np.ascontiguousarray(layout.values(words))
        with _one_at_a_time:
            return bytes(get_encoder(ENCODERS[self._uid]).encode(source, index=None, **options))

    def _decode(self, stream: bytes) -> Words:
        layout = self._stored
        options = self._options()
        if self._uid == RLELossless:
            options["correct_unused_bits"] = False
        framed = _one_item(stream)
        try:
            with _one_at_a_time:
                array, _ = get_decoder(self._uid).as_array(framed, index=0, raw=self.can_encode, **options)
        except NotImplementedError:
            raise UnsupportedPixelsError(f"no decoder for transfer syntax {self._uid}") from None
        except Exception as error:  # noqa: BLE001 - plugins raise anything, and their text may quote the data
            raise UnsupportedPixelsError(f"the pixel data could not be decoded: {type(error).__name__}") from None
        expected = (
            (layout.rows, layout.columns) if layout.samples == 1 else (layout.rows, layout.columns, layout.samples)
        )
        if array.shape != expected:
            raise UnsupportedPixelsError("the pixel data decodes to another shape than its attributes say")
        return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("="), copy=False).view(layout.dtype)

    def _options(self) -> dict[str, Any]:
        layout = self._stored
        options: dict[str, Any] = {
            "rows": layout.rows,
            "columns": layout.columns,
            "number_of_frames": 1,
            "samples_per_pixel": layout.samples,
            "photometric_interpretation": layout.photometric,
            "bits_allocated": layout.bits_allocated,
            "bits_stored": layout.bits_stored,
            "pixel_representation": int(layout.signed),
        }
        if layout.samples > 1:
            options["planar_configuration"] = 0
        return options


def _one_item(stream: bytes) -> bytes:
    """Return a codestream as an encapsulated value of one frame: an empty offset table, one item (PS3.5 A.4)."""
    padded = stream + b"\0" * (len(stream) % 2)
    return b"\xfe\xff\x00\xe0\0\0\0\0" + b"\xfe\xff\x00\xe0" + len(padded).to_bytes(4, "little") + padded
