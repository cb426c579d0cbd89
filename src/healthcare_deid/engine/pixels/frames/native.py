"""Natively stored frames, read and patched one by one."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.frames.layout import fitting_layout, is_larger_picture
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthcare_deid.engine.dicom.long_values import Storage
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout
    from healthcare_deid.engine.pixels.frames.value_pieces import NewValue

_CHUNK = 1 << 20


class NativeFrames:
    """Uncompressed frames, stored one after the other.

    Args:
        layout: Layout by the attributes.
        storage: The element's value.
        big_endian: Words are stored most significant byte first (Explicit VR Big Endian).
        byte_swapped: 8-bit words are stored in pairs with swapped bytes (OW in big endian, PS3.5 section 7.3).

    Attributes:
        layout: The layout of `words`.
        stored: The layout of the value: the attributes', or the one that its length fits.
        length: Bytes of all frames, without padding.

    Raises:
        UnsupportedPixelsError: The value's length contradicts the attributes.
    """

    def __init__(
        self, layout: PixelLayout, storage: Storage, *, big_endian: bool = False, byte_swapped: bool = False
    ) -> None:
        layout = fitting_layout(layout, len(storage))
        self.layout = self.stored = layout
        self._storage = storage
        self._swap = byte_swapped or (layout.bits_allocated > 8 and big_endian != (sys.byteorder == "big"))
        self._word = layout.dtype.itemsize if not byte_swapped else 2
        self.length = layout.length
        if self.excess and is_larger_picture(layout, len(storage)):
            raise UnsupportedPixelsError(
                "the pixel data is longer than its attributes say, and the rest may be image data"
            )

    @cached_property
    def excess(self) -> bool:
        """Whether bytes other than padding follow the last frame."""
        end = len(self._storage)
        rest = (self._storage.read_at(start, start + _CHUNK) for start in range(self.length, end, _CHUNK))
        return end > self.length + self.length % 2 and any(map(any, rest))

    def rewrite(self, target: NewValue, indexes: Iterable[int], covered: Callable[[int], Words]) -> None:
        """Copy the value up to its last frame into *target*, with some frames replaced."""
        target.append_all(self._storage, self.length + self.length % 2)
        for index in indexes:
            self.write(target, index, covered(index))

    def words(self, index: int) -> Words:
        """Return a frame's words.

        Their shape is (rows, columns), (rows, columns, samples), or (rows, columns / 2, 4) for subsampled chroma.
        """
        start, stop, skipped = self._span(index)
        raw = np.frombuffer(self._swapped(bytes(self._storage.read_at(start, stop))), np.uint8)
        layout = self.layout
        if layout.bits_allocated == 1:
            bits = np.unpackbits(raw, bitorder="little")[skipped : skipped + layout.pixels * layout.samples]
            flat: Words = bits
        else:
            flat = raw[skipped // 8 : skipped // 8 + layout.frame_bits // 8].copy().view(layout.dtype)
        if layout.subsampled:
            return flat.reshape(layout.rows, layout.columns // 2, 4)
        if layout.samples == 1:
            return flat.reshape(layout.rows, layout.columns)
        if layout.planar:
            return flat.reshape(layout.samples, layout.rows, layout.columns).transpose(1, 2, 0)
        return flat.reshape(layout.rows, layout.columns, layout.samples)

    def write(self, target: NewValue, index: int, words: Words) -> None:
        """Write a frame's words into a copy of the value."""
        start, stop, skipped = self._span(index)
        layout = self.layout
        stored = words.transpose(2, 0, 1) if layout.planar and words.ndim == 3 else words
        raw = np.frombuffer(self._swapped(bytes(target.read_at(start, stop))), np.uint8).copy()
        if layout.bits_allocated == 1:
            bits = np.unpackbits(raw, bitorder="little")
            bits[skipped : skipped + stored.size] = stored.reshape(-1)
            raw = np.packbits(bits, bitorder="little")
        else:
            flat = np.ascontiguousarray(stored).reshape(-1).view(np.uint8)
            raw[skipped // 8 : skipped // 8 + flat.size] = flat
        target.write_at(start, self._swapped(raw.tobytes()))

    def _span(self, index: int) -> tuple[int, int, int]:
        """Return the byte range of a frame, aligned to swapped words, and the number of bits in it before the frame."""
        first = index * self.layout.frame_bits
        last = first + self.layout.frame_bits
        start = first // 8 // self._word * self._word
        stop = min(-(-last // 8 // self._word) * self._word, len(self._storage))
        return start, stop, first - start * 8

    def _swapped(self, data: bytes) -> bytes:
        """Convert stored bytes to this machine's byte order, or back."""
        return np.frombuffer(data, f"u{self._word}").byteswap().tobytes() if self._swap else data
