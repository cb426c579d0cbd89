"""The executor for encoded elements: rewrites a header's bytes without building one data element.

It covers little-endian data, explicit or implicit VR, with elements in tag order. Whatever else a file holds raises
`UseDatasetExecutor`, and the file goes the other way. What is kept is copied as it stands; nested sequences, also those
written as UN, are rewritten with their form of length.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.elements import MAX_DEPTH
from healthcare_deid.engine.dicom.unknown import UNREAD, holds_items
from healthcare_deid.engine.header.fast.follower import Follower, Tally
from healthcare_deid.engine.header.fast.level import (
    ITEM,
    NO_TAG,
    SEQUENCE_END,
    Level,
    Short,
    fragments,
    length_of,
    note_creator,
)
from healthcare_deid.engine.header.fast.loop import take_steps
from healthcare_deid.engine.header.fast.memo import LONGEST_REMEMBERED, Known, Memo, Remembered
from healthcare_deid.engine.header.fast.tables import (
    SPECIFIC_CHARACTER_SET,
    UNDEFINED,
    Entry,
    Record,
    Table,
    Tables,
    UseDatasetExecutor,
    creator_of,
    prefix,
)
from healthcare_deid.engine.header.values import DUMMIES, Values, encodings_of
from healthcare_deid.engine.identity.uids import UidMapper
from healthcare_deid.engine.plan.tags import Inside, Op, TagPlan, UidPolicy, inside
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ITEM_END = b"\xfe\xff\x0d\xe0"
_DELIMITER_TAGS = 0xFFFEE000
_KEEP, _DELETE, _OWN_UID = Op.KEEP, Op.DELETE, Op.OWN_UID  # an enum's own look-up is slow
_CUT_OFF = -1
"""In place of a position: the data ends inside the element."""

_U32 = Struct("<I")
_read_u32 = _U32.unpack_from


class EncodedExecutor:
    """Applies a plan to one instance's encoded elements.

    Args:
        tables: Made of the plan, once.
        values: New values, for this instance.
        inserts: Elements to write at the top level, encoded, in tag order: de-identification markers.
        memo: Where text is inspected: what became of elements of instances with the same header.

    """

    def __init__(
        self,
        tables: Tables,
        values: Values,
        inserts: Sequence[tuple[int, bytes]] = (),
        memo: Memo | None = None,
    ) -> None:
        self._tables = tables
        self._values = values
        self._inserts = list(inserts)
        self._memo = memo or tables.memo
        self.tally = Tally(warned=values.warnings)

    def start(self, *, explicit: bool) -> Level:
        """Return the top level, nothing of it seen yet."""
        level = self._counted(Level(explicit=explicit))
        if self._inserts:
            level.next_insert = self._inserts[0][0]
        return level

    def _counted(self, level: Level) -> Level:
        self.tally.records.append((level.path, level.records))
        return level

    def look(self, header: bytes, level: Level) -> tuple[Entry, int]:
        """Return the entry and the length of the top-level element that begins with these bytes.

        Raises:
            UseDatasetExecutor: It is out of order, or in no form this executor rewrites.
        """
        explicit = level.explicit
        entry = self._table(level).entry(header, level.creators)
        if entry.tag <= level.last_tag or entry.tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
            raise UseDatasetExecutor
        if entry.header == 12 and len(header) < 12:
            raise InvalidDicomError("the data ends inside an element", reason="truncated")
        return entry, length_of(header, 0, entry, explicit=explicit)

    def pass_by(self, entry: Entry, length: int, level: Level) -> list[bytes]:
        """Account for a top-level element that is not in memory; return what comes before it, or in its place."""
        output = self._take_inserts(entry.tag, level)
        level.last_tag = entry.tag
        if entry.op is Op.KEEP:
            self.tally.kept += 1
            return output
        level.records.append(Record(entry, entry.rule.reason, length))
        if entry.op is not Op.DELETE:
            output.append(entry.encoded(b"" if entry.op is Op.EMPTY else DUMMIES.get(entry.vr, b"")))
        return output

    def elements(self, data: bytes, position: int, end: int, level: Level) -> int:
        """Rewrite elements until ``end``, an item's end, or an element that is cut off; return where that is.

        Args:
            data: Encoded elements.
            position: Where the first one begins.
            end: Where the data ends.
            level: What they belong to; carried from one stretch of data to the next.
        """
        table = self._table(level)
        known = self._memo.of(table.number, level.encodings)
        follower = self._follower(known, table, level)
        while position + 8 <= end:
            if follower is not None and (passed := follower.passed(data, position)):
                position += passed
                continue
            begin = position
            position = take_steps(data, begin, end, level, table.steps, known, self.tally)
            one = position == begin
            if one:
                replacement, position = self._element(data, begin, end, level)
                if position == _CUT_OFF:
                    position = begin
                    break
                if level.last_tag >= level.next_insert:
                    self._insert(level)
                level.output.append(data[begin:position] if replacement is None else replacement)
            if follower is not None:
                follower.follow(data, position, one=one)
            if level.encodings is not known.encodings:
                known = self._memo.of(table.number, level.encodings)
                follower = self._follower(known, table, level)
        if follower is not None:
            follower.end(data, position)
        return position

    def _follower(self, known: Known, table: Table, level: Level) -> Follower | None:
        met, known.met = known.met, True
        return Follower(known.runs, table.steps, level, self.tally) if met and not level.depth else None

    def finish(self, level: Level) -> None:
        """Write the markers that come after every element."""
        level.output.extend(self._take_inserts(NO_TAG, level))

    def _table(self, level: Level) -> Table:
        return self._tables.table(explicit=level.explicit, around=level.around)

    def _insert(self, level: Level) -> None:
        """Write the markers that come before the last element."""
        self.tally.beyond += 1
        level.output.extend(self._take_inserts(level.last_tag, level))

    def _take_inserts(self, before: int, level: Level) -> list[bytes]:
        """Return the markers that come before a tag, once."""
        taken: list[bytes] = []
        while self._inserts and level.next_insert <= before:
            taken.append(self._inserts.pop(0)[1])
            level.next_insert = self._inserts[0][0] if self._inserts else NO_TAG
        return taken

    def _element(self, data: bytes, position: int, end: int, level: Level) -> tuple[bytes | None, int]:
        """Rewrite one element; return what stands in its place, None where it stays, and the position after it."""
        explicit = level.explicit
        head = data[position : position + 8]
        if head.startswith(_ITEM_END):
            return None, _CUT_OFF
        if head[0] & 1:
            note_creator(data, position, level)
        table = self._table(level)
        entry = table.entry(head, level.creators)
        op, header, tag, vr, rule, _ = entry
        if tag <= level.last_tag or tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
            raise UseDatasetExecutor
        value = position + header
        if value > end:
            return None, _CUT_OFF
        length = length_of(data, position, entry, explicit=explicit)
        after = value + length
        if length != UNDEFINED and after > end:
            return None, _CUT_OFF
        fixed = table.is_fixed(head, entry)
        if not fixed:
            self.tally.beyond += 1  # the private creator counts
        if length == UNDEFINED or vr == "SQ" or (vr == "UN" and op is _KEEP and self._holds_items(data, value, after)):
            return self._composite(data, position, length, end, entry, level)
        level.last_tag = tag
        memo = None
        if fixed:
            table.learn(head, entry, length)
            memo = self._memo.of(table.number, level.encodings).elements
        if tag == SPECIFIC_CHARACTER_SET:
            level.encodings = encodings_of(data[value:after])
            self.tally.beyond += 1
        if op is _KEEP:
            self.tally.kept += 1
            return None, after
        if op is _DELETE:
            level.records.append(Record(entry, rule.reason, length))
            return b"", after
        return self._replacement(entry, data[position:after], level, memo), after

    def _replacement(
        self, entry: Entry, element: bytes, level: Level, memo: dict[bytes, Remembered] | None
    ) -> bytes | None:
        """Return an element with its new value, None where it stays: of equal elements the same, if there is a memo."""
        known = None if memo is None else memo.get(element)
        if known is not None:
            self.tally.warned.extend(known.warnings)
        else:
            known = self._new_value(entry, element, level)
            if memo is not None and entry.op is not _OWN_UID and len(element) <= LONGEST_REMEMBERED:
                memo[element] = known
        if entry.op is _OWN_UID:
            self.tally.beyond += 1
        if known.record is None:
            self.tally.kept += 1
            return None
        level.records.append(known.record)
        return known.new

    def _new_value(self, entry: Entry, element: bytes, level: Level) -> Remembered:
        """Return an element with its new value, the record of it, none where it stays, and the warnings it gave."""
        warned = len(self.tally.warned)
        value = element[entry.header :]
        changed = self._values.new_value(entry.rule, entry.tag, entry.vr, value, level.encodings)
        warnings = tuple(self.tally.warned[warned:])
        if changed is None:
            return Remembered(b"", None, warnings)
        return Remembered(entry.encoded(changed.value), Record(entry, changed.reason, len(value)), warnings)

    def _holds_items(self, data: bytes, start: int, end: int) -> bool:
        """Return whether a value of unknown VR is a sequence; say so where it only begins as one."""
        if not data.startswith(ITEM, start, end):
            return False
        found = holds_items(data, start, end)
        if not found:
            self._values.warn(UNREAD)
        return found

    def _composite(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, level: Level
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence, or fragments; return what `_element` does."""
        value = position + entry.header
        if entry.vr == "UN":
            entry = self._as_sequence(entry, level)
        mark, kept, warned = len(self.tally.records), self.tally.kept, len(self.tally.warned)
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
            del self.tally.records[mark:], self.tally.warned[warned:]
            self.tally.kept = kept
            return None, _CUT_OFF
        level.last_tag = entry.tag
        return new, after

    def _as_sequence(self, entry: Entry, level: Level) -> Entry:
        """Return the entry of an element written as UN whose undefined length, or value, says that it is a sequence."""
        tag = entry.tag
        rule = self._tables.plan.rule(tag, "SQ", creator_of(tag, level.creators), level.around)
        return Entry(rule.op, entry.header, tag, "SQ", rule, prefix(tag, "UN" if level.explicit else ""))

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
            self.tally.kept += 1
            return None, after
        level.records.append(Record(entry, entry.rule.reason, after - position))
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
        mark = len(self.tally.records)
        pieces: list[bytes] = []
        index = 0
        while length == UNDEFINED or position < stop:
            if position + 8 > stop:
                raise Short
            code = data[position : position + 4]
            item_length = _read_u32(data, position + 4)[0]
            position += 8
            if code == SEQUENCE_END and length == UNDEFINED:
                break
            if code != ITEM:
                raise UseDatasetExecutor
            item = self._counted(
                Level(
                    explicit=explicit,
                    path=f"{place}[{index}]/",
                    depth=level.depth + 1,
                    around=around,
                    encodings=level.encodings,
                )
            )
            position = self._item(data, position, item_length, stop, item, pieces)
            index += 1
        self.tally.kept += 1
        if not any(records for _, records in self.tally.records[mark:]):
            return None, position
        body = b"".join(pieces)
        if length == UNDEFINED:
            return b"".join((header, body, SEQUENCE_END, b"\0\0\0\0")), position
        return b"".join((header[:-4], _U32.pack(len(body)), body)), position

    def _item(self, data: bytes, position: int, length: int, end: int, level: Level, pieces: list[bytes]) -> int:
        """Rewrite one item into ``pieces``; return the position after it."""
        stop = end if length == UNDEFINED else position + length
        if stop > end:
            raise Short
        after = self.elements(data, position, stop, level)
        body = b"".join(level.output)
        level.output.clear()
        if length != UNDEFINED:
            if after != stop:
                raise Short if after < stop and not data.startswith(_ITEM_END, after) else UseDatasetExecutor
            pieces += (ITEM, _U32.pack(len(body)), body)
            return after
        if after + 8 > end or not data.startswith(_ITEM_END, after):
            raise Short
        pieces += (ITEM, b"\xff\xff\xff\xff", body, _ITEM_END, b"\0\0\0\0")
        return after + 8


def _after_sequence(data: bytes, position: int, end: int, entry: Entry, level: Level) -> int:
    """Return the position after a sequence of undefined length."""
    reader = EncodedExecutor(_READER, _NOTHING_NEW)
    passing = entry._replace(op=Op.RECURSE)
    place = Level(explicit=level.explicit, depth=level.depth, around=Inside.NOTHING)
    return reader._sequence(data, position, UNDEFINED, end, passing, place, data[position - entry.header : position])[1]


_READER = Tables(TagPlan(name="read", uids=UidPolicy(primary=False)))
_NOTHING_NEW = Values(_READER.plan, UidMapper())
