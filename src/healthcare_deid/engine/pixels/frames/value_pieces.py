"""New values of pixel data elements, written piece by piece."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.dicom.file_slices import FileSlice
from healthcare_deid.engine.dicom.sources import OpenFile

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.dicom.long_values import Storage

_CHUNK = 1 << 20


class NewValue:
    """A value under construction, in memory or in an unnamed temporary file like the value that it replaces.

    Args:
        old: The value to replace.
        folder: Folder of the temporary file; by default the system's.
    """

    def __init__(self, old: Storage, folder: Path | None = None) -> None:
        self.in_memory = old.in_memory
        self._file: Any = io.BytesIO() if self.in_memory else tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - its value is
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def read_at(self, start: int, stop: int) -> bytes:
        """Return the bytes from *start* up to *stop*."""
        self._file.seek(start)
        data: bytes = self._file.read(max(0, min(stop, self._length) - start))
        return data

    def write_at(self, start: int, data: bytes | memoryview) -> None:
        """Overwrite bytes from *start* on, or extend the value."""
        self._file.seek(start)
        self._file.write(data)
        self._length = max(self._length, start + len(data))

    def append(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self.write_at(self._length, data)

    def append_all(self, source: Storage, stop: int | None = None) -> None:
        """Append another value up to *stop*."""
        end = len(source) if stop is None else stop
        for start in range(0, end, _CHUNK):
            self.append(source.read_at(start, min(start + _CHUNK, end)))

    def value(self, start: int = 0) -> bytes | io.BufferedIOBase:
        """Return the element's value, bytes or a stream. The value must not be written to afterwards."""
        if self.in_memory:
            whole: bytes = self._file.getvalue()  # BytesIO shares the buffer instead of copying it
            return whole[start:] if start else whole
        self._file.flush()
        return _TemporarySlice(self._file, start, self._length - start)


class _TemporarySlice(FileSlice):
    """A slice of a temporary file that is deleted when it is closed."""

    def __init__(self, file: Any, offset: int, length: int) -> None:
        super().__init__(OpenFile(file.fileno()), offset, length)
        self._file = file

    def close(self) -> None:
        """Close the slice and the file."""
        self._file.close()
        super().close()
