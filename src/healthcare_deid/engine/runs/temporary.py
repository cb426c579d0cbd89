"""Originals that are not files of this machine, as temporary files.

On Linux they have no name: nobody finds them, and no killed process leaves one. Elsewhere they are in a folder of the
owner's: ``/dev/fd`` gives the same open file again there, and a second try at a download would follow the first one.
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
    """Make an empty file that is gone after the context."""
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
    """Bytes on disk that travel to a worker by the path only; they are there as long as this object is.

    On Linux a worker reads the file through the process that has it open.

    Args:
        stream: The bytes.

    Attributes:
        path: Where this process and its workers read them.
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
