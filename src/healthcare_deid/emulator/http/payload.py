"""A reply body too large for memory, assembled from bytes and from files."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase
    from pathlib import Path

CHUNK = 1 << 20
"""Bytes moved at a time."""
MOST_IN_MEMORY = 10 << 20
"""Largest body kept in memory; a larger one goes to a file without a name."""


def spool(folder: Path | None) -> IO[bytes]:
    """Return a file that stays in memory while it is short.

    Args:
        folder: Folder for a longer one, readable by this user only. None: the system's temporary folder.
    """
    return tempfile.SpooledTemporaryFile(MOST_IN_MEMORY, dir=None if folder is None else str(folder))


class Payload:
    """A body that is put together, then sent. Its sender closes it.

    Args:
        folder: Folder for what does not fit into memory, readable by this user only.
    """

    def __init__(self, folder: Path) -> None:
        self._made = spool(folder)
        self._pieces: list[tuple[Path | None, int]] = []

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(size for _, size in self._pieces)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._made.write(data)
        self._pieces.append((None, len(data)))

    def add_file(self, path: Path, size: int) -> None:
        """Append a file of ``size`` bytes, which is opened when it is sent."""
        self._pieces.append((path, size))

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, once.

        Raises:
            ConnectionResetError: A file was deleted. The length is already promised, so the reply is cut off.
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
        """Release the bytes."""
        self._made.close()


def chunks_of(stream: IO[bytes] | BufferedIOBase) -> Iterator[bytes]:
    """Yield the rest of a stream in chunks."""
    while chunk := stream.read(CHUNK):
        yield chunk


def _exactly(stream: IO[bytes], size: int) -> Iterator[bytes]:
    while size:
        chunk = stream.read(min(CHUNK, size))
        if not chunk:
            raise ConnectionResetError("a file became shorter while it was sent")
        size -= len(chunk)
        yield chunk
