"""The review: what comes first, what a decision is, and who gets in."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import re
import socket
import stat
import struct
import threading
from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from tests.report.run_made import CONFIG, UNREADABLE, make_report, make_run, save

from healthcare_deid import presets, v1beta1
from healthcare_deid.config import DeidentifyConfig
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms
from healthcare_deid.engine.plan.compile import compile_config
from healthcare_deid.engine.plan.pixels import Scope
from healthcare_deid.engine.runs.lock import RunLock
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.engine.runs.report_page import page
from healthcare_deid.engine.runs.run_report import RunReport
from healthcare_deid.engine.runs.stores import FolderStore
from healthcare_deid.errors import ConfigError, RunRefused
from healthcare_deid.report import (
    Decision,
    Reason,
    RerunMode,
    Review,
    ReviewServer,
    audit_tree,
    compare_tree,
)
from healthcare_deid.report.finished_run import Entry
from healthcare_deid.report.review.again import in_mode
from healthcare_deid.report.review.boxes import cover
from healthcare_deid.report.review.items import item_of
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOMENT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return make_run(tmp_path)


@pytest.fixture
def review(clean: Path, tmp_path: Path) -> Review:
    return Review(clean, originals=tmp_path / "scans", reviewer="Dr. Who", now=lambda: MOMENT)


def test_the_worst_come_first_and_say_why(review: Review) -> None:
    assert [item.result for item in review.items] == ["study/2.dcm", "study/1.dcm", "study/0.dcm"]
    assert [item.reasons for item in review.items] == [["1 × text that could not be read"], ["look here"], []]
    assert review.items[0].boxes == [(0, 5, 6, 30, 10), (0, 60, 70, 30, 10)]


def test_only_words_of_the_list_are_decisions_and_reasons(review: Review, tmp_path: Path) -> None:
    """Free text could name the patient, so it is neither written nor repeated."""
    for decision, reason in ((Decision.REJECTED, "Mr Smith"), ("Mr Smith", None)):
        with pytest.raises(ValueError, match="of the list") as caught:
            review.decide(0, decision, reason)  # type: ignore[arg-type]
        assert "Smith" not in str(caught.value)
    assert not (tmp_path / "clean.run" / "decisions.jsonl").exists()

    review.decide(0, "rejected", "text-left")  # type: ignore[arg-type]
    assert review.count(Decision.REJECTED) == 1


def test_a_decision_is_written_at_once_with_who_and_when(review: Review, clean: Path, tmp_path: Path) -> None:
    review.decide(0, Decision.REJECTED)
    review.decide(1, Decision.APPROVED)
    path = tmp_path / "clean.run" / "decisions.jsonl"
    first, second = map(json.loads, path.read_text().splitlines())
    assert {"state", "manifest"} < first.keys()
    assert without_state(first) == {
        "result": "study/2.dcm",
        "decision": "rejected",
        "who": "Dr. Who",
        "when": "2026-03-04T05:06:07+00:00",
    }
    assert second["sha256"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Review(tmp_path / "clean.run")
    assert [item.decision for item in again.items] == [Decision.REJECTED, Decision.APPROVED, Decision.OPEN]
    assert repr(again) == "Review(3 results: 1 approved, 1 rejected, 1 open)"


def test_the_runs_report_counts_decisions_and_what_nobody_has_decided_about(review: Review, clean: Path) -> None:
    run = clean.with_name(f"{clean.name}.run")
    assert RunReport.of(run).decisions == {}
    review.decide(0, Decision.REJECTED)
    review.decide(1, Decision.APPROVED)
    review.decide(1, Decision.REJECTED)
    report = RunReport.of(run)
    assert report.decisions == {"open": 1, "rejected": 2}
    assert report.unchecked[-1] == "Results that no reviewer has decided about: 1."
    assert "review,rejected,,2" in report.to_csv()
    review.decide(2, Decision.APPROVED)
    report = RunReport.of(run)
    assert report.decisions == {"approved": 1, "rejected": 2}
    assert not any(text.startswith("Results that no reviewer") for text in report.unchecked)


def test_the_runs_report_counts_a_decision_only_about_a_result_as_it_is_now(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    run = tmp_path / "clean.run"
    for index in range(3):
        review.decide(index, Decision.APPROVED)
    review.cover(0, 0, (100, 100, 50, 20))
    assert "review,approved,,2" in (run / "report.csv").read_text("utf-8")
    assert RunReport.of(run).unchecked[-1] == "Results that no reviewer has decided about: 1."
    review.decide(0, Decision.REJECTED)
    engine = Deidentifier(CONFIG, markers=False)
    engine.deidentify_tree(tmp_path / "scans", clean, names="source", workers=1, overwrite=True)
    report = RunReport.of(run)
    assert report.decisions == {"open": 3}
    assert report.unchecked[-1] == "Results that no reviewer has decided about: 3."
    assert repr(Review(clean)) == "Review(3 results: 0 approved, 0 rejected, 3 open)"


def test_the_report_after_a_review_was_killed_counts_no_result_whose_line_is_withdrawn(
    review: Review, tmp_path: Path
) -> None:
    run = tmp_path / "clean.run"
    for index in range(3):
        review.decide(index, Decision.REJECTED)
    review.cover(2, 0, (100, 100, 50, 20))
    with (run / "record.jsonl").open("a") as record:
        record.write(json.dumps({"result": "study/2.dcm", "withdrawn": True}) + "\n")
    (run / "recorded.sqlite").touch()  # what a killed process leaves
    report = RunReport.of(run)
    assert report.results == 2
    assert report.decisions == {"open": 1, "rejected": 1}


def test_the_runs_report_tells_of_an_export_and_binds_the_decisions(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    run = tmp_path / "clean.run"
    assert RunReport.of(run).others == {}
    review.decide(1, Decision.APPROVED)
    assert review.export(tmp_path / "Release of Rivera") == 1
    report = RunReport.of(run)
    (event,) = report.events
    assert (event.kind, event.who, event.when) == ("export", "Dr. Who", "2026-03-04T05:06:07Z")
    assert event.in_words() == "1 exported, 2 left out"
    name = review.items[1].result
    listed = f"{review.digest(1)}  {name}\n"  # as sha256sum lists it
    assert event.files == hashlib.sha256(listed.encode()).hexdigest()
    for file in ("decisions.jsonl", "events.jsonl"):
        assert report.others[file] == hashlib.sha256((run / file).read_bytes()).hexdigest()
        assert f"run,{file},sha256,{report.others[file]}" in report.to_csv()
        assert report.others[file] in page(report)
    assert "1 exported, 2 left out" in page(report)
    assert "Rivera" not in page(report) + report.to_csv() + (run / "events.jsonl").read_text()
    review.decide(1, Decision.REJECTED)
    assert RunReport.of(run).others["decisions.jsonl"] != report.others["decisions.jsonl"]


def test_a_decision_after_the_half_line_of_a_killed_review_is_a_line_of_its_own(clean: Path, tmp_path: Path) -> None:
    path = tmp_path / "clean.run" / "decisions.jsonl"
    path.write_text('{"result":"study/1.dcm","deci')
    review = Review(clean)
    review.decide(0, Decision.REJECTED)
    assert repr(Review(clean)) == "Review(3 results: 0 approved, 1 rejected, 2 open)"
    assert RunReport.of(path.parent).decisions == {"open": 2, "rejected": 1}
    path.write_text(path.read_text() + '{"result":"study/0.dcm",,}\n')
    with pytest.raises(RunRefused, match="a line that is not a decision"):
        review.export(tmp_path / "release")


def test_what_another_reviewer_decides_meanwhile_counts(review: Review, clean: Path, tmp_path: Path) -> None:
    review.decide(0, Decision.APPROVED)
    review.decide(1, Decision.APPROVED)
    other = Review(clean, originals=tmp_path / "scans", reviewer="Dr. No")
    other.decide(0, Decision.REJECTED)
    other.cover(1, 0, (100, 100, 50, 20))
    assert review.export(tmp_path / "release") == 0
    assert repr(review) == "Review(3 results: 0 approved, 1 rejected, 2 open)"
    assert review.items[1].boxes == other.items[1].boxes
    with (tmp_path / "clean.run" / "record.jsonl").open("a") as record:
        record.write(json.dumps({"result": review.items[1].result, "withdrawn": True}) + "\n")
    with pytest.raises(ValueError, match="the record no longer has this result"):
        review.decide(1, Decision.APPROVED)


def test_what_is_approved_is_the_file_that_was_looked_at(review: Review, clean: Path) -> None:
    seen = review.digest(0)
    review.cover(0, 0, (100, 100, 50, 20))
    with pytest.raises(ValueError, match="has changed since it was shown"):
        review.decide(0, Decision.APPROVED, seen=seen)
    review.decide(0, Decision.APPROVED, seen=review.digest(0))
    assert review.items[0].decision is Decision.APPROVED


def test_a_run_that_replaces_results_during_an_export_gets_nothing_unapproved_out(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    for index in range(3):
        review.decide(index, Decision.APPROVED)
    later = [clean / review.items[index].result for index in (1, 2)]

    def at_work(done: int, _: int) -> None:
        if done == 1:
            later[0].write_bytes(b"other")
            later[1].unlink()

    assert review.export(tmp_path / "release", on_progress=at_work) == 1
    assert [path.name for path in (tmp_path / "release").rglob("*") if path.is_file()] == ["2.dcm"]
    assert repr(Review(clean)) == "Review(2 results: 1 approved, 0 rejected, 1 open)"


def test_what_is_approved_is_exported_and_nothing_else(review: Review, clean: Path, tmp_path: Path) -> None:
    review.decide(0, Decision.APPROVED)
    review.decide(1, Decision.REJECTED)
    told: list[tuple[int, int]] = []
    assert review.export(tmp_path / "release", on_progress=lambda done, total: told.append((done, total))) == 1
    assert told == [(1, 1)]
    assert [path.name for path in (tmp_path / "release").rglob("*.dcm")] == ["2.dcm"]
    with pytest.raises(FileExistsError):
        review.export(tmp_path / "release")


def test_a_file_that_changed_since_is_not_the_one_that_was_approved(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    review.decide(0, Decision.APPROVED)
    path = clean / review.items[0].result
    path.write_bytes(path.read_bytes() + b"\0")
    assert review.export(tmp_path / "release") == 0
    assert review.items[0].decision is Decision.OPEN


def test_one_more_rectangle_is_covered_and_nothing_outside_it_changes(review: Review, clean: Path) -> None:
    review.decide(0, Decision.APPROVED)
    path = clean / review.items[0].result
    before = pydicom.dcmread(path).pixel_array.astype(int)
    review.cover(0, 0, (10, 20, 40, 30))
    after = pydicom.dcmread(path).pixel_array.astype(int)
    assert len(np.unique(after[20:50, 10:50].reshape(-1, *after.shape[2:]), axis=0)) == 1
    changed = np.argwhere((before != after).reshape(*before.shape[:2], -1).any(axis=-1))
    assert changed.min(axis=0).tolist() >= [20, 10]
    assert changed.max(axis=0)[0] < 50
    assert changed.max(axis=0)[1] < 50
    assert review.items[0].decision is Decision.OPEN, "what was approved was another picture"
    assert review.items[0].boxes[-1] == (0, 10, 20, 40, 30)
    with pytest.raises(ValueError, match="not in the picture"):
        review.cover(0, 0, (100_000, 0, 5, 5))


def without_state(line: dict[str, Any]) -> dict[str, Any]:
    """Return a decision without what says which result it is about."""
    return {name: value for name, value in line.items() if name not in ("state", "manifest")}


def tree_of(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file but the lock and the decisions."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in ("lock", "decisions.jsonl"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def line_of(folder: Path, result: str) -> dict[str, Any]:
    """Return the one line that the record has about a result."""
    (line,) = (line for line in read_record(folder / "clean.run" / "record.jsonl") if line["result"] == result)
    return line


def changed_pixels(before: Path, after: Path) -> set[tuple[int, int]]:
    """Return the rows and columns in which two pictures differ."""
    one, other = (pydicom.dcmread(path).pixel_array.astype(int) for path in (before, after))
    different = (one != other).reshape(*one.shape[:2], -1).any(axis=-1)
    return {(int(row), int(column)) for row, column in np.argwhere(different)}


def inside(row: int, column: int, box: tuple[int, int, int, int]) -> bool:
    x, y, width, height = box
    return y <= row < y + height and x <= column < x + width


def test_a_box_that_covers_no_text_is_removed_and_every_other_pixel_is_as_a_run_with_the_other_boxes_makes_it(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    review.decide(0, Decision.APPROVED)
    review.cover(0, 0, (100, 100, 50, 20))
    review.uncover(0, 0, (60, 70, 30, 10))
    kept = (0, 5, 6, 30, 10)
    added = review.items[0].boxes[-1]
    assert review.items[0].boxes == [kept, added]
    changed = changed_pixels(tmp_path / "scans" / "study" / "2.dcm", clean / "study" / "2.dcm")
    assert changed
    assert all(inside(row, column, kept[1:]) or inside(row, column, added[1:]) for row, column in changed)
    assert review.items[0].decision is Decision.OPEN
    assert "PatientName" not in pydicom.dcmread(clean / "study" / "2.dcm"), "the header is de-identified as before"


def test_the_record_has_one_new_line_of_a_result_that_was_changed_and_a_run_goes_on_from_it(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    review.uncover(0, 0, (60, 70, 30, 10))
    line = line_of(tmp_path, "study/2.dcm")
    assert [one["rule"] for one in line["redactions"]] == ["unreadable"]
    assert line["size"] == (clean / "study" / "2.dcm").stat().st_size
    assert {"path": "7FE00010", "action": "pixels-redacted"}.items() <= next(
        change for change in line["changes"] if change["path"] == "7FE00010"
    ).items()
    assert any("a person uncovered parts" in warning for warning in line["warnings"])
    assert "a person uncovered parts" in (tmp_path / "clean.run" / "report.html").read_text("utf-8")
    before = (clean / "study" / "2.dcm").read_bytes()
    report = Deidentifier(CONFIG).deidentify_tree(tmp_path / "scans", clean, names="source", workers=1)
    assert (report.skipped, report.succeeded) == (3, 0)
    assert (clean / "study" / "2.dcm").read_bytes() == before, "what a person chose is not undone by a resume"
    assert [item.boxes for item in Review(clean).items if item.result == "study/2.dcm"] == [[(0, 5, 6, 30, 10)]]


def test_an_added_box_is_in_the_record_and_a_run_goes_on_from_it(review: Review, clean: Path, tmp_path: Path) -> None:
    review.cover(0, 0, (100, 100, 50, 20))
    line = line_of(tmp_path, "study/2.dcm")
    assert [one["rule"] for one in line["redactions"]] == ["unreadable", "all-text", "reviewer"]
    before = (clean / "study" / "2.dcm").read_bytes()
    Deidentifier(CONFIG).deidentify_tree(tmp_path / "scans", clean, names="source", workers=1)
    assert (clean / "study" / "2.dcm").read_bytes() == before


def test_a_result_whose_box_a_person_removed_no_longer_says_that_its_text_is_gone(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    sample_dicom()[0].dataset.save_as(tmp_path / "scans" / "ct.dcm", enforce_file_format=True)
    Deidentifier(presets.remove_metadata_and_all_text()).deidentify_tree(
        tmp_path / "scans", tmp_path / "clean", names="source", workers=1
    )
    result = tmp_path / "clean" / "ct.dcm"
    assert pydicom.dcmread(result).BurnedInAnnotation == "NO"
    as_run = result.read_bytes()
    review = Review(tmp_path / "clean", originals=tmp_path / "scans")
    *others, (frame, *box) = review.items[0].boxes
    x, y, width, height = box
    review.uncover(0, frame, (x, y, width, height))
    assert "BurnedInAnnotation" not in pydicom.dcmread(result)
    assert review.items[0].boxes == others
    changed = changed_pixels(tmp_path / "scans" / "ct.dcm", result)
    covered = [(one[1], one[2], one[3], one[4]) for one in others]
    assert all(any(inside(row, column, place) for place in covered) for row, column in changed)
    review.run_again(0)
    assert result.read_bytes() == as_run


def test_what_is_covered_in_a_picture_is_covered_in_its_icon_too() -> None:
    dataset = sample_dicom()[0].dataset
    icon = Dataset()
    icon.Rows = icon.Columns = 64
    icon.SamplesPerPixel, icon.BitsAllocated, icon.BitsStored, icon.HighBit = 1, 8, 8, 7
    icon.PixelRepresentation, icon.PhotometricInterpretation = 0, "MONOCHROME2"
    icon.PixelData = bytes(range(256)) * 16
    dataset.IconImageSequence = [icon]
    redactions, _ = cover(dataset, [(0, 0, 0, 256, 256)])
    assert [(one.path, one.rule) for one in redactions] == [
        ("7FE00010", "reviewer"),
        ("00880200[0]/7FE00010", "icon-of-redacted"),
    ]
    covered = np.frombuffer(dataset.IconImageSequence[0].PixelData, np.uint8).reshape(64, 64)
    assert len(np.unique(covered[:32, :32])) == 1


def test_an_instance_that_is_run_again_is_as_the_run_made_it_and_what_a_person_added_stays(
    review: Review, clean: Path, tmp_path: Path
) -> None:
    as_run = (clean / "study" / "2.dcm").read_bytes()
    review.run_again(0)
    assert (clean / "study" / "2.dcm").read_bytes() == as_run
    assert review.items[0].boxes == [], "this run looks at no pixels"
    review.cover(0, 0, (100, 100, 50, 20))
    covered = (clean / "study" / "2.dcm").read_bytes()
    review.run_again(0)
    assert (clean / "study" / "2.dcm").read_bytes() == covered
    assert [one["rule"] for one in line_of(tmp_path, "study/2.dcm")["redactions"]] == ["reviewer"]


def test_all_text_is_covered_where_a_person_asks_for_it(review: Review, clean: Path, tmp_path: Path) -> None:
    review.run_again(0, RerunMode.ALL_TEXT)
    rules = {one["rule"] for one in line_of(tmp_path, "study/2.dcm")["redactions"]}
    assert "all-text" in rules
    assert review.items[0].boxes
    with pytest.raises(ConfigError, match="does not look for text in pixels"):
        review.run_again(0, RerunMode.THOROUGH)


@pytest.mark.parametrize(
    "tags",
    [
        {"options": {"cleanImage": {"textRedactionMode": "REDACT_NO_TEXT"}}},
        {"options": {"cleanImage": {"textRedactionMode": "REDACT_SENSITIVE_TEXT", "excludeInfoTypes": ["DATE"]}}},
        {"options": {"cleanImage": {}}},
        {"actions": [{"queries": ["PixelData"], "cleanImageTag": {"textRedactionMode": "REDACT_SENSITIVE_TEXT"}}]},
        {"actions": [{"queries": ["PixelData"], "keepTag": {}}]},
        {},
    ],
)
def test_all_text_is_covered_wherever_the_runs_config_says_how_to_treat_pixels(tags: dict[str, Any]) -> None:
    config = v1beta1.DeidentifyConfig.from_api({"dicomTagConfig": {"profileType": "MINIMAL_KEEP_LIST_PROFILE", **tags}})
    changed = in_mode(Deidentifier(config), RerunMode.ALL_TEXT)
    plan = compile_config(changed.config, changed.options).pixels
    assert (plan.scope, plan.excluded) == (Scope.EVERYTHING, frozenset())


def test_every_change_is_written_down_with_who_when_and_why_and_without_text_of_the_persons(
    review: Review, tmp_path: Path
) -> None:
    review.cover(0, 0, (100, 100, 50, 20))
    review.uncover(0, 0, (60, 70, 30, 10))
    review.run_again(0)
    review.decide(0, Decision.REJECTED, Reason.TOO_MUCH)
    lines = [json.loads(line) for line in (tmp_path / "clean.run" / "decisions.jsonl").read_text().splitlines()]
    common = {"result": "study/2.dcm", "who": "Dr. Who", "when": "2026-03-04T05:06:07+00:00"}
    assert [*map(without_state, lines)] == [
        common | {"decision": "open", "why": "text-left", "added": [0, 100, 100, 50, 20]},
        common | {"decision": "open", "why": "no-text", "removed": [0, 60, 70, 30, 10]},
        common | {"decision": "open", "again": "as-run"},
        common | {"decision": "rejected", "why": "too-much"},
    ]


def test_nothing_changes_where_an_instance_cannot_be_run_again(clean: Path, tmp_path: Path) -> None:
    before = tree_of(tmp_path)
    without = Review(clean, reviewer="Dr. Who")
    with pytest.raises(ValueError, match="not among the originals"):
        without.uncover(0, 0, (60, 70, 30, 10))
    with pytest.raises(RunRefused, match=r"options.markers: true there, false now"):
        Review(clean, originals=tmp_path / "scans", options={"markers": False}).uncover(0, 0, (60, 70, 30, 10))
    review = Review(clean, originals=tmp_path / "scans")
    with pytest.raises(ValueError, match="no such box"):
        review.uncover(0, 0, (1, 2, 3, 4))
    path = clean / "study" / "2.dcm"
    changed = tmp_path / "scans" / "study" / "2.dcm"
    original = changed.read_bytes()
    changed.write_bytes(original + b"\0\0")
    with pytest.raises(ValueError, match="has changed since"):
        review.uncover(0, 0, (60, 70, 30, 10))
    changed.write_bytes(original)
    assert path.is_file()
    assert tree_of(tmp_path) == before


def test_a_run_at_work_keeps_a_review_from_changing_its_results(review: Review, clean: Path, tmp_path: Path) -> None:
    with (
        RunLock(tmp_path / "clean.run" / "lock", "the-other-run", clean),
        pytest.raises(RunRefused, match="the-other-run is at work"),
    ):
        review.uncover(0, 0, (60, 70, 30, 10))


def test_a_review_that_is_killed_between_the_record_and_the_file_leaves_no_result_to_export(
    review: Review, clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise SystemExit

    review.decide(0, Decision.APPROVED)
    monkeypatch.setattr(FolderStore, "commit", killed)
    with pytest.raises(SystemExit):
        review.uncover(0, 0, (60, 70, 30, 10))
    monkeypatch.undo()
    assert "study/2.dcm" not in [item.result for item in Review(clean).items]
    assert Review(clean).export(tmp_path / "release") == 0
    report = Deidentifier(CONFIG).deidentify_tree(tmp_path / "scans", clean, names="source", workers=1)
    assert (report.skipped, report.succeeded) == (2, 1)
    assert not [*clean.rglob("*.part")]


def test_a_file_set_has_the_changed_result(review: Review, clean: Path, tmp_path: Path) -> None:
    config = presets.remove_metadata_and_all_text().model_copy(update={"image": None})
    Deidentifier(config).deidentify_tree(tmp_path / "scans", tmp_path / "disc", dicomdir=True, workers=1)
    of_disc = Review(tmp_path / "disc", originals=tmp_path / "scans")
    of_disc.cover(0, 0, (10, 10, 100, 100))
    result = (tmp_path / "disc" / of_disc.items[0].result).read_bytes()
    in_set = [path.read_bytes() for path in (tmp_path / "disc.fileset").rglob("*") if path.is_file()]
    assert result in in_set


def test_only_what_the_run_folder_has_no_values_of_is_given_to_the_review_again(tmp_path: Path) -> None:
    make_run(tmp_path)
    config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
    given: dict[str, Any] = {
        "patient_keys": {"P1": b"k" * 32},
        "secret": b"0123456789abcdef",
        "set_values": {"StudyDescription": "Trial"},
    }
    told: dict[str, Any] = {"edition": "2026d", "dates": Dates(), "pseudonyms": Pseudonyms.keyed("T-")}
    engine = Deidentifier(config, **given, **told, date_shift_days=30)
    engine.deidentify_tree(tmp_path / "scans", tmp_path / "keyed", workers=1)
    without = Review(tmp_path / "keyed", originals=tmp_path / "scans")
    missing = r"no values of: patient_keys, --secret-file \(secret\), --set \(set_values\)$"
    with pytest.raises(RunRefused, match=missing):
        without.run_again(0)
    assert re.search(missing, without.why_not_again())
    review = Review(tmp_path / "keyed", originals=tmp_path / "scans", options=given)
    assert review.why_not_again() == ""
    path = tmp_path / "keyed" / review.items[0].result
    before = path.read_bytes()
    review.run_again(0)
    assert path.read_bytes() == before


def test_a_config_with_a_key_is_given_to_the_review_again(tmp_path: Path) -> None:
    make_run(tmp_path)
    key = {"dateShiftConfig": {"cryptoKey": b64encode(b"k" * 32).decode()}}
    config = DeidentifyConfig.from_api(
        {
            "dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENTS"},
            "text": {"additionalTransformations": [{"infoTypes": ["DATE"], **key}]},
        }
    )
    Deidentifier(config, secret=b"0123456789abcdef").deidentify_tree(tmp_path / "scans", tmp_path / "keyed", workers=1)
    options = {"secret": b"0123456789abcdef"}
    without = Review(tmp_path / "keyed", originals=tmp_path / "scans", options=options)
    assert without.why_not_again().endswith("no values of: --config-file (config)")
    review = Review(tmp_path / "keyed", originals=tmp_path / "scans", config=config, options=options)
    assert review.why_not_again() == ""


def test_a_review_says_at_its_start_whether_instances_can_be_run_again(
    call: Caller, clean: Path, tmp_path: Path
) -> None:
    assert json.loads(call("GET", f"{call.parts.path}again.json")[1]) == {"why_not": ""}
    assert Review(clean).why_not_again() == "the originals are needed (--originals)"
    other = Review(clean, originals=tmp_path / "scans", options={"markers": False})
    assert "options.markers: true there, false now" in other.why_not_again()


def test_the_pages_requests_change_boxes_and_run_again(call: Caller, review: Review) -> None:
    home = call.parts.path
    status, told = call("POST", f"{home}uncover", {"index": 0, "frame": 0, "box": [60, 70, 30, 10]})
    assert (status, json.loads(told)) == (200, {"decision": "open", "boxes": [[0, 5, 6, 30, 10]]})
    assert json.loads(call("POST", f"{home}again", {"index": 0, "mode": "as-run"})[1])["boxes"] == []
    rejected = {"index": 0, "decision": "rejected", "reason": "too-much"}
    assert json.loads(call("POST", f"{home}decide", rejected)[1])["decision"] == "rejected"


def test_another_page_of_the_browser_gets_nothing_done(call: Caller, review: Review) -> None:
    body = {"index": 0, "decision": "approved", "seen": review.digest(0)}
    own = f"http://127.0.0.1:{call.parts.port}"
    host = f"127.0.0.1:{call.parts.port}"
    assert call("POST", f"{call.parts.path}decide", body, Origin="https://evil.example", Host=host)[0] == 404
    assert review.items[0].decision is Decision.OPEN
    assert call("POST", f"{call.parts.path}decide", body, Origin=own, Host=host)[0] == 200


def test_an_instance_without_pixels_has_no_frames_and_boxes_are_told_by_frames(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    save(make_report(), tmp_path / "scans" / "sr.dcm")
    Deidentifier(CONFIG).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    with ReviewServer(Review(tmp_path / "clean", originals=tmp_path / "scans")) as server:
        call = Caller(server.url)
        shown = json.loads(call("GET", f"{call.parts.path}seen/0")[1])
        assert (shown["frames"], shown["frames_before"]) == (0, 0)
        assert call("GET", f"{call.parts.path}picture/0/after/0")[0] == 404
    boxes = [UNREADABLE | {"frame": frame, "confidence": 0.5} for frame in range(3)]
    item = item_of(Entry("1.dcm", "", boxes, [], "", []))
    assert item.reasons == ["3 × text that could not be read, in 3 frames", "3 × a doubtful line, in 3 frames"]


@pytest.mark.parametrize(("keyword", "bits"), [("FloatPixelData", 32), ("DoubleFloatPixelData", 64)])
def test_frames_of_floating_point_pixels_are_shown_between_their_finite_extremes_and_covered(
    keyword: str, bits: int, tmp_path: Path
) -> None:
    dataset = sample_dicom()[0].dataset
    for name in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
        del dataset[name]
    values = np.linspace(-1, 1, 2 * 40 * 64).reshape(2, 40, 64).astype(f"<f{bits // 8}")
    values[0, 0, :2] = np.nan, np.inf
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames, dataset.BitsAllocated = 40, 64, 2, bits
    setattr(dataset, keyword, values.tobytes())
    (tmp_path / "scans").mkdir()
    dataset.save_as(tmp_path / "scans" / "map.dcm", enforce_file_format=True)
    Deidentifier(CONFIG).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1)
    review = Review(tmp_path / "clean", originals=tmp_path / "scans")
    with ReviewServer(review) as server:
        call = Caller(server.url)
        shown = json.loads(call("GET", f"{call.parts.path}seen/0")[1])
        assert (shown["frames"], shown["frames_before"]) == (2, 2)
        status, picture = call("GET", f"{call.parts.path}picture/0/after/0")
        gray = np.asarray(Image.open(io.BytesIO(picture)).convert("L"))
        assert (status, gray[0, 0], gray[0, 1], gray[39, 63]) == (200, 0, 255, 255)
        told = json.loads(call("POST", f"{call.parts.path}cover", {"index": 0, "frame": 1, "box": [8, 8, 16, 8]})[1])
        assert told["boxes"] == [[1, 8, 8, 16, 8]]
        undone = json.loads(
            call("POST", f"{call.parts.path}uncover", {"index": 0, "frame": 1, "box": [8, 8, 16, 8]})[1]
        )
        assert undone["boxes"] == []


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="stands beside the results"):
        Review(tmp_path)


def test_an_audit_is_by_the_runs_config(clean: Path) -> None:
    report = audit_tree(clean)
    assert {item.promise for item in report.audits.values()} == {"profile:MINIMAL_KEEP_LIST_PROFILE"}
    assert report.clean


class Caller:
    """Sends requests to a review server."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.parts.port or 0, timeout=60)
        encoded = None if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json", **headers} if encoded else headers
        connection.request(method, path, encoded, sent)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, data


