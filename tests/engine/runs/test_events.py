"""Events after a run: what was exported, audited and compared."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from healthcare_deid.engine.runs.events import Event, EventKind, add_event, events_of
from healthcare_deid.engine.runs.unchecked import looked_at
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from pathlib import Path


def test_events_are_lines_for_the_owner_only_and_survive_a_killed_writer(tmp_path: Path) -> None:
    assert events_of(tmp_path) == []
    add_event(tmp_path, EventKind.AUDIT, {"audited": 2}, who="A")
    path = tmp_path / "events.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("a") as file:
        file.write('{"kind": "aud')
    add_event(tmp_path, EventKind.COMPARISON, {"compared": 2}, who="B")
    assert [(event.kind, event.who, event.compared) for event in events_of(tmp_path)] == [
        (EventKind.AUDIT, "A", 0),
        (EventKind.COMPARISON, "B", 2),
    ]


@pytest.mark.parametrize("line", ['{"kind": "party"}', '{"kind": "audit"}', "[1}"])
def test_a_line_that_is_no_event_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "events.jsonl").write_text(f"{line}\n")
    with pytest.raises(RunRefused, match=r"events.jsonl in the run folder has a line that is not an event"):
        events_of(tmp_path)


def test_an_event_holds_the_digest_of_the_record_and_so_tells_whether_results_have_changed_since(
    tmp_path: Path,
) -> None:
    record = tmp_path / "record.jsonl"
    record.write_text("one\n")
    add_event(tmp_path, EventKind.COMPARISON, {"compared": 2})
    record.write_text("two\n")
    add_event(tmp_path, EventKind.COMPARISON, {"compared": 2})
    first, second = events_of(tmp_path)
    assert first.record != second.record


@pytest.mark.parametrize(
    ("compared", "record", "said"),
    [
        ((), "now", ["Results: nobody compared them with their originals", "Results: nobody looked at them"]),
        ((3,), "now", ["Results: nobody looked at them"]),
        ((2, 1), "now", ["Results that nobody compared with their originals", "Results: nobody looked at them"]),
        ((3,), "then", ["Results: they have changed since somebody compared", "Results: nobody looked at them"]),
    ],
)
def test_what_nobody_looked_at_follows_from_the_events(compared: tuple[int, ...], record: str, said: list[str]) -> None:
    events = [Event(EventKind.COMPARISON, "", "", record, {"compared": count}) for count in compared]
    told = looked_at(events, "now", 3, unreviewed=None)
    assert [text.startswith(start) for text, start in zip(told, said, strict=True)] == [True] * len(said)
    assert looked_at(events, "now", 3, unreviewed=0) == told[:-1]
