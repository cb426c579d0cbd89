"""A file that only one process at a time appends to."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextmanager
def locked(path: Path) -> Generator[BinaryIO]:
    """Open an existing file for reading and appending under an exclusive lock."""
    with path.open("r+b", buffering=0) as file:
        _lock(file.fileno())
        yield file  # closing the file releases the lock


if sys.platform == "win32":
    import msvcrt

    _BEYOND = 1 << 30
    """Position of the locked byte, beyond the data: on Windows, others cannot read locked bytes."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _BEYOND, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
