"""Layout of frames in a pixel data element: the Image Pixel module's attributes, checked (PS3.3 C.7.6.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from healthcare_deid.engine.dicom.sidedata.deflated import SUBSAMPLED
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Words

_FLOATING_BITS = {0x7FE00008: 32, 0x7FE00009: 64}
"""Word size, in bits, of Float and Double Float Pixel Data, which have no Bits Allocated."""


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """The shape and meaning of one element's frames.

    Attributes:
        rows: Rows of a frame.
        columns: Columns of a frame.
        frames: Number of frames.
        samples: Samples per pixel: 1, 3, or 4 in retired color spaces.
        photometric: Photometric Interpretation.
        planar: Whether native frames store one plane per sample (Planar Configuration 1).
        bits_allocated: Bits of a stored word: 1, 8, 16, 32 or 64.
        bits_stored: Bits of the value in a word.
        high_bit: Most significant bit of the value.
        signed: Whether values are two's complement.
        floating: Whether words are IEEE 754 (Float or Double Float Pixel Data).
        padding: Lowest and highest value of the pixel padding; None without padding.
    """

    rows: int
    columns: int
    frames: int = 1
    samples: int = 1
    photometric: str = "MONOCHROME2"
    planar: bool = False
    bits_allocated: int = 8
    bits_stored: int = 8
    high_bit: int = 7
    signed: bool = False
    floating: bool = False
    padding: tuple[int, int] | None = None

    @property
    def subsampled(self) -> bool:
        """Whether native frames store Y1 Y2 Cb Cr for every two columns."""
        return self.samples == 3 and self.photometric in SUBSAMPLED

    @property
    def signed_color(self) -> bool:
        """Whether pixels have several signed samples, which no encoder supports."""
        return self.signed and self.samples > 1

    @property
    def pixels(self) -> int:
        """Pixels of a frame."""
        return self.rows * self.columns

    @property
    def frame_bits(self) -> int:
        """Bits of a native frame."""
        samples = 2 if self.subsampled else self.samples
        return self.pixels * samples * self.bits_allocated

    @property
    def length(self) -> int:
        """Bytes of all native frames, without the padding to even length."""
        return -(-self.frame_bits * self.frames // 8)

    @property
    def shift(self) -> int:
        """Unused bits below the value."""
        return self.high_bit + 1 - self.bits_stored

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a word in this machine's byte order; unsigned unless floating."""
        kind = "f" if self.floating else "u"
        return np.dtype(f"{kind}{max(1, self.bits_allocated // 8)}")

    def values(self, words: Words) -> Words:
        """Return the values of words: shifted down, unused bits removed, sign extended."""
        if self.floating or self.bits_allocated == 1:
            return words
        unused = self.bits_allocated - self.bits_stored
        if not self.signed:
            return words if not unused else (words >> self.shift) & self.dtype.type((1 << self.bits_stored) - 1)
        signed = words.view(np.dtype(f"i{self.dtype.itemsize}"))
        return signed if not unused else (signed << (unused - self.shift)) >> unused

    def word(self, value: int) -> int:
        """Return a value as a word with all unused bits 0."""
        return (value & ((1 << self.bits_stored) - 1)) << self.shift

    def aligned(self, box: Box) -> Box:
        """Grow a box to columns that can be covered separately, and clip it to the frame."""
        if self.subsampled:
            box = box._replace(left=box.left // 2 * 2, right=-(-box.right // 2) * 2)
        return box.clipped(self.columns, self.rows)


def pixel_layout(dataset: Dataset, tag: int) -> PixelLayout:
    """Read the layout of a dataset's pixel data element.

    Raises:
        UnsupportedPixelsError: An attribute is missing or invalid.
    """
    floating = tag in _FLOATING_BITS
    allocated = _FLOATING_BITS.get(tag) or _number(dataset, "BitsAllocated")
    stored = allocated if floating else _number(dataset, "BitsStored", allocated)
    samples = _number(dataset, "SamplesPerPixel", 1)
    layout = PixelLayout(
        rows=_number(dataset, "Rows"),
        columns=_number(dataset, "Columns"),
        frames=max(1, _number(dataset, "NumberOfFrames", 1)),
        samples=samples,
        photometric=str(dataset.get("PhotometricInterpretation") or ("MONOCHROME2" if samples == 1 else "RGB")),
        planar=samples > 1 and _number(dataset, "PlanarConfiguration", 0) == 1,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=allocated - 1 if floating else _number(dataset, "HighBit", stored - 1),
        signed=not floating and _number(dataset, "PixelRepresentation", 0) == 1,
        floating=floating,
        padding=None if floating else _padding(dataset),
    )
    _check(layout)
    return layout


def fitting_layout(layout: PixelLayout, length: int) -> PixelLayout:
    """Return the layout that fits the length of a native value.

    Many tools decode JPEG frames to full chroma but keep the label YBR_FULL_422. That mismatch, or its reverse, is the
    only one that the length identifies with certainty.

    Args:
        layout: Layout by the attributes.
        length: Bytes of the value.

    Raises:
        UnsupportedPixelsError: The value is too short, or its layout is ambiguous.
    """
    photometric, needed = layout.photometric, layout.length
    if photometric == "YBR_FULL_422" and layout.subsampled and length >= replace(layout, photometric="YBR_FULL").length:
        return fitting_layout(replace(layout, photometric="YBR_FULL"), length)
    if photometric == "YBR_FULL" and layout.samples == 3 and not layout.planar and length < needed:
        shared = replace(layout, photometric="YBR_FULL_422")
        if layout.columns % 2 == 0 and length in (shared.length, shared.length + shared.length % 2):
            return shared
    if length < needed:
        raise UnsupportedPixelsError("the pixel data is shorter than its attributes say")
    if layout.subsampled and layout.columns % 2:
        raise UnsupportedPixelsError("the pixel data has subsampled chroma and an odd number of columns")
    by_frame = layout.frames * -(-layout.frame_bits // 8)
    if by_frame > needed + needed % 2 and length in (by_frame, by_frame + by_frame % 2):
        raise UnsupportedPixelsError("every frame of the single-bit pixel data seems to begin at a byte boundary")
    return layout


def is_larger_picture(layout: PixelLayout, length: int) -> bool:
    """Return True if the bytes after a native value's frames may be image data: whole rows, or as much again.

    In that case Rows, NumberOfFrames, Samples per Pixel or Bits Allocated is probably too small.
    """
    row = max(1, layout.frame_bits // layout.rows // 8)
    excess = length - layout.length
    whole = any(rest >= row and rest % row == 0 for rest in (excess, excess - length % 2, excess - 1))
    return whole or length >= 2 * layout.length


def overlay_layout(dataset: Dataset, tag: int) -> PixelLayout:
    """Read the layout of an overlay plane from the attributes of its group (PS3.3 C.9.2): one bit per pixel, packed.

    Raises:
        UnsupportedPixelsError: An attribute is missing or invalid.
    """
    group = tag & 0xFFFF0000
    layout = PixelLayout(
        rows=_number(dataset, group | 0x0010),
        columns=_number(dataset, group | 0x0011),
        frames=max(1, _number(dataset, group | 0x0015, 1)),
        bits_allocated=1,
        bits_stored=1,
        high_bit=0,
    )
    _check(layout)
    return layout


def _check(layout: PixelLayout) -> None:
    problems = {
        "Rows and Columns": min(layout.rows, layout.columns) < 1,
        "Bits Allocated": layout.bits_allocated not in (1, 8, 16, 32, 64),
        "Bits Stored": not 1 <= layout.bits_stored <= layout.bits_allocated,
        "High Bit": not 0 <= layout.shift <= layout.bits_allocated - layout.bits_stored,
        "Samples per Pixel": layout.samples not in (1, 3, 4),
    }
    if wrong := [name for name, bad in problems.items() if bad]:
        raise UnsupportedPixelsError(f"the pixel data cannot be laid out: invalid {' and '.join(wrong)}")


def _padding(dataset: Dataset) -> tuple[int, int] | None:
    value, limit = dataset.get("PixelPaddingValue"), dataset.get("PixelPaddingRangeLimit")
    if not isinstance(value, int):
        return None
    other = limit if isinstance(limit, int) else value
    return min(value, other), max(value, other)


def _number(dataset: Dataset, attribute: str | int, default: int | None = None) -> int:
    name = attribute if isinstance(attribute, str) else f"({attribute >> 16:04X},{attribute & 0xFFFF:04X})"
    try:
        if attribute in dataset and not dataset[attribute].is_empty:
            return int(dataset[attribute].value)
    except Exception:  # noqa: BLE001 - a broken value raises anything, with its text in the message
        raise UnsupportedPixelsError(f"the pixel data cannot be laid out: invalid {name}") from None
    if default is None:
        raise UnsupportedPixelsError(f"the pixel data cannot be laid out: {name} is missing")
    return default
