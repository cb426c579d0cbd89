"""The executor for encoded elements: rewrites a header's bytes without building one data element.

It covers little-endian data, explicit or implicit VR, with elements in tag order. Whatever else a file holds raises
`UseDatasetExecutor`, and the file goes the other way. What is kept is copied as it stands; nested sequences, also those
written as UN, are rewritten with their form of length.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.records import Change
from healthcare_deid.engine.tags.actions import ACTIONS
from healthcare_deid.engine.tags.elements import MAX_DEPTH, creator_tag, keyword
from healthcare_deid.engine.tags.entries import (
    LAST_CREATOR,
    LONG_VRS,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    Entry,
    Tables,
    UseDatasetExecutor,
)
from healthcare_deid.engine.tags.plan import Inside, Op, Plan, Rule, UidPolicy, inside
from healthcare_deid.engine.tags.uids import UidMapper
from healthcare_deid.engine.tags.values import DUMMIES, Values, encodings_of
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_END = b"\xfe\xff\x0d\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_DELIMITER_TAGS = 0xFFFEE000
_MAX_SHORT = 0xFFFE
NO_TAG = 0x1_0000_0000
"""After every tag."""

_U16 = Struct("<H")
_U32 = Struct("<I")
_TAG = Struct("<HH")
unpack_u32 = _U32.unpack_from


class Short(Exception):  # noqa: N818 - asks for more data
    """The data ends inside an element."""


class Scope(NamedTuple):
    """Where an element stands."""

    path: str
    encodings: tuple[str, ...]
    depth: int
    explicit: bool
    around: Inside


class EncodedExecutor:
    """Applies a plan to one instance's encoded elements.

    Args:
        tables: Made of the plan, once.
        values: New values, for this instance.
        inserts: Elements to write at the top level, encoded, in tag order: de-identification markers.
    """

    def __init__(self, tables: Tables, values: Values, inserts: Sequence[tuple[int, bytes]] = ()) -> None:
        self._tables = tables
        self._values = values
        self._inserts = list(inserts)
        self._records: list[tuple[str, Entry, int]] = []
        self.kept = 0

    @property
    def changes(self) -> list[Change]:
        """Every change so far."""
        return [
            Change(f"{path}{tag:08X}", keyword(tag), vr, ACTIONS[rule.op], rule.reason, length)
            for path, (_, _, tag, vr, rule, _), length in self._records
        ]

    def look(self, header: bytes, scope: Scope, state: TopLevel) -> tuple[Entry, int, int]:
        """Return the entry, header size and length of the top-level element that begins with these bytes.

        Raises:
            UseDatasetExecutor: It is out of order, or in no form this executor rewrites.
        """
        entry = self._tables.entry(header[: 6 if scope.explicit else 4], state.creators, explicit=scope.explicit)
        if entry.tag <= state.last_tag or entry.tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
            raise UseDatasetExecutor
        if entry.header == 12:
            if len(header) < 12:
                raise InvalidDicomError("the data ends inside an element", reason="truncated")
            return entry, 12, _U32.unpack_from(header, 8)[0]
        length = _U16.unpack_from(header, 6)[0] if scope.explicit else _U32.unpack_from(header, 4)[0]
        return entry, 8, length

    def pass_by(self, entry: Entry, length: int, scope: Scope, state: TopLevel) -> list[bytes]:
        """Account for a top-level element that is not in memory; return what comes before it, or in its place."""
        output: list[bytes] = []
        self._insert(output, entry.tag)
        state.last_tag = entry.tag
        if entry.op is Op.KEEP:
            self.kept += 1
            return output
        self._records.append(("", entry, length))
        if entry.op is not Op.DELETE:
            value = b"" if entry.op is Op.EMPTY else DUMMIES.get(entry.vr, b"")
            output.append(self.element(entry.tag, entry.vr if scope.explicit else "", value))
        return output

    def top_level(self, data: bytes, scope: Scope, state: TopLevel) -> int:
        """Rewrite top-level elements until the data ends, or ends inside one; return where that is.

        Args:
            data: Encoded elements.
            scope: The top level's.
            state: What was seen before; carried from one stretch of data to the next.
        """
        return self._elements(data, 0, len(data), scope, state)

    def _elements(  # noqa: C901 - one loop, kept in one piece: it runs once an element
        self, data: bytes, position: int, end: int, scope: Scope, state: TopLevel
    ) -> int:
        """Rewrite elements until ``end``, an item's end, or an element that is cut off; return where that is."""
        explicit, around = scope.explicit, scope.around
        entries = self._tables.entries(explicit=explicit, around=around)
        key_bytes = 6 if explicit else 4
        run = position
        output, creators = state.output, state.creators
        last, insert_at = state.last_tag, self._inserts[0][0] if state.is_top and self._inserts else NO_TAG
        records, path, append = self._records, scope.path, output.append
        kept = 0
        while position + 8 <= end:
            head = data[position : position + key_bytes]
            entry = entries.get(head)
            if entry is None:
                if head.startswith(_ITEM_END):
                    break
                if head[0] & 1:
                    _note_creator(data, position, explicit=explicit, creators=creators)
                entry = self._tables.entry(head, creators, explicit=explicit, around=around)
            op, header, tag, vr, rule, simple = entry
            if tag <= last or tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
                raise UseDatasetExecutor
            if simple and tag < insert_at:
                # Nine of ten elements. All that follows this block does the same for them, at twice the time.
                after = position + 8 + (data[position + 6] | data[position + 7] << 8)
                if after > end:
                    break
                if simple == 2:
                    if run != position:
                        append(data[run:position])
                    run = after
                    records.append((path, entry, after - position - 8))
                    last, position = tag, after
                    continue
                if simple == 1 or (
                    data.find(0, position + 8, after) < 0 if simple == 3 else after - position == simple + 4
                ):
                    kept += 1
                    last, position = tag, after
                    continue
            if not explicit:
                length = unpack_u32(data, position + 4)[0]
            elif header == 8:
                length = data[position + 6] | data[position + 7] << 8
            elif position + 12 > end:
                break
            else:
                length = unpack_u32(data, position + 8)[0]
            value = position + header
            after = value + length
            if tag >= insert_at:
                output.append(data[run:position])
                run = position
                insert_at = self._insert(output, tag)
            if length == UNDEFINED or vr == "SQ":
                if length != UNDEFINED and after > end:
                    break
                if vr == "UN":
                    entry = self._as_sequence(entry, creators, around=around)
                mark, kept_before = len(self._records), self.kept
                try:
                    new, after = self._composite(data, value, length, end, entry, scope, data[position:value])
                except Short:
                    if not state.is_top:
                        raise
                    if length != UNDEFINED:
                        raise UseDatasetExecutor from None  # all of it is here, and does not fit together
                    del self._records[mark:]
                    self.kept = kept_before
                    break
                if new is not None:
                    output.append(data[run:position])
                    output.append(new)
                    run = after
                last, position = tag, after
                continue
            if after > end:
                break
            if op is Op.KEEP:
                kept += 1
            elif op is Op.DELETE:
                if run != position:
                    output.append(data[run:position])
                run = after
                records.append((path, entry, length))
            else:
                old = data[value:after]
                changed = self._values.new_value(rule, tag, vr, old, scope.encodings)
                if changed is None:
                    kept += 1
                else:
                    output.append(data[run:position])
                    output.append(self.element(tag, vr if explicit else "", changed.value))
                    run = after
                    records.append((path, entry._replace(rule=Rule(op, changed.reason)), length))
            if tag == SPECIFIC_CHARACTER_SET:
                scope = scope._replace(encodings=encodings_of(data[value:after]))
                state.encodings = scope.encodings
            last, position = tag, after
        state.last_tag = last
        self.kept += kept
        output.append(data[run:position])
        return position

    def _insert(self, output: list[bytes], before: int) -> int:
        """Write the markers that come before a tag; return the next one's tag."""
        while self._inserts and self._inserts[0][0] <= before:
            output.append(self._inserts.pop(0)[1])
        return self._inserts[0][0] if self._inserts else NO_TAG

    def finish(self, state: TopLevel) -> None:
        """Write the markers that come after every element."""
        self._insert(state.output, NO_TAG)

    def _as_sequence(self, entry: Entry, creators: dict[int, str], *, around: Inside) -> Entry:
        """Return the entry of an element written as UN whose undefined length says that it is a sequence."""
        tag = entry.tag
        rule = self._tables.plan.rule(tag, "SQ", creators.get(creator_tag(tag), ""), around)
        return Entry(rule.op, entry.header, tag, "SQ", rule)

    def _composite(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, scope: Scope, header: bytes
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence, or fragments; return the new element, None where it stays, and the position after it."""
        after = position + length
        items = int(length > 0)
        if entry.vr != "SQ":
            items, after = fragments(data, position, end)
        elif entry.op not in (Op.KEEP, Op.DELETE, Op.EMPTY):
            return self._sequence(data, position, length, end, entry, scope, header)
        elif length == UNDEFINED:
            items, after = self._skipped(data, position, end, entry, scope, header)
        if entry.op is Op.KEEP or (entry.op is Op.EMPTY and not items):
            self.kept += 1
            return None, after
        self._records.append((scope.path, entry, after - position))
        if entry.op is Op.DELETE:
            return b"", after
        return self.element(entry.tag, entry.vr if scope.explicit else "", b""), after

    def _skipped(
        self, data: bytes, position: int, end: int, entry: Entry, scope: Scope, header: bytes
    ) -> tuple[int, int]:
        """Return the number of items of a sequence of undefined length, and the position after it."""
        reader = EncodedExecutor(_READER, _NOTHING_NEW)
        passing = Entry(Op.RECURSE, entry.header, entry.tag, "SQ", entry.rule)
        _, after = reader._sequence(
            data, position, UNDEFINED, end, passing, scope._replace(around=Inside.NOTHING), header
        )
        return after - position - 8, after

    def _sequence(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, scope: Scope, header: bytes
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence whose items the plan enters."""
        if scope.depth >= MAX_DEPTH:
            raise InvalidDicomError(f"sequences are nested more than {MAX_DEPTH} deep", reason="too-deep")
        stop = end if length == UNDEFINED else position + length
        explicit = scope.explicit and header[4:6] != b"UN"
        around = inside(scope.around, entry.op)
        place = f"{scope.path}{entry.tag:08X}"
        mark = len(self._records)
        pieces: list[bytes] = []
        index = 0
        while length == UNDEFINED or position < stop:
            if position + 8 > stop:
                raise Short
            code = data[position : position + 4]
            item_length = _U32.unpack_from(data, position + 4)[0]
            position += 8
            if code == _SEQUENCE_END and length == UNDEFINED:
                break
            if code != _ITEM:
                raise UseDatasetExecutor
            inner = Scope(f"{place}[{index}]/", scope.encodings, scope.depth + 1, explicit, around)
            position = self._item(data, position, item_length, stop, inner, pieces)
            index += 1
        self.kept += 1
        if len(self._records) == mark:
            return None, position
        body = b"".join(pieces)
        if length == UNDEFINED:
            return b"".join((header, body, _SEQUENCE_END, b"\0\0\0\0")), position
        return b"".join((header[:-4], _U32.pack(len(body)), body)), position

    def _item(self, data: bytes, position: int, length: int, end: int, scope: Scope, pieces: list[bytes]) -> int:
        """Rewrite one item into ``pieces``; return the position after it."""
        stop = end if length == UNDEFINED else position + length
        if stop > end:
            raise Short
        state = TopLevel(is_top=False)
        after = self._elements(data, position, stop, scope, state)
        body = b"".join(state.output)
        if length != UNDEFINED:
            if after != stop:
                raise Short if after < stop and not data.startswith(_ITEM_END, after) else UseDatasetExecutor
            pieces += (_ITEM, _U32.pack(len(body)), body)
            return after
        if after + 8 > end:
            raise Short
        if not data.startswith(_ITEM_END, after):
            raise Short
        pieces += (_ITEM, b"\xff\xff\xff\xff", body, _ITEM_END, b"\0\0\0\0")
        return after + 8

    @staticmethod
    def element(tag: int, vr: str, value: bytes) -> bytes:
        """Encode an element; without a VR, as implicit."""
        group, element = tag >> 16, tag & 0xFFFF
        if not vr:
            return _TAG.pack(group, element) + _U32.pack(len(value)) + value
        code = vr.encode("ascii")
        if code in LONG_VRS:
            return _TAG.pack(group, element) + code + b"\0\0" + _U32.pack(len(value)) + value
        if len(value) > _MAX_SHORT:
            raise UseDatasetExecutor
        return _TAG.pack(group, element) + code + _U16.pack(len(value)) + value


def _note_creator(data: bytes, position: int, *, explicit: bool, creators: dict[int, str]) -> None:
    """Remember a private creator, before its own element is dealt with."""
    group, element = _TAG.unpack_from(data, position)
    if element <= LAST_CREATOR:
        length = _U16.unpack_from(data, position + 6)[0] if explicit else _U32.unpack_from(data, position + 4)[0]
        value = data[position + 8 : position + 8 + length]
        creators[group << 16 | element] = value.strip(b" \0").decode("latin-1")


def fragments(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return the number of fragments of encapsulated pixel data (PS3.5 annex A.4), and the position after it."""
    count = 0
    while True:
        if position + 8 > end:
            raise Short
        code = data[position : position + 4]
        length = _U32.unpack_from(data, position + 4)[0]
        position += 8
        if code == _SEQUENCE_END:
            return count, position
        if code != _ITEM or length == UNDEFINED:
            raise UseDatasetExecutor
        position += length
        count += 1


_READER = Tables(Plan(name="read", uids=UidPolicy(primary=False)))
_NOTHING_NEW = Values(_READER.plan, UidMapper())


class TopLevel:
    """What is known while elements of one dataset are read, in one stretch of data or several."""

    def __init__(self, *, is_top: bool = True) -> None:
        self.is_top = is_top
        self.output: list[bytes] = []
        self.creators: dict[int, str] = {}
        self.last_tag = -1
        self.encodings: tuple[str, ...] | None = None
