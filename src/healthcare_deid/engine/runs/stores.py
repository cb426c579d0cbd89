"""Destinations of a run: a folder, or anything else that can list, find, write and remove by name."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX, partial_path, remove_partial_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from healthcare_deid.engine.runs.naming import Names

_STAGED = "staged"


@runtime_checkable
class Store(Protocol):
    """Results of a run, by relative names with ``/``: ``study/series/instance.dcm``, from the new UIDs.

    Only one run writes to it at a time, and its workers only stage files. It can be pickled.
    """

    @property
    def folder(self) -> Path | None:
        """Local folder, if it is one."""
        ...

    @property
    def url(self) -> str:
        """Location if it is not local. A source must not be in the same place. Never printed."""
        ...

    def begin(self, run: Path, names: Names) -> None:
        """Prepare to receive results. Called once, before anything else.

        Args:
            run: The run folder.
            names: Naming of results.

        Raises:
            DeidError: It does not support this naming.
            OSError: It cannot be created.
        """
        ...

    def names(self) -> Iterator[str]:
        """Yield the names of existing results, without partial files."""
        ...

    def has(self, name: str, size: int | None = None) -> bool:
        """Return whether a result exists, and has this size in bytes if one is given and the store knows sizes.

        Raises:
            OSError: It cannot be determined.
            EngineError: The same, with a text that quotes nothing.
        """
        ...

    def stage(self, name: str) -> Path:
        """Return a new local path for a result's bytes, used by this caller only."""
        ...

    def commit(self, staged: Path, name: str) -> None:
        """Turn the staged file into the result atomically, replacing an existing one.

        Raises:
            OSError: It cannot be written.
            EngineError: The same, with a text that quotes nothing.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a result, if it exists."""
        ...

    def clean(self) -> None:
        """Remove staged and partial files of workers that have ended."""
        ...


class StagedStore:
    """Base class of stores that are not folders. Results are staged in the run folder until they are uploaded."""

    _staging: Path | None = None

    @property
    def folder(self) -> Path | None:
        """None, because it is not a folder."""
        return None

    def begin(self, run: Path, names: Names) -> None:
        """Stage in the run folder."""
        del names
        self._staging = run / _STAGED

    def stage(self, name: str) -> Path:
        """Return a path in the run folder."""
        del name  # the name is long, and the staging folder is flat
        assert self._staging is not None
        return self._staging / f"{os.urandom(8).hex()}{PARTIAL_SUFFIX}"

    def clean(self) -> None:
        """Remove everything staged."""
        assert self._staging is not None
        shutil.rmtree(self._staging, ignore_errors=True)


class FolderStore:
    """Local folder, or folder on a network share.

    Args:
        folder: Folder, created when a run begins.
    """

    url = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path | None:
        """The folder."""
        return self._folder

    def begin(self, run: Path, names: Names) -> None:
        """Make the folder."""
        del run, names
        self._folder.mkdir(parents=True, exist_ok=True)

    def names(self) -> Iterator[str]:
        """Yield the names of the files."""
        base = os.fspath(self._folder)
        for folder, _, files in os.walk(base):
            inner = os.path.relpath(folder, base).replace(os.sep, "/")
            for name in files:
                if not name.endswith(PARTIAL_SUFFIX):
                    yield name if inner == "." else f"{inner}/{name}"

    def has(self, name: str, size: int | None = None) -> bool:
        """Return whether a file of that size exists."""
        try:
            return size in (None, os.stat(f"{self._folder}/{name}").st_size)  # noqa: PTH116 - once a file
        except (FileNotFoundError, NotADirectoryError):
            return False

    def stage(self, name: str) -> Path:
        """Return a path in the result's own folder, because a rename must not cross file systems."""
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
