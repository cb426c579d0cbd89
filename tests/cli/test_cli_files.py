"""``files``: a folder de-identified on this machine, and what of its names comes through."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pydicom
import pytest

from healthcare_deid import presets
from healthcare_deid.engine.runs.ledger import MOST_WARNED
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

PERSON = sample_dicom()[0].person


def test_files_are_deidentified_and_a_bad_one_is_counted(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / "notes.dcm").write_text("Ana Rivera called")
    result = cli("files", scans, tmp_path / "clean", "--config", tags_only, "--workers", "1")
    assert result.exit_code == 3
    assert result.stdout == "2 de-identified, 1 failed, 0 skipped\n"
    assert "failed (1 file): not-dicom: not a DICOM file\n--show-paths names it\n" in result.stderr
    assert "3 of 3 files, 1 failed (0:" in result.stderr
    assert "Rivera" not in result.output
    written = list((tmp_path / "clean").rglob("*.dcm"))
    assert len(written) == 2
    for path in written:
        assert PERSON.patient_id.encode() not in path.read_bytes()
        assert pydicom.dcmread(path).PatientIdentityRemoved == "YES"


def test_files_that_fail_are_named_only_when_asked_for(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / "Rivera^Ana").mkdir()
    for number in range(30):
        (scans / "Rivera^Ana" / f"{number}.dcm").write_text("no instance")
    words = ("files", scans, tmp_path / "clean", "--config", tags_only, "--workers", "1")
    silent = cli(*words)
    assert "failed (30 files): not-dicom" in silent.stderr
    assert "Rivera" not in silent.output
    told = cli(*words, "--show-paths")
    assert told.stderr.count("failed: Rivera^Ana/") == 30


def test_files_with_a_warning_are_named_when_asked_for_even_if_an_earlier_run_made_their_results(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    config = tmp_path / "keep.json"
    config.write_text('{"dicom": {"keepList": {"tags": ["StudyDate"]}}}')
    words = ("files", scans, tmp_path / "clean", "--config", config, "--workers", "1")
    original = pydicom.dcmread(next(scans.glob("*.dcm")))
    (scans / "Rivera^Ana").mkdir()

    def add(number: int, name: str) -> None:
        original.SOPInstanceUID, original.StudyDate = f"1.2.{number}", "20010203"
        original.save_as(scans / name, enforce_file_format=True)
        (scans / name).write_bytes((scans / name).read_bytes().replace(b"20010203", b"tomorrow"))

    add(0, "Rivera^Ana/0.dcm")
    silent = cli(*words)
    warning = "a value that is invalid for its VR, and so may hold anything, was emptied"
    assert f"warning (1 result): {warning}\n--show-paths names the files with warnings\n" in silent.stderr
    assert "Rivera" not in silent.output

    for number in range(1, MOST_WARNED + 1):
        add(number, f"Rivera^Ana/{number}.dcm")
    again = cli(*words, "--show-paths")
    assert f"warning ({MOST_WARNED} results): {warning}\n" in again.stderr
    assert again.stderr.count("\nwarning: Rivera^Ana/") == MOST_WARNED
    assert f"of a warning, {MOST_WARNED} files at most are named\n" in again.stderr

    shutil.rmtree(scans / "Rivera^Ana")
    add(0, "0.dcm")
    skipped = cli(*words, "--show-paths", "--log-format", "json")
    assert skipped.stdout == "0 de-identified, 0 failed, 3 skipped\n"
    events = [json.loads(line) for line in skipped.stderr.splitlines()]
    (named,) = (event for event in events if event["event"] == "file")
    assert (named["outcome"], named["path"], named["message"]) == ("warning", "0.dcm", f"warning: 0.dcm: {warning}")


def test_an_unforeseen_error_is_one_line_without_its_text(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("Rivera^Ana")

    monkeypatch.setattr("healthcare_deid.engine.Deidentifier.deidentify_tree", broken)
    result = cli("files", scans, tmp_path / "clean", "--config", tags_only)
    assert result.exit_code == 1
    assert "Error: unexpected KeyError at " in result.stderr
    assert "Rivera" not in result.output


def test_a_second_run_does_what_is_missing_unless_told_to_write_all_again(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    words = ("files", scans, tmp_path / "clean", "--config", tags_only, "--quiet")
    assert cli(*words).stdout.startswith("2 de-identified")
    again = cli(*words)
    assert again.stdout == "0 de-identified, 0 failed, 2 skipped\n"
    assert "of 2 files" not in again.stderr
    assert cli(*words, "--overwrite").stdout.startswith("2 de-identified")


def test_a_finding_that_an_option_sees_to_is_not_printed(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"dicom": {"keepList": {"tags": ["StudyDate", "PatientID", "Modality"]}}}')
    words = ("files", scans, tmp_path / "clean", "--config-file", config, "--dry-run")

    said = cli(*words).stderr
    seen_to = cli(*words, "--shift-dates", "--pseudonyms", "keyed", "--secret-file", tmp_path / "secret").stderr

    assert "keep-dates" in said
    assert "keep-identifier" in said
    assert "keep-dates" not in seen_to
    assert "keep-identifier" not in seen_to


def test_names_of_the_source_come_through_only_when_asked_for(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    folder = scans / "Rivera^Ana"
    folder.mkdir()
    (scans / "ct-1.dcm").rename(folder / "ct-1.dcm")
    words = ("files", scans, "--config", tags_only)
    cli(*words, tmp_path / "clean", "--name-map", tmp_path / "names.csv")
    assert not any("Rivera" in str(path) for path in (tmp_path / "clean").rglob("*"))
    assert "Rivera^Ana/ct-1.dcm" in (tmp_path / "names.csv").read_text()
    assert (tmp_path / "names.csv").stat().st_mode & 0o077 == 0
    cli(*words, tmp_path / "kept", "--keep-names")
    assert (tmp_path / "kept" / "Rivera^Ana" / "ct-1.dcm").is_file()


def test_what_was_done_goes_into_the_run_folder_and_a_copy_where_asked(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    words = ("files", scans, tmp_path / "clean", "--config", tags_only)
    cli(*words, "--record", tmp_path / "record.jsonl")

    told = list(read_record(tmp_path / "record.jsonl"))
    assert {entry["result"] for entry in told} == {
        path.relative_to(tmp_path / "clean").as_posix() for path in (tmp_path / "clean").rglob("*.dcm")
    }
    assert all("PatientName" in {change["keyword"] for change in entry["changes"]} for entry in told)
    run = tmp_path / "clean.run"
    assert {"manifest.json", "record.jsonl", "failures.csv", "summary.json"} <= {path.name for path in run.iterdir()}
    for path in run.iterdir():
        assert PERSON.patient_id.encode() not in path.read_bytes()
    assert cli(*words, "--record", tmp_path / "clean" / "record.jsonl").exit_code == 2


def test_a_changed_config_is_refused_with_the_difference_in_words(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    words = ("files", scans, tmp_path / "clean", "-q")
    assert cli(*words, "--config", tags_only).exit_code == 0
    refused = cli(*words, "--config", tags_only, "--other-uids", "map", "--run", tmp_path / "clean.run")
    assert refused.exit_code == 1
    assert "options.other_uids: profile there, map now" in refused.stderr
    assert cli(*words, "--config", tags_only, "--other-uids", "map", "--overwrite").exit_code == 0


def test_a_source_without_dicom_has_an_exit_code_other_than_0_and_says_why(
    cli: Callable[..., Result], tags_only: Path, tmp_path: Path
) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "AUTORUN.INF").write_text("[autorun]")
    result = cli("files", tmp_path / "share", tmp_path / "clean", "--config", tags_only)
    assert result.exit_code == 1
    assert "SOURCE holds no DICOM file" in result.stderr
    assert "ignored (1 file): not a DICOM file" in result.stderr


def test_the_engine_takes_its_own_arguments(cli: Callable[..., Result], scans: Path, tmp_path: Path) -> None:
    config, salt = tmp_path / "basic.json", tmp_path / "salt"
    config.write_text('{"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}')
    salt.write_text("a secret of more than sixteen bytes")
    words = ("files", scans, tmp_path / "clean", "--config", config)
    given = ("--edition", "2026d", "--option", "retain_device_identity", "--salt-file", salt)
    assert cli(*words, *given).exit_code == 0

    for path in (tmp_path / "clean").rglob("*.dcm"):
        new = pydicom.dcmread(path)
        assert new.SOPInstanceUID.startswith("2.25.")
        assert "113109" in {item.CodeValue for item in new.DeidentificationMethodCodeSequence}
    refused = cli(*words, "--option", "retain_everything")
    assert refused.exit_code != 0
    assert "retain_device_identity" in refused.output  # the names there are


def test_ctrl_c_has_an_exit_code_of_its_own_and_says_how_to_go_on(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("healthcare_deid.engine.Deidentifier.deidentify_tree", interrupted)
    result = cli("files", scans, tmp_path / "clean", "--config", tags_only)
    assert result.exit_code == 130
    assert "the same command does the rest" in result.stderr


def test_results_cannot_be_mixed_with_the_source_or_with_its_names(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    words = ("files", scans, "--config", tags_only)
    assert cli(*words, scans / "clean").exit_code == 2
    assert cli(*words, tmp_path / "clean", "--name-map", tmp_path / "clean" / "names.csv").exit_code == 2
    assert cli(*words, tmp_path / "clean", "--name-map", scans / "names.csv").exit_code == 2
    assert not (tmp_path / "clean").exists()


def test_a_config_that_leaves_something_open_is_warned_of_and_a_wrong_one_does_not_start(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    (tmp_path / "open.json").write_text('{"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}')
    warned = cli("files", scans, tmp_path / "clean", "--config", tmp_path / "open.json")
    assert warned.exit_code == 0
    assert "warning tags-kept" in warned.stderr
    (tmp_path / "empty.json").write_text("{}")
    refused = cli("files", scans, tmp_path / "none", "--config", tmp_path / "empty.json")
    assert refused.exit_code == 1
    assert "error config-empty" in refused.stderr
    assert not (tmp_path / "none").exists()


def test_a_secret_that_the_run_makes_is_told_even_when_quiet_and_keys_the_config(
    cli: Callable[..., Result], scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCARE_DEID_KEY_FOLDER", str(tmp_path / "keys"))
    config = tmp_path / "deid.json"
    shifted = presets.transform_contents_and_sensitive_text().model_copy(update={"image": None})
    config.write_text(shifted.to_json())
    words = ("files", scans, tmp_path / "clean", "--config-file", config, "--quiet")
    first, again = cli(*words), cli(*words)
    assert (first.exit_code, again.exit_code) == (0, 0)
    (secret,) = (tmp_path / "keys").iterdir()
    assert first.stderr.count(f"a new secret was made: {secret}, fingerprint {secret.stem}") == 1
    assert "Keep it, away from the results" in first.stderr
    assert "secret" not in again.stderr
    assert "key-missing" not in first.stderr, "the run's secret keys it"
    assert "key-missing" in cli("config", "check", config).stdout
    secret.unlink()
    for line in map(json.loads, cli(*words, "--log-format", "json", "--overwrite").stderr.splitlines()):
        if "a new secret was made" in line.get("message", ""):
            assert (line["event"], line["level"]) == ("message", "warning")
            break
    else:
        pytest.fail("the secret was not told")


@pytest.mark.parametrize("more", [("--preset", "minimal"), ("--ask-crypto-key",)])
def test_two_configs_or_a_key_for_nothing_are_a_wrong_command_line(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert cli("files", scans, tmp_path / "clean", "--config", tags_only, *more, stdin=key).exit_code == 2


def test_paths_may_come_from_standard_input(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    paths = "".join(f"{path}\n" for path in sorted(scans.iterdir()))
    result = cli("files", "-", tmp_path / "clean", "--config", tags_only, "-q", stdin=paths)
    assert result.stdout == "2 de-identified, 0 failed, 0 skipped\n"


def test_a_summary_is_json_when_asked_for(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / "notes.dcm").write_text("Ana Rivera called")
    result = cli("files", scans, tmp_path / "clean", "--config", tags_only, "-q", "--format", "json")
    told = json.loads(result.stdout)
    assert (told["found"], told["succeeded"], told["failed"]) == (3, 2, 1)
    assert told["failuresByReason"] == {"not-dicom": 1}
    assert result.exit_code == 3


def test_a_name_cannot_steer_the_terminal_or_begin_a_line(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    (scans / "a\n\x1b[2Jwarning: é.dcm").write_text("no instance")
    told = cli("files", scans, tmp_path / "clean", "--config", tags_only, "--workers", "1", "--show-paths")
    assert "failed: a\\n\\x1b[2Jwarning: é.dcm: not-dicom" in told.stderr


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_a_second_ocr_says_how_much_it_still_reads(cli: Callable[..., Result], scans: Path, tmp_path: Path) -> None:
    told = cli("files", scans, tmp_path / "clean", "--verify", "tesseract", "--workers", "1")
    assert "2 de-identified" in told.stdout
    assert "a second OCR reads 0 lines of text in the pixels of the results\n" in told.stdout


def test_a_second_ocr_is_refused_where_pixels_are_left_alone(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    told = cli("files", scans, tmp_path / "clean", "--config", tags_only, "--verify", "tesseract")
    assert told.exit_code != 0
    assert "verify looks at what covering burned-in text left" in told.stderr


def test_what_may_leave_is_said_by_rules_and_by_short_options(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("refuse: [{name: small, rows: {max: 9999}}]")
    words = ("files", scans, "--config", tags_only, "--workers", "1")
    refused = cli(*words, tmp_path / "none", "--admit", rules)
    assert refused.exit_code == 0
    assert refused.stdout == "0 de-identified, 0 failed, 0 skipped, 2 refused\n"
    assert "refused (2 files): small" in refused.stderr
    assert not list((tmp_path / "none").rglob("*.dcm"))
    only = cli(*words, tmp_path / "some", "--only-modality", "US", "--refuse", "document", "--format", "json")
    told = json.loads(only.stdout)
    assert told["found"] == told["succeeded"] + told["refused"]
    assert told["refusedByRule"] == {"no rule admits it": told["refused"]}
    rules.write_text("admit: [{name: ct, modality: [CT]}]")
    assert cli(*words, tmp_path / "clean", "--admit", rules, "--only-modality", "US").exit_code == 2


def test_the_report_of_a_run_is_made_again_by_a_command(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    assert cli("report", scans).exit_code == 1
    cli("files", scans, tmp_path / "clean", "--config", tags_only, "--workers", "1")
    page = tmp_path / "clean.run" / "report.html"
    page.unlink()
    told = cli("report", tmp_path / "clean")
    assert told.exit_code == 0
    assert "complete: 2 results" in told.stdout
    assert "not checked: Pixels: nobody looked" in told.stdout
    assert page.is_file()
    as_json = json.loads(cli("report", tmp_path / "clean.run", "--format", "json").stdout)
    assert [run["command"] for run in as_json["passes"]] == ["healthcare-deid files"]
    assert as_json["counts"]["found"] == 2
    assert {one["keyword"] for one in as_json["attributes"] if one["removed"] + one["emptied"]} >= {"PatientName"}


def test_the_report_of_a_run_proves_that_no_file_was_lost(
    cli: Callable[..., Result], scans: Path, tags_only: Path, tmp_path: Path
) -> None:
    shutil.copy(scans / "ct-1.dcm", scans / "again.dcm")
    (scans / "letter.txt").write_text("no DICOM")
    (scans / "broken.dcm").write_text("no DICOM")
    assert cli("files", scans, tmp_path / "clean", "--config", tags_only).exit_code == 3
    counts = json.loads(cli("report", tmp_path / "clean", "--format", "json").stdout)["counts"]
    parts = ("succeeded", "duplicates", "skipped", "failed", "refused")
    assert [counts[part] for part in parts] == [2, 1, 0, 1, 0]
    assert counts["found"] == sum(counts[part] for part in parts)
    assert counts["found"] + counts["ignored"] == len([*scans.iterdir()])


def test_an_entry_of_safe_private_that_fits_no_element_is_named_at_the_end(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    told = cli("files", scans, tmp_path / "clean", "--preset", "minimal", "--safe-private", "GEMS_ACQ_01,0019,02")
    assert "--safe-private GEMS_ACQ_01,0019,02 fits no element of any result" in told.stderr
