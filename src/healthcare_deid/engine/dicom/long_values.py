"""Bytes of long values, in memory or in a file, read in stretches."""

from __future__ import annotations

import io
import threading
from typing import Any, Protocol

from healthcare_deid.engine.dicom.file_slices import FileSlice
from healthcare_deid.errors import UnsupportedPixelsError


class Storage(Protocol):
    """The value of an element, wherever it is. Threads may share it."""

    @property
    def in_memory(self) -> bool:
        """Whether its bytes are in memory, so that what replaces it may be too."""
        ...

    def __len__(self) -> int:
        """Bytes."""
        ...

    def read_at(self, start: int, stop: int) -> bytes | memoryview:
        """Return a stretch of it, cut off at its end."""
        ...


class BytesStorage:
    """A value in memory."""

    in_memory = True

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self._data = memoryview(data)

    def __len__(self) -> int:
        return len(self._data)

    def read_at(self, start: int, stop: int) -> memoryview:
        """Return a stretch of it, not copied."""
        return self._data[start:stop]


class StreamStorage:
    """A value that pydicom was given as a stream."""

    in_memory = False

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._length = stream.seek(0, io.SEEK_END)

    def __len__(self) -> int:
        return self._length

    def read_at(self, start: int, stop: int) -> bytes:
        """Return a stretch of it."""
        with self._lock:
            self._stream.seek(start)
            return self._stream.read(max(0, min(stop, self._length) - start))


def storage_of(value: Any) -> Storage:
    """Return an element's value as something to read in stretches.

    Raises:
        UnsupportedPixelsError: It is no bytes.
    """
    if isinstance(value, FileSlice):
        return value
    if isinstance(value, io.BufferedIOBase):
        return StreamStorage(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return BytesStorage(value)
    raise UnsupportedPixelsError("the pixel data is no bytes")
