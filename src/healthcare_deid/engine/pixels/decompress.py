"""Pixel data as the engine decodes it, for who only looks at it or stores it natively."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.dataelem import DataElement
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import convert_color_space
from pydicom.pixels.utils import iter_pixels, pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian

from healthcare_deid.engine.pixels.cover.element import PixelElement
from healthcare_deid.engine.pixels.frames.targets import PIXEL_DATA, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom.dataset import FileDataset

_PHOTOMETRIC, _PLANAR = 0x00280004, 0x00280006


def image_of(dataset: FileDataset) -> PixelElement:
    """Open the pixel data of an instance.

    Raises:
        UnsupportedPixelsError: Its frames cannot be told apart, or nothing here decodes them.
    """
    return PixelElement(Target(dataset, PIXEL_DATA), UID(dataset.file_meta.TransferSyntaxUID))


def decompress(dataset: FileDataset) -> None:
    """Make encapsulated pixel data native, in place; the transfer syntax becomes Explicit VR Little Endian.

    Raises:
        UnsupportedPixelsError: It cannot be decoded, or it is over 4 GB then.
    """
    image = image_of(dataset)
    dataset[PIXEL_DATA] = image.native({})
    dataset[_PHOTOMETRIC] = DataElement(_PHOTOMETRIC, "CS", image.layout.photometric)
    if image.layout.samples > 1:
        dataset[_PLANAR] = DataElement(_PLANAR, "US", 0)
    for tag, value in image.corrections.items():
        if tag != _PHOTOMETRIC:
            dataset[tag] = DataElement(tag, "US", value)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        dataset.pop(keyword, None)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def frame_values(dataset: Any, index: int, path: Path | None = None) -> NDArray[Any]:
    """Return a frame for looking at: (rows, columns), or (rows, columns, 3) in RGB.

    Args:
        dataset: The instance.
        index: Index of the frame, from 0.
        path: Its file, where the dataset's large values were left there.

    Raises:
        UnsupportedPixelsError: Nothing decodes it.
        Exception: Whatever pydicom raises, where it is pydicom that decodes.
    """
    if _pydicom_decodes(dataset):
        return pixel_array(path or dataset, index=index)
    return _shown(image_of(dataset), index)


def iter_frames(dataset: Any) -> Iterator[NDArray[Any]]:
    """Yield every frame as `frame_values` returns it, one in memory at a time.

    Raises:
        UnsupportedPixelsError: Nothing decodes it.
        Exception: Whatever pydicom raises, where it is pydicom that decodes.
    """
    if _pydicom_decodes(dataset):
        yield from iter_pixels(dataset)
        return
    image = image_of(dataset)
    for index in range(image.count):
        yield _shown(image, index)


def _pydicom_decodes(dataset: Any) -> bool:
    try:
        get_decoder(UID(dataset.file_meta.TransferSyntaxUID))
    except NotImplementedError:
        return False
    return True


def _shown(image: PixelElement, index: int) -> NDArray[Any]:
    values = image.layout.values(image.words(index))
    return convert_color_space(values, image.layout.photometric, "RGB") if values.ndim > 2 else values
