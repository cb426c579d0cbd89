"""Random access to long values, in memory or in a file."""

from __future__ import annotations

import io
import threading
from typing import Any, Protocol

from healthcare_deid.engine.dicom.file_slices import FileSlice
from healthcare_deid.errors import UnsupportedPixelsError


class Storage(Protocol):
    """Value of an element, in memory or not.

    Threads may share it.
    """

    @property
    def in_memory(self) -> bool:
        """Whether the bytes are in memory.

        A replacement may then be too.
        """
        ...

    def __len__(self) -> int:
        """Return the number of bytes."""
        ...

    def read_at(self, start: int, stop: int) -> bytes | memoryview:
        """Return the bytes from ``start`` to ``stop``, fewer at the end."""
        ...


class BytesStorage:
    """A value in memory."""

    in_memory = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)

    def __len__(self) -> int:
        return len(self._data)

    def read_at(self, start: int, stop: int) -> memoryview:
        """Return the bytes from ``start`` to ``stop`` without a copy."""
        return self._data[start:stop]


class StreamStorage:
    """A value that pydicom holds as a stream."""

    in_memory = False

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        # A stream has one position, so threads take turns.
        self._lock = threading.Lock()
        self._length = stream.seek(0, io.SEEK_END)

    def __len__(self) -> int:
        return self._length

    def read_at(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to ``stop``."""
        with self._lock:
            self._stream.seek(start)
            return self._stream.read(max(0, min(stop, self._length) - start))


def storage_of(value: Any) -> Storage:
    """Return an element's value as a `Storage`.

    Raises:
        UnsupportedPixelsError: The value is not bytes or a stream.
    """
    if isinstance(value, FileSlice):
        return value
    if isinstance(value, io.BufferedIOBase):
        return StreamStorage(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return BytesStorage(value)
    raise UnsupportedPixelsError("the value of the pixel data is not bytes")
