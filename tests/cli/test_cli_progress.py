"""Progress: a bar or a line on a terminal, lines in a log, counts and nothing else."""

from __future__ import annotations

import io
import json
import sys

import click
import pytest

from healthcare_deid import OperationSnapshot, TransferReport
from healthcare_deid.cli.log import JsonLog
from healthcare_deid.cli.progress import Progress
from healthcare_deid.cli.progress_lines import LiveLine
from healthcare_deid.client.operation.progress_state import ProgressState, progress_state
from healthcare_deid.config.v1.operations import OperationMetadata, ProgressCounter
from healthcare_deid.engine.results import TreeProgress
from healthcare_deid.names import OperationName


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthcare_deid.cli.progress.find_spec", dict[str, None]().get)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a terminal of 120 columns, whatever the tests run in."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_log_has_a_line_every_ten_seconds_and_the_last_one_with_rate_and_time_left() -> None:
    stream, clock = io.StringIO(), Seconds()
    with Progress(stream=stream, clock=clock) as progress:
        for count in range(30):
            progress.show(count, 40)
            clock.now += 1
    assert stream.getvalue().splitlines() == [
        "0 of 40 files (0:00)",
        "10 of 40 files (0:10, 1.0/s, 0:30 left)",
        "20 of 40 files (0:20, 1.0/s, 0:20 left)",
        "29 of 40 files (0:30, 1.0/s, 0:11 left)",
    ]


def test_a_text_that_does_not_change_is_not_logged_again() -> None:
    stream, clock = io.StringIO(), Seconds()
    with Progress(stream=stream, clock=clock) as progress:
        for _ in range(30):
            progress.show(0, 40)
            clock.now += 1
    assert stream.getvalue() == "0 of 40 files (0:00)\n"


def test_what_was_done_before_the_first_look_is_not_part_of_the_rate() -> None:
    stream, clock = io.StringIO(), Seconds()
    with Progress(stream=stream, clock=clock) as progress:
        progress.show(1000, 1100)
        clock.now += 10
        progress.show(1050, 1100)
    assert stream.getvalue().splitlines()[-1] == "1050 of 1100 files (0:10, 5.0/s, 0:10 left)"


def test_where_no_total_is_known_no_time_is_left() -> None:
    stream, clock = io.StringIO(), Seconds()
    with Progress(stream=stream, clock=clock) as progress:
        progress.show(TreeProgress(None))
        clock.now += 10
        progress.show(TreeProgress(None, 200))
    assert stream.getvalue().splitlines()[-1] == "200 files, 0 failed (0:10, 20/s)"


def test_a_terminal_has_a_bar_with_counts_rate_and_time_left() -> None:
    pytest.importorskip("rich")
    stream, clock = Terminal(), Seconds()
    with Progress(stream=stream, clock=clock) as progress:
        for count in range(0, 31, 10):
            progress.show(TreeProgress(40, count))
            clock.now += 10
    *_, last = (line for line in click.unstyle(stream.getvalue()).splitlines() if "files" in line)
    assert "30 of 40 files, 0 failed" in last
    assert "━" in last
    assert "75%" in last
    assert "1.0/s, 0:10 left" in last


def test_a_bar_of_which_nothing_was_known_does_not_stay() -> None:
    pytest.importorskip("rich")
    stream = Terminal()
    with Progress(stream=stream):
        pass
    assert "━" not in stream.getvalue().rpartition("\x1b[2K")[2]


def test_the_bar_has_no_color_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    with Progress(stream=stream) as progress:
        progress.show(1, 2)
    assert "1 of 2 files" in stream.getvalue()
    assert "\x1b[3" not in stream.getvalue(), "codes of colors begin with 3 or 38"


