"""The fast loop, for elements decided by their eight header bytes or by a remembered result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.header.fast.entries import Kind
from healthcare_deid.engine.header.fast.run_cache import Runs
from healthcare_deid.engine.header.fast.run_follower import DoneRun
from healthcare_deid.engine.plan.tags import Op

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.engine.header.fast.dataset_writer import Level
    from healthcare_deid.engine.header.fast.entries import Step
    from healthcare_deid.engine.header.fast.run_follower import Tally
    from healthcare_deid.engine.header.fast.value_cache import Known

_KEPT, _SOUND, _REPLACED, _REMEMBERED, _CREATOR = Kind.KEPT, Kind.SOUND, Kind.REPLACED, Kind.REMEMBERED, Kind.CREATOR
_CREATORS = {Op.KEEP: _KEPT, Op.DELETE: _REPLACED, Op.TEXT: _REMEMBERED}
_EMPTY = 8
"""Bytes of an element without a value."""
_NO_RUNS = Runs[DoneRun]()
"""For items: they are short, and of many kinds."""


def take_steps(  # noqa: C901 - one loop, kept in one piece: it runs once an element
    data: bytes,
    position: int,
    end: int,
    level: Level,
    steps: Mapping[bytes, Step],
    known: Known,
    tally: Tally,
) -> int:
    """Rewrite elements one by one; return where they end, which is where the first one is if it takes more than a step.

    They end, too, where a run is known or an element is set apart; one that is set apart is dealt with alone.

    Args:
        data: Encoded elements.
        position: Where the first one begins.
        end: Where the data ends.
        level: What they belong to.
        steps: By elements' first eight bytes: what these say.
        known: What became of elements before.
        tally: The instance's.
    """
    step_of, remembered = steps.get, known.elements
    runs, apart = (_NO_RUNS, _NO_RUNS.apart) if level.depth else (known.runs, known.runs.apart)
    after_tag = runs.after
    write, note, note_value = level.output.append, level.records.append, tally.noted.append
    stays = tally.stayed.append
    encodings = level.encodings
    last, next_slot = level.last_tag, level.next_slot
    begin = run = position
    kept = 0
    while position + 8 <= end:
        step = step_of(data[position : position + 8])
        if step is None:
            break
        size, tag, kind, new, record, form, noted = step
        after = position + size
        if not last < tag < next_slot or after > end:
            break
        if position != begin and (tag in apart or last in after_tag):
            break
        if kind is _CREATOR:
            level.creators[tag] = data[position + 8 : after]
            kind = _CREATORS[record.entry.op]
        if kind is _REMEMBERED:
            seen = remembered.get(data[position:after])
            if seen is None:
                break
            new, changed, warnings = seen
            if warnings:
                tally.warned.extend(warnings)
            kind = _KEPT if changed is None else _REPLACED
            record = changed or record
        if kind is _REPLACED:
            if run != position:
                write(data[run:position])
            if new:
                write(new)
            note(record)
            run = after
        elif kind is _KEPT or (form is not None and form.fullmatch(data, position + 8, after)):
            kept += 1
            if size > _EMPTY:
                stays(tag)
        else:
            break
        if noted:
            note_value((tag, record.entry.op, data[position + 8 : after], encodings))
        position, last = after, tag
        if tag in apart:
            break
    if run != position:
        write(data[run:position])
    level.last_tag = last
    tally.kept += kept
    return position
