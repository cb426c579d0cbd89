"""A dry run says what a run would do to how many, and writes nothing."""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.uid import UID
from tests.cli.conftest import run as command_line

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Admission, AdmissionRule, Deidentifier, Pseudonyms
from healthcare_deid.report import DryRun, PixelCounts, RunReport, dry_run
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = DeidentifyConfig.from_api({"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}})
RULES = Admission(refuse=[AdmissionRule(name="ultrasound", modality=["US"])])


def test_of_everything_it_says_what_the_run_then_does(scans: Path, tmp_path: Path, engine: Deidentifier) -> None:
    told = dry_run(scans, engine, admit=RULES)
    report = engine.deidentify_tree(scans, tmp_path / "clean", admit=RULES, workers=1)
    assert report.run is not None
    done = RunReport.of(report.run)
    assert (told.total, told.sampled) == (9, 9)
    assert (told.succeeded, told.duplicates, told.failed) == (report.succeeded, report.duplicates, report.failed)
    assert (told.refused, told.ignored) == (report.refused_by, report.passed_over)
    assert told.failures == Counter((failure.reason, failure.text) for failure in report.failures)
    assert (told.attributes, told.pixels, told.warnings) == (done.attributes, done.pixels, done.warnings)
    assert report.duplicates == report.failed == 1


def test_the_sample_is_the_same_whatever_the_order_and_another_for_another_seed(
    scans: Path, tmp_path: Path, engine: Deidentifier
) -> None:
    for number in range(40):
        (scans / f"letter-{number}.txt").write_text("x" * (number % 3))
    names = [path.name for path in scans.iterdir()]
    outcomes = set[str]()
    for order in (sorted(names), sorted(names, reverse=True)):
        with tarfile.open(tmp_path / "scans.tar", "w") as archive:
            for name in order:
                archive.add(scans / name, name)
        told = dry_run(tmp_path / "scans.tar", engine, sample=10)
        assert (told.total, told.sampled) == (49, 10)
        outcomes.add(json.dumps(told.to_dict()))
    assert len(outcomes) == 1
    others = {json.dumps(dry_run(scans, engine, sample=10, seed=seed).to_dict()["estimate"]) for seed in range(5)}
    assert len(others) > 1


def test_an_estimate_scales_the_sample_to_all() -> None:
    told = DryRun(1000, 50, 0, 40, 0, {"r": 4}, {("a", "b"): 5}, {"c": 1}, {}, [], Any)  # type: ignore[arg-type]
    assert (told.estimate(told.succeeded), told.estimate(told.failed)) == (800, 100)


def sampled(total: int, size: int) -> DryRun:
    return DryRun(total, size, 0, size, 0, {}, {}, {}, {}, [], PixelCounts())


def test_one_of_a_sample_is_no_claim_about_all_but_a_range_that_says_how_sure_it_is() -> None:
    assert sampled(281, 30).between(1) == (1, 47)  # Wilson's interval, 95 %: 0.59 % to 16.67 %
    assert sampled(1000, 100).between(50) == (403, 597)  # 40.4 % to 59.6 %
    assert sampled(281, 30).between(0) == (0, 32)
    assert sampled(281, 30).between(30) == (249, 281)


def test_a_range_never_contradicts_what_was_seen() -> None:
    assert sampled(31, 30).between(15) == (15, 16)
    assert sampled(30, 30).between(4) == (4, 4)
    assert sampled(0, 0).between(0) == (0, 0)


def test_tables_of_pseudonyms_and_vaults_are_not_written(scans: Path, tmp_path: Path) -> None:
    table, vault = tmp_path / "table.csv", tmp_path / "vault.csv"
    before = sorted(tmp_path.rglob("*"))
    told = dry_run(scans, CONFIG, pseudonyms=Pseudonyms.sequential(table), vault=vault)
    assert told.succeeded == 5
    assert sorted(tmp_path.rglob("*")) == before
    engine = Deidentifier(CONFIG, pseudonyms=Pseudonyms.sequential(table))
    engine.deidentify_tree(scans, tmp_path / "clean", workers=1)
    (scans / "another.dcm").write_bytes(another_patient())
    rows = table.read_bytes()
    assert dry_run(scans, engine).succeeded == 6
    assert table.read_bytes() == rows


def test_on_the_command_line_nothing_is_written_anywhere(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(tmp_path / "keys"))
    config = tmp_path / "config.json"
    config.write_text(CONFIG.to_json())
    words = ("files", scans, tmp_path / "clean", "--config", config, "--dry-run", "--refuse", "derived")
    before = sorted(tmp_path.rglob("*"))
    text = command_line(*words, "--secret-file", tmp_path / "new.secret", "--sample", "4")
    assert text.exit_code == 0, text.stderr
    assert "9 files, 4 of them looked at; nothing was written." in text.stdout
    assert re.search(r"^\d of 4 \(\d to \d of all\) would be de-identified$", text.stdout, re.MULTILINE)
    assert "(0010,0010) PatientName" in text.stdout
    told = json.loads(command_line(*words, "--format", "json", "--quiet").stdout)
    assert (told["total"], told["sampled"]) == (9, 9)
    assert sum(told["estimate"].values()) == 9
    assert sorted(tmp_path.rglob("*")) == before
    for sample in sample_dicom():
        assert sample.person.patient_id not in text.output
        assert sample.person.patient_id not in json.dumps(told)


def test_a_source_without_dicom_is_an_error_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "letter.txt").write_text("Dear colleague")
    result = command_line("files", tmp_path / "scans", tmp_path / "clean", "--dry-run")
    assert result.exit_code == 1
    assert "1 would be passed over: not a DICOM file" in result.stdout


def test_a_sample_of_none_is_refused(scans: Path, engine: Deidentifier) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        dry_run(scans, engine, sample=0)


def another_patient() -> bytes:
    dataset = sample_dicom()[0].dataset
    dataset.PatientID, dataset.SOPInstanceUID = "ZZ-1", UID("1.2.826.0.1.77")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def engine() -> Deidentifier:
    return Deidentifier(CONFIG)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """The samples, one of them twice, a broken file and two letters."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, sample in enumerate(sample_dicom()):
        sample.dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    (folder / "copy.dcm").write_bytes((folder / "0.dcm").read_bytes())
    (folder / "broken.dcm").write_text("no image")
    for number in range(2):
        (folder / f"{number}.txt").write_text("Dear colleague")
    return folder
