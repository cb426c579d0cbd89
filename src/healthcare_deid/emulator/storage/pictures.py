"""Rendered images: a frame as a person sees it, PNG or JPEG (PS3.18 section 10.4.1.1.3)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut
from pydicom.pixels.utils import pixel_array

from healthcare_deid.emulator.handlers.dicomweb.frames import frame_numbers
from healthcare_deid.emulator.http.accept import accepted
from healthcare_deid.emulator.handlers.dicomweb.retrieve import opened
from healthcare_deid.emulator.storage.transcoding import not_acceptable
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.errors import invalid, not_found

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import FileDataset

    from healthcare_deid.emulator.storage.instances import StoredInstance
    from healthcare_deid.emulator.http.request import Request

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_MAX_SIDE = 10_000
_COLOUR_DIMENSIONS = 3


def render(instance: StoredInstance, frames: str, request: Request) -> Reply:
    """Render a frame; ``viewport=width,height`` makes it fit into a box.

    Raises:
        ServiceError: 400 for a wrong frame number or viewport, 404 without pixels, 406 when it cannot be done.
    """
    media_type = _chosen(request)
    box = _viewport(request.parameter("viewport"))
    with opened(instance) as dataset:
        if "PixelData" not in dataset:
            raise not_found("The instance has no pixel data.")
        number = frame_numbers(frames, dataset)[0]
        try:
            image = Image.fromarray(_eight_bits(pixel_array(instance.path, index=number - 1), dataset))
        except Exception as error:  # noqa: BLE001 - codecs and odd attributes fail in many ways
            raise not_acceptable(f"The frame cannot be rendered here ({type(error).__name__}).") from None
    if box is not None:
        scale = min(box[0] / image.width, box[1] / image.height)
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    buffer = io.BytesIO()
    image.save(buffer, format=_FORMATS[media_type])
    return Reply(200, {"content-type": media_type}, buffer.getvalue())


def _chosen(request: Request) -> str:
    for wanted in accepted(request.headers.get("accept")):
        for media_type in _FORMATS:
            if wanted.covers(media_type) and not wanted.multipart:
                return media_type
    raise not_acceptable("Rendered images come as image/jpeg or image/png.")


def _viewport(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.split(",")
    sizes = [
        int(part) for part in parts[:2] if part.isascii() and part.isdigit() and len(part) < len(str(_MAX_SIDE)) + 1
    ]
    if len(sizes) != 2 or not all(0 < size <= _MAX_SIDE for size in sizes):
        raise invalid(f"viewport is width,height, each from 1 to {_MAX_SIDE}.")
    return sizes[0], sizes[1]


def _eight_bits(pixels: NDArray[Any], dataset: FileDataset) -> NDArray[np.uint8]:
    """Return a frame as grey or RGB bytes, windowed as the instance says."""
    photometric = str(dataset.PhotometricInterpretation)
    if photometric == "PALETTE COLOR":
        return _stretched(apply_color_lut(pixels, dataset), keep_zero=True)
    if pixels.ndim == _COLOUR_DIMENSIONS:
        return pixels.astype(np.uint8) if pixels.dtype == np.uint8 else _stretched(pixels, keep_zero=True)
    values = apply_voi_lut(apply_modality_lut(pixels, dataset), dataset, index=0)
    grey = _stretched(values)
    return 255 - grey if photometric == "MONOCHROME1" else grey


def _stretched(values: NDArray[Any], *, keep_zero: bool = False) -> NDArray[np.uint8]:
    floats = values.astype(np.float64)
    low = 0.0 if keep_zero else float(floats.min())
    span = float(floats.max()) - low or 1.0
    return ((floats - low) * (255.0 / span)).round().clip(0, 255).astype(np.uint8)
