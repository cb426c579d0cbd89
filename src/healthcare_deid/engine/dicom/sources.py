"""Encoded instances to read from: an open file, or bytes in memory."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_CHUNK = 1 << 20
Encoded = bytes | bytearray | memoryview | BinaryIO
"""An encoded instance as a caller passes it."""


class Range(NamedTuple):
    """A range of a source."""

    offset: int
    length: int


class Source(Protocol):
    """An encoded instance with random access.

    Threads may share it.
    """

    in_memory: bool
    """Whether it is in memory, so that a replacement for part of it may be too."""
    size: int
    """Size in bytes."""

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes, fewer at the end."""
        ...

    def view(self, offset: int, count: int) -> bytes | memoryview:
        """Return ``count`` bytes, fewer at the end, without a copy if possible."""
        ...

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill a buffer from an offset.

        Returns the number of bytes read.
        """
        ...

    def stream(self) -> BinaryIO:
        """Return a stream at the start.

        Closing it leaves the source open.
        """
        ...

    def sha256(self) -> bytes:
        """Return the SHA-256 digest of the source."""
        ...


class OpenFile:
    """A file to read from.

    Args:
        descriptor: Descriptor of the open file. The caller closes it after the last read.
    """

    in_memory = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes, fewer at the end."""
        # pread takes the offset as an argument, so threads can share the descriptor.
        return os.pread(self._descriptor, count, offset)

    view = read

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill a buffer from an offset.

        Returns the number of bytes read.
        """
        return os.preadv(self._descriptor, [buffer], offset)

    def stream(self) -> BinaryIO:
        """Return a stream at the start.

        Closing it leaves the source open.
        """
        file = open(self._descriptor, "rb", closefd=False)  # noqa: SIM115 - the caller's
        file.seek(0)
        return file

    def sha256(self) -> bytes:
        """Return the SHA-256 digest of the file."""
        digest = hashlib.sha256()
        for offset in range(0, self.size, _CHUNK):
            digest.update(self.read(offset, _CHUNK))
        return digest.digest()


@contextmanager
def opened_source(path: Path) -> Generator[OpenFile]:
    """Open a file to read from.

    Raises:
        OSError: The file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        yield OpenFile(descriptor)
    finally:
        os.close(descriptor)


class InMemory:
    """Bytes to read from.

    Args:
        data: The bytes, which are not copied.
    """

    in_memory = True

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes, fewer at the end."""
        return self._data[offset : offset + count]

    def view(self, offset: int, count: int) -> memoryview:
        """Return ``count`` bytes, fewer at the end, without a copy."""
        return memoryview(self._data)[offset : offset + count]

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill a buffer from an offset.

        Returns the number of bytes read.
        """
        found = self.view(offset, len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def stream(self) -> BinaryIO:
        """Return a stream at the start, which shares the bytes."""
        return io.BytesIO(self._data)

    def sha256(self) -> bytes:
        """Return the SHA-256 digest of the bytes."""
        return hashlib.sha256(self._data).digest()


def bytes_of(given: object) -> bytes:
    """Return an encoded instance as bytes.

    Args:
        given: Bytes, a bytearray, a memoryview, or a binary file, which is read from its current position.

    Raises:
        TypeError: *given* is not one of these.
        OSError: The file cannot be read.
    """
    if isinstance(given, bytes):
        return given
    if isinstance(given, bytearray | memoryview):
        return bytes(given)
    read = getattr(given, "read", None)
    data: object = read() if callable(read) else None
    if isinstance(data, bytes):
        return data
    raise TypeError(f"deidentify_bytes takes bytes or a binary file, not {type(given).__name__}")