@pytest.fixture
def call(review: Review) -> Iterator[Caller]:
    with ReviewServer(review) as server:
        yield Caller(server.url)


def test_the_page_is_for_whoever_has_the_token_and_for_this_machine_only(call: Caller) -> None:
    home = call.parts.path
    assert call("GET", home)[0] == 200
    assert call("GET", "/")[0] == 404
    assert call("GET", "/wrong/items.json")[0] == 404
    assert call("GET", f"{home}items.json", Host="evil.example:80")[0] == 404
    assert call.parts.hostname == "127.0.0.1"
    assert len(home.strip("/")) >= 32


def test_the_page_shows_results_beside_originals_and_takes_decisions(call: Caller, review: Review) -> None:
    home = call.parts.path
    items = json.loads(call("GET", f"{home}items.json")[1])
    assert [item["decision"] for item in items] == ["open"] * 3
    for side in ("before", "after"):
        status, picture = call("GET", f"{home}picture/0/{side}/0")
        assert status == 200
        assert picture.startswith(b"\x89PNG")
    rows = json.loads(call("GET", f"{home}attributes/0")[1])["rows"]
    (name,) = [row for row in rows if row["path"] == "PatientName"]
    original = review.dataset(0, original=True)
    assert original is not None
    assert (name["before"], name["after"], name["verdict"]) == (str(original.PatientName), None, "removed")
    shown = json.loads(call("GET", f"{home}seen/1")[1])
    assert (shown["frames"], shown["frames_before"]) == (1, 1)
    seen = shown["seen"]
    approval = {"index": 1, "decision": "approved", "seen": seen}
    assert json.loads(call("POST", f"{home}decide", approval)[1])["decision"] == "approved"
    assert review.items[1].decision is Decision.APPROVED
    covered = json.loads(call("POST", f"{home}cover", {"index": 1, "frame": 0, "box": [1, 2, 9, 9]})[1])
    assert covered["decision"] == "open"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("decide", {"index": 9, "decision": "approved"}, 404),
        ("decide", {"index": 0, "decision": "maybe"}, 400),
        ("cover", {"index": 0, "frame": 99, "box": [1, 2, 3, 4]}, 422),
        ("uncover", {"index": 0, "frame": 0, "box": [9, 9, 9, 9]}, 422),
        ("again", {"index": 0, "mode": "never"}, 400),
        ("again", {"index": 0, "mode": "thorough"}, 422),
        ("decide", {"index": 0, "decision": "rejected", "reason": "Rivera"}, 400),
        ("decide", {"index": 0, "decision": "approved"}, 400),
        ("decide", {"index": 0, "decision": "approved", "seen": "0" * 64}, 422),
        ("else", {"index": 0}, 404),
        ("decide", {"index": 0, "decision": "approved", "more": "x" * 5000}, 400),
    ],
)
def test_what_cannot_be_right_is_refused(call: Caller, review: Review, path: str, body: Any, status: int) -> None:
    assert call("POST", call.parts.path + path, body)[0] == status
    assert all(item.decision is Decision.OPEN for item in review.items)


