"""Sources of a run: a folder, a file, a list of paths, or anything else that can list and read entries."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from contextlib import AbstractContextManager

    from healthcare_deid.engine.runs.temporary import Spooled

_NO_FILE = "a pipe, a socket or a device is no file, and was not opened"
_LINK_TO_FOLDER = "a link to a folder was not followed: name that folder as a source of its own"
_NOWHERE = "the link leads nowhere, or to itself"


class Trouble(NamedTuple):
    """Reason why an entry of a source is not read.

    Attributes:
        reason: Short, stable word.
        text: The same in words, without names.
        ignored: Whether it is ignored instead of counted as a failure.
    """

    reason: str
    text: str
    ignored: bool = False


PARTIAL = Trouble("partial", "a half-written file of another run", ignored=True)


class Entry(NamedTuple):
    """Entry of a source.

    Attributes:
        name: Relative name, with ``/``.
        trouble: Reason why it is not read, or None.
        data: Its bytes, if the source can only be read sequentially.
        number: Its position, if the source may repeat names.
        size: Its size in bytes, if known.
    """

    name: str
    trouble: Trouble | None = None
    data: bytes | Spooled | None = None
    number: int = 0
    size: int | None = None


@runtime_checkable
class Originals(Protocol):
    """Originals of a run. It can be pickled; every worker has a copy."""

    @property
    def folder(self) -> Path | None:
        """Local folder or file, if it is one."""
        ...

    @property
    def url(self) -> str:
        """Location if it is not local. Results must not go to the same place. Never printed."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in a fixed order.

        Raises:
            OSError: The source itself cannot be listed.
        """
        ...

    def count(self) -> int | None:
        """Return the number of entries, or None if counting would mean reading all of them."""
        ...

    def opened(self, entry: Entry) -> AbstractContextManager[Path]:
        """Return a context manager that yields a local file with the entry's bytes.

        Raises:
            OSError: It cannot be read.
            EngineError: The same, with a text that quotes nothing.
        """
        ...


class FolderOriginals:
    """Files below a folder. Links to files are followed, links to folders are not.

    Args:
        folder: The folder.
    """

    url = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path | None:
        """The folder."""
        return self._folder

    def count(self) -> int | None:
        """Return the number of entries."""
        return sum(1 for _ in self.entries())

    def entries(self) -> Iterator[Entry]:
        """Yield every file, and an entry with its trouble for anything that cannot be read or listed."""
        stack = [""]
        while stack:
            relative = stack.pop()
            try:
                folders, files, troubles = _listed(self._folder / relative)
            except OSError as error:
                if not relative:
                    raise
                yield Entry(relative.rstrip("/"), Trouble("io-error", f"folder: {os.strerror(error.errno or 0)}"))
                continue
            stack.extend(f"{relative}{name}/" for name in sorted(folders, reverse=True))
            for name in sorted(files):
                yield Entry(relative + name, troubles.get(name))

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield the file's own path."""
        yield self._folder / entry.name


class FileOriginals:
    """Single file.

    Args:
        file: The file.
    """

    url = ""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def folder(self) -> Path | None:
        """The file."""
        return self._file

    def count(self) -> int | None:
        """Return 1."""
        return 1

    def entries(self) -> Iterator[Entry]:
        """Yield the file under its own name."""
        yield Entry(self._file.name)

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield the file's own path."""
        del entry
        yield self._file


class ListOriginals:
    """Files and folders given as a list. Entries have the names used in the list.

    Args:
        paths: The files and folders.

    Attributes:
        paths: As given.
    """

    url = ""

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = tuple(paths)

    @property
    def folder(self) -> Path | None:
        """The only path of the list, or None if it has several."""
        return self.paths[0] if len(self.paths) == 1 else None

    def count(self) -> int | None:
        """Return the number of entries."""
        return sum(1 for _ in self.entries())

    def entries(self) -> Iterator[Entry]:
        """Yield every file, including those below listed folders."""
        for path in self.paths:
            name = path.as_posix()
            if path.is_dir():
                for entry in FolderOriginals(path).entries():
                    yield entry._replace(name=f"{name}/{entry.name}")
            elif path.is_file() or not os.path.lexists(path):
                yield Entry(name)
            else:
                yield Entry(name, _trouble_of(path.is_symlink()))

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield the file's own path."""
        yield Path(entry.name)


def result_name(name: str) -> str | None:
    """Return an entry's name as a result name, or None if it leads out of the folder or is a partial file's.

    The result is relative and normalized: an archive may contain ``/a``, ``./a`` and ``b//c``.
    """
    parts = PurePosixPath(name).parts
    if ".." in PurePosixPath(name.replace("\\", "/")).parts or PureWindowsPath(name).drive:
        return None
    return None if name.endswith(PARTIAL_SUFFIX) else "/".join(part for part in parts if part.strip("/")) or None


def _listed(folder: Path) -> tuple[list[str], list[str], dict[str, Trouble]]:
    """Return the names of subfolders, the names of everything else, and the troubles of those that cannot be read.

    Only names are kept; entries would take four times the memory for a million files.

    Raises:
        OSError: It cannot be listed.
    """
    folders: list[str] = []
    files: list[str] = []
    troubles: dict[str, Trouble] = {}
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
                continue
            files.append(entry.name)
            if (trouble := _trouble(entry)) is not None:
                troubles[entry.name] = trouble
    return folders, files, troubles


def _trouble(entry: os.DirEntry[str]) -> Trouble | None:
    """Return the reason why an entry that is not a folder is not read, or None."""
    if entry.name.endswith(PARTIAL_SUFFIX):
        return PARTIAL
    try:
        if entry.is_file():
            return None
        if entry.is_dir():
            return Trouble("link-to-folder", _LINK_TO_FOLDER, ignored=True)
    except OSError:
        pass  # a link that leads to itself
    return _trouble_of(entry.is_symlink() and not os.path.exists(entry.path))  # noqa: PTH110 - once a file


def _trouble_of(leads_nowhere: bool) -> Trouble:
    if leads_nowhere:
        return Trouble("dangling-link", _NOWHERE)
    return Trouble("no-file", _NO_FILE, ignored=True)
