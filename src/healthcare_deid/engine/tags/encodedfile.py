"""A DICOM file, rewritten piece by piece: new bytes where something changed, ranges of the old file where nothing did.

Values that stay are never in memory when they are large: pixel data goes from file to file through a buffer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from healthcare_deid.engine.tags.entries import LONG_VRS, UNDEFINED, UseDatasetExecutor, encoded
from healthcare_deid.engine.tags.plan import Op
from healthcare_deid.engine.tags.uids import PRIMARY_UIDS, SOP_INSTANCE_UID, uid_text
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from healthcare_deid.engine.tags.encoded import EncodedExecutor
    from healthcare_deid.engine.tags.level import Level

_WINDOW = 1 << 16
_LARGE = 1 << 16
_PREAMBLE = 132
_GROUP_LENGTH = 0x00020000
_CLASS, _INSTANCE, _SYNTAX = 0x00020002, 0x00020003, 0x00020010
_SOP_CLASS = 0x00080016
_UNDEFINED_LENGTH = b"\xff\xff\xff\xff"
_MAX_OTHERS = 50_000
_NOT_HERE = frozenset({DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian})
_U16 = Struct("<H")
_U32 = Struct("<I")
_TAG = Struct("<HH")


class Range(NamedTuple):
    """A stretch of the old file."""

    offset: int
    length: int


class Wanted:
    """Top-level elements that are looked for in files, and how to pass the others by.

    Args:
        tags: Of the elements.
    """

    def __init__(self, tags: Collection[int]) -> None:
        self.tags = frozenset(tags)
        self.last = max(tags)
        self._others: dict[bool, dict[bytes, int]] = {False: {}, True: {}}

    def others(self, *, explicit: bool) -> dict[bytes, int]:
        """Return the memo of other elements' sizes, by their first eight bytes."""
        return self._others[explicit]

    def learn(self, head: bytes, size: int, *, explicit: bool) -> None:
        """Remember an element that is not wanted, if its first eight bytes tell its size."""
        if (explicit and head[4:6] in LONG_VRS) or head.endswith(_UNDEFINED_LENGTH):
            return
        others = self._others[explicit]
        if len(others) > _MAX_OTHERS:
            others.clear()
        others[head] = size


IDENTITY = Wanted((_SOP_CLASS, SOP_INSTANCE_UID))
"""What the file meta information says again."""
OWN_UIDS = Wanted([tag for tag in PRIMARY_UIDS if tag != _INSTANCE])
"""The UIDs of the instance itself, its series and its study."""


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

    Raises:
        UseDatasetExecutor: It is not little endian, not plain, or has no usable file meta.
        InvalidDicomError: It ends in its file meta.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._window = self.read(0, _WINDOW)
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
        data = self._window
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
        found = self.top_level(OWN_UIDS)
        return frozenset({self.meta.uid(_INSTANCE), *(uid_text(value) for _, value in found.values())} - {""})

    def top_level(self, wanted: Wanted) -> dict[int, tuple[bytes, bytes]]:
        """Return VR as written (none where it is implicit) and value of some top-level elements, none of them large.

        Raises:
            InvalidDicomError: The file ends inside an element.
        """
        found: dict[int, tuple[bytes, bytes]] = {}
        position, explicit, window = self.meta.end, self.explicit, self._window
        size_of = wanted.others(explicit=explicit).get
        while position + 8 <= self.size:
            size = size_of(window[position : position + 8])
            if size is not None:
                position += size
                continue
            header = self._slice(position, 12)
            tag, code, value, length = _parsed(header, position, explicit=explicit)
            if tag > wanted.last:
                break
            after = self._end_of_items(value) if length == UNDEFINED else value + length
            if tag not in wanted.tags:
                wanted.learn(header[:8], after - position, explicit=explicit)
            elif after - value <= _LARGE:
                end = after - 8 if length == UNDEFINED else after
                found[tag] = (code, self._slice(value, end - value))
            position = after
        return found

    def _slice(self, offset: int, length: int) -> bytes:
        if offset + length <= len(self._window):
            return self._window[offset : offset + length]
        return self.read(offset, length)

    def _end_of_items(self, position: int) -> int:
        """Return where a value of undefined length ends, its delimiter included, whatever is nested in it."""
        depth = 1
        while depth:
            header = self._slice(position, 12)
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
        base, window = 0, self._window
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
        after = self._end_of_items(value) if length == UNDEFINED else value + length
        if after > self.size:
            raise truncated()
        untouched = entry.op is Op.KEEP or entry.op in (Op.DELETE, Op.EMPTY, Op.DUMMY)
        if entry.vr == "SQ" or not untouched or after - position < _LARGE:
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


def _parsed(header: bytes, position: int, *, explicit: bool) -> tuple[int, bytes, int, int]:
    """Return tag, VR as written, where the value begins, and length of the element at a position."""
    group, element = _TAG.unpack_from(header)
    tag = group << 16 | element
    if not explicit:
        return tag, b"", position + 8, _U32.unpack_from(header, 4)[0]
    code = header[4:6]
    if code not in LONG_VRS:
        return tag, code, position + 8, _U16.unpack_from(header, 6)[0]
    if len(header) < 12:
        raise truncated()
    return tag, code, position + 12, _U32.unpack_from(header, 8)[0]


def truncated() -> InvalidDicomError:
    """Return the error for data that ends too early."""
    return InvalidDicomError("the data ends inside an element", reason="truncated")


def encoded_meta(values: Sequence[tuple[int, str, bytes]]) -> bytes:
    """Encode preamble, prefix and file meta information (PS3.10 section 7.1), its group length included."""
    body = b"".join(encoded(tag, vr, value) for tag, vr, value in values)
    return bytes(128) + b"DICM" + encoded(_GROUP_LENGTH, "UL", _U32.pack(len(body))) + body
