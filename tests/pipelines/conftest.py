"""Folders of instances for pipelines: valid, broken, duplicate, and same-UID ones."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidentifyConfig
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Each extra has a nox session with an environment of its own.
collect_ignore = [
    name
    for module, name in (("apache_beam", "test_beam.py"), ("airflow", "test_airflow.py"))
    if importlib.util.find_spec(module) is None
]

NAME = "Zqxsmith"
"""In the name of every source file, in every patient's name, and in no result."""


@dataclass
class Scans:
    """Folder of instances, described by SHA-256.

    Attributes:
        folder: Path of the folder.
        broken: Truncated sources.
        losers: Sources that have another source's UID and a larger digest.
        copies: Number of files that are copies of another file.
        results: Expected number of results.
    """

    folder: Path
    broken: set[str] = field(default_factory=set)
    losers: set[str] = field(default_factory=set)
    copies: int = 0
    results: int = 0


def made_instance(number: int, text: str = "") -> bytes:
    """Return a small instance with its own UID."""
    dataset: Any = sample_dicom()[0].dataset.copy()
    dataset.file_meta = dataset.file_meta.copy() if hasattr(dataset.file_meta, "copy") else dataset.file_meta
    dataset.SOPInstanceUID = f"1.2.3.{number}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientName = f"{NAME}^Jane"
    dataset.ImageComments = text
    dataset.Rows = dataset.Columns = 16
    dataset.NumberOfFrames = 1
    dataset.PixelData = bytes(16 * 16 * dataset.SamplesPerPixel * dataset.BitsAllocated // 8)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def scans(tmp_path: Path) -> Callable[..., Scans]:
    """Write a folder of instances: 5 % truncated, 1 % with another's UID, some copies."""

    def make(count: int) -> Scans:
        found = Scans(tmp_path / "scans")
        for number in range(count):
            folder = found.folder / NAME / str(number % 7)
            folder.mkdir(parents=True, exist_ok=True)
            data = made_instance(number)
            if number % 20 == 7:
                data = data[:1501]
                found.broken.add(hashlib.sha256(data).hexdigest())
            else:
                found.results += 1
            (folder / f"{NAME}-{number}.dcm").write_bytes(data)
            if number % 100 == 0:
                other = made_instance(number, "another image of the same name")
                (folder / f"{NAME}-{number}-other.dcm").write_bytes(other)
                found.losers.add(max(hashlib.sha256(one).hexdigest() for one in (data, other)))
            if number % 50 == 3:
                (folder / f"{NAME}-{number}-copy.dcm").write_bytes(data)
                found.copies += 1
        return found

    return make


@pytest.fixture(scope="session")
def basic() -> DeidentifyConfig:
    """Return a config that needs neither a key nor pixels."""
    return DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()


@pytest.fixture(scope="session")
def shifting() -> DeidentifyConfig:
    """Return a config that shifts dates with the run's key."""
    return DeidentifyConfig.builder().filter_profile("DEIDENTIFY_TAG_CONTENTS").shift_dates("DATE").build()


@pytest.fixture
def instance() -> Callable[..., bytes]:
    """Return a factory of small instances with their own UIDs."""
    return made_instance


@pytest.fixture
def files_of() -> Callable[[Path], dict[str, bytes]]:
    """Return a reader of what is below a folder, by relative name."""

    def read(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read
