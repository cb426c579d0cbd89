"""``--log-format json``: every line on standard error is an object, and the last one says how the command ended."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import pytest

from healthcare_deid._version import __version__
from healthcare_deid.cli.log import JsonLog, as_json, split_off
from healthcare_deid.engine.runs.lock import RunLock
from healthcare_deid.engine.runs.run_folder import LOCK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.cli.conftest import CommandLine

NAME = "Rivera-Ana"


def events(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_a_run_is_told_from_its_start_to_its_end(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / "note.dcm").write_text("no DICOM")
    (scans / "note.txt").write_text("no DICOM")
    result = cli("files", scans, tmp_path / "clean", "--config-file", tags_only, "--log-format", "json")
    started, *between, ended = events(result)
    assert (started["event"], started["version"]) == ("started", __version__)
    assert {event["event"] for event in between} == {"finding", "progress", "ignored", "file", "message"}
    counts = {
        "total": 4,
        "done": 4,
        "succeeded": 2,
        "failed": 1,
        "skipped": 0,
        "duplicates": 0,
        "ignored": 1,
        "refused": 0,
    }
    assert [event for event in between if event["event"] == "progress"][-1]["counts"] == counts
    assert ended["counts"] == counts
    assert (ended["event"], ended["level"], ended["exitCode"], ended["reason"]) == ("ended", "warning", 3, "partial")
    assert {event["command"] for event in events(result)} == {"files"}
    assert all(list(event)[:4] == ["time", "level", "event", "command"] for event in events(result))


def test_the_last_line_has_the_counts_also_where_no_progress_is_shown(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / "note.dcm").write_text("no DICOM")
    words = ("files", scans, tmp_path / "clean", "--config-file", tags_only, "--log-format", "json", "--quiet")
    *between, ended = events(cli(*words))
    assert not [event for event in between if event["event"] == "progress"]
    assert (ended["counts"]["done"], ended["counts"]["succeeded"], ended["counts"]["failed"]) == (3, 2, 1)


def test_a_log_names_no_file_unless_asked(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / f"{NAME}.dcm").write_text("no DICOM")
    words = ("files", scans, tmp_path / "clean", "--config-file", tags_only, "--log-format=json")
    hidden = cli(*words)
    assert NAME not in hidden.output
    (failed,) = (event for event in events(hidden) if event["event"] == "file")
    assert (failed["outcome"], failed["count"], failed["level"]) == ("failed", 1, "warning")
    (shown,) = (event for event in events(cli(*words, "--show-paths")) if event["event"] == "file")
    assert NAME in shown["message"]


@pytest.mark.parametrize(
    ("words", "code", "reason", "error"),
    [
        (["fils"], 2, "usage", "UsageError"),
        (["files", "no/such/folder", "clean"], 2, "usage", "BadParameter"),
        (["files", ".", "clean", "--nope"], 2, "usage", "NoSuchOption"),
        (["config", "show", "no-such-file.json"], 2, "usage", "BadParameter"),
        (["datasets", "list"], 2, "usage", "UsageError"),
    ],
)
def test_a_wrong_command_line_is_an_object_too(
    cli: Callable[..., Result],
    words: list[str],
    code: int,
    reason: str,
    error: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = cli(*words, "--log-format", "json")
    _, ended = events(result)
    assert result.exit_code == code
    assert (ended["exitCode"], ended["reason"], ended["error"], ended["level"]) == (code, reason, error, "error")
    assert ended["message"]


def test_an_error_that_ends_the_command_is_in_the_last_line(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    clean = tmp_path / "clean"
    cli("files", scans, clean, "--config-file", tags_only)
    result = cli("files", scans, clean, "--config-file", tags_only, "--other-uids", "map", "--log-format", "json")
    *_, ended = events(result)
    assert (ended["exitCode"], ended["reason"], ended["error"]) == (1, "error", "RunRefused")
    assert "options.other_uids: profile there, map now" in ended["message"]


def test_a_destination_at_which_another_run_is_at_work_is_told_apart_from_a_run_that_could_not_start(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    clean, run = tmp_path / "clean", tmp_path / "clean.run"
    clean.mkdir()
    run.mkdir()
    with RunLock(run / LOCK, "last-night", clean):
        result = cli("files", scans, clean, "--config-file", tags_only, "--log-format", "json")
    *_, ended = events(result)
    assert (ended["exitCode"], ended["reason"], ended["error"]) == (1, "error", "RunInProgress")
    assert "the run last-night is at work" in ended["message"]


def test_quiet_leaves_the_beginning_and_the_end(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    result = cli("files", scans, tmp_path / "clean", "--config-file", tags_only, "--log-format", "json", "-q")
    told = [event["event"] for event in events(result)]
    assert "progress" not in told
    assert (told[0], told[-1]) == ("started", "ended")


def test_commands_below_commands_and_transfers_are_told(filled: CommandLine, scans: Path, tmp_path: Path) -> None:
    up = filled("dicom-stores", "upload", "dicomstore1", scans, "--dataset", "dataset1", "--log-format", "json")
    *_, ended = events(up)
    assert ended["command"] == "dicom-stores upload"
    assert ended["counts"]["succeeded"] == ended["counts"]["total"] == 2
    assert up.exit_code == ended["exitCode"] == 0
    down = filled("--log-format", "json", "dicom-stores", "download", "dataset1/dicomstore1", tmp_path / "down")
    assert events(down)[-1]["counts"]["succeeded"] == 2


def test_audit_and_compare_tell_how_far_they_are(
    cli: Callable[..., Result], scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCARE_DEID_LOG_FORMAT", "json")
    audit = cli("audit", scans)
    assert events(audit)[-1]["reason"] == "findings"
    assert events(audit)[-1]["counts"] == {"done": 2, "total": 2}
    compare = cli("compare", scans, scans)
    assert events(compare)[-1]["counts"] == {"done": 2, "total": 2}
    assert events(compare)[-1]["exitCode"] == 0


def test_whatever_else_is_written_becomes_an_object() -> None:
    stream = io.StringIO()
    moment = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
    log = JsonLog(stream, "files", now=lambda: moment, clock=lambda: 0.0)
    print("one\n\ntwo ", end="", file=log)
    print("more", file=log)
    print("cut off", end="", file=log)
    log.ended(143)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event.get("message") for event in told] == ["one", "two more", "cut off", None]
    assert told[0] == {
        "time": "2026-11-30T12:00:00.000Z", "level": "info", "event": "message", "command": "files", "message": "one",
    }  # fmt: skip
    assert told[-1]["reason"] == "terminated"


def test_a_librarys_warning_becomes_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    with as_json("files"), warnings.catch_warnings():
        warnings.simplefilter("always")
        sys.stderr.write(warnings.formatwarning("old", DeprecationWarning, "library.py", 1, ""))
    assert "old" in json.loads(capsys.readouterr().err.splitlines()[0])["message"]


@pytest.mark.parametrize(
    ("words", "first", "rest"),
    [
        (["files", "a", "b", "--log-format", "json"], ["--log-format", "json"], ["files", "a", "b"]),
        (["files", "--log-format=json", "a"], ["--log-format=json"], ["files", "a"]),
        (["files", "--", "--log-format", "json"], [], ["files", "--", "--log-format", "json"]),
        (["files", "--log-format"], ["--log-format"], ["files"]),
        ([], [], []),
    ],
)
def test_the_option_may_stand_before_and_after_the_command(words: list[str], first: list[str], rest: list[str]) -> None:
    assert split_off(words) == (first, rest)


@pytest.mark.parametrize("words", [("--help",), ("files", "--help"), ("dicom-stores", "upload", "--help")])
def test_every_command_shows_the_option_once(cli: Callable[..., Result], words: tuple[str, ...]) -> None:
    for _ in range(2):
        assert cli(*words).stdout.count("--log-format [text|json]") == 1


def test_the_option_needs_a_value_and_a_known_one(cli: Callable[..., Result]) -> None:
    assert "requires an argument" in cli("secret", "new", "--log-format").stderr
    assert "'xml' is not one of" in cli("secret", "new", "--log-format", "xml").stderr


def test_sigterm_is_told(scans: Path, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from healthcare_deid.cli import main\n"
        "from healthcare_deid.engine import Deidentifier\n"
        "def terminated(*_, **__):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    signal.pause()\n"
        "Deidentifier.deidentify_tree = terminated\n"
        "main.main(sys.argv[1:])\n"
    )
    words = ["files", str(scans), str(tmp_path / "clean"), "--log-format", "json"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 143
    ended = json.loads(done.stderr.splitlines()[-1])
    assert (ended["reason"], ended["exitCode"]) == ("terminated", 143)
    assert "the same command does the rest" in ended["message"]


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal is made by the standard library on Unix only")
@pytest.mark.parametrize(("color", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_a_terminal_has_colors_unless_it_wants_none(color: dict[str, str], colored: bool, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | color
    words = [sys.executable, "-m", "healthcare_deid", "secret", "show-fingerprint", "none"]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(words, cwd=tmp_path, env=environment, stdout=theirs, stderr=theirs, check=False)
        shown = terminal.read(4096).decode()
        os.close(theirs)
    assert done.returncode == 1
    assert "Error:" in click.unstyle(shown)
    assert ("\x1b[" in shown) is colored
