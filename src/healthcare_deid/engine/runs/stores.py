"""Where the results of a run go: a folder, or whatever else can list, measure, write and remove by name."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX, partial_path, remove_partial_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Store(Protocol):
    """The results of a run, by relative names with ``/``. One run at a time writes to it; its workers only stage.

    It can be pickled.
    """

    @property
    def folder(self) -> Path | None:
        """The folder it is, where it is one of this machine."""
        ...

    def names(self) -> Iterator[str]:
        """Yield the names of what is there, but half-written files."""
        ...

    def size(self, name: str) -> int | None:
        """Return the bytes of one result, or None where it does not exist."""
        ...

    def stage(self, name: str) -> Path:
        """Return a new local path for a result's bytes, which only this caller has."""
        ...

    def commit(self, staged: Path, name: str) -> None:
        """Make the staged file the result, whole or not at all, in place of one that exists.

        Raises:
            OSError: It cannot be written.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a result, if it exists."""
        ...

    def clean(self) -> None:
        """Remove what earlier runs left half-written."""
        ...


class FolderStore:
    """A folder of this machine, or of a share.

    Args:
        folder: The folder; made when the first result is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path | None:
        """The folder."""
        return self._folder

    def names(self) -> Iterator[str]:
        """Yield the names of the files."""
        base = os.fspath(self._folder)
        for folder, _, files in os.walk(base):
            inner = os.path.relpath(folder, base).replace(os.sep, "/")
            for name in files:
                if not name.endswith(PARTIAL_SUFFIX):
                    yield name if inner == "." else f"{inner}/{name}"

    def size(self, name: str) -> int | None:
        """Return the bytes of one file."""
        try:
            return os.stat(f"{self._folder}/{name}").st_size  # noqa: PTH116 - once a file
        except (FileNotFoundError, NotADirectoryError):
            return None

    def stage(self, name: str) -> Path:
        """Return a path in the result's own folder: a rename must not cross file systems."""
        return type(self._folder)(partial_path(f"{self._folder}/{name}"))

    def commit(self, staged: Path, name: str) -> None:
        """Rename the staged file."""
        os.replace(staged, f"{self._folder}/{name}")  # noqa: PTH105 - once a file

    def remove(self, name: str) -> None:
        """Remove a file."""
        with suppress(FileNotFoundError):
            os.unlink(f"{self._folder}/{name}")  # noqa: PTH108 - joined as above, whatever the name begins with

    def clean(self) -> None:
        """Remove partial files."""
        remove_partial_files(self._folder)
