"""The executor for encoded elements: rewrites a header's bytes without building one data element.

It covers little-endian data, explicit or implicit VR, with elements in tag order. Whatever else a file holds raises
`UseDatasetExecutor`, and the file goes the other way. What is kept is copied as it stands; nested sequences, also those
written as UN, are rewritten with their form of length.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.records import Change
from healthcare_deid.engine.tags.actions import ACTIONS
from healthcare_deid.engine.tags.elements import MAX_DEPTH, creator_tag, keyword
from healthcare_deid.engine.tags.entries import (
    LAST_CREATOR,
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    Entry,
    Kind,
    Tables,
    UseDatasetExecutor,
    prefix,
)
from healthcare_deid.engine.tags.plan import Inside, Op, Plan, UidPolicy, inside
from healthcare_deid.engine.tags.uids import UidMapper
from healthcare_deid.engine.tags.values import DUMMIES, Values, encodings_of
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ITEM = b"\xfe\xff\x00\xe0"
_ITEM_END = b"\xfe\xff\x0d\xe0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0"
_DELIMITER_TAGS = 0xFFFEE000
_KEPT, _REPLACED = Kind.KEPT, Kind.REPLACED
_CUT_OFF = -1
"""In place of a position: the data ends inside the element."""
NO_TAG = 0x1_0000_0000
"""After every tag."""

_U16 = Struct("<H")
_U32 = Struct("<I")
_TAG = Struct("<HH")
_read_u16 = _U16.unpack_from
_read_u32 = _U32.unpack_from


class Short(Exception):  # noqa: N818 - asks for more data
    """The data ends inside an element."""


class Level:
    """One dataset on its way through, the instance's own or an item's: where it stands, and what was seen of it.

    Attributes:
        output: What was written.
        creators: Private creators by tag.
        last_tag: The tag of the last element.
        encodings: Python encodings of its character set.
    """

    __slots__ = ("around", "creators", "depth", "encodings", "explicit", "last_tag", "output", "path")

    def __init__(
        self,
        *,
        explicit: bool,
        path: str = "",
        depth: int = 0,
        around: Inside = Inside.TOP,
        encodings: tuple[str, ...] = ("iso8859",),
    ) -> None:
        self.explicit = explicit
        self.path = path
        self.depth = depth
        self.around = around
        self.encodings = encodings
        self.output: list[bytes] = []
        self.creators: dict[int, str] = {}
        self.last_tag = -1


class EncodedExecutor:
    """Applies a plan to one instance's encoded elements.

    Args:
        tables: Made of the plan, once.
        values: New values, for this instance.
        inserts: Elements to write at the top level, encoded, in tag order: de-identification markers.

    Attributes:
        kept: How many elements stayed as they were.
    """

    def __init__(self, tables: Tables, values: Values, inserts: Sequence[tuple[int, bytes]] = ()) -> None:
        self._tables = tables
        self._values = values
        self._inserts = list(inserts)
        self._records: list[tuple[str, Entry, int, str]] = []
        self.kept = 0

    @property
    def changes(self) -> list[Change]:
        """Every change so far."""
        return [
            Change(f"{path}{entry.tag:08X}", keyword(entry.tag), entry.vr, ACTIONS[entry.op], reason, length)
            for path, entry, length, reason in self._records
        ]

    def look(self, header: bytes, level: Level) -> tuple[Entry, int]:
        """Return the entry and the length of the top-level element that begins with these bytes.

        Raises:
            UseDatasetExecutor: It is out of order, or in no form this executor rewrites.
        """
        explicit = level.explicit
        entry = self._tables.entry(header[: 6 if explicit else 4], level.creators, explicit=explicit)
        if entry.tag <= level.last_tag or entry.tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
            raise UseDatasetExecutor
        if entry.header == 12 and len(header) < 12:
            raise InvalidDicomError("the data ends inside an element", reason="truncated")
        return entry, _length(header, 0, entry, explicit=explicit)

    def pass_by(self, entry: Entry, length: int, level: Level) -> list[bytes]:
        """Account for a top-level element that is not in memory; return what comes before it, or in its place."""
        output = self._take_inserts(entry.tag)
        level.last_tag = entry.tag
        if entry.op is Op.KEEP:
            self.kept += 1
            return output
        self._records.append(("", entry, length, entry.rule.reason))
        if entry.op is not Op.DELETE:
            output.append(entry.encoded(b"" if entry.op is Op.EMPTY else DUMMIES.get(entry.vr, b"")))
        return output

    def elements(  # noqa: C901 - one loop, kept in one piece: it runs once an element
        self, data: bytes, position: int, end: int, level: Level
    ) -> int:
        """Rewrite elements until ``end``, an item's end, or an element that is cut off; return where that is.

        Args:
            data: Encoded elements.
            position: Where the first one begins.
            end: Where the data ends.
            level: What they belong to; carried from one stretch of data to the next.
        """
        known = self._tables.steps(explicit=level.explicit, around=level.around).get
        write, record, path = level.output.append, self._records.append, level.path
        last, next_insert = level.last_tag, self._next_insert(level)
        run = position
        kept = 0
        while position + 8 <= end:
            step = known(data[position : position + 8])
            if step is not None:
                # Nine of ten elements. What follows this block does the same for them, at several times the time.
                size, tag, kind, entry, new = step
                after = position + size
                if last < tag < next_insert and after <= end:
                    if kind is _REPLACED:
                        if run != position:
                            write(data[run:position])
                        if new:
                            write(new)
                        record((path, entry, size - 8, entry.rule.reason))
                        run = position = after
                        last = tag
                        continue
                    if kind is _KEPT or 0 not in data[position + 8 : after]:
                        kept += 1
                        position = after
                        last = tag
                        continue
            level.last_tag = last
            replacement, after = self._element(data, position, end, level)
            if after == _CUT_OFF:
                break
            if level.last_tag >= next_insert:
                if run != position:
                    write(data[run:position])
                level.output.extend(self._take_inserts(level.last_tag))
                next_insert = self._next_insert(level)
                run = position
            if replacement is not None:
                if run != position:
                    write(data[run:position])
                write(replacement)
                run = after
            last, position = level.last_tag, after
        level.last_tag = last
        self.kept += kept
        write(data[run:position])
        return position

    def finish(self, level: Level) -> None:
        """Write the markers that come after every element."""
        level.output.extend(self._take_inserts(NO_TAG))

    def _next_insert(self, level: Level) -> int:
        return self._inserts[0][0] if self._inserts and not level.depth else NO_TAG

    def _take_inserts(self, before: int) -> list[bytes]:
        """Return the markers that come before a tag, once."""
        taken: list[bytes] = []
        while self._inserts and self._inserts[0][0] <= before:
            taken.append(self._inserts.pop(0)[1])
        return taken

    def _element(self, data: bytes, position: int, end: int, level: Level) -> tuple[bytes | None, int]:
        """Rewrite one element; return what stands in its place, None where it stays, and the position after it."""
        explicit, around = level.explicit, level.around
        head = data[position : position + 8]
        if head.startswith(_ITEM_END):
            return None, _CUT_OFF
        if head[0] & 1:
            _note_creator(data, position, level)
        entry = self._tables.entry(head[: 6 if explicit else 4], level.creators, explicit=explicit, around=around)
        op, header, tag, vr, rule, _ = entry
        if tag <= level.last_tag or tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
            raise UseDatasetExecutor
        value = position + header
        if value > end:
            return None, _CUT_OFF
        length = _length(data, position, entry, explicit=explicit)
        after = value + length
        if length != UNDEFINED and after > end:
            return None, _CUT_OFF
        if length == UNDEFINED or vr == "SQ":
            return self._composite(data, position, length, end, entry, level)
        level.last_tag = tag
        self._tables.learn(head, entry, length, explicit=explicit, around=around)
        if tag == SPECIFIC_CHARACTER_SET:
            level.encodings = encodings_of(data[value:after])
        if op is Op.KEEP:
            self.kept += 1
            return None, after
        if op is Op.DELETE:
            self._records.append((level.path, entry, length, rule.reason))
            return b"", after
        changed = self._values.new_value(rule, tag, vr, data[value:after], level.encodings)
        if changed is None:
            self.kept += 1
            return None, after
        self._records.append((level.path, entry, length, changed.reason))
        return entry.encoded(changed.value), after

    def _composite(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, level: Level
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence, or fragments; return what `_element` does."""
        value = position + entry.header
        if entry.vr == "UN":
            entry = self._as_sequence(entry, level)
        mark, kept = len(self._records), self.kept
        try:
            if entry.vr == "SQ" and entry.op not in (Op.KEEP, Op.DELETE, Op.EMPTY):
                new, after = self._sequence(data, value, length, end, entry, level, data[position:value])
            else:
                new, after = self._whole(data, value, length, end, entry, level)
        except Short:
            if level.depth:
                raise
            if length != UNDEFINED:
                raise UseDatasetExecutor from None  # all of it is here, and does not fit together
            del self._records[mark:]
            self.kept = kept
            return None, _CUT_OFF
        level.last_tag = entry.tag
        return new, after

    def _as_sequence(self, entry: Entry, level: Level) -> Entry:
        """Return the entry of an element written as UN whose undefined length says that it is a sequence."""
        tag = entry.tag
        rule = self._tables.plan.rule(tag, "SQ", level.creators.get(creator_tag(tag), ""), level.around)
        return Entry(rule.op, entry.header, tag, "SQ", rule, prefix(tag, "SQ" if level.explicit else ""))

    def _whole(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, level: Level
    ) -> tuple[bytes | None, int]:
        """Keep, empty or drop a sequence, or fragments, whatever is in it."""
        after = position + length
        items = length > 0
        if entry.vr != "SQ":
            count, after = fragments(data, position, end)
            items = count > 0
        elif length == UNDEFINED:
            after = _after_sequence(data, position, end, entry, level)
            items = after - position > 8
        if entry.op is Op.KEEP or (entry.op is Op.EMPTY and not items):
            self.kept += 1
            return None, after
        self._records.append((level.path, entry, after - position, entry.rule.reason))
        return b"" if entry.op is Op.DELETE else entry.encoded(b""), after

    def _sequence(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, level: Level, header: bytes
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence whose items the plan enters; its form of length stays."""
        if level.depth >= MAX_DEPTH:
            raise InvalidDicomError(f"sequences are nested more than {MAX_DEPTH} deep", reason="too-deep")
        stop = end if length == UNDEFINED else position + length
        explicit = level.explicit and header[4:6] != b"UN"
        around = inside(level.around, entry.op)
        place = f"{level.path}{entry.tag:08X}"
        mark = len(self._records)
        pieces: list[bytes] = []
        index = 0
        while length == UNDEFINED or position < stop:
            if position + 8 > stop:
                raise Short
            code = data[position : position + 4]
            item_length = _read_u32(data, position + 4)[0]
            position += 8
            if code == _SEQUENCE_END and length == UNDEFINED:
                break
            if code != _ITEM:
                raise UseDatasetExecutor
            item = Level(
                explicit=explicit,
                path=f"{place}[{index}]/",
                depth=level.depth + 1,
                around=around,
                encodings=level.encodings,
            )
            position = self._item(data, position, item_length, stop, item, pieces)
            index += 1
        self.kept += 1
        if len(self._records) == mark:
            return None, position
        body = b"".join(pieces)
        if length == UNDEFINED:
            return b"".join((header, body, _SEQUENCE_END, b"\0\0\0\0")), position
        return b"".join((header[:-4], _U32.pack(len(body)), body)), position

    def _item(self, data: bytes, position: int, length: int, end: int, level: Level, pieces: list[bytes]) -> int:
        """Rewrite one item into ``pieces``; return the position after it."""
        stop = end if length == UNDEFINED else position + length
        if stop > end:
            raise Short
        after = self.elements(data, position, stop, level)
        body = b"".join(level.output)
        if length != UNDEFINED:
            if after != stop:
                raise Short if after < stop and not data.startswith(_ITEM_END, after) else UseDatasetExecutor
            pieces += (_ITEM, _U32.pack(len(body)), body)
            return after
        if after + 8 > end or not data.startswith(_ITEM_END, after):
            raise Short
        pieces += (_ITEM, b"\xff\xff\xff\xff", body, _ITEM_END, b"\0\0\0\0")
        return after + 8


def _length(data: bytes, position: int, entry: Entry, *, explicit: bool) -> int:
    """Return the length that an element's header says."""
    if not explicit:
        return int(_read_u32(data, position + 4)[0])
    return int(_read_u16(data, position + 6)[0] if entry.header == 8 else _read_u32(data, position + 8)[0])


def _note_creator(data: bytes, position: int, level: Level) -> None:
    """Remember a private creator, before its own element is dealt with."""
    group, element = _TAG.unpack_from(data, position)
    if element <= LAST_CREATOR:
        length = _read_u16(data, position + 6)[0] if level.explicit else _read_u32(data, position + 4)[0]
        value = data[position + 8 : position + 8 + length]
        level.creators[group << 16 | element] = value.strip(b" \0").decode("latin-1")


def _after_sequence(data: bytes, position: int, end: int, entry: Entry, level: Level) -> int:
    """Return the position after a sequence of undefined length."""
    reader = EncodedExecutor(_READER, _NOTHING_NEW)
    passing = entry._replace(op=Op.RECURSE)
    place = Level(explicit=level.explicit, depth=level.depth, around=Inside.NOTHING)
    return reader._sequence(data, position, UNDEFINED, end, passing, place, data[position - entry.header : position])[1]


def fragments(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return the number of fragments of encapsulated pixel data (PS3.5 annex A.4), and the position after it."""
    count = 0
    while True:
        if position + 8 > end:
            raise Short
        code = data[position : position + 4]
        length = _read_u32(data, position + 4)[0]
        position += 8
        if code == _SEQUENCE_END:
            return count, position
        if code != _ITEM or length == UNDEFINED:
            raise UseDatasetExecutor
        position += length
        count += 1


_READER = Tables(Plan(name="read", uids=UidPolicy(primary=False)))
_NOTHING_NEW = Values(_READER.plan, UidMapper())
