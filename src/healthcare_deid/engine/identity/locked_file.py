"""A file that one process at a time adds to."""

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
    """Open a file that exists, to read it and to add to it, while no other process does so."""
    with path.open("r+b", buffering=0) as file:
        _lock(file.fileno())
        yield file  # closing it gives the lock back


if sys.platform == "win32":
    import msvcrt

    _BEYOND = 1 << 30
    """Where the lock's byte is: a lock on Windows keeps others from reading what it covers."""

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _BEYOND, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
