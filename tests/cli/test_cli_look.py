"""``compare``, ``audit`` and ``demo``: looking at what de-identification did."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pydicom
import pytest
from PIL import Image
from pydicom.dataelem import RawDataElement
from tests.report.run_made import make_run

from healthcare_deid import presets
from healthcare_deid.cli.output import write_report
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.runs.run_report import RunReport
from healthcare_deid.report import Decision, Review
from healthcare_deid.testing import sample_dicom, write_samples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

PERSON = sample_dicom()[0].person
WORDS = (*PERSON.name.split("^"), PERSON.patient_id, PERSON.birth_date, PERSON.address)


@pytest.fixture
def clean(scans: Path, tmp_path: Path) -> Path:
    """Return a folder with the scans' counterparts, named otherwise."""
    config = presets.remove_metadata_and_all_text().model_copy(update={"image": None})
    engine = Deidentifier(config)
    for number, scan in enumerate(sorted(scans.iterdir())):
        engine.deidentify_file(scan, tmp_path / "clean" / "study" / f"{number}.dcm")
    return tmp_path / "clean"


def no_value_in(text: str) -> bool:
    return not any(word in text for word in WORDS)


# compare


def test_folders_are_compared_by_uid(cli: Callable[..., Result], scans: Path, clean: Path) -> None:
    result = cli("compare", scans, clean)
    assert result.exit_code == 0, result.stderr
    assert "(2 instances" in result.stdout
    assert "\nremoved " in result.stdout
    assert "pixels " not in result.stdout, "no pixel changed: there is nothing to say"
    assert no_value_in(result.output)


def test_json_names_every_element_and_its_verdict(cli: Callable[..., Result], scans: Path, clean: Path) -> None:
    entries = json.loads(cli("compare", scans, clean, "--format", "json").stdout)
    assert [entry["before"] for entry in entries] == [str(path) for path in sorted(scans.iterdir())]
    verdicts = {element["name"]: element["verdict"] for element in entries[0]["elements"]}
    assert verdicts["PatientName"] == "removed"
    assert verdicts["Rows"] == "kept"
    assert verdicts["SOPInstanceUID"] == "changed"
    assert entries[0]["pixels"]["changedFrames"] == 0
    assert no_value_in(json.dumps(entries))


@pytest.mark.parametrize("command", ["review", "report"])
def test_a_folder_beside_which_no_run_folder_stands_is_told(
    cli: Callable[..., Result], scans: Path, command: str
) -> None:
    result = cli(command, scans)
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: there is no run folder: name it, or the folder of results beside it\n",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_with_what_to_do(cli: Callable[..., Result], scans: Path, clean: Path) -> None:
    result = cli("compare", scans, clean, "--format", "csv", "-o", "/dev/full")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "Error: No space left on device; make room and run the same command again: a run goes on where it stopped"
    )


