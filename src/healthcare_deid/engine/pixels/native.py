"""Frames stored natively: read one by one, and patched one by one."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Protocol

import numpy as np

from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Words
    from healthcare_deid.engine.pixels.layout import PixelLayout


class Storage(Protocol):
    """The value of a native pixel data element, wherever it is."""

    def __len__(self) -> int:
        """Bytes."""
        ...

    def read(self, start: int, stop: int) -> bytes | memoryview:
        """Return a stretch of it."""
        ...


class MutableStorage(Storage, Protocol):
    """A copy that can be changed."""

    def write(self, start: int, data: bytes) -> None:
        """Replace a stretch."""
        ...


class NativeFrames:
    """Frames that lie one behind the other, uncompressed.

    Args:
        layout: Their layout.
        storage: The element's value.
        big_endian: Words are stored most significant byte first (Explicit VR Big Endian).
        byte_swapped: 8-bit words are stored in pairs with their bytes swapped (OW in big endian).
    """

    def __init__(
        self, layout: PixelLayout, storage: Storage, *, big_endian: bool = False, byte_swapped: bool = False
    ) -> None:
        self.layout = layout
        self._storage = storage
        self._swap = byte_swapped or (layout.bits_allocated > 8 and big_endian != (sys.byteorder == "big"))
        self._word = layout.dtype.itemsize if not byte_swapped else 2
        needed = -(-layout.frame_bits * layout.frames // 8)
        if len(storage) < needed:
            raise UnsupportedPixelsError("the pixel data is shorter than its attributes say")

    def words(self, index: int) -> Words:
        """Return a frame's words.

        Their shape is (rows, columns), (rows, columns, samples), or (rows, columns / 2, 4) where chroma is shared.
        """
        start, stop, skipped = self._span(index)
        raw = np.frombuffer(self._swapped(bytes(self._storage.read(start, stop))), np.uint8)
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

    def write(self, target: MutableStorage, index: int, words: Words) -> None:
        """Put a frame into a copy of the storage."""
        start, stop, skipped = self._span(index)
        layout = self.layout
        stored = words.transpose(2, 0, 1) if layout.planar and words.ndim == 3 else words
        raw = np.frombuffer(self._swapped(bytes(target.read(start, stop))), np.uint8).copy()
        if layout.bits_allocated == 1:
            bits = np.unpackbits(raw, bitorder="little")
            bits[skipped : skipped + stored.size] = stored.reshape(-1)
            raw = np.packbits(bits, bitorder="little")
        else:
            flat = np.ascontiguousarray(stored).reshape(-1).view(np.uint8)
            raw[skipped // 8 : skipped // 8 + flat.size] = flat
        target.write(start, self._swapped(raw.tobytes()))

    def _span(self, index: int) -> tuple[int, int, int]:
        """Return the bytes that hold a frame, in whole swapped words, and the bits before it in them."""
        first = index * self.layout.frame_bits
        last = first + self.layout.frame_bits
        start = first // 8 // self._word * self._word
        stop = min(-(-last // 8 // self._word) * self._word, len(self._storage))
        return start, stop, first - start * 8

    def _swapped(self, data: bytes) -> bytes:
        """Turn stored bytes into this machine's, or back."""
        return np.frombuffer(data, f"u{self._word}").byteswap().tobytes() if self._swap else data


class BytesStorage:
    """An element's value in memory."""

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)

    def __len__(self) -> int:
        return len(self._data)

    def read(self, start: int, stop: int) -> memoryview:
        """Return a stretch of it, not copied."""
        return self._data[start:stop]


class BytesCopy:
    """A copy in memory, one in all: `io.BytesIO` gives its buffer away without copying it again."""

    def __init__(self, source: Storage) -> None:
        self._copy = io.BytesIO()
        self._copy.write(source.read(0, len(source)))

    def __len__(self) -> int:
        return self._copy.getbuffer().nbytes

    def read(self, start: int, stop: int) -> bytes:
        """Return a stretch of it."""
        self._copy.seek(start)
        return self._copy.read(stop - start)

    def write(self, start: int, data: bytes) -> None:
        """Replace a stretch."""
        self._copy.seek(start)
        self._copy.write(data)

    def value(self) -> bytes:
        """Return the value for the element."""
        return self._copy.getvalue()
