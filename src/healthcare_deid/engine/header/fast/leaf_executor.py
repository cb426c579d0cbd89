"""Executor for encoded elements other than sequences and fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.header.fast.entries import (
    LAST_CREATOR,
    ElementDecision,
    Record,
)
from healthcare_deid.engine.header.fast.run_follower import InstanceTally
from healthcare_deid.engine.header.fast.value_cache import LONGEST_REMEMBERED, Remembered
from healthcare_deid.engine.header.values import NewElementValue, Values
from healthcare_deid.engine.plan.rules import DROPPING, Op

if TYPE_CHECKING:
    from healthcare_deid.engine.header.fast.dataset_writer import DatasetWriter
    from healthcare_deid.engine.header.fast.tables import DecisionTable, DecisionTables


_KEEP, _DELETE, _REWRITE = Op.KEEP, Op.DELETE, Op.REWRITE  # attribute access on an enum class is slow


class LeafExecutor:
    """Applies a plan to encoded elements whose value is not a sequence.

    Args:
        tables: Look-up tables of the plan.
        values: Source of new values for this instance.

    Attributes:
        tally: Counts of the instance.
    """

    def __init__(self, tables: DecisionTables, values: Values) -> None:
        self._tables = tables
        self._values = values
        self._searching = tables.searching
        self.tally = InstanceTally(warned=values.warnings)

    def _rewritten(
        self, entry: ElementDecision, value: bytes, level: DatasetWriter
    ) -> tuple[ElementDecision, NewElementValue | None]:
        """Return the project's own value for an element.

        Without one, the profile's rule decides.
        """
        new = self._values.rewritten(entry.rule, entry.tag, entry.vr, value, level.encodings)
        if new is not None:
            return entry, new if new.value != value else None
        beneath = entry.rule.beneath
        assert beneath is not None, "a rule to rewrite has one beneath"
        entry = entry._replace(op=beneath.op, rule=beneath)
        if beneath.op is _DELETE:
            return entry, NewElementValue(b"", beneath.reason)
        if beneath.op is _KEEP and not self._searching:
            return entry, None
        return entry, self._values.new_value(beneath, entry.tag, entry.vr, value, level.encodings)

    def _note(self, entry: ElementDecision, value: bytes, level: DatasetWriter, table: DecisionTable) -> None:
        if table.notes(entry):
            self.tally.noted.append((entry.tag, entry.op, value, level.encodings))
        if entry.tag >> 16 & 1 and entry.tag & 0xFFFF > LAST_CREATOR and entry.op not in DROPPING:
            self.tally.private_kept += 1

    def _malformed(self, entry: ElementDecision, length: int, level: DatasetWriter) -> bytes:
        """Empty an element whose value cannot be parsed."""
        level.last_tag = entry.tag
        emptied = self._values.malformed()
        level.records.append(Record(entry, emptied.reason, length))
        return entry.encoded(emptied.value)

    def _replacement(
        self, entry: ElementDecision, element: bytes, level: DatasetWriter, memo: dict[bytes, Remembered] | None
    ) -> bytes | None:
        """Return an element with its new value.

        Returns None if it is unchanged.

        With a memo, equal elements share one result.
        """
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
            # A result that depended on more than these bytes must not be cached for other instances.
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

    def _new_value(self, entry: ElementDecision, element: bytes, level: DatasetWriter) -> Remembered:
        """Compute an element's new value, record and warnings.

        The record is None if the element is unchanged.
        """
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
