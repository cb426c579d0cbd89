"""``datasets``, ``dicom-stores`` and ``fhir-stores`` on the command line, without de-identification."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine

DATASET = "projects/my-project/locations/us-central1/datasets/dataset1"


def test_a_dataset_is_created_described_listed_and_deleted(command_line: CommandLine) -> None:
    created = command_line("datasets", "create", "dataset1", "--time-zone", "Europe/Vienna")
    assert created.exit_code == 0
    assert "Created dataset [dataset1]." in created.stderr
    assert yaml.safe_load(created.stdout) == {"name": DATASET, "timeZone": "Europe/Vienna"}
    assert yaml.safe_load(command_line.ok("datasets", "describe", DATASET))["timeZone"] == "Europe/Vienna"
    header, row = command_line.ok("datasets", "list").splitlines()
    assert header.split() == ["ID", "LOCATION", "TIMEZONE"]
    assert row.split() == ["dataset1", "us-central1", "Europe/Vienna"]
    command_line.ok("datasets", "delete", "dataset1", "--quiet")
    assert json.loads(command_line.ok("datasets", "list", "--format", "json")) == []


@pytest.mark.parametrize("answer", ["n\n", "", None])
def test_nothing_is_deleted_unless_somebody_says_yes(filled: CommandLine, answer: str | None) -> None:
    refused = filled("datasets", "delete", "dataset1", stdin=answer)
    assert refused.exit_code == 1
    assert f"delete dataset [{DATASET}]" in refused.stderr
    assert "dataset1" in filled.ok("datasets", "list")
    assert filled("datasets", "delete", "dataset1", stdin="y\n").exit_code == 0
    assert "dataset1" not in filled.ok("datasets", "list")


def test_a_dicom_store_is_created_listed_by_label_and_deleted(filled: CommandLine) -> None:
    filled.ok("dicom-stores", "create", "second", "--dataset", "dataset1", "--labels", "study=spine,year=2021")
    found = filled.ok("dicom-stores", "list", "--dataset", "dataset1", "--filter", "labels.study=spine")
    assert [line.split() for line in found.splitlines()] == [
        ["ID", "LOCATION", "LABELS"],
        ["second", "us-central1", "study=spine,year=2021"],
    ]
    filled.ok("dicom-stores", "delete", "dataset1/second", "-q")
    assert filled.ok("dicom-stores", "list", "--dataset", "dataset1").count("\n") == 2


def test_a_store_goes_by_its_id_by_dataset_and_id_and_by_its_full_name(filled: CommandLine) -> None:
    by_id = filled.ok("dicom-stores", "metrics", "dicomstore1", "--dataset", "dataset1")
    assert filled.ok("dicom-stores", "metrics", "dataset1/dicomstore1") == by_id
    assert filled.ok("dicom-stores", "metrics", f"{DATASET}/dicomStores/dicomstore1") == by_id
    assert filled.ok("dicom-stores", "metrics", "dicomstore1", "--dataset", DATASET) == by_id
    assert yaml.safe_load(by_id)["instanceCount"] == "2"


def test_instances_are_uploaded_and_downloaded_and_a_bad_file_is_counted(
    filled: CommandLine, scans: Path, tmp_path: Path
) -> None:
    (scans / "notes.dcm").write_text("Ana Rivera called")
    uploaded = filled("dicom-stores", "upload", "dataset1/dicomstore1", scans)
    assert uploaded.exit_code == 3
    assert uploaded.stdout == "2 transferred, 1 invalid\n"
    assert "invalid (1 file): not a DICOM file" in uploaded.stderr
    assert "notes.dcm" not in uploaded.output
    named = filled("dicom-stores", "upload", "dataset1/dicomstore1", scans, "--show-paths")
    assert "notes.dcm: not a DICOM file" in named.stderr
    assert "Rivera" not in uploaded.output
    assert filled.ok("dicom-stores", "download", "dataset1/dicomstore1", tmp_path / "out") == "2 transferred\n"
    got = {path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm")}
    assert got == {path.read_bytes() for path in scans.glob("ct-*.dcm")}


def test_a_transfer_to_a_store_that_is_not_there_ends_with_one_line(filled: CommandLine, scans: Path) -> None:
    result = filled("dicom-stores", "upload", "dataset1/none", scans)
    assert result.exit_code == 1
    assert "HTTP 404 NOT_FOUND" in result.stderr
    assert ".message" not in result.stderr


def test_the_services_words_are_printed_when_asked_for_only(filled: CommandLine) -> None:
    silent = filled("datasets", "describe", "nothere")
    assert silent.exit_code == 1
    assert "PERMISSION_DENIED" in silent.stderr
    assert "nothere" not in silent.stderr
    assert "nothere" in filled("datasets", "describe", "nothere", "--server-text").stderr


def test_a_short_name_without_a_project_says_what_is_missing(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLOUDSDK_CORE_PROJECT")
    result = command_line("datasets", "describe", "dataset1")
    assert result.exit_code == 2
    assert "--project is needed" in result.stderr


def test_local_needs_no_service_and_keeps_its_data(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLOUDSDK_CORE_PROJECT", "CLOUDSDK_HEALTHCARE_LOCATION", "HEALTHCARE_EMULATOR_HOST"):
        monkeypatch.delenv(name)
    command_line.ok("datasets", "create", "here", "--local", tmp_path / "lab")
    assert "here" in command_line.ok("datasets", "list", "--local", tmp_path / "lab")
    both = command_line("datasets", "list", "--local", tmp_path / "lab", "--endpoint", "http://localhost:1")
    assert both.exit_code == 2


def test_instances_go_to_cloud_storage_and_come_from_there(filled: CommandLine, tmp_path: Path, scans: Path) -> None:
    filled.ok("dicom-stores", "export", "gcs", "dataset1/dicomstore1", "--gcs-uri-prefix", "gs://bucket/out")
    assert len(list((tmp_path / "bucket").rglob("*.dcm"))) == 2
    (tmp_path / "bucket" / "in").mkdir()
    (tmp_path / "bucket" / "in" / "good.dcm").write_bytes((scans / "ct-1.dcm").read_bytes())
    (tmp_path / "bucket" / "in" / "bad.dcm").write_text("not DICOM")
    filled.ok("dicom-stores", "create", "dataset1/second")
    imported = filled("dicom-stores", "import", "gcs", "dataset1/second", "--gcs-uri", "gs://bucket/in/*.dcm")
    assert imported.exit_code == 3
    assert yaml.safe_load(imported.stdout)["metadata"]["counter"] == {"success": "1", "failure": "1"}
