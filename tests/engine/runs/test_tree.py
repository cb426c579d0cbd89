"""Runs over folders: every file is accounted for, and nothing stops the run."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from healthcare_deid.engine import Change, TreeProgress
from healthcare_deid.engine.runs.originals import FolderOriginals
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.engine.workers import Worker, WorkerDied

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


@pytest.fixture
def scans(planted: Any, tmp_path: Path) -> Path:
    """A folder of three instances, one file that is no DICOM and one that is cut off."""
    for number, name in enumerate(["a/1.dcm", "a/Zqx001^Marker_19400101.dcm", "Zqx001 Marker/deep/3"], 1):
        planted.dataset.SOPInstanceUID = f"{planted.dataset.StudyInstanceUID}.{number}"
        put(tmp_path / "scans" / name, planted.file())
    put(tmp_path / "scans" / "b" / "notes.txt", b"Rivera was here")
    put(tmp_path / "scans" / "c" / "cut.dcm", planted.file()[:900])
    return tmp_path / "scans"


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def results(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("workers", [1, 2])
def test_every_file_is_accounted_for(profile: Any, scans: Path, tmp_path: Path, planted: Any, workers: int) -> None:
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=workers)

    assert (report.found, report.succeeded, report.failed, report.skipped, report.ignored) == (4, 3, 1, 0, 1)
    assert {failure.path: failure.reason for failure in report.failures} == {"c/cut.dcm": "truncated"}
    assert report.passed_over == {"not a DICOM file": 1}
    for path in (written := results(tmp_path / "clean")):
        assert planted.found_in(path.read_bytes()) == []
        assert pydicom.dcmread(path).Modality == "CT"
    assert len(written) == 3


def test_results_are_called_by_their_new_uids_and_no_name_of_the_source_comes_through(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean")

    for path in results(tmp_path / "clean"):
        new = pydicom.dcmread(path)
        name = f"{new.StudyInstanceUID}/{new.SeriesInstanceUID}/{new.SOPInstanceUID}.dcm"
        assert path.relative_to(tmp_path / "clean").as_posix() == name
    assert not [path for path in (tmp_path / "clean").rglob("*") if "Zqx" in path.name]


def test_results_keep_the_sources_names_when_asked(profile: Any, scans: Path, tmp_path: Path) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", names="source")

    names = [path.relative_to(tmp_path / "clean").as_posix() for path in results(tmp_path / "clean")]
    assert names == ["Zqx001 Marker/deep/3", "a/1.dcm", "a/Zqx001^Marker_19400101.dcm"]


@pytest.mark.parametrize("workers", [1, 2])
def test_which_file_became_which_is_told_in_a_file_for_its_owner_only(
    profile: Any, scans: Path, tmp_path: Path, workers: int
) -> None:
    told = tmp_path / "names.csv"
    told.touch(0o644)  # left by somebody, open to others
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=told, workers=workers)

    rows = list(csv.reader(told.read_text("utf-8").splitlines()))
    assert rows[0] == ["source", "result"]
    made = {source: result for source, result in rows[1:] if (tmp_path / "clean" / result).is_file()}
    assert set(made) == {"a/1.dcm", "a/Zqx001^Marker_19400101.dcm", "Zqx001 Marker/deep/3"}
    assert made["a/1.dcm"] == profile(BASIC).result_name(scans / "a" / "1.dcm")
    assert told.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError, match="inside the destination"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=tmp_path / "clean" / "names.csv")


@pytest.mark.parametrize("workers", [1, 2])
def test_the_record_tells_of_every_result_what_was_done_to_it_and_no_value(
    profile: Any, scans: Path, tmp_path: Path, planted: Any, workers: int
) -> None:
    copy = tmp_path / "record.jsonl"
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", record=copy, workers=workers)

    assert report.run == tmp_path / "clean.run"
    record = report.run / "record.jsonl"
    assert copy.read_bytes() == record.read_bytes()
    told = {entry["result"]: entry for entry in read_record(record)}
    assert {tmp_path / "clean" / name for name in told} == set(results(tmp_path / "clean"))
    assert record.stat().st_mode & 0o077 == copy.stat().st_mode & 0o077 == 0
    assert planted.found_in(record.read_bytes()) == []
    again = profile(BASIC).deidentify_file(scans / "a" / "1.dcm", tmp_path / "again.dcm")
    name = profile(BASIC).result_name(scans / "a" / "1.dcm")
    entry = told[name]
    assert [Change(**change) for change in entry["changes"]] == list(again.changes)
    assert (entry["kept"], entry["warnings"], entry["redactions"]) == (again.kept, list(again.warnings), [])
    assert entry["source"] == hashlib.sha256((scans / "a" / "1.dcm").read_bytes()).hexdigest()
    assert entry["size"] == (tmp_path / "clean" / name).stat().st_size


def test_results_that_the_record_does_not_tell_of_are_made_again(profile: Any, scans: Path, tmp_path: Path) -> None:
    clean, record = tmp_path / "clean", tmp_path / "clean.run" / "record.jsonl"
    profile(BASIC).deidentify_tree(scans, clean)
    whole = record.read_bytes()
    header, first, second, _ = whole.splitlines(keepends=True)
    record.write_bytes(header + first + second[:-9])  # as a run that is killed leaves it

    report = profile(BASIC).deidentify_tree(scans, clean)

    assert (report.succeeded, report.skipped) == (2, 1)
    assert sorted(record.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_a_record_is_not_written_among_the_results_nor_over_another_file(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="inside the destination"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", record=tmp_path / "clean" / "record.jsonl")
    for kept in (b"Dear colleague,\n", b"a key, on one line without an end", (scans / "a" / "1.dcm").read_bytes()):
        (tmp_path / "kept").write_bytes(kept)
        with pytest.raises(ValueError, match="no record"):
            profile(BASIC).deidentify_tree(scans, tmp_path / "clean", record=tmp_path / "kept")
        assert (tmp_path / "kept").read_bytes() == kept
    for argument in ("record", "name_map", "run"):
        with pytest.raises(ValueError, match="inside the source"):
            profile(BASIC).deidentify_tree(scans, tmp_path / "clean", **{argument: scans / "a" / "1.dcm"})
    assert not (tmp_path / "clean").exists()


def test_a_record_holds_the_names_of_files_whatever_their_bytes(profile: Any, scans: Path, tmp_path: Path) -> None:
    (scans / "a" / "1.dcm").rename(scans / "a" / os.fsdecode(b"M\xfcller.dcm"))
    for skipped in (0, 3):
        report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", names="source")
        assert report.skipped == skipped
    assert len((tmp_path / "clean.run" / "record.jsonl").read_text("ascii").splitlines()) == 1 + 3


@pytest.mark.skipif(os.name != "posix", reason="named pipes are made by mkfifo")
@pytest.mark.parametrize("argument", ["name_map", "record"])
def test_a_pipe_is_neither_read_nor_replaced(profile: Any, scans: Path, tmp_path: Path, argument: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match=f"{argument}: what is there is no"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", **{argument: pipe})
    assert pipe.is_fifo()


def test_a_map_of_names_is_not_written_over_another_file_nor_lost_when_the_run_is_refused(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    names, letter = tmp_path / "names.csv", tmp_path / "letter.txt"
    unended = "Dear colleague,\nthe last line has no end"
    letter.write_text(unended)
    mode = letter.stat().st_mode
    with pytest.raises(ValueError, match="no map of names"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=letter)
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=names)
    before = names.read_bytes()
    with pytest.raises(ValueError, match="no record"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=names, record=letter)
    assert names.read_bytes() == before
    assert (letter.read_text(), letter.stat().st_mode) == (unended, mode)
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=names)
    assert names.read_bytes() == before


def test_the_map_of_names_holds_no_result_that_is_not_there(profile: Any, scans: Path, tmp_path: Path) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", name_map=tmp_path / "names.csv")

    rows = list(csv.reader((tmp_path / "names.csv").read_text("utf-8").splitlines()))[1:]
    assert len(rows) == 3
    assert all((tmp_path / "clean" / result).is_file() for _, result in rows)


def test_a_copy_of_a_file_is_counted_and_its_result_is_made_once(profile: Any, scans: Path, tmp_path: Path) -> None:
    put(scans / "a" / "1 (copy).dcm", (scans / "a" / "1.dcm").read_bytes())

    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")
    again = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")

    assert (report.found, report.succeeded, report.duplicates, report.failed) == (5, 3, 1, 1)
    assert (again.found, again.succeeded, again.skipped, again.duplicates, again.failed) == (5, 0, 3, 1, 1)


def test_a_directory_of_names_that_are_no_more_is_passed_over(profile: Any, tmp_path: Path) -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    put(tmp_path / "cd" / "DICOMDIR", (folder / "DICOMDIR").read_bytes())

    report = profile(BASIC).deidentify_tree(tmp_path / "cd", tmp_path / "clean")

    assert (report.found, report.succeeded, report.ignored) == (0, 0, 1)
    assert [reason for reason in report.passed_over if "DICOMDIR" in reason]
    assert profile(BASIC).deidentify_tree(tmp_path / "cd", tmp_path / "same", names="source").succeeded == 1


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_an_instance_without_uids_is_called_by_its_content(profile: Any, planted: Any, write: Any, syntax: str) -> None:
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        delattr(planted.dataset, keyword)
    planted.dataset.file_meta.MediaStorageSOPInstanceUID = "1.2"
    data = planted.file(syntax).replace(b"\x02\x00\x03\x00UI\x04\x001.2\0", b"")

    one, same = (profile(BASIC).result_name(write(data, name)) for name in ("one", "two"))
    other = profile(BASIC).result_name(write(data[:-1] + b"x", "three"))

    assert one == same
    assert one != other
    assert one.startswith("unknown/unknown/")


def test_a_uid_that_is_a_path_leads_nowhere(make: Any, planted: Any, write: Any) -> None:
    old = str(planted.dataset.StudyInstanceUID).encode()
    data = planted.file().replace(old, b"../../outside".ljust(len(old), b"\0"))
    keeps_uids = make({"filterProfile": "KEEP_ALL_PROFILE", "skipIdRedaction": True})

    assert keeps_uids.result_name(write(data)).startswith("unknown/")


def test_a_second_run_goes_on_where_the_first_was(profile: Any, scans: Path, tmp_path: Path) -> None:
    basic = profile(BASIC)
    basic.deidentify_tree(scans, tmp_path / "clean")
    results(tmp_path / "clean")[1].unlink()

    again = basic.deidentify_tree(scans, tmp_path / "clean")
    everything = basic.deidentify_tree(scans, tmp_path / "clean", overwrite=True)

    assert (again.succeeded, again.failed, again.skipped) == (1, 1, 2)
    assert (everything.succeeded, everything.failed, everything.skipped) == (3, 1, 0)
    assert len((tmp_path / "clean.run" / "record.jsonl").read_bytes().splitlines()) == 1 + 3


def test_progress_is_told_in_the_callers_process_and_ends_complete(profile: Any, scans: Path, tmp_path: Path) -> None:
    told: list[TreeProgress] = []

    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=2, on_progress=told.append)

    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1] == TreeProgress(total=5, succeeded=3, failed=1, ignored=1)


def test_warnings_are_counted(profile: Any, scans: Path, tmp_path: Path, planted: Any) -> None:
    data = planted.file()
    bare = data[132 + 12 + int.from_bytes(data[140:144], "little") :]
    (scans / "bare").write_bytes(bare)

    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", names="source")

    assert report.warnings == {"the file has no DICOM preamble; the result has one": 1}


def test_results_cannot_go_into_the_source(profile: Any, scans: Path) -> None:
    with pytest.raises(ValueError, match="inside the source"):
        profile(BASIC).deidentify_tree(scans, scans / "clean")
    with pytest.raises(ValueError, match="inside the source"):
        profile(BASIC).deidentify_tree(scans, scans)


def test_results_cannot_go_among_the_listed_sources(profile: Any, scans: Path) -> None:
    for listed, destination in (([scans / "a" / "1.dcm"], scans), ([scans], scans / "clean"), ([scans], scans)):
        with pytest.raises(ValueError, match="inside the"):
            profile(BASIC).deidentify_tree(listed, destination)


@pytest.mark.parametrize("names", ["uid", "source"])
def test_results_cannot_go_around_the_source_where_they_could_replace_an_original(
    profile: Any, scans: Path, planted: Any, names: str
) -> None:
    put(scans / scans.name / "a" / "1.dcm", planted.file())  # as "scans/a/1.dcm" its result would replace another file
    original = (scans / "a" / "1.dcm").read_bytes()

    with pytest.raises(ValueError, match="the source is inside the destination"):
        profile(BASIC).deidentify_tree(scans, scans.parent, names=names, overwrite=True)

    assert (scans / "a" / "1.dcm").read_bytes() == original


def test_a_folder_that_cannot_be_listed_is_a_failure(scans: Path) -> None:
    found = FolderOriginals(scans).entries()
    assert next(found).name == "Zqx001 Marker/deep/3"
    shutil.rmtree(scans / "b")

    assert [(entry.name, entry.trouble is not None) for entry in found] == [
        ("a/1.dcm", False),
        ("a/Zqx001^Marker_19400101.dcm", False),
        ("b", True),
        ("c/cut.dcm", False),
    ]


def test_a_source_that_is_no_folder_is_refused(profile: Any, tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        profile(BASIC).deidentify_tree(tmp_path / "none", tmp_path / "clean")


def test_what_is_no_readable_file_is_told_and_stops_nothing(profile: Any, scans: Path, tmp_path: Path) -> None:
    (scans / "gone.dcm").symlink_to(tmp_path / "nowhere")
    (scans / "itself.dcm").symlink_to("itself.dcm")
    (scans / "around").symlink_to(scans)
    os.mkfifo(scans / "pipe.dcm")

    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")

    assert report.succeeded == 3
    assert {failure.path: failure.reason for failure in report.failures} == {
        "c/cut.dcm": "truncated",
        "gone.dcm": "dangling-link",
        "itself.dcm": "dangling-link",
    }
    assert sorted(report.passed_over.values()) == [1, 1, 1]
    assert str(tmp_path) not in repr(report)


def test_what_is_no_dicom_is_a_failure_when_asked_and_where_its_name_says_that_it_is(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    put(scans / "b" / "damaged.DCM", bytes(3000))

    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")
    strict = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", strict=True)

    assert [failure.path for failure in report.failures] == ["b/damaged.DCM", "c/cut.dcm"]
    assert [failure.path for failure in strict.failures] == ["b/damaged.DCM", "b/notes.txt", "c/cut.dcm"]
    assert (report.ignored, strict.ignored) == (1, 0)


def test_a_source_without_dicom_is_a_report_that_found_nothing(profile: Any, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    report = profile(BASIC).deidentify_tree(tmp_path / "share", tmp_path / "clean")
    assert (report.found, report.failures) == (0, ())


def test_a_source_may_be_one_file(profile: Any, scans: Path, tmp_path: Path) -> None:
    report = profile(BASIC).deidentify_tree(scans / "a" / "1.dcm", tmp_path / "clean", names="source")
    assert report.succeeded == 1
    assert [path.name for path in results(tmp_path / "clean")] == ["1.dcm"]


def test_a_file_that_kills_a_worker_is_one_failure_and_the_others_are_done(
    profile: Any, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scans / "a" / "kill").write_bytes(b"KILL" + (scans / "a" / "1.dcm").read_bytes()[4:])
    module = tmp_path / "deadly_module.py"
    module.write_text(
        "import os\n"
        "from healthcare_deid.engine.instance import InstanceEngine\n"
        "class Deadly(InstanceEngine):\n"
        "    def encode(self, source, sink, file=None):\n"
        "        if source.read(0, 4) == b'KILL':\n"
        "            os._exit(9)\n"
        "        return super().encode(source, sink, file)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import deadly_module  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports] # written above

    deadly = profile(BASIC)
    deadly.instances.__class__ = deadly_module.Deadly
    report = deadly.deidentify_tree(scans, tmp_path / "clean", workers=2, names="source")

    assert (report.succeeded, report.failed) == (3, 2)
    assert {f.path: f.reason for f in report.failures}["a/kill"] == "crashed"


def test_a_worker_looks_at_frames_in_one_thread_because_the_workers_share_the_cores_out() -> None:
    worker = Worker(eval, "__import__('healthcare_deid.engine.pixels.parallel', fromlist=['_']).default_workers()")
    try:
        assert worker.call({}) == 1
    finally:
        worker.close()


def test_a_worker_answers_until_it_dies() -> None:
    worker = Worker(_half, 2)
    try:
        assert worker.call(10) == 5
        with pytest.raises(WorkerDied):
            worker.call(0)
    finally:
        worker.close(kill=True)


def _half(job: int, argument: int) -> int:
    if not argument:
        os._exit(3)
    return argument // job
