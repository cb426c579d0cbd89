"""The record: lists that repeat are written once, and what is read back is what was done."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.results import DeidentifyResult
from healthcare_deid.engine.runs.record import EntryMaker, RecordFile, read_record
from healthcare_deid.engine.runs.result_claims import Recorded, RecordedResults, key_of
from healthcare_deid.engine.runs.run_report import RunReport
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def test_equal_signatures_mean_equal_changes(
    profile: Any, planted: Any, as_file: Callable[..., bytes], write: Callable[..., Path], tmp_path: Path
) -> None:
    deidentifier = profile(BASIC)
    by_signature: dict[object, tuple[Any, ...]] = {}
    for number in range(60):
        planted.dataset.SOPInstanceUID = f"1.2.826.{number % 12}"
        planted.dataset.PatientComments = "x" * (number % 3 * 2)
        if number == 40:
            del planted.dataset.RequestAttributesSequence
        result = deidentifier.deidentify_file(write(as_file(planted.dataset)), tmp_path / "out.dcm")
        assert by_signature.setdefault(result.signature(), result.changes) == result.changes
    assert 3 <= len(by_signature) < 30


def test_a_list_that_repeats_is_written_once_and_read_back_everywhere(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=2)
    lines = (report.run / "record.jsonl").read_bytes().splitlines()
    entries = list(read_record(report.run / "record.jsonl"))
    assert len(lines) == 1 + len(entries) == 1 + 60
    assert sorted(map(len, lines))[30] < 2000
    assert json.loads(lines[0])["record"] == 1
    for entry in entries:
        assert "PatientName" in {change["keyword"] for change in entry["changes"]}


def test_lists_stay_readable_when_the_lines_that_defined_them_are_superseded(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    deidentifier = profile(BASIC)
    result = deidentifier.deidentify_file(scans / "0.dcm", tmp_path / "out.dcm")
    maker, path = EntryMaker(), tmp_path / "record.jsonl"
    record = RecordFile(path, "digest")
    for name in ("a", "b", "a"):
        entry = maker.entry(name, bytes(32), 10, result)
        record.learn(entry)
        record.supersede()
        record.add(entry)
    record.close()
    told = list(read_record(path))
    assert [entry["result"] for entry in told] == ["b", "a"]
    assert all(len(entry["changes"]) == len(result.changes) for entry in told)


def test_a_snapshot_has_the_warnings_of_every_result_whatever_lists_its_line_shares(tmp_path: Path) -> None:
    results: dict[str, tuple[str, ...]] = {"a": ("first",), "b": (), "c": ("first", "second"), "d": ("first",), "e": ()}
    maker, path = EntryMaker(), tmp_path / "record.jsonl"
    for names in ("ab", "cde"):  # two runs
        record = RecordFile(path, "digest")
        for name in names:
            entry = maker.entry(name, bytes(32), 10, DeidentifyResult(Dataset(), (), warnings=results[name]))
            record.learn(entry)
            record.add(entry)
        record.close()
        maker = EntryMaker()
    record = RecordFile(path, "digest")
    record.snapshot(tmp_path / "recorded.sqlite")
    record.close()
    with closing(RecordedResults(tmp_path / "recorded.sqlite")) as recorded:
        assert {name: recorded.get(key_of(name)) for name in results} == {
            name: Recorded(bytes(32), 10, warnings) for name, warnings in results.items()
        }


_DAMAGE = {
    "zeros": b"\0" * 40,
    "no text": b"\x00\xff",
    "a list": b"[]",
    "no name": b'{"result": 3}',
    "cut off": b'{"result": "a"',
}


@pytest.mark.parametrize("damage", _DAMAGE.values(), ids=_DAMAGE.keys())
def test_a_damaged_line_is_named_and_neither_skipped_nor_taken_for_the_end(
    profile: Any, scans: Path, tmp_path: Path, damage: bytes
) -> None:
    basic = profile(BASIC)
    record = basic.deidentify_tree(scans, tmp_path / "clean", workers=1).run / "record.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join([*lines[:2], damage + b"\n", *lines[3:]]))

    with pytest.raises(RunRefused, match="line 3 of the run's record is damaged"):
        list(read_record(record))
    with pytest.raises(RunRefused, match="put back a copy of the run folder, or choose another destination"):
        basic.deidentify_tree(scans, tmp_path / "clean", workers=1)
    with pytest.raises(RunRefused, match="line 3"):
        RunReport.of(record.parent)


def test_a_list_that_no_line_defines_is_damage(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    RecordFile(record, "digest").close()
    with record.open("ab") as file:
        file.write(b'{"result":"a","source":"","size":1,"redactions":[],"warnings":"no such"}\n')
    with pytest.raises(RunRefused, match="line 2"):
        list(read_record(record))


def test_what_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear colleague,\n")
    with pytest.raises(ValueError, match="no record"):
        RecordFile(tmp_path / "letter", "digest")


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    for number in range(60):
        put(tmp_path / "scans" / f"{number}.dcm", instance_file(number))
    return tmp_path / "scans"
