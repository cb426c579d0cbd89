"""The executor for encoded elements: rewrites a header's bytes without building one data element.

It covers little-endian data, explicit or implicit VR, with elements in tag order. Whatever else a file holds raises
`UseDatasetExecutor`, and the file goes the other way. What is kept is copied as it stands; nested sequences, also those
written as UN, are rewritten with their form of length.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Self, assert_never

from healthcare_deid.engine.dicom.charsets import encodings_of
from healthcare_deid.engine.dicom.encoding import (
    ITEM,
    ITEM_END,
    MAX_DEPTH,
    SEQUENCE_END,
    UNDEFINED,
    Malformed,
    Short,
    fragments,
    holds_items,
    read_u32,
    reader_of,
)
from healthcare_deid.engine.dicom.files import TRAILING_DROPPED
from healthcare_deid.engine.header.dummies import dummy_of
from healthcare_deid.engine.header.fast.dataset_writer import NO_TAG, Level, length_of, note_creator
from healthcare_deid.engine.header.fast.entries import (
    LAST_CREATOR,
    Entry,
    Record,
    UseDatasetExecutor,
    creator_of,
    prefix,
)
from healthcare_deid.engine.header.fast.loop import take_steps
from healthcare_deid.engine.header.fast.run_follower import Follower, Tally
from healthcare_deid.engine.header.fast.tables import SPECIFIC_CHARACTER_SET, Table, Tables
from healthcare_deid.engine.header.fast.value_cache import LONGEST_REMEMBERED, Known, Memo, Remembered
from healthcare_deid.engine.header.values import NewValue, Values
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.plan.tags import DROPPING, Inside, Op, TagPlan, UidPolicy, inside
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DELIMITER_TAGS = 0xFFFEE000
_KEEP, _DELETE, _REWRITE = Op.KEEP, Op.DELETE, Op.REWRITE  # an enum's own look-up is slow
_PIXELS = 0x7FE0
_CUT_OFF = -1
"""In place of a position: the data ends inside the element."""

_U32 = Struct("<I")


class EncodedExecutor:
    """Applies a plan to one instance's encoded elements.

    Args:
        tables: Made of the plan, once.
        values: New values, for this instance.
        slots: Tags of the top level, in order, that get a place of their own in the output: what stands there is known
            when all has been seen.
        memo: Where text is inspected: what became of elements of instances with the same header.

    """

    def __init__(
        self,
        tables: Tables,
        values: Values,
        slots: Sequence[int] = (),
        memo: Memo | None = None,
    ) -> None:
        self._tables = tables
        self._values = values
        self._slots = list(slots)
        self._memo = memo or tables.memo
        self._searching = tables.searching
        self.tally = Tally(warned=values.warnings)

    def start(self, *, explicit: bool) -> Level:
        """Return the top level, nothing of it seen yet."""
        level = self._counted(Level(explicit=explicit))
        if self._slots:
            level.next_slot = self._slots[0]
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
        output = self._take_slots(entry.tag, level)
        level.last_tag = entry.tag
        match entry.op:
            case Op.KEEP:
                self.tally.keep(entry.tag, has_value=length > 0)
                return output
            case Op.DELETE:
                pass
            case Op.EMPTY:
                output.append(entry.encoded(b""))
            case Op.DUMMY:
                output.append(entry.encoded(dummy_of(entry.tag, entry.vr)))
            case Op.RECURSE | Op.UID | Op.OWN_UID | Op.TEXT | Op.SHIFT | Op.CHECK | Op.REWRITE:
                raise UseDatasetExecutor  # its value counts
            case _:
                assert_never(entry.op)
        level.records.append(Record(entry, entry.rule.reason, length))
        return output

    def passes_by(self, entry: Entry) -> bool:
        """Return whether an element's value need not be in memory: it stays unsearched, or its place is taken."""
        if entry.op is _KEEP:
            return entry.tag >> 16 == _PIXELS or not self._tables.plan.removes_identity
        return entry.op in (Op.DELETE, Op.EMPTY, Op.DUMMY)

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
                if level.last_tag >= level.next_slot:
                    self._fill_slots(level)
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
        """Leave the slots that come after every element."""
        level.output.extend(self._take_slots(NO_TAG, level))

    def drop_trailing(self) -> None:
        """Say that what follows the last element is left out: bytes that belong to nothing."""
        self._values.warn(TRAILING_DROPPED)

    def _table(self, level: Level) -> Table:
        return self._tables.table(explicit=level.explicit, around=level.around)

    def _fill_slots(self, level: Level) -> None:
        """Leave the slots that come before the last element."""
        self.tally.beyond += 1
        level.output.extend(self._take_slots(level.last_tag, level))

    def _take_slots(self, before: int, level: Level) -> list[bytes]:
        """Return the slots that come before a tag, once."""
        taken: list[bytes] = []
        while self._slots and level.next_slot <= before:
            taken.append(Slot(self._slots.pop(0)))
            level.next_slot = self._slots[0] if self._slots else NO_TAG
        return taken

    def _element(self, data: bytes, position: int, end: int, level: Level) -> tuple[bytes | None, int]:
        """Rewrite one element; return what stands in its place, None where it stays, and the position after it."""
        explicit = level.explicit
        head = data[position : position + 8]
        if head.startswith(ITEM_END):
            return None, _CUT_OFF
        if head[0] & 1:
            note_creator(data, position, level)
        table = self._table(level)
        entry = table.entry(head, level.creators)
        op, header, tag, vr, _rule, _ = entry
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
        if length == UNDEFINED or vr == "SQ":
            return self._composite(data, position, length, end, entry, level)
        self._note(entry, data[value:after], level, table)
        if vr == "UN" and op is _KEEP and data.startswith(ITEM, value, after):
            if holds_items(data, value, after):
                return self._composite(data, position, length, end, entry, level)
            return self._malformed(entry, length, level), after
        level.last_tag = tag
        memo = None
        if fixed:
            table.learn(head, entry, length)
            memo = self._memo.of(table.number, level.encodings).elements
        if tag == SPECIFIC_CHARACTER_SET:
            level.encodings = encodings_of(data[value:after])
            self.tally.beyond += 1
        return self._replacement(entry, data[position:after], level, memo), after

    def _rewritten(self, entry: Entry, value: bytes, level: Level) -> tuple[Entry, NewValue | None]:
        """Return the value of the project's own; where there is none, what the profile makes of the element."""
        new = self._values.rewritten(entry.rule, entry.tag, entry.vr, value, level.encodings)
        if new is not None:
            return entry, new if new.value != value else None
        beneath = entry.rule.beneath
        assert beneath is not None, "a rule to rewrite has one beneath"
        entry = entry._replace(op=beneath.op, rule=beneath)
        if beneath.op is _DELETE:
            return entry, NewValue(b"", beneath.reason)
        if beneath.op is _KEEP and not self._searching:
            return entry, None
        return entry, self._values.new_value(beneath, entry.tag, entry.vr, value, level.encodings)

    def _note(self, entry: Entry, value: bytes, level: Level, table: Table) -> None:
        if table.notes(entry):
            self.tally.noted.append((entry.tag, entry.op, value, level.encodings))
        if entry.tag >> 16 & 1 and entry.tag & 0xFFFF > LAST_CREATOR and entry.op not in DROPPING:
            self.tally.private_kept += 1

    def _malformed(self, entry: Entry, length: int, level: Level) -> bytes:
        """Return what stands in the place of an element whose value cannot be understood."""
        level.last_tag = entry.tag
        emptied = self._values.malformed()
        level.records.append(Record(entry, emptied.reason, length))
        return entry.encoded(emptied.value)

    def _replacement(
        self, entry: Entry, element: bytes, level: Level, memo: dict[bytes, Remembered] | None
    ) -> bytes | None:
        """Return an element with its new value, None where it stays: of equal elements the same, if there is a memo."""
        if entry.op is _KEEP and not self._searching:
            self.tally.keep(entry.tag, has_value=len(element) > entry.header)
            return None
        if entry.op is _DELETE:
            level.records.append(Record(entry, entry.rule.reason, len(element) - entry.header))
            return b""
        known = None if memo is None else memo.get(element)
        if known is not None:
            self.tally.warned.extend(known.warnings)
        else:
            depends = self._values.depends
            known = self._new_value(entry, element, level)
            if self._values.depends != depends:
                self.tally.beyond += 1
            elif memo is not None and len(element) <= LONGEST_REMEMBERED:
                memo[element] = known
        if known.record is None:
            self.tally.keep(entry.tag, has_value=len(element) > entry.header)
            return None
        level.records.append(known.record)
        return known.new

    def _new_value(self, entry: Entry, element: bytes, level: Level) -> Remembered:
        """Return an element with its new value, the record of it, none where it stays, and the warnings it gave."""
        warned = len(self.tally.warned)
        value = element[entry.header :]
        if entry.op is _REWRITE:
            entry, changed = self._rewritten(entry, value, level)
        else:
            changed = self._values.new_value(entry.rule, entry.tag, entry.vr, value, level.encodings)
        warnings = tuple(self.tally.warned[warned:])
        if changed is None:
            return Remembered(b"", None, warnings)
        new = b"" if entry.op is _DELETE else entry.encoded(changed.value)
        return Remembered(new, Record(entry, changed.reason, len(value)), warnings)

    def _composite(
        self, data: bytes, position: int, length: int, end: int, entry: Entry, level: Level
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence, or fragments; return what `_element` does."""
        value = position + entry.header
        if entry.vr == "UN":
            entry = self._as_sequence(entry, level)
        mark, kept, warned = len(self.tally.records), self.tally.kept, len(self.tally.warned)
        stayed = len(self.tally.stayed)
        noted, private_kept = len(self.tally.noted), self.tally.private_kept
        try:
            if entry.vr == "SQ" and _enters(entry.op):
                new, after = self._sequence(data, value, length, end, entry, level, data[position:value])
            else:
                new, after = self._whole(data, value, length, end, entry, level)
        except Short:
            if level.depth:
                raise
            if length != UNDEFINED:
                raise UseDatasetExecutor from None  # all of it is here, and does not fit together
            del self.tally.records[mark:], self.tally.warned[warned:], self.tally.noted[noted:]
            del self.tally.stayed[stayed:]
            self.tally.kept, self.tally.private_kept = kept, private_kept
            return None, _CUT_OFF
        level.last_tag = entry.tag
        self._note(entry, data[value:after], level, self._table(level))
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
            if entry.op is Op.KEEP and level.depth:
                raise UseDatasetExecutor  # compressed frames may hold side data
            if entry.op is Op.KEEP:
                raise Short  # so that they become a range of the file, whose side data is looked for
            items, after = _fragments(data, position, end)
        elif length == UNDEFINED:
            after = _after_sequence(data, position, end, entry, level)
            items = after - position > 8
        elif entry.op is Op.KEEP and not holds_items(data, position, after, explicit=level.explicit):
            raise UseDatasetExecutor  # not even a whole sequence is kept with bytes in it that are no items
        if entry.op is Op.KEEP or (entry.op is Op.EMPTY and not items):
            self.tally.keep(entry.tag, has_value=items)
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
            item_length = read_u32(data, position + 4)[0]
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
        changed = any(records for _, records in self.tally.records[mark:])
        self.tally.keep(entry.tag, has_value=index > 0 and not changed)
        if not changed:
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
                raise Short if after < stop and not data.startswith(ITEM_END, after) else UseDatasetExecutor
            pieces += (ITEM, _U32.pack(len(body)), body)
            return after
        if after + 8 > end or not data.startswith(ITEM_END, after):
            raise Short
        pieces += (ITEM, b"\xff\xff\xff\xff", body, ITEM_END, b"\0\0\0\0")
        return after + 8


class Slot(bytes):
    """A place in the output, empty until all has been seen, for an element with a tag."""

    tag: int

    def __new__(cls, tag: int) -> Self:
        """Return the place for one tag."""
        made = super().__new__(cls)
        made.tag = tag
        return made


def _enters(op: Op) -> bool:
    """Return whether an operation on a sequence goes on to its items."""
    match op:
        case Op.RECURSE | Op.DUMMY | Op.TEXT | Op.CHECK:
            return True
        case Op.KEEP | Op.DELETE | Op.EMPTY:
            return False
        case Op.UID | Op.OWN_UID | Op.SHIFT | Op.REWRITE:
            raise AssertionError("a plan enters sequences with RECURSE")
        case _:
            assert_never(op)


def _fragments(data: bytes, position: int, end: int) -> tuple[bool, int]:
    """Return whether there are fragments, and the position after them."""
    try:
        stops = [stop for _, stop in fragments(reader_of(data), position)]
    except Malformed:
        raise UseDatasetExecutor from None
    after = max(stops, default=position) + 8
    if after > end:
        raise Short
    return bool(stops), after


def _after_sequence(data: bytes, position: int, end: int, entry: Entry, level: Level) -> int:
    """Return the position after a sequence of undefined length."""
    reader = EncodedExecutor(_READER, _NOTHING_NEW)
    passing = entry._replace(op=Op.RECURSE)
    place = Level(explicit=level.explicit, depth=level.depth, around=Inside.NOTHING)
    return reader._sequence(data, position, UNDEFINED, end, passing, place, data[position - entry.header : position])[1]


_READER = Tables(TagPlan(name="read", uids=UidPolicy(primary=False)))
_NOTHING_NEW = Values(_READER.plan, UidMapper())
