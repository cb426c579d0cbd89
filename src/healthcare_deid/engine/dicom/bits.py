"""Bit reader for JPEG XL headers, least significant bit first (ISO/IEC 18181-1 annex B)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Choice = tuple[int, int]
"""A base value, and the number of bits to read and add to it."""
_ENUMERATED: tuple[Choice, ...] = ((0, 0), (1, 0), (2, 4), (18, 6))
_SHORT: tuple[Choice, ...] = ((0, 0), (1, 4), (17, 8))
_LARGEST_SHIFT = 60


class NotFollowedError(ValueError):
    """A codestream cannot be parsed, or has data that a viewer would not show."""


class Bits:
    """Reads numbers from a header.

    All methods raise EOFError at the end of the data.

    Args:
        data: The bytes.
        position: Offset of the first byte to read.

    Attributes:
        position: Offset of the next bit.
    """

    def __init__(self, data: bytes, position: int = 0) -> None:
        self._data = data
        self.position = 8 * position

    def number(self, count: int) -> int:
        """Read an unsigned number of ``count`` bits."""
        first, offset = divmod(self.position, 8)
        last = -(-(self.position + count) // 8)
        if last > len(self._data):
            raise EOFError
        self.position += count
        return int.from_bytes(self._data[first:last], "little") >> offset & ((1 << count) - 1)

    def flag(self) -> bool:
        """Read one bit."""
        return bool(self.number(1))

    def chosen(self, choices: Sequence[Choice]) -> int:
        """Read a U32: two bits select one of four encodings."""
        base, count = choices[self.number(2)]
        return base + self.number(count)

    def enumerated(self) -> int:
        """Read an enumerated value."""
        return self.chosen(_ENUMERATED)

    def long(self) -> int:
        """Read a U64, a number of up to 64 bits."""
        selector = self.number(2)
        if selector < len(_SHORT):
            base, count = _SHORT[selector]
            return base + self.number(count)
        value, shift = self.number(12), 12
        while self.flag():
            if shift == _LARGEST_SHIFT:
                return value | self.number(4) << shift
            value |= self.number(8) << shift
            shift += 8
        return value

    def to_byte(self) -> int:
        """Skip to the next whole byte and return its offset.

        Raises:
            NotFollowedError: The skipped bits are not all 0.
        """
        if self.number(-self.position % 8):
            raise NotFollowedError("the codestream has something in its padding")
        return self.position // 8
