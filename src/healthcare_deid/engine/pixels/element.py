"""One pixel data element of a dataset: its frames to look at, and its new value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.uid import UID, ExplicitVRBigEndian

from healthcare_deid.engine.pixels.cover import covered
from healthcare_deid.engine.pixels.encapsulated import EncapsulatedFrames, split
from healthcare_deid.engine.pixels.layout import PixelLayout, pixel_layout
from healthcare_deid.engine.pixels.native import BytesCopy, BytesStorage, NativeFrames
from healthcare_deid.engine.pixels.palette import Palette, palette_of
from healthcare_deid.engine.pixels.pictures import pictures
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Picture, Words
    from healthcare_deid.engine.pixels.geometry import Box

KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""The elements that hold an image; a dataset has one of them at most (PS3.3 C.7.6.3, C.7.6.24, C.7.6.25)."""
WORD_BITS = 8


class PixelElement:
    """A pixel data element, opened.

    Args:
        dataset: The dataset or sequence item it is in.
        keyword: Which one.
        path: Its path, for records.
        syntax: The instance's transfer syntax.
    """

    def __init__(self, dataset: Dataset, keyword: str, path: str, syntax: UID) -> None:
        self.path = path
        self.keyword = keyword
        self._element = dataset[keyword]
        self._syntax = syntax
        stored = pixel_layout(dataset, keyword)
        self.frames = self._open(dataset, stored)
        self.layout = self.frames.layout
        self.palette: Palette | None = None
        if stored.photometric == "PALETTE COLOR":
            self.palette = palette_of(dataset, bits_stored=stored.bits_stored, signed=stored.signed)

    def _open(self, dataset: Dataset, layout: PixelLayout) -> NativeFrames | EncapsulatedFrames:
        value: Any = self._element.value
        if value is None or not len(value):
            raise UnsupportedPixelsError("the pixel data is empty")
        if self._syntax.is_encapsulated and self._element.is_undefined_length:
            offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
            both = (offsets[0], offsets[1]) if offsets[0] and offsets[1] else None
            return EncapsulatedFrames(layout, self._syntax, split(value, layout.frames, both))
        big = self._syntax == ExplicitVRBigEndian
        swapped = big and layout.bits_allocated == WORD_BITS and self._element.VR == "OW"
        return NativeFrames(layout, BytesStorage(value), big_endian=big, byte_swapped=swapped)

    @property
    def encapsulated(self) -> bool:
        """Whether the frames are compressed."""
        return isinstance(self.frames, EncapsulatedFrames)

    @property
    def count(self) -> int:
        """How many frames."""
        return self.layout.frames

    def words(self, index: int) -> Words:
        """Return a frame."""
        return self.frames.words(index)

    def pictures(self, words: Words) -> list[Picture]:
        """Return a frame's pictures."""
        return pictures(self.layout, words, self.palette)

    def covered(self, index: int, boxes: Iterable[Box]) -> Words:
        """Return a frame with boxes covered."""
        return covered(self.layout, self.words(index), boxes, self.palette)

    def native_value(self, boxes: Mapping[int, Iterable[Box]]) -> DataElement:
        """Return the native element with the boxes of some frames covered."""
        assert isinstance(self.frames, NativeFrames)
        copy = BytesCopy(BytesStorage(self._element.value))
        for index, of_frame in boxes.items():
            self.frames.write(copy, index, self.covered(index, of_frame))
        return DataElement(self._element.tag, self._element.VR, copy.value(), already_converted=True)
