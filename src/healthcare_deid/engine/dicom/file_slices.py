"""Reading without large pixel data, which stays in its file.

pydicom takes an `io.BufferedIOBase` as a value of a byte VR and writes it in chunks. A `FileSlice` is such an object.
Code that reads it piece by piece, and replaces it by another such object, never holds the whole value in memory.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from pydicom.dataelem import DataElement
from pydicom.dataset import FileDataset
from pydicom.filereader import read_dataset, read_partial
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from healthcare_deid.engine.dicom.encoding import UNDEFINED, Malformed, Short, end_of_fragments

if TYPE_CHECKING:
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import BaseTag

    from healthcare_deid.engine.dicom.sources import Source

LARGE = 1 << 20
"""Size in bytes from which pixel data stays in its file."""
# VRs of Float, Double Float and Pixel Data in implicit VR (PS3.5 annex A.1).
_PIXEL_VRS = {0x7FE00008: "OF", 0x7FE00009: "OD", 0x7FE00010: "OW"}


class FileSlice(io.BufferedIOBase):
    """A read-only range of an encoded instance, as a value for pydicom.

    `read_at` keeps no position, so threads may share a slice. pydicom uses `read`, `seek` and `tell`.

    Args:
        source: The open file, or the bytes.
        offset: Start of the range.
        length: Length of the range in bytes.
    """

    def __init__(self, source: Source, offset: int, length: int) -> None:
        self._source = source
        self._offset = offset
        self._length = length
        self._position = 0

    def __len__(self) -> int:
        return self._length

    @property
    def in_memory(self) -> bool:
        """Whether the bytes are in memory."""
        return self._source.in_memory

    def read_at(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to ``stop``.

        Raises:
            OSError: The file is closed or was truncated.
        """
        left = min(stop, self._length) - start
        parts: list[bytes] = []
        while left > 0:
            part = self._source.read(self._offset + start, left)
            if not part:
                raise OSError("the file was truncated while it was read")
            parts.append(part)
            start += len(part)
            left -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position of the next `read`."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the following bytes, at most ``size``."""
        stop = self._length if size is None or size < 0 else self._position + size
        data = self.read_at(self._position, stop)
        self._position += len(data)
        return data


class _LargePixelData:
    """Stop condition that records the large pixel data found."""

    def __init__(self) -> None:
        self.tag: BaseTag | None = None
        self.vr: str | None = None
        self.length = 0

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:
        """Return whether to stop before this top-level element."""
        if int(tag) not in _PIXEL_VRS or length < LARGE:
            return False
        self.tag, self.vr, self.length = tag, vr, length
        return True


def read_deferred(source: Source, *, force: bool = False) -> FileDataset | None:
    """Read an encoded instance, leaving large pixel data in a `FileSlice`.

    Only pixel data at the top level is deferred.

    Args:
        source: The open file, which must stay open, or the bytes.
        force: Read data without a preamble too.

    Returns:
        The dataset, or None if the data is deflated or the pixel data is incomplete.
    """
    found = _LargePixelData()
    file = source.stream()
    start = read_partial(file, found, force=force)
    if found.tag is None:
        return start
    if start.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        return None
    implicit, little = start.original_encoding
    elements: dict[BaseTag, DataElement | RawDataElement] = {tag: start.get_item(tag) for tag in start.keys()}  # noqa: SIM118 - it iterates elements
    while found.tag is not None:
        after = _defer(source, file.tell(), found, elements)
        if after is None:
            return None
        file.seek(after)
        found.tag = None
        rest = read_dataset(file, found.vr is None, little is not False, stop_when=found)
        elements |= {tag: rest.get_item(tag) for tag in rest.keys()}  # noqa: SIM118 - see above
    dataset = FileDataset(file, elements, start.preamble, start.file_meta, bool(implicit), little is not False)
    dataset.set_original_encoding(implicit, little, start.original_character_set)
    return dataset


def _defer(
    source: Source, position: int, found: _LargePixelData, elements: dict[BaseTag, DataElement | RawDataElement]
) -> int | None:
    """Add the element at a position with a slice as its value.

    Returns the position after it.
    """
    assert found.tag is not None
    value = position + (12 if found.vr in EXPLICIT_VR_LENGTH_32 else 8)
    undefined = found.length == UNDEFINED
    length = _length_of_fragments(source, value) if undefined else found.length
    after = value + (length or 0) + 8 * undefined
    if length is None or after > source.size:
        return None
    slice_ = FileSlice(source, value, length)
    vr = found.vr or _PIXEL_VRS[int(found.tag)]
    element = DataElement(
        found.tag, vr, slice_, file_value_tell=value, is_undefined_length=undefined, already_converted=True
    )
    elements[found.tag] = element
    return after


def _length_of_fragments(source: Source, start: int) -> int | None:
    """Return the length of encapsulated pixel data, without delimiter."""
    try:
        return end_of_fragments(lambda begin, stop: source.read(begin, stop - begin), start) - 8 - start
    except (Short, Malformed):
        return None
