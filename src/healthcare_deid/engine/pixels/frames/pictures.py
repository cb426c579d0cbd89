"""Conversion of a frame to 8-bit RGB pictures for an OCR, one for every place where text can hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.pixels.processing import convert_color_space

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Picture, Words
    from healthcare_deid.engine.pixels.frames.layout import PixelLayout
    from healthcare_deid.engine.pixels.frames.palette import Palette

SQUEEZED = 0.25
"""Fraction of the value range. If 98 % of the pixels lie in less, a second picture shows only that part."""


def pictures(layout: PixelLayout, words: Words, palette: Palette | None = None) -> list[Picture]:
    """Return the pictures of a frame, each of shape (rows, columns, 3).

    The first shows the whole range of values. More follow if that may hide text: a narrower window if a few extreme
    values squeeze the rest, a window of the padding range if it holds more than one value, and a picture of every
    unused bit that is not constant. Older devices keep overlays in unused bits (PS3.5 section 8.1.2).
    """
    values = layout.values(words)
    if palette is not None:
        shown = [_eight_bit(palette.colors(values))]
    elif layout.subsampled:
        shown = [_rgb(layout, _expanded(values))]
    elif layout.samples == 3:
        shown = [_rgb(layout, values)]
    elif layout.samples == 1:
        shown = _windows(layout, values)
    else:
        shown = [_eight_bit(values[:, :, sample]) for sample in range(layout.samples)]
    return [_three_channels(picture) for picture in (*shown, *_unused_bits(layout, words))]


def _windows(layout: PixelLayout, values: Words) -> list[Picture]:
    if layout.bits_stored == 1:
        return [np.where(values != 0, np.uint8(255), np.uint8(0))]
    sample = np.ascontiguousarray(values).reshape(-1)
    if layout.floating:
        sample = sample[np.isfinite(sample)]
    padding = rest = sample[:0]
    if layout.padding is not None:
        is_padding = (sample >= layout.padding[0]) & (sample <= layout.padding[1])
        padding, rest = sample[is_padding], sample[~is_padding]
        sample = rest if rest.size else sample
    if not sample.size:
        return [np.zeros(values.shape, np.uint8)]
    low, high = float(sample.min()), float(sample.max())
    inverted = layout.photometric == "MONOCHROME1"
    shown = [_window(values, low, high, inverted=inverted)]
    if rest.size and padding.size and padding.min() < padding.max():
        shown.append(_window(values, float(padding.min()), float(padding.max()), inverted=inverted))
    few = np.sort(sample[:: max(1, sample.size // 20000)])
    middle_low, middle_high = float(few[few.size // 100]), float(few[-1 - few.size // 100])
    if layout.bits_stored > 8 and 0 < middle_high - middle_low < SQUEEZED * (high - low):
        shown.append(_window(values, middle_low, middle_high, inverted=inverted))
    return shown


def _window(values: Words, low: float, high: float, *, inverted: bool) -> Picture:
    if high <= low:
        return np.zeros(values.shape, np.uint8)
    if low == 0 and high == 255 and values.dtype == np.uint8:
        shown: Picture = values
    else:
        scaled = (np.nan_to_num(values.astype(np.float32), nan=low) - low) * (255 / (high - low))
        shown = np.clip(scaled, 0, 255).astype(np.uint8)
    return 255 - shown if inverted else shown


def _eight_bit(values: Words) -> Picture:
    if values.dtype == np.uint8:
        return values
    return _window(values, float(values.min()), float(values.max()), inverted=False)


def _rgb(layout: PixelLayout, values: Words) -> Picture:
    eight = values if values.dtype == np.uint8 and layout.bits_stored == 8 else _eight_bit(values)
    if layout.photometric.startswith("YBR") and layout.photometric not in ("YBR_RCT", "YBR_ICT"):
        return convert_color_space(eight, "YBR_FULL", "RGB")
    return eight


def _expanded(values: Words) -> Words:
    """Upsample the chroma of a frame of shape (rows, columns / 2, 4)."""
    rows, pairs, _ = values.shape
    full = np.empty((rows, pairs, 2, 3), values.dtype)
    full[..., 0] = values[..., :2]
    full[..., 1] = values[..., 2:3]
    full[..., 2] = values[..., 3:4]
    return full.reshape(rows, pairs * 2, 3)


def _unused_bits(layout: PixelLayout, words: Words) -> list[Picture]:
    if layout.floating or layout.bits_allocated <= layout.bits_stored or layout.samples != 1:
        return []
    used = ((1 << layout.bits_stored) - 1) << layout.shift
    mask = (1 << layout.bits_allocated) - 1
    varying = int(np.bitwise_or.reduce(words, axis=None)) & ~int(np.bitwise_and.reduce(words, axis=None)) & mask & ~used
    if not varying:
        return []
    sign = (words >> layout.high_bit) & 1
    planes: list[Picture] = []
    for bit in range(layout.bits_allocated):
        if varying >> bit & 1:
            plane = (words >> bit) & 1
            if layout.signed and bit > layout.high_bit and np.array_equal(plane, sign):
                continue  # sign extension into unused bits would only repeat the sign plane
            planes.append((plane * 255).astype(np.uint8))
    return planes


def _three_channels(picture: Picture) -> Picture:
    if picture.ndim == 3:
        return np.ascontiguousarray(picture)
    return np.repeat(picture[:, :, np.newaxis], 3, axis=2)
