"""Pictures of instances before and after."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.pixels.processing import apply_color_lut

from healthcare_deid._border import border
from healthcare_deid.engine.pixels.decompress import frame_values
from healthcare_deid.engine.safe_errors import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

_GAP = 12
_HEADER = 34
_LONG_SIDE = 1024


@border
def write_before_after(before: Dataset, after: Dataset, path: str | PathLike[str], *, frame: int = 0) -> Path:
    """Write one frame of both instances side by side as a PNG.

    Both sides use the same gray window, the original's minimum to maximum, so that covered boxes do not change the rest
    of the picture.

    Args:
        before: The original. The picture shows its PHI: store it as safely as the original.
        after: Its de-identified counterpart.
        path: PNG file to write. Its folder is created if missing.
        frame: Frame index, from 0.

    Returns:
        The path written.

    Raises:
        EngineError: The pixels of either cannot be decoded.
        OSError: The picture cannot be written.
    """
    target = Path(path)
    guarded(lambda: _write(before, after, target, frame))
    return target


@border
def frame_picture(dataset: Dataset, frame: int) -> bytes:
    """Return one frame as a PNG in its original size, scaled from its darkest to its brightest value.

    Raises:
        EngineError: There is no such frame, or it cannot be decoded.
    """
    return guarded(lambda: _png(dataset, frame))


def _png(dataset: Dataset, frame: int) -> bytes:
    pixels = _frame(dataset, frame)
    picture = _picture(dataset, pixels, *_range(pixels), shrink=False)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def frame_pictures(before: Dataset, after: Dataset, frames: Sequence[int]) -> list[tuple[int, str, str]]:
    """Return frames of both instances as PNG data URLs, each preceded by its size: ``"512x256 data:…"``."""
    shown: list[tuple[int, str, str]] = []
    for index in frames:
        old, new = _frame(before, index), _frame(after, index)
        low, high = _range(old)
        left, right = _picture(before, old, low, high), _picture(after, new, low, high)
        shown.append((index, _data_url(left, old), _data_url(right, new)))
    return shown


def _data_url(picture: Image.Image, pixels: NDArray[Any]) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f"{pixels.shape[1]}x{pixels.shape[0]} data:image/png;base64,{encoded}"


def _write(before: Dataset, after: Dataset, target: Path, frame: int) -> None:
    old, new = _frame(before, frame), _frame(after, frame)
    low, high = _range(old)
    pictures = [_picture(before, old, low, high), _picture(after, new, low, high)]
    width = sum(picture.width for picture in pictures) + 3 * _GAP
    height = max(picture.height for picture in pictures) + _HEADER + _GAP
    canvas = Image.new("RGB", (width, height), (24, 24, 27))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=18)
    x = _GAP
    for picture, title in zip(pictures, ("before", "after"), strict=True):
        draw.text((x, 7), title, font=font, fill=(228, 228, 231))
        canvas.paste(picture, (x, _HEADER))
        x += picture.width + _GAP
    target.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(target, format="PNG")


def _frame(dataset: Dataset, index: int) -> NDArray[Any]:
    pixels = frame_values(dataset, index)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)
    return pixels


def _range(pixels: NDArray[Any]) -> tuple[float, float]:
    """Return the smallest and the largest value; of floating-point pixels, of those that are finite."""
    finite = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _picture(dataset: Dataset, pixels: NDArray[Any], low: float, high: float, *, shrink: bool = True) -> Image.Image:
    # Half of each first: the largest minus the smallest double is infinite.
    values = np.nan_to_num(pixels.astype(np.float64), nan=low, posinf=high, neginf=low)
    scaled = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        scaled = 1.0 - scaled
    picture = Image.fromarray(np.clip(scaled * 255, 0, 255).astype(np.uint8)).convert("RGB")
    if shrink:
        picture.thumbnail((_LONG_SIDE, _LONG_SIDE))
    return picture
