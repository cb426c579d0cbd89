"""An element that holds pictures: access to its frames, and its new value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.dataelem import DataElement
from pydicom.uid import UID, ExplicitVRBigEndian

from healthcare_deid.engine.dicom.fragments import is_encapsulated
from healthcare_deid.engine.dicom.long_values import storage_of
from healthcare_deid.engine.dicom.transfer_syntaxes import is_native, is_video
from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.cover.fill import covered
from healthcare_deid.engine.pixels.frames.codecs.decoders import checked_decodable
from healthcare_deid.engine.pixels.frames.codestreams import Codestreams, write_encapsulated
from healthcare_deid.engine.pixels.frames.encapsulated import EncapsulatedFrames
from healthcare_deid.engine.pixels.frames.layout import PixelLayout, overlay_layout, pixel_layout
from healthcare_deid.engine.pixels.frames.native import NativeFrames
from healthcare_deid.engine.pixels.frames.palette import Palette, palette_of
from healthcare_deid.engine.pixels.frames.pictures import pictures
from healthcare_deid.engine.pixels.frames.value_pieces import NewValue
from healthcare_deid.engine.pixels.parallel import ordered
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from healthcare_deid.engine.pixels.arrays import Picture, Words
    from healthcare_deid.engine.pixels.frames.targets import Target

Boxes = dict[int, list[Box]]
"""Boxes by frame index; frames without boxes are omitted."""

_BYTE = 8
_PHOTOMETRIC, _BITS_STORED, _HIGH_BIT = 0x00280004, 0x00280101, 0x00280102
_OFFSET_TABLE = 0x7FE00001
_OFFSET_TABLE_LENGTHS = 0x7FE00002
KEPT = 64 << 20
"""Size of the cache of decoded frames, in bytes: a frame is searched, covered and measured in separate passes."""
LONGEST_VALUE = (1 << 32) - 2
"""Longest value of defined length, in bytes (PS3.5 section 7.1)."""


class PixelElement:
    """An opened element that holds pictures. Methods return new elements; the old one is never modified.

    Args:
        target: The element.
        syntax: The instance's transfer syntax.
        workers: Threads that decode and encode frames.
        folder: Folder of the temporary file for a new value, if the old value is in a file.
        max_pixels: Refuse frames of more pixels than this.

    Attributes:
        excess: Whether unsearched data follow the last frame.

    Raises:
        UnsupportedPixelsError: The frames cannot be separated, are too large, or have no decoder.
    """

    def __init__(
        self,
        target: Target,
        syntax: UID,
        *,
        workers: int = 1,
        folder: Path | None = None,
        max_pixels: int = 100_000_000,
    ) -> None:
        if not target.readable:
            raise UnsupportedPixelsError("an element of unknown VR seems to hold pictures and cannot be read")
        self.target = target
        dataset = target.dataset
        self._element: DataElement = dataset[target.tag]
        self._storage = storage_of(self._element.value)
        self._syntax = syntax
        self._workers = workers
        self._folder = folder
        stored = overlay_layout(dataset, target.tag) if target.is_overlay else pixel_layout(dataset, target.tag)
        if stored.rows * stored.columns > max_pixels:
            raise UnsupportedPixelsError(
                f"a frame has {stored.rows} x {stored.columns} pixels, more than max_frame_pixels ({max_pixels})"
            )
        self.frames = self._open(stored)
        self.layout: PixelLayout = self.frames.layout
        self.excess = self.frames.excess
        self._kept: dict[int, Words] = {}
        self.palette: Palette | None = None
        self._said = stored
        if stored.photometric == "PALETTE COLOR":
            self.palette = palette_of(dataset, bits_stored=self.layout.bits_stored, signed=stored.signed)

    def _open(self, layout: PixelLayout) -> NativeFrames | EncapsulatedFrames:
        fragments = not is_native(self._syntax) and (
            self._element.is_undefined_length or is_encapsulated(self._storage)
        )
        if fragments or (self.target.is_image and is_video(self._syntax)):
            coding = checked_decodable(self._syntax).coding
            dataset = self.target.dataset
            tables: Any = (dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths"))
            streams = Codestreams(self._storage, layout.frames, tables if all(tables) else None, coding)
            return EncapsulatedFrames(layout, self._syntax, streams)
        big = self._syntax == ExplicitVRBigEndian
        swapped = big and layout.bits_allocated <= _BYTE and self._element.VR == "OW"
        return NativeFrames(layout, self._storage, big_endian=big, byte_swapped=swapped)

    @property
    def corrections(self) -> dict[int, str | int]:
        """Correct values of attributes that contradict the pixel data decoded so far, by tag."""
        said, stored = self._said, self.frames.stored
        pairs: dict[int, tuple[str | int, str | int]] = {
            _PHOTOMETRIC: (said.photometric, stored.photometric),
            _BITS_STORED: (said.bits_stored, stored.bits_stored),
            _HIGH_BIT: (said.high_bit, stored.high_bit),
        }
        return {tag: right for tag, (wrong, right) in pairs.items() if wrong != right}

    @property
    def count(self) -> int:
        """Number of frames."""
        return self.layout.frames

    @property
    def length(self) -> int:
        """Length of the old value in bytes."""
        return len(self._storage)

    @property
    def vr(self) -> str:
        """VR of the old element."""
        return str(self._element.VR)

    @property
    def must_become_native(self) -> bool:
        """Whether changed frames need another transfer syntax, because no encoder writes this one."""
        return isinstance(self.frames, EncapsulatedFrames) and not self.frames.can_encode

    @property
    def encapsulated(self) -> bool:
        """Whether the frames are compressed."""
        return isinstance(self.frames, EncapsulatedFrames)

    @property
    def columns(self) -> int:
        """Columns of a frame."""
        return self.layout.columns

    def words(self, index: int) -> Words:
        """Return a frame's words, which must not be modified."""
        words = self._kept.get(index)
        if words is None:
            words = self.frames.words(index)
            if not self._kept or (self.encapsulated and (len(self._kept) + 1) * words.nbytes <= KEPT):
                self._kept[index] = words
        return words

    def pictures(self, words: Words) -> list[Picture]:
        """Return a frame's pictures."""
        return pictures(self.layout, words, self.palette)

    def aligned(self, box: Box) -> Box:
        """Grow a box to units that can be covered separately, and clip it to the frame."""
        return self.frames.aligned(box) if isinstance(self.frames, EncapsulatedFrames) else self.layout.aligned(box)

    def places(self, index: int, box: Box) -> list[tuple[int, Box]]:
        """Return the frame and the box itself; the counterpart of `Mosaic.places`."""
        return [(index, box)]

    @property
    def whole(self) -> Box:
        """Box of the whole picture, which is one frame."""
        return Box(0, 0, self.layout.columns, self.layout.rows)

    def in_whole(self, frame: int, box: Box) -> Box:
        """Return the box itself; the counterpart of `Mosaic.in_whole`."""
        del frame
        return box

    def covered(self, index: int, boxes: Mapping[int, Iterable[Box]]) -> Words:
        """Return a frame's words with its boxes covered."""
        words = self.words(index)
        return covered(self.layout, words, boxes[index], self.palette) if boxes.get(index) else words

    def extremes(self, boxes: Mapping[int, Iterable[Box]]) -> tuple[int, int]:
        """Return the smallest and the largest value of all frames after covering."""

        def of_frame(index: int) -> tuple[int, int]:
            values = self.layout.values(self.covered(index, boxes))
            return int(values.min()), int(values.max())

        lowest, highest = zip(*ordered(of_frame, range(self.count), self._workers), strict=True)
        return min(lowest), max(highest)

    def rewritten(self, boxes: Mapping[int, Iterable[Box]]) -> list[DataElement]:
        """Return the covered element in the same transfer syntax, with its offset tables if it has any."""
        if isinstance(self.frames, EncapsulatedFrames):
            return self._encapsulated(self.frames, boxes)
        value = NewValue(self._storage, self._folder)
        self.frames.rewrite(value, sorted(boxes), lambda index: self.covered(index, boxes))
        return [DataElement(self._element.tag, self._element.VR, value.value(), already_converted=True)]

    def native(self, boxes: Mapping[int, Iterable[Box]]) -> DataElement:
        """Return the covered element in Explicit VR Little Endian.

        Raises:
            UnsupportedPixelsError: The uncompressed value would exceed 4 GB.
        """
        length = -(-self.layout.frame_bits * self.count // 8)
        if length > LONGEST_VALUE:
            raise UnsupportedPixelsError("the pixel data cannot be written uncompressed: it would exceed 4 GB")

        def of_frame(index: int) -> Words:
            words = np.ascontiguousarray(self.covered(index, boxes))
            return words.astype(words.dtype.newbyteorder("<"), copy=False)

        value = NewValue(self._storage, self._folder)
        rest = np.zeros(0, np.uint8)  # single-bit frames are packed without gaps, so a byte may span two
        for words in ordered(of_frame, range(self.count), self._workers):
            if self.layout.bits_allocated > 1:
                value.append(words.tobytes())
                continue
            bits = np.concatenate((rest, words.reshape(-1)))
            whole = bits.size // _BYTE * _BYTE
            value.append(np.packbits(bits[:whole], bitorder="little").tobytes())
            rest = bits[whole:]
        value.append(np.packbits(rest, bitorder="little").tobytes())
        value.append(b"\0" * (len(value) % 2))
        vr = "OB" if self.layout.bits_allocated <= _BYTE else "OW"
        return DataElement(self._element.tag, vr, value.value(), already_converted=True)

    def _encapsulated(self, frames: EncapsulatedFrames, boxes: Mapping[int, Iterable[Box]]) -> list[DataElement]:
        all_change = frames.new_photometric and any(boxes.values())

        def of_frame(index: int) -> bytes:
            touched = boxes.get(index) or all_change
            if not touched:
                return frames.codestreams[index]
            return frames.covered(index, self.covered(index, boxes), list(boxes.get(index, ())))

        value = NewValue(self._storage, self._folder)
        extended = _OFFSET_TABLE in self.target.dataset
        streams = ordered(of_frame, range(self.count), self._workers)
        begin, tables = write_encapsulated(value, streams, self.count, extended=extended)
        element = DataElement(self._element.tag, "OB", value.value(begin), already_converted=True)
        element.is_undefined_length = True
        extra = zip((_OFFSET_TABLE, _OFFSET_TABLE_LENGTHS), tables or (), strict=False)
        return [element, *(DataElement(tag, "OV", table) for tag, table in extra)]
