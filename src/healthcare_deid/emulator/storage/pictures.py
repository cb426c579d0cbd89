"""Rendering of frames as PNG or JPEG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut

from healthcare_deid.emulator.errors import not_acceptable
from healthcare_deid.engine.pixels.decompress import frame_values

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import FileDataset

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_COLOR_DIMENSIONS = 3


def render(path: Path, dataset: FileDataset, number: int, media_type: str, box: tuple[int, int] | None = None) -> bytes:
    """Render a frame as ``image/jpeg`` or ``image/png``.

    The instance's VOI LUT or window is applied.

    Args:
        path: File of the instance.
        dataset: Dataset of the instance.
        number: Frame number, starting at 1.
        media_type: Media type of the picture.
        box: Width and height to scale the picture into.

    Raises:
        ServiceError: 406: the frame cannot be decoded here.
    """
    try:
        image = Image.fromarray(_eight_bits(frame_values(dataset, number - 1, path), dataset))
    except Exception as error:  # noqa: BLE001 - codecs and odd attributes fail in many ways
        raise not_acceptable(f"The frame cannot be rendered here ({type(error).__name__}).") from None
    if box is not None:
        scale = min(box[0] / image.width, box[1] / image.height)
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    buffer = io.BytesIO()
    image.save(buffer, format=_FORMATS[media_type])
    return buffer.getvalue()


def _eight_bits(pixels: NDArray[Any], dataset: FileDataset) -> NDArray[np.uint8]:
    """Convert a frame to 8-bit gray or RGB."""
    photometric = str(dataset.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        return _stretched(apply_color_lut(pixels, dataset), keep_zero=True)
    if pixels.ndim == _COLOR_DIMENSIONS:
        # Color keeps zero as black: stretching from the minimum would change the hues.
        return pixels.astype(np.uint8) if pixels.dtype == np.uint8 else _stretched(pixels, keep_zero=True)
    # First the modality LUT, then the VOI LUT or window, as in PS3.3 section C.11.
    values = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset, index=0)
    gray = _stretched(values)
    # MONOCHROME1 displays the lowest value as white (PS3.3 section C.7.6.3.1.2).
    return 255 - gray if photometric == "MONOCHROME1" else gray


def _stretched(values: NDArray[Any], *, keep_zero: bool = False) -> NDArray[np.uint8]:
    floats = values.astype(np.float64)
    low = 0.0 if keep_zero else float(floats.min())
    span = float(floats.max()) - low or 1.0
    return ((floats - low) * (255.0 / span)).round().clip(0, 255).astype(np.uint8)
