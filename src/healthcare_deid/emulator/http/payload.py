"""A body that need not fit into memory: what was made for it, and files as they are, in order."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase
    from pathlib import Path

CHUNK = 1 << 20
"""Bytes that are moved at a time."""
MOST_IN_MEMORY = 10 << 20
"""Bytes of one body that are kept in memory; what is longer goes to a file that has no name."""


def spool(folder: Path | None) -> IO[bytes]:
    """Return a file that is in memory while it is short, and has no name when it is long.

    Args:
        folder: Where it is then: one that nobody else may read. None: the system's for temporary files.
    """
    return tempfile.SpooledTemporaryFile(MOST_IN_MEMORY, dir=None if folder is None else str(folder))


class Payload:
    """A body in the making, then in the sending. Whoever sends it closes it.

    Args:
        folder: Where what does not fit into memory is kept: a folder that nobody else may read.
    """

    def __init__(self, folder: Path) -> None:
        self._made = spool(folder)
        self._pieces: list[tuple[Path | None, int]] = []

    @property
    def size(self) -> int:
        """Its bytes."""
        return sum(size for _, size in self._pieces)

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._made.write(data)
        self._pieces.append((None, len(data)))

    def add_file(self, path: Path, size: int) -> None:
        """Add a file of so many bytes, which is read when it is sent."""
        self._pieces.append((path, size))

    def chunks(self) -> Iterator[bytes]:
        """Give the bytes, once, at most a chunk at a time.

        Raises:
            ConnectionResetError: A file is gone: the rest cannot be sent, and nothing can be put in its place.
        """
        self._made.seek(0)
        for path, size in self._pieces:
            if path is None:
                yield from _exactly(self._made, size)
                continue
            try:
                stream = path.open("rb")
            except OSError:
                raise ConnectionResetError("an instance was deleted before it was sent") from None
            with stream:
                yield from _exactly(stream, size)

    def close(self) -> None:
        """Let go of what was made."""
        self._made.close()


def chunks_of(stream: IO[bytes] | BufferedIOBase) -> Iterator[bytes]:
    """Give what is left of a stream, a chunk at a time."""
    while chunk := stream.read(CHUNK):
        yield chunk


def _exactly(stream: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        chunk = stream.read(min(CHUNK, size))
        if not chunk:
            raise ConnectionResetError("a file became shorter while it was sent")
        size -= len(chunk)
        yield chunk
