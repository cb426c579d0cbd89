"""Small instances for runs: thousands of them are made in a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def instance_file(as_file: Callable[..., bytes]) -> Callable[..., bytes]:
    """Makes the file of an instance by the last part of its SOP Instance UID and its content."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

    def make(number: int, content: int = 0, **attributes: Any) -> bytes:
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID(f"1.2.826.9.3.{number}")
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.826.9.1", "1.2.826.9.2"
        dataset.PatientName, dataset.PatientID, dataset.StudyDate = "Okonkwo^Ada", "MRN-55120", "20210314"
        dataset.Modality, dataset.InstanceNumber = "CT", content
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        return as_file(dataset, ExplicitVRLittleEndian)

    return make


@pytest.fixture
def put() -> Callable[[Path, bytes], None]:
    """Writes a file, with the folders it is in."""

    def write(path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return write


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Returns the files below a folder, hidden ones included."""

    def read(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    return read
