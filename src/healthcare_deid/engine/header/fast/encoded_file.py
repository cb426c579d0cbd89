"""A DICOM file, rewritten piece by piece: new bytes where something changed, ranges of the old file where nothing did.

Values that stay are never in memory when they are large: pixel data goes from file to file through a buffer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from healthcare_deid.engine.header.fast.level import ITEM
from healthcare_deid.engine.header.fast.lookup import OWN_UIDS
from healthcare_deid.engine.header.fast.tables import LONG_VRS, UNDEFINED, UseDatasetExecutor, encoded
from healthcare_deid.engine.identity.uids import uid_text
from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.header.fast.executor import EncodedExecutor
    from healthcare_deid.engine.header.fast.level import Level

_WINDOW = 1 << 16
_LARGE = 1 << 16
_PREAMBLE = 132
_GROUP_LENGTH = 0x00020000
_INSTANCE, _SYNTAX = 0x00020003, 0x00020010
_NOT_HERE = frozenset({DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian})
_U16 = Struct("<H")
_U32 = Struct("<I")


class Range(NamedTuple):
    """A stretch of the old file."""

    offset: int
    length: int


@dataclass
class OldMeta:
    """File meta information as it was.

    Attributes:
        values: Raw value by tag.
        vrs: VR by tag.
        end: Where the dataset begins.
    """

    values: dict[int, bytes] = field(default_factory=dict[int, bytes])
    vrs: dict[int, str] = field(default_factory=dict[int, str])
    end: int = _PREAMBLE

    def elements(self) -> list[tuple[int, str, bytes]]:
        """Return every element: tag, VR, value."""
        return [(tag, self.vrs[tag], value) for tag, value in self.values.items()]

    def uid(self, tag: int) -> str:
        """Return a UID element's text, empty where there is none."""
        return uid_text(self.values.get(tag, b""))


