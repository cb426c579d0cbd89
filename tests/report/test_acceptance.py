"""Acceptances: a person accepts findings of an audit, which stay listed and no longer count."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from healthcare_deid.errors import ConfigError
from healthcare_deid.report import audit_tree
from healthcare_deid.report.audit.findings import COLUMNS
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

WHO = {"accepted_by": "A. Reviewer", "reason": "a phantom's name"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    for number, sample in enumerate(sample_dicom()[:2]):
        sample.dataset.save_as(made / f"{number}.dcm", enforce_file_format=True)
    return made


def lines(file: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return file


def found(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(audit_tree(folder).to_csv().splitlines()))


def test_lines_of_the_audit_s_own_csv_are_accepted_and_still_listed_but_not_counted(
    folder: Path, tmp_path: Path
) -> None:
    before = audit_tree(folder)
    rows = found(folder)
    file = lines(tmp_path / "accepted.csv", [row | WHO for row in rows if row["severity"] == "error"], COLUMNS[1:])
    after = audit_tree(folder, accepted=file)
    assert (before.count("error"), after.count("error"), after.accepted) == (after.accepted, 0, before.count("error"))
    assert (after.clean, after.unmatched) == (True, ())
    assert len(after.rows()) == len(rows)
    told = json.loads(after.to_json())
    assert told["accepted"] == after.accepted > 0
    assert {one["reason"] for item in told["files"] for one in item["accepted"]} == {"a phantom's name"}
    assert f"Accepted: {after.accepted}, not counted above" in after.to_html()
    assert not any("Nothing found" in line for line in after.confidence())


def test_a_line_without_a_digest_is_about_every_file_and_one_with_it_about_no_other(
    folder: Path, tmp_path: Path
) -> None:
    (row, *_) = [row for row in found(folder) if row["path"] == "PatientName"]
    one = audit_tree(folder, accepted=lines(tmp_path / "one.csv", [row | WHO]))
    everywhere = row | {"sha256": "", "shape": ""} | WHO
    both = audit_tree(folder, accepted=lines(tmp_path / "both.csv", [everywhere]))
    assert (one.accepted, both.accepted) == (1, 2)
    other = audit_tree(folder, accepted=lines(tmp_path / "other.csv", [row | WHO | {"shape": "xxxxx"}]))
    assert other.accepted == 0


def test_a_line_that_fits_nothing_any_more_is_told(folder: Path, tmp_path: Path) -> None:
    rows = [row | WHO for row in found(folder) if row["path"] == "PatientName"]
    file = lines(tmp_path / "accepted.csv", rows)
    (folder / rows[0]["file"]).unlink()
    report = audit_tree(folder, accepted=file)
    assert [str(one) for one in report.unmatched] == ["line 2: present at PatientName"]
    assert "line 2: present at PatientName" in report.to_html()
    assert json.loads(report.to_json())["acceptedUnmatched"] == ["line 2: present at PatientName"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"accepted_by": ""}, "line 2: accepted_by: empty"),
        ({"reason": " "}, "line 2: reason: empty"),
        ({"path": ""}, "line 2: path: empty"),
        ({"kind": "presence"}, "line 2: kind is one of present, private"),
        ({"severity": "bad"}, "line 2: severity is one of error"),
    ],
)
def test_a_line_that_does_not_say_what_who_and_why_is_refused(
    change: dict[str, str], problem: str, folder: Path, tmp_path: Path
) -> None:
    file = lines(tmp_path / "accepted.csv", [found(folder)[0] | WHO | change])
    with pytest.raises(ConfigError, match=problem):
        audit_tree(folder, accepted=file)


def test_a_file_with_other_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    row = found(folder)[0] | WHO
    with pytest.raises(ConfigError, match="lacks the columns accepted_by, reason"):
        audit_tree(folder, accepted=lines(tmp_path / "less.csv", [row], COLUMNS[:-2]))
    with pytest.raises(ConfigError, match="column 15 is none of the audit's CSV"):
        audit_tree(folder, accepted=lines(tmp_path / "more.csv", [row], (*COLUMNS, "sha265")))
    (tmp_path / "longer.csv").write_text("kind,path,accepted_by,reason\npresent,PatientName,A,B,C\n")
    with pytest.raises(ConfigError, match="line 2: more cells than columns"):
        audit_tree(folder, accepted=tmp_path / "longer.csv")
    (tmp_path / "no.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no CSV in UTF-8"):
        audit_tree(folder, accepted=tmp_path / "no.csv")
