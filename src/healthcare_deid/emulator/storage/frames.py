"""Frames and bulk data of a stored instance."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.encaps import get_frame

from healthcare_deid.emulator.errors import invalid, not_acceptable, not_found
from healthcare_deid.emulator.storage.transcoding import decompress
from healthcare_deid.engine.dicom.file_slices import FileSlice, read_deferred
from healthcare_deid.engine.dicom.sources import OpenFile
from healthcare_deid.engine.dicom.transfer_syntaxes import is_native
from healthcare_deid.engine.silence import quiet
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pydicom import FileDataset
    from pydicom.dataset import Dataset
    from pydicom.uid import UID

    from healthcare_deid.emulator.storage.instances import StoredInstance

_BITS_A_BYTE = 8


@contextmanager
def opened(instance: StoredInstance) -> Generator[pydicom.FileDataset]:
    """Read a stored file.

    Inside the context, large pixel data is a `FileSlice`.

    Raises:
        ServiceError: 404: the instance was deleted meanwhile.
    """
    try:
        file = instance.path.open("rb")
    except FileNotFoundError:
        raise not_found("DICOM instance does not exist.") from None
    with quiet(), file:
        dataset = read_deferred(OpenFile(file.fileno()))
        if dataset is None:
            file.seek(0)
            dataset = pydicom.dcmread(file)
        yield dataset


def frame_count(dataset: Dataset) -> int:
    """Return the number of frames, at least 1."""
    try:
        return max(1, int(dataset.get("NumberOfFrames", 1) or 1))
    except (TypeError, ValueError):
        return 1


def frame_numbers(text: str, dataset: Dataset) -> list[int]:
    """Parse a list of frame numbers such as ``1,3``.

    Raises:
        ServiceError: 404: the instance has no pixel data. 400: the instance does not have a frame of this number.
    """
    if "PixelData" not in dataset:
        raise not_found("The instance has no pixel data.")
    count = frame_count(dataset)
    numbers: list[int] = []
    for part in text.split(","):
        # isdigit() alone also accepts digits such as "²".
        if not (part.isascii() and part.isdigit()) or not 1 <= int(part[:9]) <= count:
            raise invalid(f"Frame numbers must be from 1 to {count} for this instance.")
        numbers.append(int(part))
    return numbers


def encapsulated_frames(dataset: FileDataset, numbers: Sequence[int]) -> Iterator[bytes]:
    """Yield compressed frames as stored.

    Raises:
        ServiceError: 406: the encapsulation is damaged.
    """
    pixels: Any = dataset["PixelData"].value
    for number in numbers:
        try:
            yield get_frame(pixels, number - 1, number_of_frames=frame_count(dataset))
        except Exception as error:  # noqa: BLE001 - damaged encapsulation makes pydicom raise anything
            raise not_acceptable(f"The frames cannot be read ({type(error).__name__}).") from None


def native_frames(dataset: FileDataset, stored: UID, numbers: Sequence[int]) -> Iterator[bytes]:
    """Yield uncompressed little-endian frames.

    Raises:
        ServiceError: 406: the frames cannot be decoded, or do not start on a byte boundary.
    """
    try:
        pixels = _decompressed(dataset, stored)
        bits = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated
        length, odd = divmod(bits, _BITS_A_BYTE)
    except (AttributeError, EngineError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise not_acceptable(f"The frames cannot be decoded here ({type(error).__name__}).") from None
    # With BitsAllocated 1, frames are packed without padding (PS3.5 section 8.1.1), so one may start inside a byte.
    if odd and frame_count(dataset) > 1:
        raise not_acceptable("Single-bit frames that do not end on a byte boundary cannot be retrieved one by one.")
    length += bool(odd)
    if len(pixels) < length * max(numbers):
        raise not_acceptable("The pixel data is shorter than its attributes require.")
    for number in numbers:
        start, stop = (number - 1) * length, number * length
        yield pixels[start:stop] if isinstance(pixels, bytes) else pixels.read_at(start, stop)


def bulk_value(dataset: FileDataset, path: Sequence[str], stored: UID) -> bytes | FileSlice:
    """Return bulk data by its path.

    The path is a tag, ``7FE00010``, or in sequences ``0040A730/0/00420011``.

    Raises:
        ServiceError: 404: the instance has no such bulk data.
    """
    missing = not_found("The instance has no such bulk data.")
    within: Dataset = dataset
    try:
        for tag, index in zip(path[:-1:2], path[1::2], strict=True):
            within = within[int(tag, 16)].value[int(index)]
        if list(path) == ["7FE00010"] and not is_native(stored):
            return _decompressed(dataset, stored)
        value = within[int(path[-1], 16)].value
    except Exception:  # noqa: BLE001 - the client's path may be invalid, and the file damaged
        raise missing from None
    if not isinstance(value, bytes | FileSlice):
        raise missing
    return value


def _decompressed(dataset: FileDataset, stored: UID) -> bytes | FileSlice:
    """Return native pixel data.

    Pixel data that is native in the file is not read into memory.
    """
    element = dataset["PixelData"]
    if not is_native(stored) and isinstance(element.value, FileSlice):
        element.value = element.value.read()
    decompress(dataset, stored)
    pixels: bytes | FileSlice = dataset["PixelData"].value
    return pixels