class EncodedFile:
    """An open DICOM file that the encoded executor can rewrite.

    Args:
        descriptor: Of the open file.

    Attributes:
        size: Bytes of the file.
        window: The first of them.
        meta: Its file meta information.
        syntax: Its transfer syntax.
        explicit: Whether VRs are written in its dataset.

    Raises:
        UseDatasetExecutor: It is not little endian, not plain, or has no usable file meta.
        InvalidDicomError: It ends in its file meta.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self.window = self.read(0, _WINDOW)
        self.meta = self._read_meta()
        syntax = self.meta.uid(_SYNTAX)
        if not syntax or syntax in _NOT_HERE:
            raise UseDatasetExecutor
        self.syntax = syntax
        self.explicit = syntax != ImplicitVRLittleEndian

    def read(self, offset: int, count: int) -> bytes:
        """Return bytes of the file; fewer at its end."""
        return os.pread(self.descriptor, count, offset)

    def _read_meta(self) -> OldMeta:
        data = self.window
        if data[128:132] != b"DICM":
            raise UseDatasetExecutor
        meta = OldMeta()
        position = _PREAMBLE
        while data[position : position + 2] == b"\x02\x00":
            if position + 12 > len(data):
                raise UseDatasetExecutor
            code = data[position + 4 : position + 6]
            if code in LONG_VRS:
                header, length = 12, _U32.unpack_from(data, position + 8)[0]
            else:
                header, length = 8, _U16.unpack_from(data, position + 6)[0]
            value = position + header
            position = value + length
            if position > len(data) or not code.isalpha():
                raise UseDatasetExecutor
            tag = 0x00020000 | _U16.unpack_from(data, value - header + 2)[0]
            meta.values[tag] = data[value:position]
            meta.vrs[tag] = code.decode("ascii", "replace")
        meta.end = position
        return meta

    def own_uids(self) -> frozenset[str]:
        """Return the instance's own study, series and instance UIDs."""
        found = OWN_UIDS.find(self)
        return frozenset({self.meta.uid(_INSTANCE), *(uid_text(value) for _, value in found.values())} - {""})

    def slice(self, offset: int, length: int) -> bytes:
        """Return bytes of the file, most often from memory."""
        if offset + length <= len(self.window):
            return self.window[offset : offset + length]
        return self.read(offset, length)

    def end_of_items(self, position: int) -> int:
        """Return where a value of undefined length ends, its delimiter included, whatever is nested in it."""
        depth = 1
        while depth:
            header = self.slice(position, 12)
            if len(header) < 8:
                raise truncated()
            code, length = header[:4], _U32.unpack_from(header, 4)[0]
            position += 8
            if code == b"\xfe\xff\x00\xe0":
                if length == UNDEFINED:
                    depth += 1
                elif depth == 1:
                    position += length
            elif code in (b"\xfe\xff\xdd\xe0", b"\xfe\xff\x0d\xe0"):
                depth -= 1
            else:
                position, deeper = self._past_element(position, header)
                depth += deeper
        return position

    def _past_element(self, position: int, header: bytes) -> tuple[int, int]:
        code = header[4:6]
        if code in LONG_VRS:
            length, position = _U32.unpack_from(header, 8)[0], position + 4
        elif self.explicit and code.isalpha():
            length = _U16.unpack_from(header, 6)[0]
        else:
            length = _U32.unpack_from(header, 4)[0]
        return (position, 1) if length == UNDEFINED else (position + length, 0)

    def rewrite(self, executor: EncodedExecutor) -> list[bytes | Range]:
        """Apply an executor to the dataset; return the new one in pieces, without its file meta.

        Raises:
            UseDatasetExecutor: The data is not in a form the encoded executor rewrites.
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
            base, window = self._large(executor, header, base + position, len(window) - position, level, pieces)
            position = 0
        executor.finish(level)
        pieces += level.output
        return pieces

    def _large(
        self,
        executor: EncodedExecutor,
        header: bytes,
        position: int,
        seen: int,
        level: Level,
        pieces: list[bytes | Range],
    ) -> tuple[int, bytes]:
        """Deal with an element of which only ``seen`` bytes were there; return where to go on, and the data there."""
        if len(header) < 8:
            raise truncated()
        entry, length = executor.look(header, level)
        value = position + entry.header
        if length != UNDEFINED and value + length > self.size:
            raise truncated()
        if length == UNDEFINED and entry.vr not in ("OB", "OW"):
            return self._more(position, max(seen, _WINDOW) * 4, seen)
        after = self.end_of_items(value) if length == UNDEFINED else value + length
        if after > self.size:
            raise truncated()
        untouched = entry.op is Op.KEEP or entry.op in (Op.DELETE, Op.EMPTY, Op.DUMMY)
        hidden = entry.vr == "UN" and entry.op is Op.KEEP and self.read(value, len(ITEM)) == ITEM
        if entry.vr == "SQ" or hidden or not untouched or after - position < _LARGE:
            return self._more(position, after - position + _WINDOW, seen)
        pieces.extend(executor.pass_by(entry, after - value, level))
        if entry.op is Op.KEEP:
            pieces.append(Range(position, after - position))
        return after, self.read(after, _WINDOW) if after < self.size else b""

    def _more(self, position: int, count: int, seen: int) -> tuple[int, bytes]:
        data = self.read(position, count)
        if len(data) <= seen:
            raise truncated()
        return position, data


def truncated() -> InvalidDicomError:
    """Return the error for data that ends too early."""
    return InvalidDicomError("the data ends inside an element", reason="truncated")


def encoded_meta(values: Sequence[tuple[int, str, bytes]]) -> bytes:
    """Encode preamble, prefix and file meta information (PS3.10 section 7.1), its group length included."""
    body = b"".join(encoded(tag, vr, value) for tag, vr, value in values)
    return bytes(128) + b"DICM" + encoded(_GROUP_LENGTH, "UL", _U32.pack(len(body))) + body
