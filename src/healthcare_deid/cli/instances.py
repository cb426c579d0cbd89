"""The DICOM files below a folder, for commands that read what is there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.paths import named
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import FileDataset


class Unreadable:
    """Counts the files that could not be read, and tells of each on stderr."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, path: Path, error: Exception) -> None:
        """Count one."""
        self.count += 1
        reason = str(error) if isinstance(error, EngineError) else type(error).__name__
        click.echo(f"not read: {named(path)}: {reason}", err=True)


def instances(root: Path, unreadable: Unreadable) -> Iterator[tuple[Path, FileDataset]]:
    """Yield each instance below ``root``, a file or a folder, one in memory at a time; DICOMDIRs are left out."""
    for path in sorted(item for item in root.rglob("*") if item.is_file()) if root.is_dir() else [root]:
        if path.name == "DICOMDIR":
            continue
        try:
            dataset, _ = guarded(partial(read, path))
        except (EngineError, OSError) as error:
            unreadable.add(path, error)
        else:
            yield path, dataset