@pytest.mark.usefixtures("without_rich")
def test_a_terminal_without_rich_has_one_line_that_is_drawn_again() -> None:
    stream, clock = Terminal(), Seconds()
    with Progress(stream=stream, clock=clock) as progress:
        progress.show(10, 40)
        clock.now += 65
        progress.show(40, 40)
    first, last = stream.getvalue().strip("\r\n").split("\r")
    assert first == "10 of 40 files (0:00)"
    assert last == "40 of 40 files (1:05, 0.5/s)"


def test_the_line_is_drawn_again_as_time_passes_over_what_stood_there() -> None:
    stream, clock = Terminal(), Seconds()
    line = LiveLine(stream, clock)
    line.show(ProgressState("RUNNING: 10 done, 5 to do", 10, 15))
    clock.now += 65
    line.draw()
    line.show(ProgressState("done", 15, 15, ended=True))
    first, second, third = stream.getvalue().lstrip("\r").split("\r")
    assert first == "RUNNING: 10 done, 5 to do (0:00)"
    assert second == "RUNNING: 10 done, 5 to do (1:05)"
    assert third == "done (1:05, 0.1/s)".ljust(len(second))


def test_a_line_does_not_wrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    LiveLine(stream, Seconds()).show(ProgressState("RUNNING: 10 done, 5 to do"))
    assert stream.getvalue() == "\rRUNNING: 10 done, 5"


def test_a_machine_has_objects_with_counts() -> None:
    stream, clock = io.StringIO(), Seconds()
    log = JsonLog(stream, "files", clock=clock)
    with Progress(stream=log, clock=clock) as progress:  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        progress.show(TreeProgress(40, 10, 1))
        clock.now += 10
        progress.show(TreeProgress(40, 29, 1))
    first, last = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["command"]) == ("progress", "info", "files")
    other = dict.fromkeys(("skipped", "duplicates", "ignored", "refused"), 0)
    assert first["counts"] == {"done": 11, "total": 40, "succeeded": 10, "failed": 1} | other
    assert (last["seconds"], last["perSecond"], last["secondsLeft"]) == (10, 1.9, 5.263)


def test_items_that_are_gone_through_are_counted() -> None:
    stream = io.StringIO()
    with Progress(stream=stream, clock=Seconds()) as progress:
        assert list(progress.each(["a", "b"])) == ["a", "b"]
    assert stream.getvalue().splitlines() == ["0 of 2 files (0:00)", "2 of 2 files (0:00)"]


def test_quiet_shows_no_progress(capsys: pytest.CaptureFixture[str]) -> None:
    for stream in (io.StringIO(), Terminal()):
        with Progress(quiet=True, stream=stream) as progress:
            progress.show(0, 1)
        assert stream.getvalue() == ""
    assert sys.stderr is not None
    assert capsys.readouterr().err == ""


NAME = OperationName("p", "l", "d", "1")


@pytest.mark.parametrize(
    ("told", "text", "done", "total"),
    [
        (TreeProgress(9, 2, 1, 1, 1, 1), "6 of 9 files, 1 failed", 6, 9),
        (
            TransferReport(2, 1, 1, 1, 1, 999, total=9),
            "2 transferred, 1 conflicts, 1 invalid, 1 failed, 1 skipped",
            6,
            9,
        ),
        (TransferReport(2), "2 transferred", 2, None),
        (OperationSnapshot(NAME), "RUNNING: 0 done", 0, None),
        (
            OperationSnapshot(
                NAME, metadata=OperationMetadata(counter=ProgressCounter(success=5, failure=1, pending=3))
            ),
            "RUNNING: 5 done, 1 failed, 3 to do",
            6,
            9,
        ),
    ],
)
def test_whatever_tells_its_progress_is_understood(told: object, text: str, done: int, total: int | None) -> None:
    stream = io.StringIO()
    with Progress(stream=stream, clock=Seconds()) as progress:
        progress.show(told)
    assert stream.getvalue() == f"{text} (0:00)\n"
    state = progress_state(told)
    assert (state.done, state.total) == (done, total)
    assert all(isinstance(count, int) for count in state.counts.values())
