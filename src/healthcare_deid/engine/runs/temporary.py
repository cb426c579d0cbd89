"""Temporary files for originals that are not local files.

On Linux they have no name, so nobody finds them and a killed process leaves none. Elsewhere they are in a private
folder: there, ``/dev/fd`` reopens the same file description, and a second reader would continue where the first
stopped.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_BUFFER = 1 << 20


@contextmanager
def temporary_file() -> Generator[Path]:
    """Create an empty file that is removed when the context ends."""
    if sys.platform == "linux":
        with tempfile.TemporaryFile() as file:
            yield Path(f"/dev/fd/{file.fileno()}")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "original")
        path.touch()
        yield path


@contextmanager
def temporary_copy(stream: IO[bytes]) -> Generator[Path]:
    """Copy a stream into a `temporary_file`."""
    with temporary_file() as path:
        copy(stream, path)
        yield path


def copy(stream: IO[bytes], path: Path) -> None:
    """Write a stream into a file."""
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file, _BUFFER)


class Spooled:
    """Bytes on disk that are passed to a worker by path. They exist as long as this object.

    On Linux a worker reads the file through the process that has it open.

    Args:
        stream: The bytes.

    Attributes:
        path: Path for this process and its workers.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        if sys.platform == "linux":
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
            weakref.finalize(self, os.close, descriptor)
            self.path = Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        else:
            folder = tempfile.TemporaryDirectory()
            weakref.finalize(self, folder.cleanup)
            self.path = Path(folder.name, "original")
        copy(stream, self.path)
        self._size = self.path.stat().st_size

    def __len__(self) -> int:
        return self._size
