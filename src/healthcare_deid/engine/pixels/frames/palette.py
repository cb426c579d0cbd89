"""Colors of PALETTE COLOR images (PS3.3 C.7.9, C.7.6.3.1.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom.pixels.processing import apply_color_lut

from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.arrays import Words


@dataclass(frozen=True, slots=True)
class Palette:
    """A palette as a table over the stored values.

    Attributes:
        table: Shape (values, 3), 8-bit RGB.
        offset: Stored value of the first row.
    """

    table: NDArray[np.uint8]
    offset: int

    def colors(self, values: Words) -> NDArray[np.uint8]:
        """Return the color of every value; values outside the table are clipped."""
        index = np.clip(values.astype(np.int64) - self.offset, 0, len(self.table) - 1)
        return self.table[index]

    @property
    def darkest(self) -> int:
        """Stored value with the darkest color."""
        luma = self.table.astype(np.float64) @ (0.299, 0.587, 0.114)
        return int(luma.argmin()) + self.offset


def palette_of(dataset: Dataset, *, bits_stored: int, signed: bool) -> Palette:
    """Read a dataset's palette.

    Raises:
        UnsupportedPixelsError: The palette is missing or invalid.
    """
    descriptor: Any = dataset.get("RedPaletteColorLookupTableDescriptor")
    try:
        entries, first, _ = (int(number) for number in descriptor)
        entries = entries or 1 << 16
        if signed and first >= 1 << 15:
            first -= 1 << 16
        lowest = -(1 << (bits_stored - 1)) if signed else 0
        highest = lowest + (1 << bits_stored) - 1
        first, last = max(first, lowest), min(first + entries - 1, highest)
        indexes = np.arange(first, last + 1, dtype=np.int32 if signed else np.uint16)
        colors = apply_color_lut(indexes.reshape(1, -1), dataset)[0]
        if colors.max(initial=0) > 255:  # 16-bit entries; some devices declare 16 bits and use 8
            colors = colors >> 8
        return Palette(colors.astype(np.uint8), first)
    except Exception as error:  # noqa: BLE001 - a broken palette raises anything
        raise UnsupportedPixelsError(f"the palette cannot be read: {type(error).__name__}") from None