def test_what_a_real_run_leaves_is_reviewed_audited_and_compared(tmp_path: Path) -> None:
    make_run(tmp_path)
    config = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
    Deidentifier(config).deidentify_tree(tmp_path / "scans", tmp_path / "contents")
    review = Review(tmp_path / "contents", originals=tmp_path / "scans")
    assert len(review.items) == 3
    assert all(review.dataset(index, original=True) is not None for index in range(3))
    report = audit_tree(tmp_path / "contents")
    assert {item.promise for item in report.audits.values()} == {"profile:DEIDENTIFY_TAG_CONTENTS"}
    assert report.clean
    assert len(compare_tree(tmp_path / "scans", tmp_path / "contents").pairs) == 3


@pytest.mark.parametrize("body", [[], {}, {"index": 0}, {"index": 0, "decision": ["approved"]}, {"index": None}])
def test_a_request_that_is_none_of_the_pages_is_answered_and_prints_nothing(
    call: Caller, capfd: pytest.CaptureFixture[str], body: Any
) -> None:
    assert call("POST", f"{call.parts.path}decide", body)[0] in (400, 422)
    assert call("GET", f"{call.parts.path}attributes/99")[0] == 400
    assert capfd.readouterr().err == ""


def test_a_result_that_is_gone_is_told_without_its_path(
    call: Caller, review: Review, clean: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (clean / review.items[0].result).unlink()
    for method, path, body in (
        ("GET", "picture/0/after/0", None),
        ("POST", "decide", {"index": 0, "decision": "approved", "seen": ""}),
    ):
        assert call(method, call.parts.path + path, body) == (500, b"FileNotFoundError")
    assert capfd.readouterr().err == ""


def test_a_browser_that_no_longer_wants_a_picture_makes_the_server_print_nothing(
    call: Caller, capfd: pytest.CaptureFixture[str]
) -> None:
    request = f"GET {call.parts.path}picture/0/after/0 HTTP/1.1\r\nHost: localhost:1\r\n\r\n"
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", call.parts.port or 0), timeout=30) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset
            connection.sendall(request.encode())
    assert call("GET", call.parts.path)[0] == 200  # the server has taken the others before it
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("length", ["-1", "5000"])
def test_a_body_that_is_not_read_is_no_second_request(call: Caller, length: str) -> None:
    with socket.create_connection(("127.0.0.1", call.parts.port or 0), timeout=30) as connection:
        head = f"POST {call.parts.path}decide HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\n"
        inner = f"GET {call.parts.path}items.json HTTP/1.1\r\nHost: localhost:1\r\n\r\n"
        connection.sendall(f"{head}Content-Length: {length}\r\n\r\n{inner}".encode())
        reply = b""
        while data := connection.recv(1 << 16):
            reply += data
    assert reply.startswith(b"HTTP/1.1 400")
    assert reply.count(b"HTTP/1.1 ") == 1


def test_a_run_with_values_of_its_own_is_audited(tmp_path: Path) -> None:
    make_run(tmp_path)
    Deidentifier(presets.basic_confidentiality_profile(), set_values={"StudyDescription": "Trial"}).deidentify_tree(
        tmp_path / "scans", tmp_path / "trial", workers=1
    )
    assert len(audit_tree(tmp_path / "trial").audits) == 3
