"""Destinations of an encoded result: a file written atomically, or memory."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Protocol

from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.atomic_write import beside, copy_pieces, existing_parent, write_pieces
from healthcare_deid.engine.dicom.sources import InMemory

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pydicom.dataset import FileDataset

    from healthcare_deid.engine.dicom.sources import Range, Source

# O_BINARY exists on Windows only, which would otherwise translate line breaks.
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)


class Sink(Protocol):
    """Destination of one encoded result."""

    @property
    def folder(self) -> Path | None:
        """Folder for temporary files; None for the system's."""
        ...

    def write_pieces(self, pieces: Iterable[bytes | Range], source: Source) -> None:
        """Take bytes and ranges of the source, in order."""
        ...

    def stream(self) -> AbstractContextManager[BinaryIO]:
        """Open a stream for the result.

        The result is complete when the context ends without an error.
        """
        ...

    def read(self) -> FileDataset:
        """Return the result as a dataset."""
        ...


class FileSink:
    """A file that appears when it is complete.

    Args:
        path: The file, replaced if it exists. Missing folders are created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def folder(self) -> Path | None:
        """Folder on the file's own disk."""
        return existing_parent(self._path)

    def write_pieces(self, pieces: Iterable[bytes | Range], source: Source) -> None:
        """Write bytes and ranges of the source, in order.

        Raises:
            OSError: The file cannot be written.
            InvalidDicomError: The source ends before a range does.
        """
        write_pieces(pieces, source, self._path)

    @contextmanager
    def stream(self) -> Generator[BinaryIO]:
        """Open the file.

        Raises:
            OSError: The file cannot be written.
        """
        with beside(self._path) as descriptor, open(descriptor, "wb", closefd=False) as file:
            yield file

    def read(self) -> FileDataset:
        """Return the result as a dataset.

        Raises:
            OSError: The file no longer exists.
        """
        return files.read(self._path)[0]


class PartSink(FileSink):
    """A partial file, written in place.

    Its owner renames it when it is complete.

    Args:
        path: The file; missing folders are created. Its owner removes it if it is incomplete.
    """

    def write_pieces(self, pieces: Iterable[bytes | Range], source: Source) -> None:
        """Write bytes and ranges of the source, in order.

        Raises:
            OSError: The file cannot be written.
            InvalidDicomError: The source ends before a range does.
        """
        # Through a buffer, every file would cost three more system calls.
        descriptor = self._created()
        try:
            copy_pieces(pieces, source, descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def stream(self) -> Generator[BinaryIO]:
        """Open the file.

        Raises:
            OSError: The file cannot be written.
        """
        with os.fdopen(self._created(), "wb") as file:
            yield file

    def _created(self) -> int:
        try:
            return os.open(self._path, _WRITING, 0o666)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._path, _WRITING, 0o666)


class MemorySink:
    """A result in memory.

    Attributes:
        data: The complete result.
    """

    folder = None

    def __init__(self) -> None:
        self.data = b""

    def write_pieces(self, pieces: Iterable[bytes | Range], source: Source) -> None:
        """Join bytes and ranges of the source."""
        self.data = b"".join(piece if isinstance(piece, bytes) else source.view(*piece) for piece in pieces)

    @contextmanager
    def stream(self) -> Generator[BinaryIO]:
        """Open a stream in memory."""
        buffer = io.BytesIO()
        yield buffer
        self.data = buffer.getvalue()

    def read(self) -> FileDataset:
        """Return the result as a dataset."""
        return files.read_source(InMemory(self.data))[0]