def test_the_comparison_is_a_page_and_a_table_of_every_element(
    cli: Callable[..., Result], scans: Path, clean: Path, tmp_path: Path
) -> None:
    assert cli("compare", scans, clean, "--format", "html", "-o", tmp_path / "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count('class="view"') == 2
    assert no_value_in(page)
    lines = cli("compare", scans, clean, "--format", "csv", "--no-pixels").stdout.splitlines()
    assert lines[0] == "before,after,path,name,vr,verdict"
    assert any(line.endswith(",PatientName,PN,removed") for line in lines)


def test_pictures_are_written_side_by_side(
    cli: Callable[..., Result], scans: Path, clean: Path, tmp_path: Path
) -> None:
    assert cli("compare", scans, clean, "--pictures", tmp_path / "pictures").exit_code == 0
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert len(pictures) == 2
    with Image.open(pictures[0]) as picture:
        assert picture.width > 2 * 400


def test_an_instance_without_a_counterpart_is_told(cli: Callable[..., Result], scans: Path, clean: Path) -> None:
    (clean / "study" / "1.dcm").unlink()
    words = ("compare", scans, clean, "--no-pixels")
    result = cli(*words)
    assert result.exit_code == 3
    assert "no counterpart (1 file)\n--show-paths names it\n" in result.stderr
    assert "name the run folder with --run" in result.stderr
    assert "ct-" not in result.output
    assert f"no counterpart: {scans}" in cli(*words, "--show-paths").stderr
    assert "(1 instance;" in result.stdout


def test_pixels_that_were_not_compared_are_told_in_words_and_the_exit_code_is_3(
    cli: Callable[..., Result], scans: Path, clean: Path
) -> None:
    result = pydicom.dcmread(clean / "study" / "1.dcm")
    result.Rows = 4 * result.Rows
    result.save_as(clean / "study" / "1.dcm")
    told = cli("compare", scans, clean)
    assert told.exit_code == 3
    why = "the pixel data is shorter than its attributes say (in the result)"
    assert f"pixels not compared (1 file): {why}" in told.stderr
    assert f"pixels not compared: {scans}" in cli("compare", scans, clean, "--show-paths").stderr


def test_many_files_with_one_outcome_are_one_line(cli: Callable[..., Result], tmp_path: Path) -> None:
    scans, clean = tmp_path / "scans", tmp_path / "clean"
    config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
    write_samples(scans)
    Deidentifier(config, secret=bytes(range(32))).deidentify_tree(scans, clean, workers=1)
    exported = tmp_path / "release"
    shutil.copytree(clean, exported)
    for path in sorted(exported.rglob("*.dcm"))[1:]:
        path.unlink()
    for path in (scans / "a.dcm", scans / "b.dcm"):
        path.write_text("no DICOM")
    lost = cli("compare", scans, exported, "--no-pixels", "--quiet")
    assert "no counterpart (5 files)" in lost.stderr
    assert "not read (2 files): not a DICOM file" in lost.stderr
    assert "name the run folder with --run" in lost.stderr
    assert len(lost.stderr.splitlines()) == 4
    found = cli("compare", scans, exported, "--no-pixels", "--quiet", "--run", tmp_path / "clean.run")
    assert "no counterpart (4 files)" in found.stderr
    assert "--run" not in found.stderr


def test_the_table_names_a_few_tags_of_each_outcome_and_says_how_to_see_all(
    cli: Callable[..., Result], scans: Path, clean: Path
) -> None:
    *lines, last = cli("compare", scans, clean, "--no-pixels").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) < 40
    removed = "".join(lines).partition("removed ")[2].partition("added ")[0]
    assert removed.count("×") <= 12
    assert "… " in removed
    assert last == "--format html or csv lists every element of every instance"


