"""Folders: every file is written, failed or skipped; nothing stops the run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid.engine import TreeProgress
from healthcare_deid.engine.workers import Worker, WorkerDied

if TYPE_CHECKING:
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


@pytest.fixture
def scans(planted: Any, tmp_path: Path) -> Path:
    """A folder of three instances, one file that is no DICOM and one that is cut off."""
    data = planted.file()
    for name, content in {
        "a/1.dcm": data,
        "a/2.dcm": data,
        "b/deep/3": data,
        "b/notes.txt": b"Rivera was here",
        "c/cut.dcm": data[:900],
    }.items():
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "scans"


@pytest.mark.parametrize("workers", [1, 2])
def test_every_file_is_accounted_for(profile: Any, scans: Path, tmp_path: Path, planted: Any, workers: int) -> None:
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=workers)

    assert (report.succeeded, report.failed, report.skipped) == (3, 2, 0)
    assert {failure.path: failure.reason for failure in report.failures} == {
        "b/notes.txt": "not-dicom",
        "c/cut.dcm": "truncated",
    }
    written = sorted(
        path.relative_to(tmp_path / "clean").as_posix() for path in (tmp_path / "clean").rglob("*.*") if path.is_file()
    )
    assert written == ["a/1.dcm", "a/2.dcm"]
    assert (tmp_path / "clean" / "b" / "deep" / "3").is_file()
    for path in (tmp_path / "clean").rglob("*"):
        if path.is_file():
            assert planted.found_in(path.read_bytes()) == []
            assert pydicom.dcmread(path).Modality == "CT"


def test_a_second_run_goes_on_where_the_first_was(profile: Any, scans: Path, tmp_path: Path) -> None:
    basic = profile(BASIC)
    basic.deidentify_tree(scans, tmp_path / "clean")
    (tmp_path / "clean" / "a" / "2.dcm").unlink()

    again = basic.deidentify_tree(scans, tmp_path / "clean")
    everything = basic.deidentify_tree(scans, tmp_path / "clean", overwrite=True)

    assert (again.succeeded, again.failed, again.skipped) == (1, 2, 2)
    assert (everything.succeeded, everything.failed, everything.skipped) == (3, 2, 0)


def test_progress_is_told_in_the_callers_process_and_ends_complete(profile: Any, scans: Path, tmp_path: Path) -> None:
    told: list[TreeProgress] = []

    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=2, on_progress=told.append)

    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1] == TreeProgress(total=5, succeeded=3, failed=2, skipped=0)


def test_warnings_are_counted(profile: Any, scans: Path, tmp_path: Path, planted: Any) -> None:
    data = planted.file()
    bare = data[132 + 12 + int.from_bytes(data[140:144], "little") :]
    (scans / "bare").write_bytes(bare)

    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")

    assert report.warnings == {"the file had no DICOM preamble: its result has one": 1}


def test_results_cannot_go_into_the_source(profile: Any, scans: Path) -> None:
    with pytest.raises(ValueError, match="inside the source"):
        profile(BASIC).deidentify_tree(scans, scans / "clean")
    with pytest.raises(ValueError, match="inside the source"):
        profile(BASIC).deidentify_tree(scans, scans)


def test_a_source_that_is_no_folder_is_refused(profile: Any, tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        profile(BASIC).deidentify_tree(tmp_path / "none", tmp_path / "clean")


def test_a_file_that_cannot_be_read_is_a_failure_without_its_absolute_path(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    (scans / "gone.dcm").symlink_to(tmp_path / "nowhere")
    loop = scans / "loop"
    loop.symlink_to(scans)

    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean")

    assert report.failed == 2
    assert str(tmp_path) not in repr(report)


def test_a_file_that_kills_a_worker_is_one_failure_and_the_others_are_done(
    profile: Any, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scans / "a" / "kill").write_bytes(b"")
    module = tmp_path / "deadly_module.py"
    module.write_text(
        "import os\n"
        "from healthcare_deid.engine.deidentifier import Deidentifier\n"
        "class Deadly(Deidentifier):\n"
        "    def deidentify_file(self, source, destination):\n"
        "        if str(source).endswith('kill'):\n"
        "            os._exit(9)\n"
        "        return super().deidentify_file(source, destination)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import deadly_module  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports] # written above

    deadly = deadly_module.Deadly(profile(BASIC).config)
    report = deadly.deidentify_tree(scans, tmp_path / "clean", workers=2)

    assert (report.succeeded, report.failed) == (3, 3)
    assert {f.path: f.reason for f in report.failures}["a/kill"] == "crashed"


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
