"""New values of pixel data elements, made piece by piece."""

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
    """A value that is being made: in memory where the old one was, and in a file without a name where that was in one.

    Args:
        old: What it replaces.
        folder: Where the file is; by default where temporary files go.
    """

    def __init__(self, old: Storage, folder: Path | None = None) -> None:
        self.in_memory = old.in_memory
        self._file: Any = io.BytesIO() if self.in_memory else tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - its value is
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def read_at(self, start: int, stop: int) -> bytes:
        """Return a stretch of it."""
        self._file.seek(start)
        data: bytes = self._file.read(max(0, min(stop, self._length) - start))
        return data

    def write_at(self, start: int, data: bytes | memoryview) -> None:
        """Replace a stretch, or add one at the end."""
        self._file.seek(start)
        self._file.write(data)
        self._length = max(self._length, start + len(data))

    def append(self, data: bytes | memoryview) -> None:
        """Add to its end."""
        self.write_at(self._length, data)

    def append_all(self, source: Storage, stop: int | None = None) -> None:
        """Add another value, up to a place in it."""
        end = len(source) if stop is None else stop
        for start in range(0, end, _CHUNK):
            self.append(source.read_at(start, min(start + _CHUNK, end)))

    def value(self, start: int = 0) -> bytes | io.BufferedIOBase:
        """Return what an element takes: bytes, or a stream. Nothing can be changed any more."""
        if self.in_memory:
            whole: bytes = self._file.getvalue()  # not a copy: nobody writes to it again
            return whole[start:] if start else whole
        self._file.flush()
        return _TemporarySlice(self._file, start, self._length - start)


class _TemporarySlice(FileSlice):
    """A stretch of a file that goes when nobody needs it any more."""

    def __init__(self, file: Any, offset: int, length: int) -> None:
        super().__init__(OpenFile(file.fileno()), offset, length)
        self._file = file

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
        super().close()
