"""The review: what comes first, what a decision is, and who gets in."""

from __future__ import annotations

import http.client
import json
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pydicom
import pytest
from tests.report.run_made import make_run

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.report import Decision, Review, ReviewServer, audit_tree, compare_tree

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
    assert review.items[0].boxes == [(0, 5, 6, 30, 10)]


def test_a_decision_is_written_at_once_with_who_and_when(review: Review, clean: Path, tmp_path: Path) -> None:
    review.decide(0, Decision.REJECTED)
    review.decide(1, Decision.APPROVED)
    path = tmp_path / "clean.run" / "decisions.jsonl"
    first, second = map(json.loads, path.read_text().splitlines())
    assert first == {
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
    changes = json.loads(call("GET", f"{home}changes/0")[1])
    assert ["PatientName", "PN", "removed"] in changes
    assert b"Rivera" not in json.dumps(changes).encode()
    assert json.loads(call("POST", f"{home}decide", {"index": 1, "decision": "approved"})[1])["decision"] == "approved"
    assert review.items[1].decision is Decision.APPROVED
    covered = json.loads(call("POST", f"{home}cover", {"index": 1, "frame": 0, "box": [1, 2, 9, 9]})[1])
    assert covered["decision"] == "open"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("decide", {"index": 9, "decision": "approved"}, 404),
        ("decide", {"index": 0, "decision": "maybe"}, 422),
        ("cover", {"index": 0, "frame": 99, "box": [1, 2, 3, 4]}, 422),
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
    assert call("GET", f"{call.parts.path}changes/99")[0] == 400
    assert capfd.readouterr().err == ""


def test_a_result_that_is_gone_is_told_without_its_path(
    call: Caller, review: Review, clean: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (clean / review.items[0].result).unlink()
    for method, path, body in (
        ("GET", "picture/0/after/0", None),
        ("POST", "decide", {"index": 0, "decision": "approved"}),
    ):
        assert call(method, call.parts.path + path, body) == (500, b"FileNotFoundError")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("length", ["-1", "5000"])
def test_a_body_that_is_not_read_is_no_second_request(call: Caller, length: str) -> None:
    import socket

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
