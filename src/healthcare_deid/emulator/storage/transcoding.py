"""An instance in the transfer syntax that was asked for."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pydicom
from pydicom.uid import UID

from healthcare_deid.emulator.errors import not_acceptable, not_found
from healthcare_deid.engine.dicom.transfer_syntaxes import Coding, TransferSyntax, transfer_syntax
from healthcare_deid.engine.silence import quiet

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import FileDataset

AS_STORED = "*"


def in_syntax(path: Path, stored: str, wanted: str) -> bytes | None:
    """Return an instance's file in another transfer syntax; None when it is in that one as it is.

    Args:
        path: The stored file.
        stored: Its transfer syntax.
        wanted: The one asked for; ``*`` for as stored.

    Raises:
        ServiceError: 406: no codec here makes that syntax of this instance.
    """
    if wanted in {AS_STORED, stored}:
        return None
    target = transfer_syntax(wanted)
    if target is None or not target.transcodes:
        raise not_acceptable("The instance cannot be given in the transfer syntax that was asked for.")
    with quiet():
        try:
            dataset = pydicom.dcmread(path)
            _recode(dataset, UID(stored), target)
            buffer = io.BytesIO()
            dataset.save_as(buffer, enforce_file_format=True)
        except FileNotFoundError:
            raise not_found("DICOM instance does not exist.") from None
        except Exception as error:  # noqa: BLE001 - codecs fail in many ways
            raise not_acceptable(
                f"The instance cannot be transcoded from {stored} to {wanted} here ({type(error).__name__})."
            ) from None
    return buffer.getvalue()


def decompress(dataset: FileDataset, stored: UID) -> None:
    """Make the pixels of a dataset native little-endian, in place.

    Raises:
        NotImplementedError: They are big-endian: pydicom leaves the order of bytes in bulk values as it is.
    """
    if not stored.is_little_endian:
        raise NotImplementedError
    if "PixelData" in dataset and stored.is_encapsulated:
        dataset.decompress(generate_instance_uid=False)


def _recode(dataset: FileDataset, stored: UID, target: TransferSyntax) -> None:
    decompress(dataset, stored)
    if target.coding is Coding.NATIVE:
        dataset.file_meta.TransferSyntaxUID = UID(target.uid)
    else:
        dataset.compress(target.uid, generate_instance_uid=False)
