"""Executor for encoded elements, which builds no data elements.

It supports little endian data in explicit or implicit VR with elements in tag order. For anything else it raises
`UseDatasetExecutor`, and the dataset executor takes over. Kept elements are copied unchanged. Nested sequences, also
those written as UN, keep their length encoding.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.charsets import encodings_of
from healthcare_deid.engine.dicom.elements import creator_tag
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
    tag_at,
    truncated,
)
from healthcare_deid.engine.dicom.files import TRAILING_DROPPED
from healthcare_deid.engine.header.dummies import dummy_of
from healthcare_deid.engine.header.fast.dataset_writer import NO_TAG, DatasetWriter, Slot, length_of, note_creator
from healthcare_deid.engine.header.fast.entries import ElementDecision, Record, UseDatasetExecutor, creator_of, prefix
from healthcare_deid.engine.header.fast.leaf_executor import LeafExecutor
from healthcare_deid.engine.header.fast.loop import take_steps
from healthcare_deid.engine.header.fast.private_blocks import noted, without_empty_blocks
from healthcare_deid.engine.header.fast.run_follower import Follower
from healthcare_deid.engine.header.fast.tables import SPECIFIC_CHARACTER_SET, DecisionTable, DecisionTables
from healthcare_deid.engine.header.values import Values
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.plan.rules import Inside, Op, enters, inside
from healthcare_deid.engine.plan.tag_decisions import TagPlan, UidPolicy
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.dicom.sources import Range
    from healthcare_deid.engine.header.fast.value_cache import Known, Memo

_DELIMITER_TAGS = 0xFFFEE000
_KEEP = Op.KEEP  # attribute access on an enum class is slow
_PIXELS = 0x7FE0
# Position returned when the data ends inside the element.
_CUT_OFF = -1

_U32 = Struct("<I")


class EncodedExecutor(LeafExecutor):
    """Applies a plan to the encoded elements of one instance.

    Args:
        tables: Look-up tables of the plan.
        values: Source of new values for this instance.
        slots: Top-level tags, in order, whose content is known only at the end; each gets a slot in the output.
        memo: Cache for instances with the same header, if text is inspected.
    """

    def __init__(
        self,
        tables: DecisionTables,
        values: Values,
        slots: Sequence[int] = (),
        memo: Memo | None = None,
    ) -> None:
        super().__init__(tables, values)
        self._slots = list(slots)
        self._memo = memo or tables.memo

    def start(self, *, explicit: bool) -> DatasetWriter:
        """Return the state of the top level before its first element."""
        level = self._counted(DatasetWriter(explicit=explicit))
        self.tally.creators = level.creators
        if self._slots:
            level.next_slot = self._slots[0]
        return level

    def _counted(self, level: DatasetWriter) -> DatasetWriter:
        self.tally.records.append((level.path, level.records))
        return level

    def look(self, header: bytes, level: DatasetWriter) -> tuple[ElementDecision, int]:
        """Return decision and length of the top-level element with this header.

        Raises:
            UseDatasetExecutor: The element is out of order or in an unsupported form.
        """
        explicit = level.explicit
        entry = self._table(level).entry(header, level.creators)
        if entry.tag <= level.last_tag or entry.tag & _DELIMITER_TAGS == _DELIMITER_TAGS:
            raise UseDatasetExecutor
        if entry.header == 12 and len(header) < 12:
            raise truncated()
        return entry, length_of(header, 0, entry, explicit=explicit)

    def pass_by(self, entry: ElementDecision, length: int, level: DatasetWriter) -> list[bytes]:
        """Record a top-level element that is not in memory; return bytes to write now."""
        output = self._take_slots(entry.tag, level)
        level.last_tag = entry.tag
        if entry.tag >> 16 & 1 and entry.op is not Op.DELETE:
            level.blocks.add(creator_tag(entry.tag))
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
            case _:
                raise UseDatasetExecutor  # the others need the value
        level.records.append(Record(entry, entry.rule.reason, length))
        return output

    def passes_by(self, entry: ElementDecision) -> bool:
        """Return whether an element can be processed without loading its value."""
        # Kept values are searched for the patient's identity, except pixels.
        if entry.op is _KEEP:
            return entry.tag >> 16 == _PIXELS or not self._tables.plan.removes_identity
        return entry.op in (Op.DELETE, Op.EMPTY, Op.DUMMY)

    def elements(self, data: bytes, position: int, end: int, level: DatasetWriter) -> int:
        """Rewrite elements up to ``end``, an item delimiter, or an incomplete element.

        Args:
            data: Encoded elements.
            position: Position of the first one.
            end: End of the data.
            level: State of their dataset, carried over between chunks of data.

        Returns:
            The position reached.
        """
        table = self._table(level)
        known = self._memo.of(table.number, level.encodings)
        follower = self._follower(known, table, level)
        while position + 8 <= end:
            if level.next_slot != NO_TAG and (tag := tag_at(data, position)) >= level.next_slot:
                if follower is not None:
                    follower.end(data, position)  # a run holds no slot
                level.output.extend(self._take_slots(tag, level))
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
                written = data[begin:position] if replacement is None else replacement
                if data[begin] & 1 and self._tables.plan.weighs_creator(level.last_tag):
                    entry = table.entry(data[begin : begin + 8], level.creators)
                    written = noted(written, entry, position - begin - entry.header, level)
                level.output.append(written)
            if follower is not None:
                follower.follow(data, position, one=one)
            if level.encodings is not known.encodings:
                known = self._memo.of(table.number, level.encodings)
                follower = self._follower(known, table, level)
        if follower is not None:
            follower.end(data, position)
        return position

    def _follower(self, known: Known, table: DecisionTable, level: DatasetWriter) -> Follower | None:
        met, known.met = known.met, True
        return Follower(known.runs, table.steps, level, self.tally) if met and not level.depth else None

    def finish(self, pieces: list[bytes | Range], level: DatasetWriter) -> list[bytes | Range]:
        """Return the whole output of the top level: without creators of empty blocks, with the last slots."""
        return [*without_empty_blocks(pieces, level, self._tables.plan, self.tally), *self._take_slots(NO_TAG, level)]

    def drop_trailing(self) -> None:
        """Warn that bytes after the last element are dropped."""
        self._values.warn(TRAILING_DROPPED)

    def _table(self, level: DatasetWriter) -> DecisionTable:
        return self._tables.table(explicit=level.explicit, around=level.around)

    def _take_slots(self, before: int, level: DatasetWriter) -> list[bytes]:
        """Remove and return the slots that come before a tag."""
        taken: list[bytes] = []
        while self._slots and level.next_slot <= before:
            taken.append(Slot(self._slots.pop(0)))
            level.next_slot = self._slots[0] if self._slots else NO_TAG
        return taken

    def _element(self, data: bytes, position: int, end: int, level: DatasetWriter) -> tuple[bytes | None, int]:
        """Rewrite one element.

        Returns:
            Its replacement, None if it is unchanged, and the position after it.
        """
        explicit = level.explicit
        head = data[position : position + 8]
        if head.startswith(ITEM_END):
            return None, _CUT_OFF
        # The group is odd and so private; in little endian its low byte comes first.
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
        # A decision that depends on the private creator must not be cached for the bare header.
        fixed = table.is_fixed(head, entry)
        if not fixed:
            self.tally.beyond += 1  # the private creator matters too
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

    def _composite(
        self, data: bytes, position: int, length: int, end: int, entry: ElementDecision, level: DatasetWriter
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence or fragments; return what `_element` does."""
        value = position + entry.header
        if entry.vr == "UN":
            entry = self._as_sequence(entry, level)
        mark, kept, warned = len(self.tally.records), self.tally.kept, len(self.tally.warned)
        stayed = len(self.tally.stayed)
        noted, private_kept = len(self.tally.noted), self.tally.private_kept
        try:
            if entry.vr == "SQ" and enters(entry.op):
                new, after = self._sequence(data, value, length, end, entry, level, data[position:value])
            else:
                new, after = self._whole(data, value, length, end, entry, level)
        except Short:
            if level.depth:
                raise
            if length != UNDEFINED:
                raise UseDatasetExecutor from None  # the value is complete but inconsistent
            # The caller retries with more data, so undo what the incomplete sequence recorded.
            del self.tally.records[mark:], self.tally.warned[warned:], self.tally.noted[noted:]
            del self.tally.stayed[stayed:]
            self.tally.kept, self.tally.private_kept = kept, private_kept
            return None, _CUT_OFF
        level.last_tag = entry.tag
        self._note(entry, data[value:after], level, self._table(level))
        return new, after

    def _as_sequence(self, entry: ElementDecision, level: DatasetWriter) -> ElementDecision:
        """Return the decision for a sequence written with VR UN."""
        tag = entry.tag
        rule = self._tables.plan.rule(tag, "SQ", creator_of(tag, level.creators), level.around)
        return ElementDecision(rule.op, entry.header, tag, "SQ", rule, prefix(tag, "UN" if level.explicit else ""))

    def _whole(
        self, data: bytes, position: int, length: int, end: int, entry: ElementDecision, level: DatasetWriter
    ) -> tuple[bytes | None, int]:
        """Keep, empty or delete a sequence or fragments without entering it."""
        after = position + length
        items = length > 0
        if entry.vr != "SQ":
            if entry.op is Op.KEEP and level.depth:
                raise UseDatasetExecutor  # nested compressed frames may hold side data
            if entry.op is Op.KEEP:
                raise Short  # makes them a range of the file, which is then searched for side data
            items, after = _fragments(data, position, end)
        elif length == UNDEFINED:
            after = _after_sequence(data, position, end, entry, level)
            items = after - position > 8
        elif entry.op is Op.KEEP and not holds_items(data, position, after, explicit=level.explicit):
            raise UseDatasetExecutor  # a sequence is never kept with bytes that are not items
        if entry.op is Op.KEEP or (entry.op is Op.EMPTY and not items):
            self.tally.keep(entry.tag, has_value=items)
            return None, after
        level.records.append(Record(entry, entry.rule.reason, after - position))
        return b"" if entry.op is Op.DELETE else entry.encoded(b""), after

    def _sequence(
        self,
        data: bytes,
        position: int,
        length: int,
        end: int,
        entry: ElementDecision,
        level: DatasetWriter,
        header: bytes,
    ) -> tuple[bytes | None, int]:
        """Rewrite a sequence whose items the plan enters, keeping its length encoding."""
        if level.depth >= MAX_DEPTH:
            raise InvalidDicomError(f"sequences are nested more than {MAX_DEPTH} levels deep", reason="too-deep")
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
                DatasetWriter(
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

    def _item(
        self, data: bytes, position: int, length: int, end: int, level: DatasetWriter, pieces: list[bytes]
    ) -> int:
        """Rewrite one item into ``pieces``; return the position after it."""
        stop = end if length == UNDEFINED else position + length
        if stop > end:
            raise Short
        after = self.elements(data, position, stop, level)
        self.tally.nested_creators.extend(level.creators.items())
        body = b"".join(without_empty_blocks(level.output, level, self._tables.plan, self.tally))
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


def _after_sequence(data: bytes, position: int, end: int, entry: ElementDecision, level: DatasetWriter) -> int:
    """Return the position after a sequence of undefined length."""
    reader = EncodedExecutor(_READER, _NOTHING_NEW)
    passing = entry._replace(op=Op.RECURSE)
    place = DatasetWriter(explicit=level.explicit, depth=level.depth, around=Inside.NOTHING)
    return reader._sequence(data, position, UNDEFINED, end, passing, place, data[position - entry.header : position])[1]


_READER = DecisionTables(TagPlan(name="read", uids=UidPolicy(primary=False)))
_NOTHING_NEW = Values(_READER.plan, UidMapper())
