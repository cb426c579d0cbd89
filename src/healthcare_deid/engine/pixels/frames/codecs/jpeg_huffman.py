"""Huffman coding of lossy JPEG: reading and writing of DCT blocks bit by bit.

Source: ITU-T T.81, C.2 (code tables) and F.1.2 (Huffman coding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTHS = 16
"""Longest code, in bits."""
COEFFICIENTS = 64
"""Coefficients of a DCT block."""
_END_OF_BLOCK = 0
_RUN_OF_ZEROS = 0xF0
_WINDOW = 40
"""Bits read ahead from the byte of a position: up to 7 bits before it, a code, and the value that follows."""


class Code:
    """A Huffman table for reading and writing, which can be extended by missing symbols."""

    def __init__(self, counts: Sequence[int], symbols: bytes) -> None:
        self.counts = list(counts)
        self.symbols = bytearray(symbols)
        self.codes: dict[int, tuple[int, int]] = {}
        self.added = False
        self.lengths = np.zeros(1 << LENGTHS, np.int64)
        self.values = np.zeros(1 << LENGTHS, np.int64)
        self._next = self._longest = 0
        code = place = 0
        for length, count in enumerate(self.counts, 1):
            for symbol in symbols[place : place + count]:
                self.codes[symbol] = code, length
                first = code << (LENGTHS - length)
                self.lengths[first : first + (1 << (LENGTHS - length))] = length
                self.values[first : first + (1 << (LENGTHS - length))] = symbol
                code += 1
            place += count
            if count:
                self._next, self._longest = code, length
            code <<= 1

    def code(self, symbol: int) -> tuple[int, int]:
        """Return a symbol's code and its length in bits; a missing symbol gets a new code after all others.

        Raises:
            NotEncodableError: The table has no room for another code.
        """
        if symbol not in self.codes:
            length = min(self._longest + 1, LENGTHS)
            code = self._next << (length - self._longest)
            if code >= (1 << length) - 1:  # T.81 annex C reserves the code of all ones
                raise NotEncodableError("a frame's Huffman table has no room for another code")
            self.codes[symbol] = code, length
            self.counts[length - 1] += 1
            self.symbols.append(symbol)
            self._next, self._longest, self.added = code + 1, length, True
        return self.codes[symbol]


class Coder:
    """Reads and writes the DCT blocks of a component."""

    def __init__(self, means: Code, rest: Code) -> None:
        self._means, self._rest = means, rest
        self._lengths, self._sizes = means.lengths.tolist(), means.values.tolist()
        symbols, lengths = rest.values, rest.lengths
        steps = np.where(symbols == _END_OF_BLOCK, COEFFICIENTS, (symbols >> 4) + 1)
        # Apart from the end of block and the run of sixteen zeros, a symbol must have value bits.
        broken = ((symbols & 15) == 0) & (symbols != _END_OF_BLOCK) & (symbols != _RUN_OF_ZEROS)
        advances = np.where((lengths == 0) | broken, 0, lengths + (symbols & 15))
        self._steps, self._advances = steps.tolist(), advances.tolist()

    def mean(self, bits: Bits, place: int) -> tuple[int, int]:
        """Return the DC difference at a position, and the position of the AC coefficients."""
        code = bits.window(place)
        length, size = self._lengths[code], self._sizes[code]
        if not length:
            raise NotEncodableError("a frame's codestream holds an invalid Huffman code")
        place += length
        if not size:
            return 0, place
        value = bits.window(place) >> (LENGTHS - size)
        return value if value >> (size - 1) else value - (1 << size) + 1, place + size

    def end(self, bits: Bits, place: int) -> int:
        """Return the end of a block's AC coefficients, which begin at a position."""
        windows, steps, advances = bits.windows, self._steps, self._advances
        coefficient = 1
        while coefficient < COEFFICIENTS:
            code = windows[place >> 3] >> (_WINDOW - LENGTHS - (place & 7)) & 0xFFFF
            advance = advances[code]
            if not advance:
                raise NotEncodableError("a frame's codestream holds an invalid Huffman code")
            place += advance
            coefficient += steps[code]
        return place

    def coded(self, difference: int) -> tuple[int, int]:
        """Return the code of a DC difference, and its length in bits."""
        size = abs(difference).bit_length()
        code, length = self._means.code(size)
        value = difference if difference >= 0 else difference + (1 << size) - 1
        return code << size | value, length + size

    def end_of_block(self) -> tuple[int, int]:
        """Return the end-of-block code, and its length in bits."""
        return self._rest.code(_END_OF_BLOCK)


class Bits:
    """Bytes read bit by bit."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.count = 8 * len(data)
        padded = np.frombuffer(data + b"\xff" * (_WINDOW // 8), np.uint8).astype(np.int64)
        windows = np.zeros(len(data) + 1, np.int64)
        for byte in range(_WINDOW // 8):
            windows = windows << 8 | padded[byte : byte + len(windows)]
        self.windows: list[int] = windows.tolist()

    def window(self, place: int) -> int:
        """Return the sixteen bits at a bit position."""
        return self.windows[place >> 3] >> (_WINDOW - LENGTHS - (place & 7)) & 0xFFFF

    def between(self, start: int, end: int) -> int:
        """Return the bits between two bit positions."""
        last = (end + 7) >> 3
        return int.from_bytes(self.data[start >> 3 : last], "big") >> (8 * last - end) & ((1 << (end - start)) - 1)


class NewBits:
    """A bit writer that merges adjacent copies from its source into one."""

    def __init__(self, source: Bits) -> None:
        self._source = source
        self._done = bytearray()
        self._value = self._count = 0
        self._copied: tuple[int, int] | None = None

    def copy(self, start: int, end: int) -> None:
        """Append bits of the source."""
        if self._copied is not None and self._copied[1] == start:
            self._copied = self._copied[0], end
            return
        self._settle()
        self._copied = start, end

    def put(self, value: int, count: int) -> None:
        """Append some bits."""
        self._settle()
        self._append(value, count)

    def data(self) -> bytes:
        """Return all bits, padded to a byte with ones (T.81 B.1.1.5)."""
        self._settle()
        self._append((1 << -self._count % 8) - 1, -self._count % 8)
        return bytes(self._done)

    def _settle(self) -> None:
        if self._copied is not None:
            start, end = self._copied
            self._copied = None
            self._append(self._source.between(start, end), end - start)

    def _append(self, value: int, count: int) -> None:
        self._value, self._count = self._value << count | value, self._count + count
        whole, self._count = divmod(self._count, 8)
        self._done += (self._value >> self._count).to_bytes(whole, "big")
        self._value &= (1 << self._count) - 1
