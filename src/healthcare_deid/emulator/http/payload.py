"""`Payload`: a reply body of any size, made of bytes and files."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedIOBase
    from pathlib import Path

CHUNK = 1 << 20
"""Bytes read or written at a time."""
MAX_IN_MEMORY = 10 << 20
"""Largest body held in memory, and the service's limit for requests without instances (its quotas page)."""


def spool(folder: Path | None) -> IO[bytes]:
    """Return a file that stays in memory while it is short.

    Args:
        folder: Directory for a longer file, readable only by this user. None uses the system's temporary directory.
    """
    # Without a name, so that patient data does not stay on disk after a crash.
    return tempfile.SpooledTemporaryFile(MAX_IN_MEMORY, dir=None if folder is None else str(folder))


class Payload:
    """Reply body that is assembled first and then sent.

    The sender closes it.

    Args:
        folder: Directory for data that does not fit into memory, readable only by this user.
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
        """Append a file of *size* bytes.

        It is opened when it is sent.
        """
        self._pieces.append((path, size))

    def chunks(self) -> Iterator[bytes]:
        """Yield the body once.

        Raises:
            ConnectionResetError: A file was deleted. Its length has already been sent, so the reply must be cut off.
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
        """Release the data."""
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
