"""Transcoding of instances to other transfer syntaxes (fidelity O-18)."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSNearLossless,
)

from healthcare_deid.emulator.errors import not_acceptable, not_found
from healthcare_deid.engine.dicom.files import encode
from healthcare_deid.engine.dicom.transfer_syntaxes import TRANSFER_SYNTAXES, is_native
from healthcare_deid.engine.silence import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import FileDataset


AS_STORED = "*"
_NATIVE = frozenset({ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian})
_LOSSY_BY_PYDICOM: dict[str, dict[str, Any]] = {JPEGLSNearLossless: {"jls_error": 2}, JPEG2000: {"j2k_psnr": [80]}}
"""Transfer syntaxes that pydicom encodes, and the options of its encoder."""
_BYTE = 8


# Lossy transfer syntaxes, with their Lossy Image Compression Method (PS3.3 section C.7.6.1.1.5.1).
_LOSSY = {
    JPEGBaseline8Bit: "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    JPEGLSNearLossless: "ISO_14495_1",
    JPEG2000: "ISO_15444_1",
    "1.2.840.10008.1.2.4.112": "ISO_18181_1",
}


def can_make(syntax: str) -> bool:
    """Return whether the emulator can transcode to a transfer syntax.

    Whether an instance allows it depends on its pixel data.
    """
    row = TRANSFER_SYNTAXES.get(syntax)
    return row is not None and row.transcodes


def in_syntax(path: Path, stored: str, wanted: str) -> bytes | None:
    """Return the file of an instance in another transfer syntax.

    Returns None if the file already has it.

    Args:
        path: Stored file.
        stored: Transfer syntax of the file.
        wanted: Requested transfer syntax; ``*`` for the stored one.

    Raises:
        ServiceError: 406: the instance cannot be transcoded to *wanted* here.
    """
    if wanted in {AS_STORED, stored}:
        return None
    if not can_make(wanted):
        raise not_acceptable("The emulator does not transcode to the requested transfer syntax (fidelity O-18).")
    with quiet():
        try:
            dataset = pydicom.dcmread(path)
            _recode(dataset, UID(stored), UID(wanted))
            made = encoded(dataset)
        except FileNotFoundError:
            raise not_found("DICOM instance does not exist.") from None
        except Exception as error:  # noqa: BLE001 - codecs raise anything
            raise not_acceptable(
                f"The instance cannot be transcoded from {stored} to {wanted} here ({type(error).__name__})."
            ) from None
    return made


def encoded(dataset: FileDataset) -> bytes:
    """Return a dataset as a DICOM file.

    pydicom's `save_as` does not support the newest transfer syntaxes.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    buffer = io.BytesIO()
    if syntax.is_transfer_syntax:
        dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()
    encode(dataset, buffer)
    return buffer.getvalue()


def decompress(dataset: FileDataset, stored: UID) -> None:
    """Convert pixel data to native little-endian in place.

    Raises:
        NotImplementedError: The pixel data is big-endian. pydicom does not swap the bytes of bulk data.
    """
    if stored == ExplicitVRBigEndian:
        raise NotImplementedError
    if "PixelData" not in dataset or is_native(stored):
        return
    # numpy and the codecs load only when pixels are decoded.
    from healthcare_deid.engine.pixels import decompress as pixels

    pixels.decompress(dataset)


def _recode(dataset: FileDataset, stored: UID, target: UID) -> None:
    from healthcare_deid.emulator.storage.frame_codecs import BIT_BY_BIT, encode_frame
    from healthcare_deid.engine.pixels.decompress import image_of

    recoded = BIT_BY_BIT.get((stored, target))
    if recoded is not None:
        _encapsulate(dataset, [recoded(frame) for frame in _frames(dataset)], target)
        return
    decompress(dataset, stored)
    if target in _NATIVE or "PixelData" not in dataset:
        dataset.file_meta.TransferSyntaxUID = target
    elif target in _LOSSY_BY_PYDICOM:
        dataset.compress(target, generate_instance_uid=False, **_LOSSY_BY_PYDICOM[target])
    else:
        image = image_of(dataset)
        if image.layout.samples > 1 and image.layout.photometric != "RGB":
            raise NotImplementedError  # the encoders take RGB
        layout = replace(image.layout, planar=False)
        frames = [encode_frame(image.words(index), target, layout) for index in range(image.count)]
        _encapsulate(dataset, frames, target)
        if layout.samples > 1:
            dataset.PlanarConfiguration = 0
    if target in _LOSSY and "PixelData" in dataset:
        _mark_lossy(dataset, target)


def _mark_lossy(dataset: FileDataset, target: UID) -> None:
    """Set the attributes of a lossy image.

    Source: PS3.3 section C.7.6.1.1.5.
    """
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = _LOSSY[target]
    if target == JPEGBaseline8Bit and dataset.SamplesPerPixel > 1:
        dataset.PhotometricInterpretation = "YBR_FULL_422"


def _count(dataset: FileDataset) -> int:
    return int(dataset.get("NumberOfFrames", 1) or 1)


def _frames(dataset: FileDataset) -> list[bytes]:
    return list(generate_frames(dataset.PixelData, number_of_frames=_count(dataset)))


def _encapsulate(dataset: FileDataset, frames: list[bytes], target: UID) -> None:
    _set_pixels(dataset, encapsulate(frames), target, encapsulated=True)


def _set_pixels(dataset: FileDataset, value: bytes, syntax: str, *, encapsulated: bool) -> None:
    dataset.PixelData = value
    dataset["PixelData"].VR = "OB" if encapsulated or dataset.BitsAllocated <= _BYTE else "OW"
    dataset["PixelData"].is_undefined_length = encapsulated
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
