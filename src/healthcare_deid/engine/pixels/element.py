"""One element that holds pictures: its frames to look at, and its new value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import UID, ExplicitVRBigEndian

from healthcare_deid.engine.pixels.cover import covered
from healthcare_deid.engine.pixels.encapsulated import EncapsulatedFrames, split
from healthcare_deid.engine.pixels.layout import PixelLayout, overlay_layout, pixel_layout
from healthcare_deid.engine.pixels.native import BytesCopy, BytesStorage, NativeFrames
from healthcare_deid.engine.pixels.palette import Palette, palette_of
from healthcare_deid.engine.pixels.pictures import pictures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthcare_deid.engine.pixels.arrays import Picture, Words
    from healthcare_deid.engine.pixels.geometry import Box
    from healthcare_deid.engine.pixels.targets import Target

Boxes = dict[int, list["Box"]]
"""Boxes by frame; frames without any are left out."""

_BYTE = 8
_OFFSET_TABLE = 0x7FE00001
_OFFSET_TABLE_LENGTHS = 0x7FE00002
_LONGEST_BASIC_OFFSET = 1 << 32


class PixelElement:
    """An element that holds pictures, opened. What it makes are new elements; the old one stays as it is.

    Args:
        target: Where it is.
        syntax: The instance's transfer syntax.

    Raises:
        UnsupportedPixelsError: Its frames cannot be told apart.
    """

    def __init__(self, target: Target, syntax: UID) -> None:
        self.target = target
        dataset = target.dataset
        self._element: DataElement = dataset[target.tag]
        self._syntax = syntax
        stored = overlay_layout(dataset, target.tag) if target.is_overlay else pixel_layout(dataset, target.tag)
        self.frames = self._open(stored)
        self.layout: PixelLayout = self.frames.layout
        self.palette: Palette | None = None
        if stored.photometric == "PALETTE COLOR":
            self.palette = palette_of(dataset, bits_stored=stored.bits_stored, signed=stored.signed)

    def _open(self, layout: PixelLayout) -> NativeFrames | EncapsulatedFrames:
        value: Any = self._element.value
        if self._syntax.is_encapsulated and self._element.is_undefined_length:
            dataset = self.target.dataset
            offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
            both = (offsets[0], offsets[1]) if offsets[0] and offsets[1] else None
            return EncapsulatedFrames(layout, self._syntax, split(value, layout.frames, both))
        big = self._syntax == ExplicitVRBigEndian
        swapped = big and layout.bits_allocated <= _BYTE and self._element.VR == "OW"
        return NativeFrames(layout, BytesStorage(value), big_endian=big, byte_swapped=swapped)

    @property
    def count(self) -> int:
        """How many frames."""
        return self.layout.frames

    @property
    def length(self) -> int:
        """Bytes of the old value."""
        return len(self._element.value)

    @property
    def vr(self) -> str:
        """The old element's VR."""
        return str(self._element.VR)

    @property
    def must_become_native(self) -> bool:
        """Whether a change needs another transfer syntax: nothing here encodes this one."""
        return isinstance(self.frames, EncapsulatedFrames) and not self.frames.can_encode

    @property
    def encapsulated(self) -> bool:
        """Whether the frames are compressed."""
        return isinstance(self.frames, EncapsulatedFrames)

    def words(self, index: int) -> Words:
        """Return a frame."""
        return self.frames.words(index)

    def pictures(self, words: Words) -> list[Picture]:
        """Return a frame's pictures."""
        return pictures(self.layout, words, self.palette)

    def covered(self, index: int, boxes: Mapping[int, Iterable[Box]]) -> Words:
        """Return a frame with its boxes covered."""
        words = self.words(index)
        return covered(self.layout, words, boxes[index], self.palette) if boxes.get(index) else words

    def extremes(self, boxes: Mapping[int, Iterable[Box]]) -> tuple[int, int]:
        """Return the smallest and the largest value, boxes covered."""
        found = [self.layout.values(self.covered(index, boxes)) for index in range(self.count)]
        return min(int(values.min()) for values in found), max(int(values.max()) for values in found)

    def rewritten(self, boxes: Mapping[int, Iterable[Box]]) -> list[DataElement]:
        """Return the elements that replace it in the same transfer syntax, boxes covered: itself, and offset tables."""
        if isinstance(self.frames, EncapsulatedFrames):
            return self._encapsulated(self.frames, boxes)
        copy = BytesCopy(BytesStorage(self._element.value))
        for index in boxes:
            self.frames.write(copy, index, self.covered(index, boxes))
        return [DataElement(self._element.tag, self._element.VR, copy.value(), already_converted=True)]

    def native(self, boxes: Mapping[int, Iterable[Box]]) -> DataElement:
        """Return the element that replaces it in Explicit VR Little Endian, boxes covered."""
        value = bytearray()
        for index in range(self.count):
            words = np.ascontiguousarray(self.covered(index, boxes))
            value += words.astype(words.dtype.newbyteorder("<"), copy=False).tobytes()
        value += b"\0" * (len(value) % 2)
        vr = "OB" if self.layout.bits_allocated <= _BYTE else "OW"
        return DataElement(self._element.tag, vr, bytes(value), already_converted=True)

    def _encapsulated(self, frames: EncapsulatedFrames, boxes: Mapping[int, Iterable[Box]]) -> list[DataElement]:
        streams = [
            frames.encoded(self.covered(index, boxes)) if boxes.get(index) or frames.colour_changes else stream
            for index, stream in enumerate(frames.codestreams)
        ]
        extra: list[DataElement] = []
        extended = _OFFSET_TABLE in self.target.dataset or sum(map(len, streams)) >= _LONGEST_BASIC_OFFSET
        if extended:
            value, offsets, lengths = encapsulate_extended(streams)
            extra = [DataElement(_OFFSET_TABLE, "OV", offsets), DataElement(_OFFSET_TABLE_LENGTHS, "OV", lengths)]
        else:
            value = encapsulate(streams)
        element = DataElement(self._element.tag, "OB", value, already_converted=True)
        element.is_undefined_length = True
        return [element, *extra]
