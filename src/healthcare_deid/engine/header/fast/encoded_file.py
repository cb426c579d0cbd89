"""A DICOM file, rewritten in pieces.

A piece is new bytes or an unchanged range of the old file.

Large unchanged values are never loaded: pixel data is copied from file to file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from healthcare_deid.engine.dicom.encoding import (
    FILLER,
    ITEM,
    UNDEFINED,
    Malformed,
    Short,
    element_header,
    end_of_undefined,
    looks_explicit,
    truncated,
)
from healthcare_deid.engine.dicom.sources import Range
from healthcare_deid.engine.dicom.uids import uid_text
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor, encoded
from healthcare_deid.engine.plan.rules import Op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.dicom.sources import Source
    from healthcare_deid.engine.header.fast.dataset_writer import DatasetWriter
    from healthcare_deid.engine.header.fast.encoded_executor import EncodedExecutor

_WINDOW = 1 << 16
_LARGE = 1 << 16
_PREAMBLE = 132
_GROUP_LENGTH = 0x00020000
_PIXEL_DATA = 0x7FE00010
_SYNTAX = 0x00020010
# The dataset executor takes these syntaxes: pydicom inflates, and converts big endian values.
_NOT_HERE = frozenset({DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian})
_U32 = Struct("<I")


class FragmentRange(Range):
    """A range with one encapsulated element, from its header to its delimiter."""


@dataclass
class OldMeta:
    """File meta information of the input.

    Attributes:
        values: Raw value by tag.
        vrs: VR by tag.
        end: Position of the dataset.
    """

    values: dict[int, bytes] = field(default_factory=dict[int, bytes])
    vrs: dict[int, str] = field(default_factory=dict[int, str])
    end: int = _PREAMBLE

    def elements(self) -> list[tuple[int, str, bytes]]:
        """Return tag, VR and value of every element."""
        return [(tag, self.vrs[tag], value) for tag, value in self.values.items()]

    def uid(self, tag: int) -> str:
        """Return the text of a UID element.

        Returns an empty string if it is absent.
        """
        return uid_text(self.values.get(tag, b""))


class EncodedFile:
    """A DICOM file for the encoded executor.

    It may be open or in memory.

    Args:
        source: The file.

    Attributes:
        source: The file.
        size: Size of the file in bytes.
        window: First bytes of the file.
        meta: File meta information.
        syntax: Transfer syntax.
        explicit: Whether the dataset is explicit VR.

    Raises:
        UseDatasetExecutor: The file is big endian or deflated, or its file meta is unusable.
        InvalidDicomError: The file ends inside its file meta.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.size = source.size
        self.window = self.read(0, _WINDOW)
        self.meta = self._read_meta()
        syntax = self.meta.uid(_SYNTAX)
        if not syntax or syntax in _NOT_HERE:
            raise UseDatasetExecutor
        self.syntax = syntax
        self.explicit = syntax != ImplicitVRLittleEndian
        if self.meta.end + 8 <= self.size and looks_explicit(self.window, self.meta.end) != self.explicit:
            raise UseDatasetExecutor  # some tools name the wrong transfer syntax

    def read(self, offset: int, count: int) -> bytes:
        """Return ``count`` bytes of the file, fewer at the end."""
        return self.source.read(offset, count)

    def _read_meta(self) -> OldMeta:
        data = self.window
        if data[128:132] != b"DICM":
            raise UseDatasetExecutor
        meta = OldMeta()
        position = _PREAMBLE
        while data[position : position + 2] == b"\x02\x00":
            try:
                tag, vr, size, length = element_header(data, position, explicit=True)
            except (Short, Malformed):
                raise UseDatasetExecutor from None
            value = position + size
            position = value + length
            if position > len(data) or not vr:
                raise UseDatasetExecutor
            meta.values[tag] = data[value:position]
            meta.vrs[tag] = vr.decode("ascii")
        meta.end = position
        return meta

    def slice(self, offset: int, length: int) -> bytes:
        """Return bytes of the file, usually from memory."""
        if offset + length <= len(self.window):
            return self.window[offset : offset + length]
        return self.read(offset, length)

    def end_of_undefined(self, value: int, vr: bytes) -> int:
        """Return the position after a value of undefined length and its delimiter.

        Raises:
            UseDatasetExecutor: The value is neither items nor fragments.
            InvalidDicomError: The file ends inside the value.
        """
        try:
            return end_of_undefined(self._read_between, value, vr, explicit=self.explicit)
        except Malformed:
            raise UseDatasetExecutor from None
        except Short:
            raise truncated() from None

    def _read_between(self, start: int, stop: int) -> bytes:
        return self.slice(start, stop - start)

    def rewrite(self, executor: EncodedExecutor) -> list[bytes | Range]:
        """Apply an executor to the dataset.

        Returns the pieces of the result, without file meta.

        Raises:
            UseDatasetExecutor: The encoded executor does not support the form of the data.
            InvalidDicomError: The file ends inside an element.
        """
        level = executor.start(explicit=self.explicit)
        pieces: list[bytes | Range] = []
        base, window = 0, self.window
        position = self.meta.end
        while base + position < self.size:
            position = executor.elements(window, position, len(window), level)
            pieces += level.output
            level.output.clear()
            if base + position >= self.size:
                break
            header = (
                window[position : position + 12] if position + 12 <= len(window) else self.read(base + position, 12)
            )
            if self._is_junk(header, base + position, level):
                executor.drop_trailing()
                break
            base, window = self._large(executor, header, base + position, len(window) - position, level, pieces)
            position = 0
        executor.finish(level)
        pieces += level.output
        return pieces

    def _is_junk(self, head: bytes, position: int, level: DatasetWriter) -> bool:
        """Return whether only trailing bytes are left."""
        # Padding may follow any element. Other bytes count as trailing only after the pixel data; before it, an
        # element is more likely to be broken.
        if len(head) < 8:
            return level.last_tag >= _PIXEL_DATA or not self.read(position, self.size - position).strip(FILLER)
        try:
            tag = element_header(head, 0, explicit=self.explicit).tag
        except (Malformed, Short):
            return level.last_tag >= _PIXEL_DATA
        if level.last_tag >= _PIXEL_DATA and tag <= level.last_tag:
            return True
        return self.size - position < _WINDOW and not self.read(position, self.size - position).strip(FILLER)

    def _large(
        self,
        executor: EncodedExecutor,
        header: bytes,
        position: int,
        seen: int,
        level: DatasetWriter,
        pieces: list[bytes | Range],
    ) -> tuple[int, bytes]:
        """Process an element that extends beyond the window.

        Returns the new base and window.

        Args:
            executor: The executor.
            header: First bytes of the element.
            position: Position of the element in the file.
            seen: Number of its bytes in the current window.
            level: State of the dataset.
            pieces: Pieces of the result so far.
        """
        if len(header) < 8:
            raise truncated()
        entry, length = executor.look(header, level)
        value = position + entry.header
        if length != UNDEFINED and value + length > self.size:
            raise truncated()
        if length == UNDEFINED and entry.vr not in ("OB", "OW"):
            return self._more(position, max(seen, _WINDOW) * 4, seen)
        after = self.end_of_undefined(value, entry.vr.encode()) if length == UNDEFINED else value + length
        if after > self.size:
            raise truncated()
        # An element of VR UN may be a sequence whose items must be rewritten.
        hidden = entry.vr == "UN" and entry.op is Op.KEEP and self.read(value, len(ITEM)) == ITEM
        small = after - position < _LARGE and (length != UNDEFINED or entry.op is not Op.KEEP)
        if entry.vr == "SQ" or hidden or not executor.passes_by(entry) or small:
            return self._more(position, after - position + _WINDOW, seen)
        pieces.extend(executor.pass_by(entry, after - value, level))
        if entry.op is Op.KEEP:
            kind = FragmentRange if length == UNDEFINED else Range
            pieces.append(kind(position, after - position))
        return after, self.read(after, _WINDOW) if after < self.size else b""

    def _more(self, position: int, count: int, seen: int) -> tuple[int, bytes]:
        data = self.read(position, count)
        if len(data) <= seen:
            raise truncated()
        return position, data


def encoded_file(source: Source) -> EncodedFile | None:
    """Return a file for the encoded executor; None if that does not support its form.

    Raises:
        InvalidDicomError: The file ends inside its file meta.
        OSError: It cannot be read.
    """
    try:
        return EncodedFile(source)
    except UseDatasetExecutor:
        return None


def encoded_meta(values: Sequence[tuple[int, str, bytes]]) -> bytes:
    """Encode preamble, prefix and file meta (PS3.10 section 7.1)."""
    body = b"".join(encoded(tag, vr, value) for tag, vr, value in values)
    return bytes(128) + b"DICM" + encoded(_GROUP_LENGTH, "UL", _U32.pack(len(body))) + body
