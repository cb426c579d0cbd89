"""Frames and bulk values of one instance (PS3.18 sections 10.4.1.1.5 and 10.4.1.1.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.encaps import get_frame
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGLSTransferSyntaxes,
    JPEGTransferSyntaxes,
    RLELossless,
)

from healthcare_deid.emulator.http import multipart
from healthcare_deid.emulator.http.accept import MULTIPART, accepted
from healthcare_deid.emulator.handlers.dicomweb.retrieve import opened
from healthcare_deid.emulator.storage.transcoding import AS_STORED, decompress, not_acceptable
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.payload import Payload, chunks_of
from healthcare_deid.emulator.errors import invalid, not_found
from healthcare_deid.engine.dicom.file_slices import FileSlice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom import FileDataset
    from pydicom.dataset import Dataset

    from healthcare_deid.emulator.storage.instances import StoredInstance
    from healthcare_deid.emulator.http.request import Request

_OCTETS = "application/octet-stream"
_NATIVE = {ExplicitVRLittleEndian, ImplicitVRLittleEndian}
_BITS_A_BYTE = 8


def frame_numbers(text: str, dataset: Dataset) -> list[int]:
    """Read a list of frame numbers, ``1,3``.

    Raises:
        ServiceError: 400: one of them is no frame of the instance.
    """
    count = _count(dataset)
    numbers: list[int] = []
    for part in text.split(","):
        if not (part.isascii() and part.isdigit()) or not 1 <= int(part[:9]) <= count:
            raise invalid(f"Frame numbers are from 1 to {count} for this instance.")
        numbers.append(int(part))
    return numbers


def retrieve_frames(instance: StoredInstance, frames: str, request: Request) -> Reply:
    """Give frames of an instance.

    Raises:
        ServiceError: 400 for a wrong frame number, 404 without pixels, 406 when nothing acceptable can be made.
    """
    with opened(instance) as dataset:
        if "PixelData" not in dataset:
            raise not_found("The instance has no pixel data.")
        numbers = frame_numbers(frames, dataset)
        stored = UID(instance.transfer_syntax)
        for wanted in accepted(request.headers.get("accept")):
            syntax = wanted.transfer_syntax or ExplicitVRLittleEndian
            as_stored = stored.is_encapsulated and syntax in {AS_STORED, stored}
            media_type = _media_type(stored) if as_stored else _OCTETS
            if not (wanted.covers(media_type) or (as_stored and wanted.covers(_OCTETS))):
                continue
            if not as_stored and syntax not in {AS_STORED, *_NATIVE}:
                continue
            bodies = _encapsulated(dataset, numbers) if as_stored else _native(dataset, stored, numbers)
            label = f"{media_type}; transfer-syntax={stored if as_stored else ExplicitVRLittleEndian}"
            alone = len(numbers) == 1 and not wanted.multipart and wanted.media_type == media_type
            return _reply(instance, bodies, media_type, label, alone=alone)
    raise not_acceptable(f'Frames come as {MULTIPART}; type="{_OCTETS}", or in the stored transfer syntax.')


def retrieve_bulk(instance: StoredInstance, path: str, request: Request) -> Reply:
    """Give one bulk value: ``7FE00010``, or inside sequences ``0040A730/0/00420011``.

    Raises:
        ServiceError: 404: there is no such value; 406: the client does not accept bytes.
    """
    with opened(instance) as dataset:
        value = _bulk_value(dataset, path.split("/"), UID(instance.transfer_syntax))
        for wanted in accepted(request.headers.get("accept")):
            if wanted.covers(_OCTETS):
                alone = not wanted.multipart and wanted.media_type == _OCTETS
                return _reply(instance, [value], _OCTETS, _OCTETS, alone=alone)
    raise not_acceptable(f"Bulk data comes as {_OCTETS}, alone or in {MULTIPART}.")


def _reply(
    instance: StoredInstance, bodies: Iterable[bytes | FileSlice], media_type: str, label: str, *, alone: bool
) -> Reply:
    payload = Payload(instance.path.parent)
    body = multipart.Writer(payload, media_type)
    try:
        for value in bodies:
            if not alone:
                body.begin(label)
            for chunk in [value] if isinstance(value, bytes) else chunks_of(value):
                payload.write(chunk)
        if not alone:
            body.end()
    except BaseException:
        payload.close()
        raise
    return Reply(200, {"content-type": label if alone else body.content_type}, payload=payload)


def _count(dataset: Dataset) -> int:
    try:
        return max(1, int(dataset.get("NumberOfFrames", 1) or 1))
    except (TypeError, ValueError):
        return 1


def _encapsulated(dataset: FileDataset, numbers: Sequence[int]) -> Iterator[bytes]:
    pixels: Any = dataset["PixelData"].value
    for number in numbers:
        try:
            yield get_frame(pixels, number - 1, number_of_frames=_count(dataset))
        except Exception as error:  # noqa: BLE001 - broken encapsulation breaks parsers in many ways
            raise not_acceptable(f"The frames cannot be read ({type(error).__name__}).") from None


def _native(dataset: FileDataset, stored: UID, numbers: Sequence[int]) -> Iterator[bytes]:
    try:
        pixels = _decompressed(dataset, stored)
        bits = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel * dataset.BitsAllocated
        length, odd = divmod(bits, _BITS_A_BYTE)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
        raise not_acceptable(f"The frames cannot be decoded here ({type(error).__name__}).") from None
    if odd and _count(dataset) > 1:
        raise not_acceptable("Frames of single bits that do not end at a byte cannot be given one by one.")
    length += bool(odd)
    if len(pixels) < length * max(numbers):
        raise not_acceptable("The pixel data is shorter than its attributes say.")
    for number in numbers:
        start, stop = (number - 1) * length, number * length
        yield pixels[start:stop] if isinstance(pixels, bytes) else pixels.read_at(start, stop)


def _decompressed(dataset: FileDataset, stored: UID) -> bytes | FileSlice:
    """Return native pixel data, left in its file if it is so there."""
    element = dataset["PixelData"]
    if stored.is_encapsulated and isinstance(element.value, FileSlice):
        element.value = element.value.read()
    decompress(dataset, stored)
    pixels: bytes | FileSlice = dataset["PixelData"].value
    return pixels


def _bulk_value(dataset: FileDataset, path: Sequence[str], stored: UID) -> bytes | FileSlice:
    missing = not_found("The instance has no such bulk data.")
    within: Dataset = dataset
    try:
        for tag, index in zip(path[:-1:2], path[1::2], strict=True):
            within = within[int(tag, 16)].value[int(index)]
        if path == ["7FE00010"] and stored.is_compressed:
            return _decompressed(dataset, stored)
        value = within[int(path[-1], 16)].value
    except Exception:  # noqa: BLE001 - the path is the client's, and the file may be broken
        raise missing from None
    if not isinstance(value, bytes | FileSlice):
        raise missing
    return value


def _media_type(syntax: UID) -> str:
    if syntax in JPEGTransferSyntaxes:
        return "image/jpeg"
    if syntax in JPEGLSTransferSyntaxes:
        return "image/jls"
    if syntax in JPEG2000TransferSyntaxes:
        return "image/jp2"
    return "image/dicom-rle" if syntax == RLELossless else _OCTETS
