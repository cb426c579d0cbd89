"""Where the results of a run go: a folder, or whatever else can list, find, write and remove by name."""

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
    """The results of a run, by relative names with ``/``: ``study/series/instance.dcm``, of the new UIDs.

    One run at a time writes to it; its workers only stage. It can be pickled.
    """

    @property
    def folder(self) -> Path | None:
        """The folder it is, where it is one of this machine."""
        ...

    @property
    def url(self) -> str:
        """Where it is otherwise; a source may not be in the same place. Never printed."""
        ...

    def begin(self, run: Path, names: Names) -> None:
        """Prepare to take results; called once, before anything else.

        Args:
            run: The run folder.
            names: How results are called.

        Raises:
            DeidError: It cannot take results that are called so.
            OSError: It cannot be made.
        """
        ...

    def names(self) -> Iterator[str]:
        """Yield the names of what is there, but half-written files."""
        ...

    def has(self, name: str, size: int | None = None) -> bool:
        """Return whether a result is there, with that many bytes where a number is given and the store knows it.

        Raises:
            OSError: It cannot be told.
            EngineError: The same.
        """
        ...

    def stage(self, name: str) -> Path:
        """Return a new local path for a result's bytes, which only this caller has."""
        ...

    def commit(self, staged: Path, name: str) -> None:
        """Make the staged file the result, whole or not at all, in place of one that exists.

        Raises:
            OSError: It cannot be written.
            EngineError: The same, in words of its own that quote nothing.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove a result, if it exists."""
        ...

    def clean(self) -> None:
        """Remove what was staged, or left half-written, by workers that are no more."""
        ...


class StagedStore:
    """Base of stores that are not folders: results wait in the run folder until the store has them whole."""

    _staging: Path | None = None

    @property
    def folder(self) -> Path | None:
        """None: it is not a folder."""
        return None

    def begin(self, run: Path, names: Names) -> None:
        """Stage in the run folder."""
        del names
        self._staging = run / _STAGED

    def stage(self, name: str) -> Path:
        """Return a path in the run folder."""
        del name  # it is long, and the folder is flat
        assert self._staging is not None
        return self._staging / f"{os.urandom(8).hex()}{PARTIAL_SUFFIX}"

    def clean(self) -> None:
        """Remove everything staged."""
        assert self._staging is not None
        shutil.rmtree(self._staging, ignore_errors=True)


class FolderStore:
    """A folder of this machine, or of a share.

    Args:
        folder: The folder; made when a run begins.
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
        """Return whether a file is there, in that length."""
        try:
            return size in (None, os.stat(f"{self._folder}/{name}").st_size)  # noqa: PTH116 - once a file
        except (FileNotFoundError, NotADirectoryError):
            return False

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