def test_two_files_are_compared_whatever_they_are(cli: Callable[..., Result], scans: Path, clean: Path) -> None:
    result = cli("compare", scans / "ct-1.dcm", clean / "study" / "1.dcm", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["after"] == str(clean / "study" / "1.dcm")


# audit


def test_originals_fail_the_audit_and_results_pass_it(cli: Callable[..., Result], scans: Path, clean: Path) -> None:
    originals = cli("audit", scans)
    assert originals.exit_code == 8
    assert "PatientName  2\n" in originals.stdout
    assert no_value_in(originals.output)
    assert cli("audit", scans, "--fail-on", "never").exit_code == 0
    results = cli("audit", clean)
    assert results.exit_code == 0
    assert "2 instances: 0 errors, 0 warnings" in results.stdout
    one = cli("audit", next(clean.rglob("*.dcm")))
    assert "1 instance: 0 errors, 0 warnings" in one.stdout
    assert "Burned-in text was not looked for." in results.stdout
    assert "MINIMAL_KEEP_LIST_PROFILE  2" in results.stdout


def test_the_audit_as_json_has_every_finding(cli: Callable[..., Result], scans: Path) -> None:
    told = json.loads(cli("audit", scans, "--format", "json").stdout)
    first = told["files"][0]
    assert first["file"] == "ct-1.dcm"
    assert first["clean"] is False
    assert first["burnedInAnnotation"] == "unsaid"
    assert "PatientName" in {finding["path"] for finding in first["findings"]}
    assert no_value_in(json.dumps(told))


def test_the_audit_is_written_as_a_page_and_as_a_table(cli: Callable[..., Result], scans: Path, tmp_path: Path) -> None:
    assert cli("audit", scans, "--format", "html", "-o", tmp_path / "out" / "audit.html").exit_code == 8
    assert "<table>" in (tmp_path / "out" / "audit.html").read_text()
    assert cli("audit", scans, "--format", "csv").stdout.startswith("file,sha256,severity,kind,path")


def test_results_are_compared_with_what_the_originals_hold(
    cli: Callable[..., Result], scans: Path, clean: Path, tmp_path: Path
) -> None:
    assert cli("audit", clean, "--against", scans).exit_code == 0
    path = clean / "study" / "1.dcm"
    left = pydicom.dcmread(path)
    left.AcquisitionDeviceProcessingDescription = "for okafor"
    left.SegmentLabel = "for okafor"
    left.save_as(path)
    names = tmp_path / "names.csv"
    names.write_text("source,result\nOKAFOR_DANIEL/1.dcm,study/1.dcm\n")
    assert cli("audit", clean, "--against", names).exit_code == 8
    assert "needs --pixels" in cli("audit", clean, "--sample", "3").stderr.replace(
        "give --pixels too", "needs --pixels"
    )
    assert cli("audit", clean, "--against", tmp_path / "none").exit_code == 2


def test_a_file_that_cannot_be_read_is_no_clean_file(cli: Callable[..., Result], clean: Path) -> None:
    (clean / "notes.dcm").write_text("Ana Rivera called")
    result = cli("audit", clean)
    assert result.exit_code == 3
    assert "not read (1 file): not a DICOM file\n--show-paths names it\n" in result.stderr
    assert "Rivera" not in result.output
    assert f"not read: {clean / 'notes.dcm'}: " in cli("audit", clean, "--show-paths").stderr


@pytest.mark.parametrize("words", [["audit", "{empty}"], ["compare", "{empty}", "{empty}"]])
def test_an_empty_folder_is_no_success(cli: Callable[..., Result], tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "empty").mkdir()
    result = cli(*(word.format(empty=tmp_path / "empty") for word in words))
    assert result.exit_code == 1
    assert "nothing was" in result.stderr


# demo


@pytest.mark.slow
def test_the_demo_makes_a_page_with_pictures_of_every_sample(cli: Callable[..., Result], tmp_path: Path) -> None:
    result = cli("demo", tmp_path / "demo")
    assert result.exit_code == 0, result.stderr
    page = (tmp_path / "demo" / "index.html").read_text()
    for dataset in ("deid-minimal", "deid-contents"):
        results = [pydicom.dcmread(path) for path in (tmp_path / "demo" / dataset).rglob("*.dcm")]
        assert len(results) == len(sample_dicom())
        for sample in sample_dicom():
            picture = f"pictures/{dataset}-{sample.name.removesuffix('.dcm')}.png"
            assert picture in page
            assert (tmp_path / "demo" / picture).is_file()
    assert no_value_in(page)
    assert no_value_in(result.output)
    assert (tmp_path / "demo" / "index.html").resolve().as_uri() in result.stdout


def test_compare_prints_no_value_that_a_library_would_warn_of(
    cli: Callable[..., Result], scans: Path, tmp_path: Path
) -> None:
    odd = pydicom.dcmread(next(scans.rglob("*.dcm")))
    element = odd["FrameOfReferenceUID"]
    odd[element.tag] = RawDataElement(element.tag, "UI", 14, b"Kowalski.Anna\0", 0, False, True)
    odd.save_as(tmp_path / "odd.dcm")

    result = cli("compare", tmp_path / "odd.dcm", tmp_path / "odd.dcm")
    assert "Kowalski" not in result.output


# review


def test_what_was_approved_is_exported_from_the_command_line(cli: Callable[..., Result], tmp_path: Path) -> None:
    clean = make_run(tmp_path)
    Review(clean).decide(0, Decision.APPROVED)
    result = cli("review", clean, "--export", tmp_path / "release")
    assert result.exit_code == 0, result.stderr
    assert (
        result.stdout
        == "1 approved and copied, 2 left out (0 rejected, 0 changed since they were approved, 2 undecided)\n"
    )
    assert len(list((tmp_path / "release").rglob("*.dcm"))) == 1
    again = cli("review", clean, "--export", tmp_path / "release")
    assert again.exit_code == 1
    assert "--export: the folder exists and is not empty: name a new one, or empty it" in again.stderr
    assert cli("review", tmp_path / "scans").exit_code == 1


@pytest.mark.parametrize("given", [(), ("--set", "StudyDescription=Trial")])
def test_the_page_removes_a_box_by_the_runs_own_settings_or_by_those_that_are_given(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...]
) -> None:
    clean = make_run(tmp_path)
    answers: list[tuple[int, str]] = []

    def visit(url: str) -> None:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=60)
        body = json.dumps({"index": 0, "frame": 0, "box": [60, 70, 30, 10]})
        connection.request("POST", f"{parts.path}uncover", body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        answers.append((reply.status, reply.read().decode()))
        connection.close()
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", visit)
    assert cli("review", clean, "--originals", tmp_path / "scans", *given).exit_code == 130
    ((status, text),) = answers
    if given:
        assert status == 422
        assert "with its options and versions; these differ" in text
        assert "options.set_values" in text
        assert "config" not in text
    else:
        assert (status, json.loads(text)["boxes"]) == (200, [[0, 5, 6, 30, 10]])


def test_the_review_of_a_run_with_a_secret_file_needs_that_file_alone_and_says_so_at_its_start(
    cli: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path)
    secret = ("--secret-file", tmp_path / "keys" / "project.secret")
    run = ("--preset", "contents", "--date-shift-days", "30", *secret)
    assert cli("files", tmp_path / "scans", tmp_path / "out", *run).exit_code == 0

    def visit(url: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", visit)
    review = ("review", tmp_path / "out", "--originals", tmp_path / "scans")
    told = "Instances cannot be run again, and boxes not removed: "
    assert f"{told}give the review what the run was given and its folder has no values of: --secret-file (secret)" in (
        cli(*review).stderr
    )
    assert told not in cli(*review, *secret).stderr
    differs = cli(*review, *secret, "--date-shift-days", "100").stderr  # given, although it is the default
    assert "options.date_shift_days: 30 there, 100 now" in differs


def test_an_audit_takes_a_run_folder_and_the_runs_report_tells_what_was_audited_and_compared(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    clean, scans, run = make_run(tmp_path), tmp_path / "scans", tmp_path / "clean.run"
    nobody = "Results: nobody compared them with their originals"
    assert cli("audit", run).stdout == cli("audit", clean).stdout
    assert any(text.startswith(nobody) for text in RunReport.of(run).unchecked)
    assert cli("audit", run, "--against", scans).exit_code == 0
    assert cli("compare", scans, clean).exit_code == 0
    report = RunReport.of(run)
    assert [event.kind for event in report.events] == ["audit", "audit", "audit", "comparison"]
    assert report.events[2].in_words() == ("3 audited, 3 compared, 0 with pixels, 0 errors, 0 warnings, 0 not read")
    assert not any("compared" in text for text in report.unchecked)
    assert cli("audit", clean / "study" / "0.dcm").exit_code == 0
    assert len(RunReport.of(run).events) == 4
    Review(clean).cover(0, 0, (100, 100, 50, 20))
    since = [text for text in RunReport.of(run).unchecked if "compared" in text]
    assert [text.partition(" (")[0] for text in since] == [
        "Results: they have changed since somebody compared them with their originals"
    ]


def test_what_the_command_line_made_is_run_again_by_its_run_folder_alone(
    cli: Callable[..., Result], tmp_path: Path
) -> None:
    make_run(tmp_path)
    options = ("--preset", "contents", "--date-shift-days", "30")
    assert cli("files", tmp_path / "scans", tmp_path / "out", *options).exit_code == 0
    review = Review(tmp_path / "out", originals=tmp_path / "scans")
    path = tmp_path / "out" / review.items[0].result
    before = path.read_bytes()
    review.run_again(0)
    assert path.read_bytes() == before


def test_a_report_is_printed_whatever_the_names_and_written_for_its_owner_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report("bad\udcff.dcm: é", None)
    assert capsys.readouterr().out == "bad\\udcff.dcm: é\n"
    path = tmp_path / "report.txt"
    path.touch(0o644)
    write_report("bad\udcff.dcm", path)
    assert path.read_bytes() == b"bad\xff.dcm\n"
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0
