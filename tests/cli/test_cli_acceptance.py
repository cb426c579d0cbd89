"""``audit --accepted``: what a person accepts is listed, and is no finding for the exit code."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from healthcare_deid.report import audit_tree
from healthcare_deid.report.audit.findings import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


def lines(file: Path, rows: list[dict[str, str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return file


def test_the_command_does_not_end_with_8_for_what_is_accepted_and_names_lines_that_fit_nothing(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    found = csv.DictReader(audit_tree(scans).to_csv().splitlines())
    rows = [row | {"accepted_by": "A. Reviewer", "reason": "a phantom"} for row in found if row["severity"] == "error"]
    stale = rows[0] | {"kind": "present", "path": "PatientComments"}
    assert cli("audit", scans).exit_code == 8
    result = cli("audit", scans, "--accepted", lines(tmp_path / "accepted.csv", [*rows, stale]))
    assert result.exit_code == 0
    assert f"{len(rows)} accepted, not counted" in result.stdout
    assert f"line {len(rows) + 2}: present at PatientComments: nothing fits it any more" in result.stderr
    assert cli("audit", scans, "--accepted", lines(tmp_path / "fewer.csv", rows[1:])).exit_code == 8
