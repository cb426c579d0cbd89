"""De-identification and operations on the command line: the tutorial's steps, the exit codes, the keys."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pydicom
import pytest
import yaml

from healthcare_deid import presets
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import CommandLine

PARENT = "projects/my-project/locations/us-central1/datasets"
KEY = base64.b64encode(bytes(range(7, 39))).decode()
TUTORIAL_KEY = "U2FsdGVkX19bS2oZsdbK9X5zi2utBn22uY+I2Vo0zOU="


def downloaded(command_line: CommandLine, dataset: str, folder: Path) -> list[pydicom.FileDataset]:
    command_line.ok("dicom-stores", "download", f"{dataset}/dicomstore1", folder)
    return [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]


def test_the_tutorials_gcloud_command_and_the_look_at_its_operation_work_with_our_name_for_gcloud(
    filled: CommandLine, tmp_path: Path
) -> None:
    tags = ",".join(presets.TUTORIAL_KEEP_TAGS)
    issued = filled(
        "datasets", "deidentify", "dataset1", "--location", "us-central1", f"--dicom-filter-tags={tags}",
        "--text-redaction-mode", "all", "--destination-dataset", f"{PARENT}/deid-dataset1", "--async",
    )  # fmt: skip
    assert issued.exit_code == 0, issued.stderr
    assert "Request issued for: [dataset1]" in issued.stderr
    name = yaml.safe_load(issued.stdout)["name"]
    operation = name.rpartition("/")[2]
    assert f"Check operation [{name}] for status." in issued.stderr

    filled.ok("operations", "wait", name)
    described = yaml.safe_load(filled.ok("operations", "describe", "--dataset", "dataset1", operation))
    assert described["done"] is True
    assert described["name"] == name
    assert described["metadata"]["apiMethodName"].endswith("DeidentifyDataset")
    assert described["metadata"]["counter"] == {"success": "2"}
    assert described["response"]["@type"].endswith("DeidentifySummary")
    person = sample_dicom()[0].person
    for instance in downloaded(filled, "deid-dataset1", tmp_path / "out"):
        assert "PatientName" not in instance
        assert person.patient_id not in str(instance)
    filled.ok("datasets", "delete", "deid-dataset1", "-q")


def test_use_case_two_takes_its_key_from_a_file_and_shifts_by_it_every_time(
    filled: CommandLine, tmp_path: Path
) -> None:
    filled.ok("config", "new-key", tmp_path / "key.txt")
    dates: set[str] = set()
    for destination in ("first", "second"):
        filled.ok(
            "datasets", "deidentify", "dataset1", "--destination-dataset", destination,
            "--config-file", contents_without_pixels(tmp_path), "--crypto-key-file", tmp_path / "key.txt",
        )  # fmt: skip
        for instance in downloaded(filled, destination, tmp_path / destination):
            dates.add(instance.StudyDate)
            assert "RIVERA" not in str(instance.PatientName).upper()
            assert set(instance.PatientTelephoneNumbers) == {"*"}
    (date,) = dates
    assert date != sample_dicom()[0].study_date


def contents_without_pixels(folder: Path) -> Path:
    path = folder / "contents.yaml"
    path.write_text(presets.transform_contents_and_sensitive_text().model_copy(update={"image": None}).to_yaml())
    return path


@pytest.mark.parametrize("source", ["variable", "prompt"])
def test_a_key_comes_from_the_environment_or_a_prompt_and_is_never_shown(
    filled: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    words = ["datasets", "deidentify", "dataset1", "--destination-dataset", "out"]
    words += ["--config-file", str(contents_without_pixels(tmp_path))]
    if source == "variable":
        monkeypatch.setenv("HEALTHCARE_DEID_CRYPTO_KEY", KEY)
        result = filled(*words)
    else:
        result = filled(*words, "--ask-crypto-key", stdin=f"{KEY}\n")
    assert result.exit_code == 0, result.stderr
    assert "key-missing" not in result.stderr
    assert KEY not in result.output


def test_a_key_file_that_others_can_read_is_warned_of(filled: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(KEY)
    (tmp_path / "key.txt").chmod(0o644)
    words = ["datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--dry-run"]
    words += ["--config-file", str(contents_without_pixels(tmp_path))]
    assert "chmod 600" in filled(*words, "--crypto-key-file", tmp_path / "key.txt").stderr
    (tmp_path / "key.txt").chmod(0o600)
    assert "chmod 600" not in filled(*words, "--crypto-key-file", tmp_path / "key.txt").stderr


def test_a_key_that_is_none_is_refused_without_being_shown(
    filled: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCARE_DEID_CRYPTO_KEY", "bm90LWEta2V5")
    config = contents_without_pixels(tmp_path)
    result = filled("datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", config)
    assert result.exit_code == 2
    assert "HEALTHCARE_DEID_CRYPTO_KEY" in result.stderr
    assert "bm90" not in result.output


def test_a_key_that_nothing_needs_is_a_mistake(filled: CommandLine, tags_only: Path, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(KEY)
    result = filled(
        "datasets", "deidentify", "dataset1", "--destination-dataset", "out",
        "--config-file", tags_only, "--crypto-key-file", tmp_path / "key.txt",
    )  # fmt: skip
    assert result.exit_code == 2


def test_a_config_with_the_tutorials_printed_key_is_not_started_unless_insisted_on(
    filled: CommandLine, tmp_path: Path
) -> None:
    (tmp_path / "published.txt").write_text(TUTORIAL_KEY)
    words = ["datasets", "deidentify", "dataset1", "--destination-dataset", "out"]
    words += ["--config-file", str(contents_without_pixels(tmp_path))]
    words += ["--crypto-key-file", str(tmp_path / "published.txt")]
    refused = filled(*words)
    assert refused.exit_code == 1
    assert "key-published" in refused.stderr
    assert TUTORIAL_KEY not in refused.output
    assert "out" not in filled.ok("datasets", "list")
    assert filled(*words, "--ignore-findings").exit_code == 0


def test_a_dry_run_says_what_would_go_wrong_and_starts_nothing(filled: CommandLine, tags_only: Path) -> None:
    words = ["datasets", "deidentify", "dataset1", "--config-file", str(tags_only), "--dry-run"]
    fine = filled(*words, "--destination-dataset", "out")
    assert fine.exit_code == 0
    assert "2 instances" in fine.stdout
    taken = filled(*words, "--destination-dataset", "dataset1")
    assert taken.exit_code == 1
    assert "error" in taken.stdout
    assert "out" not in filled.ok("datasets", "list")


def test_saying_nothing_about_what_to_remove_is_refused(filled: CommandLine) -> None:
    result = filled("datasets", "deidentify", "dataset1", "--destination-dataset", "out")
    assert result.exit_code == 2
    assert "say what to remove" in result.stderr


def test_two_configs_are_refused(filled: CommandLine, tags_only: Path) -> None:
    words = ["datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", str(tags_only)]
    for more in (["--preset", "minimal"], ["--default-fhir-config"], ["--gcs-config-uri", "gs://bucket/config.json"]):
        assert filled(*words, *more).exit_code == 2


def test_a_key_cannot_be_put_into_a_config_that_the_service_reads(filled: CommandLine, tmp_path: Path) -> None:
    words = ("datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--gcs-config-uri", "gs://bucket/c")
    (tmp_path / "key.txt").write_text(KEY)
    assert filled(*words, "--crypto-key-file", tmp_path / "key.txt").exit_code == 2


def test_a_config_in_cloud_storage_is_read_by_the_service(filled: CommandLine, tags_only: Path, tmp_path: Path) -> None:
    (tmp_path / "bucket" / "config.json").write_text(tags_only.read_text())
    words = ("datasets", "deidentify", "dataset1", "--gcs-config-uri", "gs://bucket/config.json")
    assert "config-missing" not in filled(*words, "--destination-dataset", "out", "--dry-run").stdout
    ended = yaml.safe_load(filled.ok(*words, "--destination-dataset", "out"))
    assert ended["metadata"]["counter"] == {"success": "2"}
    assert all("PatientName" not in instance for instance in downloaded(filled, "out", tmp_path / "out"))


def test_a_dicom_store_is_deidentified_into_one_that_exists(filled: CommandLine, tags_only: Path) -> None:
    filled.ok("datasets", "create", "clean")
    filled.ok("dicom-stores", "create", "clean1", "--dataset", "clean")
    words = ["dicom-stores", "deidentify", "dicomstore1", "--dataset", "dataset1", "--config-file", str(tags_only)]
    ended = json.loads(filled.ok(*words, "--destination-store", "clean/clean1", "--format", "json"))
    assert ended["state"] == "SUCCEEDED"
    assert json.loads(filled.ok("dicom-stores", "metrics", "clean/clean1", "--format", "json"))["instanceCount"] == "2"
    missing = filled(*words, "--destination-store", "clean/none")
    assert missing.exit_code == 1


def test_a_fhir_store_that_is_not_there_is_one_line(filled: CommandLine) -> None:
    words = ["fhir-stores", "deidentify", "fhir1", "--dataset", "dataset1", "--destination-store", "fhir2"]
    result = filled(*words, "--default-fhir-config", "--resource", "Patient/1")
    assert result.exit_code == 1
    assert "HTTP 404" in result.stderr
    assert "say what to remove" in filled(*words).stderr


# How it ends


def test_a_partial_failure_is_printed_and_has_an_exit_code_of_its_own(filled: CommandLine, tags_only: Path) -> None:
    filled.emulator.faults.fail_instances(times=1)
    result = filled("datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", tags_only)
    assert result.exit_code == 3
    ended = yaml.safe_load(result.stdout)
    assert ended["state"] == "PARTIAL"
    assert "1 of 2 failed and are missing in the destination" in result.stderr
    assert filled("operations", "wait", ended["name"], "--format", "value(name)").stdout == f"{ended['name']}\n"
    assert filled("operations", "wait", ended["name"]).exit_code == 3


def test_what_still_runs_after_the_timeout_says_how_to_go_on(filled: CommandLine, tags_only: Path) -> None:
    filled.emulator.faults.hold_operations(1000)
    result = filled(
        "datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", tags_only,
        "--timeout", "0.05",
    )  # fmt: skip
    assert result.exit_code == 6
    assert "healthcare-deid operations wait projects/" in result.stderr
    filled.emulator.faults.clear()
    (row,) = [line for line in filled.ok("operations", "list", "--dataset", "dataset1").splitlines() if "Deid" in line]
    assert filled("operations", "wait", row.split()[0], "--dataset", "dataset1").exit_code == 0


def test_ctrl_c_leaves_the_operation_and_says_how_to_go_on(
    filled: CommandLine, tags_only: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("healthcare_deid.client.operation.operation.Operation.wait", interrupted)
    result = filled("datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", tags_only)
    assert result.exit_code == 130
    assert "goes on; 'healthcare-deid operations wait projects/" in result.stderr
    filled.emulator.settle(30)


def test_a_cancelled_operation_is_cancelled(filled: CommandLine, tags_only: Path) -> None:
    filled.emulator.faults.hold_operations(1)
    issued = filled.ok(
        "datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", tags_only, "--async"
    )
    name = yaml.safe_load(issued)["name"]
    refused = filled("operations", "cancel", name, stdin="n\n")
    assert refused.exit_code == 1
    assert filled("operations", "cancel", name, "-q").exit_code == 0
    assert filled("operations", "wait", name).exit_code in {0, 5}


@pytest.mark.parametrize("verb", ["describe", "wait"])
def test_an_operation_that_nobody_knows_is_no_success(filled: CommandLine, verb: str) -> None:
    result = filled("operations", verb, "12345", "--dataset", "dataset1")
    assert result.exit_code == 7
    assert result.stdout == ""


def test_async_has_no_meaning_where_the_operation_ends_with_the_command(
    filled: CommandLine, tags_only: Path, tmp_path: Path
) -> None:
    result = filled(
        "datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", tags_only,
        "--local", tmp_path / "lab", "--async",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "would end with this process" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["minimal", "tutorial-tags", "contents"])
def test_every_preset_covers_the_burned_in_name(
    filled: CommandLine, tmp_path: Path, preset: str, read_text: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCARE_DEID_CRYPTO_KEY", KEY)
    assert "RIVERA" in read_text(sample_dicom()[0].dataset.pixel_array)
    filled.ok("datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--preset", preset)
    instances = downloaded(filled, "out", tmp_path / "out")
    assert len(instances) == 2
    for instance in instances:
        assert "RIVERA" not in read_text(instance.pixel_array)
