"""Use of the run cache for one instance.

The module also has the tally of the instance's changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.elements import keyword
from healthcare_deid.engine.header.actions import action_of
from healthcare_deid.engine.header.fast.run_cache import LONGEST, Run, Runs
from healthcare_deid.engine.plan.rules import Op
from healthcare_deid.engine.results import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.engine.header.fast.dataset_writer import DatasetWriter
    from healthcare_deid.engine.header.fast.entries import HeaderStep, Record

# Fewest elements of a run.
# A run of a single element would save nothing.
_FEWEST = 2

Noted = tuple[int, Op, bytes, tuple[str, ...]]
"""Tag, operation, encoded value, and Python encodings of a collected element."""

Records = tuple[str, "list[Record]"]
"""Path of a dataset (the instance or an item), and the changes in it."""


@dataclass(slots=True)
class InstanceTally:
    """Counts and notes about one instance, at all levels.

    Attributes:
        kept: Number of unchanged elements.
        stayed: Tags of unchanged elements that have a value.
        records: Changes by dataset.
        warned: Warnings, with repetitions; the list is `Values.warnings`.
        beyond: Number of elements whose result depended on more than their own bytes.
        noted: Collected values, which identify the patient or decide about claims.
        private_kept: Number of private elements kept, not counting private creators.
        creators: Private creators of the top level, as encoded.
        nested_creators: Tags and private creators of the items of sequences, as encoded, with repetitions.
    """

    kept: int = 0
    stayed: list[int] = field(default_factory=list[int])
    records: list[Records] = field(default_factory=list[Records])
    warned: list[str] = field(default_factory=list[str])
    beyond: int = 0
    noted: list[Noted] = field(default_factory=list[Noted])
    private_kept: int = 0
    creators: dict[int, bytes] = field(default_factory=dict[int, bytes])
    nested_creators: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])

    def all_creators(self) -> set[tuple[int, bytes]]:
        """Return tags and private creators of all levels."""
        return {*self.creators.items(), *self.nested_creators}

    def keep(self, tag: int, *, has_value: bool) -> None:
        """Count an unchanged element."""
        self.kept += 1
        if has_value:
            self.stayed.append(tag)

    def changes(self) -> list[Change]:
        """Return every change so far."""
        return [
            Change(f"{path}{entry.tag:08X}", keyword(entry.tag), entry.vr, action_of(entry.op, reason), reason, length)
            for path, records in self.records
            for entry, reason, length in records
        ]

    def signature(self) -> tuple[object, ...]:
        """Return a value that is equal for tallies with equal changes and equal `stayed`."""
        # Cheaper than comparing changes: records of cached runs are the same objects for every instance.
        if len(_HELD) > _MOST_CODES:
            for held in (_HELD, _CODES, _CODE_OF_RECORD):
                held.clear()
        signature: list[object] = [tuple(self.stayed)]
        for path, records in self.records:
            signature.append(path)
            codes = list(map(_CODES.get, map(id, records)))
            if None in codes:
                codes = [_code(record) if code is None else code for record, code in zip(records, codes, strict=True)]
            signature.extend(codes)
        return tuple(signature)


_MOST_CODES = 1 << 16
# Numbers of records by object `id`, and the records themselves, so that no `id` is reused.
_CODES: dict[int, int] = {}
_HELD: list[Record] = []
_CODE_OF_RECORD: dict[tuple[int, str, Op, str, int], int] = {}
_NEXT_CODE = count()


def _code(record: Record) -> int:
    """Return the number of a record.

    Equal records share one, and no number is reused.
    """
    entry, reason, length = record
    what = (entry.tag, entry.vr, entry.op, reason, length)
    code = _CODE_OF_RECORD.get(what)
    if code is None:
        code = _CODE_OF_RECORD[what] = next(_NEXT_CODE)
    _CODES[id(record)] = code
    _HELD.append(record)
    return code


@dataclass(slots=True)
class DoneRun(Run):
    """A run and its result.

    Attributes:
        new: Replacement of the elements.
        records: Changes.
        nested: Changes in items.
        warned: Warnings.
        kept: Number of unchanged elements.
        stayed: Tags of unchanged elements that have a value.
        creators: Private creators in the run.
        nested_creators: Those of items in it.
        noted: Collected values.
        single: Tag and size of elements processed individually, by offset.
    """

    new: bytes
    records: tuple[Record, ...]
    nested: tuple[Records, ...]
    warned: tuple[str, ...]
    kept: int
    stayed: tuple[int, ...]
    creators: dict[int, bytes]
    nested_creators: tuple[tuple[int, bytes], ...]
    noted: tuple[Noted, ...]
    single: dict[int, tuple[int, int]]


class Follower:
    """Applies and learns runs of one instance.

    Runs exist at the top level only.

    Args:
        runs: Cached runs.
        steps: Decisions by the first eight bytes of an element.
        level: State of the top level.
        tally: Counts of the instance.
    """

    def __init__(
        self, runs: Runs[DoneRun], steps: Mapping[bytes, HeaderStep], level: DatasetWriter, tally: InstanceTally
    ) -> None:
        self._runs = runs
        self._steps = steps
        self._level = level
        self._tally = tally
        self._begin: _Mark | None = None
        self._mark = self._here(0)
        self._single: dict[int, tuple[int, int]] = {}

    def passed(self, data: bytes, position: int) -> int:
        """Apply a cached run at this position.

        Returns its size, or 0 if no run matches.
        """
        level, tally = self._level, self._tally
        run = self._runs.after.get(level.last_tag)
        again = run is not None and data.startswith(run.data, position)
        if self._begin is not None or not again:
            self._mark = self._here(position)
        if run is None:
            return 0
        self.close(data)
        if not again:
            return 0
        run.came_again = True
        level.output.append(run.new)
        level.records.extend(run.records)
        level.creators.update(run.creators)
        level.last_tag = run.last
        tally.nested_creators.extend(run.nested_creators)
        tally.records.extend(run.nested)
        tally.warned.extend(run.warned)
        tally.kept += run.kept
        tally.stayed.extend(run.stayed)
        tally.noted.extend(run.noted)
        return len(run.data)

    def follow(self, data: bytes, position: int, *, one: bool) -> None:
        """Extend the current run by the elements processed since `passed`.

        Args:
            data: Data that contains the elements.
            position: Position after them.
            one: Whether it was a single element, whose header may not tell its size.
        """
        mark, tag = self._mark, self._level.last_tag
        size = position - mark.position
        if tag in self._runs.apart or self._tally.beyond != mark.beyond or (one and size > LONGEST):
            self.close(data)
            return
        if self._begin is None:
            self._begin = mark
        if one:
            self._single[mark.position - self._begin.position] = tag, size

    def close(self, data: bytes) -> None:
        """Cache the current run, up to the last call of `passed`."""
        begin, end = self._begin, self._mark
        if begin is None:
            return
        level = self._level
        run = DoneRun(
            data[begin.position : end.position],
            end.tag,
            b"".join(level.output[begin.output : end.output]),
            tuple(level.records[begin.records : end.records]),
            tuple(self._tally.records[begin.nested : end.nested]),
            tuple(self._tally.warned[begin.warned : end.warned]),
            end.kept - begin.kept,
            tuple(self._tally.stayed[begin.stayed : end.stayed]),
            {tag: value for tag, value in level.creators.items() if begin.tag < tag <= end.tag},
            tuple(self._tally.nested_creators[begin.nested_creators : end.nested_creators]),
            tuple(self._tally.noted[begin.noted : end.noted]),
            self._single,
        )
        if run.kept + len(run.records) >= _FEWEST:
            self._runs.learn(begin.tag, run, self._elements)
        self._begin, self._single = None, {}

    def end(self, data: bytes, position: int) -> None:
        """Cache the current run up to this position."""
        self._mark = self._here(position)
        self.close(data)

    def _elements(self, run: DoneRun) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        position = 0
        while position < len(run.data):
            known = run.single.get(position)
            if known is None:
                step = self._steps.get(run.data[position : position + 8])
                if step is None:
                    break  # the step was evicted, so the rest cannot be split
                known = step.tag, step.size
            tag, size = known
            found[tag] = run.data[position : position + size]
            position += size
        return found

    def _here(self, position: int) -> _Mark:
        level, tally = self._level, self._tally
        return _Mark(
            position,
            level.last_tag,
            len(level.output),
            len(level.records),
            len(tally.records),
            len(tally.warned),
            tally.kept,
            len(tally.stayed),
            tally.beyond,
            len(tally.noted),
            len(tally.nested_creators),
        )


class _Mark(NamedTuple):
    """State between two elements, from which a run is measured."""

    position: int
    tag: int
    output: int
    records: int
    nested: int
    warned: int
    kept: int
    stayed: int
    beyond: int
    noted: int
    nested_creators: int
