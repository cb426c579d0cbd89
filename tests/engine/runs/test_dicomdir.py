"""A DICOMDIR over the results: readers of File-sets find every result by it, and it tells no more than they do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.fileset import FileSet

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    Contents = Callable[[Path], dict[str, bytes]]

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
KEEP = "KEEP_ALL_PROFILE"
_COMPONENT = re.compile(r"[A-Z0-9_]{1,8}")


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    """Two patients; one has two studies, and one study two series."""
    for number in range(12):
        patient, study, series = number % 2, number % 4, number % 8
        attributes = {
            "PatientID": f"MRN-{patient}",
            "StudyInstanceUID": f"1.2.826.9.{study}",
            "SeriesInstanceUID": f"1.2.826.9.{study}.{series}",
            "StudyID": f"{study}",
            "StudyTime": "101010",
            "SeriesNumber": series,
        }
        put(tmp_path / "scans" / f"{number}.dcm", instance_file(number, number, **attributes))
    put(tmp_path / "scans" / "cut.dcm", instance_file(99)[:-1])
    return tmp_path / "scans"


def file_set(folder: Path) -> FileSet:
    found = FileSet(folder / "DICOMDIR")
    found._stage["t"].cleanup()
    for instance in found:
        components = Path(instance.path).relative_to(folder).parts
        assert len(components) <= 8
        assert all(map(_COMPONENT.fullmatch, components))
    return found


@pytest.mark.parametrize("name", [BASIC, KEEP])
def test_every_result_is_found_by_the_directory(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents, name: str
) -> None:
    report = profile(name).deidentify_tree(scans, tmp_path / "clean", dicomdir=True)
    results = contents(tmp_path / "clean")
    found = {str(instance.SOPInstanceUID): instance for instance in file_set(tmp_path / "clean.fileset")}
    assert (report.succeeded, report.failed) == (12, 1)
    assert not [warning for warning in report.warnings if "DICOMDIR" in warning]
    assert len(found) == 12
    for place, data in results.items():
        study, series, uid = place.removesuffix(".dcm").split("/")
        instance = found[uid]
        assert (instance.StudyInstanceUID, instance.SeriesInstanceUID) == (study, series)
        assert Path(instance.path).read_bytes() == data
    assert len({instance.PatientID for instance in found.values()}) == (2 if name == KEEP else 4)


def test_the_directory_says_nothing_of_the_patient(profile: Any, scans: Path, tmp_path: Path) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", dicomdir=True)
    data = (tmp_path / "clean.fileset" / "DICOMDIR").read_bytes()
    for told in (b"Okonkwo", b"MRN-", b"20210314", b"1.2.826.9."):
        assert told not in data


def test_what_a_directory_must_have_and_results_have_not_is_made_up(profile: Any, scans: Path, tmp_path: Path) -> None:
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_tree(scans, tmp_path / "clean", dicomdir=True)
    for instance in file_set(tmp_path / "clean.fileset"):
        assert re.fullmatch(r"PATIENT[0-9]+", instance.PatientID)
        assert (instance.StudyDate, instance.StudyTime, instance.StudyID) == ("19000101", "000000", "1")
        assert "StudyDate" not in pydicom.dcmread(instance.path)


def test_a_file_set_is_made_anew_and_is_the_same_for_the_same_results(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents
) -> None:
    basic = profile(BASIC)
    basic.deidentify_tree(scans, tmp_path / "clean", dicomdir=True)
    first = contents(tmp_path / "clean.fileset")
    assert basic.deidentify_tree(scans, tmp_path / "clean", dicomdir=True).skipped == 12
    assert contents(tmp_path / "clean.fileset") == first
    (tmp_path / "clean.fileset" / "stray").write_bytes(b"")
    for number in range(1, 12, 2):
        (scans / f"{number}.dcm").unlink()
    profile(KEEP).deidentify_tree(scans, tmp_path / "clean", dicomdir=True, overwrite=True)
    assert len(file_set(tmp_path / "clean.fileset")) == 6
    assert len(contents(tmp_path / "clean.fileset")) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "clean.fileset", "clean.run", "scans"]


def test_documents_and_states_have_records_of_their_own_kinds(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]
) -> None:
    from pydicom.uid import BasicTextSRStorage, HangingProtocolStorage

    report: dict[str, Any] = {"SOPClassUID": BasicTextSRStorage, "Modality": "SR", "CompletionFlag": "COMPLETE"}
    report |= {"VerificationFlag": "UNVERIFIED", "ContentDate": "", "ContentTime": "", "ConceptNameCodeSequence": []}
    put(tmp_path / "scans" / "image.dcm", instance_file(1))
    put(tmp_path / "scans" / "report.dcm", instance_file(2, **report))
    put(tmp_path / "scans" / "layout.dcm", instance_file(3, SOPClassUID=HangingProtocolStorage))
    done = profile(KEEP).deidentify_tree(scans := tmp_path / "scans", tmp_path / "clean", dicomdir=True)
    assert len([*scans.iterdir()]) == done.succeeded == 3
    kinds = {instance.node.record_type for instance in file_set(tmp_path / "clean.fileset")}
    assert kinds == {"IMAGE", "SR DOCUMENT"}
    # A hanging protocol without its name and description has no record.
    assert [count for warning, count in done.warnings.items() if "not in the DICOMDIR" in warning] == [1]


def test_of_two_results_with_one_uid_one_is_in_the_directory(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]
) -> None:
    for name in ("a", "b"):
        put(tmp_path / "scans" / name, instance_file(1, InstanceNumber=ord(name)))
    report = profile(KEEP).deidentify_tree(tmp_path / "scans", tmp_path / "clean", names="source", dicomdir=True)
    (instance,) = file_set(tmp_path / "clean.fileset")
    assert pydicom.dcmread(instance.path).InstanceNumber == ord("a")
    assert [count for warning, count in report.warnings.items() if "not in the DICOMDIR" in warning] == [1]


def test_files_are_copied_where_they_cannot_be_linked(
    profile: Any, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", no_links)
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", dicomdir=True, workers=1)
    assert len(file_set(tmp_path / "clean.fileset")) == 12


def test_another_folder_is_not_replaced_and_a_store_has_no_directory(profile: Any, scans: Path, tmp_path: Path) -> None:
    (tmp_path / "clean.fileset").mkdir()
    with pytest.raises(ConfigError, match="no File-set"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", dicomdir=True)
    with pytest.raises(ConfigError, match="a folder of this machine"):
        profile(BASIC).deidentify_tree(scans, "memory://a/out", run=tmp_path / "run", dicomdir=True)
    assert not (tmp_path / "clean").exists()


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not installed (Debian: apt-get install dcmtk)")
def test_dcmtk_reads_the_directory(profile: Any, scans: Path, tmp_path: Path) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "clean", dicomdir=True)
    dumped = subprocess.run(
        ["dcmdump", tmp_path / "clean.fileset" / "DICOMDIR"], capture_output=True, text=True, check=True
    )
    assert dumped.stdout.count("[IMAGE]") == 12
    assert not dumped.stderr
