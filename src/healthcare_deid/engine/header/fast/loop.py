"""Fast loop over elements with a known decision.

The eight header bytes or a cached result decide about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.header.fast.entries import DecisionKind
from healthcare_deid.engine.header.fast.run_cache import Runs
from healthcare_deid.engine.header.fast.run_follower import DoneRun
from healthcare_deid.engine.plan.rules import Op

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.engine.header.fast.dataset_writer import DatasetWriter
    from healthcare_deid.engine.header.fast.entries import HeaderStep
    from healthcare_deid.engine.header.fast.run_follower import InstanceTally
    from healthcare_deid.engine.header.fast.value_cache import Known

_KEPT, _SOUND, _REPLACED, _REMEMBERED, _CREATOR = (
    DecisionKind.KEPT,
    DecisionKind.SOUND,
    DecisionKind.REPLACED,
    DecisionKind.REMEMBERED,
    DecisionKind.CREATOR,
)
_CREATORS = {Op.KEEP: _KEPT, Op.DELETE: _REPLACED, Op.TEXT: _REMEMBERED}
# Size in bytes of an empty element: elements of this loop have headers of eight bytes.
_EMPTY = 8
# Runs of items are not cached: items are short and vary too much.
_NO_RUNS = Runs[DoneRun]()


def take_steps(  # noqa: C901 - one hot loop: a call per element would cost more than the branches
    data: bytes,
    position: int,
    end: int,
    level: DatasetWriter,
    steps: Mapping[bytes, HeaderStep],
    known: Known,
    tally: InstanceTally,
) -> int:
    """Rewrite elements one by one.

    Returns the position reached.

    The loop stops at an element that its header and the cache do not decide. It also stops where a cached run may
    begin, and before and after elements set apart from runs.

    Args:
        data: Encoded elements.
        position: Position of the first one.
        end: End of the data.
        level: State of their dataset.
        steps: Decisions by the first eight bytes of an element.
        known: Cached results.
        tally: Counts of the instance.
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
    varied = False
    while position + 8 <= end:
        step = step_of(data[position : position + 8])
        if step is None:
            break
        size, tag, kind, new, record, form, noted = step
        after = position + size
        if not last < tag < next_slot or after > end:
            break
        varies = tag in apart
        if position != begin and (varies is not varied or last in after_tag):
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
        position, last, varied = after, tag, varies
    if run != position:
        write(data[run:position])
    level.last_tag = last
    tally.kept += kept
    return position
