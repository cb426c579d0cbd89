"""An instance's elements on their way through the encoded executor: runs that come again are passed, others learnt."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.elements import keyword
from healthcare_deid.engine.header.actions import action_of
from healthcare_deid.engine.header.fast.run_cache import LONGEST, Run, Runs
from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.results import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.engine.header.fast.dataset_writer import Level
    from healthcare_deid.engine.header.fast.entries import Record, Step

_FEWEST = 2
"""Elements of a run."""

Noted = tuple[int, Op, bytes, tuple[str, ...]]
"""Tag, operation and value as encoded of an element, and the Python encodings of its character set."""

Records = tuple[str, "list[Record]"]
"""The path to a dataset, the instance's or an item's, and what was changed in it."""


@dataclass(slots=True)
class Tally:
    """Counts and notes about one instance, at all levels.

    Attributes:
        kept: Elements that stayed as they were.
        stayed: Tags of those of them that have a value.
        records: What was changed, by level.
        warned: What a person should know, as often as it came up; `Values.warnings`.
        beyond: Elements of which the outcome hung on more than their bytes.
        noted: Values that tell whose instance it is, or what claims hang on.
        private_kept: Private elements, not counting creators, that stay.
    """

    kept: int = 0
    stayed: list[int] = field(default_factory=list[int])
    records: list[Records] = field(default_factory=list[Records])
    warned: list[str] = field(default_factory=list[str])
    beyond: int = 0
    noted: list[Noted] = field(default_factory=list[Noted])
    private_kept: int = 0

    def keep(self, tag: int, *, has_value: bool) -> None:
        """Count an element that stays as it is."""
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
        """Return a value that is equal for tallies with equal changes and equal `stayed`; cheaper than the changes.

        Most records are those of runs that come again: the same objects for every instance.
        """
        if len(_CODES) > _MOST_CODES:
            _CODES.clear()
            _CODE_OF_RECORD.clear()
        find = _CODES.get
        signature: list[object] = [tuple(self.stayed)]
        for path, records in self.records:
            signature.append(path)
            for record in records:
                known = find(id(record))
                signature.append(known[1] if known is not None and known[0] is record else _code(record))
        return tuple(signature)


_MOST_CODES = 1 << 16
_CODES: dict[int, tuple[Record, int]] = {}
"""Numbers of records by the `id` of the object, which is kept so that its `id` stays its own."""
_CODE_OF_RECORD: dict[tuple[int, str, Op, str, int], int] = {}
_NEXT_CODE = count()


def _code(record: Record) -> int:
    """Return the number of a record: equal ones have the same, and no number comes twice."""
    entry, reason, length = record
    what = (entry.tag, entry.vr, entry.op, reason, length)
    code = _CODE_OF_RECORD.get(what)
    if code is None:
        code = _CODE_OF_RECORD[what] = next(_NEXT_CODE)
    _CODES[id(record)] = (record, code)
    return code


@dataclass(slots=True)
class DoneRun(Run):
    """Elements that came one after another, and what became of them.

    Attributes:
        new: What stands in their place.
        records: What was changed.
        nested: What was changed in items.
        warned: What a person should know.
        kept: How many stayed.
        stayed: Tags of those of them that have a value.
        creators: Private creators among them.
        noted: Values that were noted.
        single: Tag and size of those that were dealt with singly, by where they begin.
    """

    new: bytes
    records: tuple[Record, ...]
    nested: tuple[Records, ...]
    warned: tuple[str, ...]
    kept: int
    stayed: tuple[int, ...]
    creators: dict[int, bytes]
    noted: tuple[Noted, ...]
    single: dict[int, tuple[int, int]]


class Follower:
    """Follows the top level's elements: passes the runs that come again, and learns new ones.

    Args:
        runs: What is known.
        steps: By elements' first eight bytes: what these say.
        level: The top level.
        tally: The instance's.
    """

    def __init__(self, runs: Runs[DoneRun], steps: Mapping[bytes, Step], level: Level, tally: Tally) -> None:
        self._runs = runs
        self._steps = steps
        self._level = level
        self._tally = tally
        self._begin: _Mark | None = None
        self._mark = self._here(0)
        self._single: dict[int, tuple[int, int]] = {}

    def passed(self, data: bytes, position: int) -> int:
        """Do with the elements that come now what was done with them before; return how many bytes they are."""
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
        tally.records.extend(run.nested)
        tally.warned.extend(run.warned)
        tally.kept += run.kept
        tally.stayed.extend(run.stayed)
        tally.noted.extend(run.noted)
        return len(run.data)

    def follow(self, data: bytes, position: int, *, one: bool) -> None:
        """Take note of what was dealt with since `passed`.

        Args:
            data: The elements are in it.
            position: Where they end.
            one: It was one element, and perhaps its first eight bytes do not tell its size.
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
        """Learn what was followed up to the last call of `passed`."""
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
            tuple(self._tally.noted[begin.noted : end.noted]),
            self._single,
        )
        if run.kept + len(run.records) >= _FEWEST:
            self._runs.learn(begin.tag, run, self._elements)
        self._begin, self._single = None, {}

    def end(self, data: bytes, position: int) -> None:
        """Learn what was followed, all of it."""
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
                    break  # forgotten: what follows is not compared
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
        )


class _Mark(NamedTuple):
    """A place between two elements: where it is, and what was seen and written by then."""

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
