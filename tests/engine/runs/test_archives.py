"""Archives, lists and CDs as sources: the same results as from a folder."""

from __future__ import annotations

import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Contents = Callable[[Path], dict[str, bytes]]

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    for number in range(5):
        put(tmp_path / "scans" / "Okonkwo" / f"{number}", instance_file(number))
    put(tmp_path / "scans" / "cut.dcm", instance_file(9)[:-1])
    put(tmp_path / "scans" / "AUTORUN.INF", b"[autorun]")
    return tmp_path / "scans"


def packed(kind: str, scans: Path, file: Path) -> Path:
    if kind == "zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(scans.rglob("*")):
                archive.write(path, path.relative_to(scans))
    else:
        with tarfile.open(file, "w:gz" if kind.endswith("gz") else "w") as archive:
            archive.add(scans, "scans")
    return file


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_an_archive_is_read_in_place(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents, kind: str, workers: int
) -> None:
    archive = packed(kind, scans, tmp_path / f"scans.{kind}")
    before = set(tmp_path.iterdir())
    expected = profile(BASIC).deidentify_tree(scans, tmp_path / "expected", workers=1)

    report = profile(BASIC).deidentify_tree(archive, tmp_path / "clean", workers=workers)
    again = profile(BASIC).deidentify_tree(archive, tmp_path / "clean", workers=workers)

    assert (report.succeeded, report.failed, report.ignored) == (5, 1, 1)
    assert report.failures[0].sha256 == expected.failures[0].sha256
    assert contents(tmp_path / "clean") == contents(tmp_path / "expected")
    assert (again.succeeded, again.skipped, again.failed) == (0, 5, 1)
    new = {path.name for path in set(tmp_path.iterdir()) - before}
    assert new == {"clean", "clean.run", "expected", "expected.run"}


def test_a_member_whose_name_leads_out_of_the_results_is_a_failure(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../outside.dcm", instance_file(1))
    report = profile(BASIC).deidentify_tree(tmp_path / "evil.zip", tmp_path / "inner" / "clean", names="source")
    assert [failure.reason for failure in report.failures] == ["bad-name"]
    assert not list(tmp_path.rglob("outside.dcm"))


def test_a_damaged_member_is_a_failure_and_the_others_are_done(profile: Any, scans: Path, tmp_path: Path) -> None:
    archive = packed("zip", scans, tmp_path / "scans.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        member = opened.getinfo("Okonkwo/2")
    data[member.header_offset + 60] ^= 0xFF
    archive.write_bytes(data)
    report = profile(BASIC).deidentify_tree(archive, tmp_path / "clean")
    assert report.succeeded == 4
    assert {failure.path for failure in report.failures} == {"Okonkwo/2", "cut.dcm"}


def test_a_list_of_files_and_folders_is_a_source(profile: Any, scans: Path, tmp_path: Path, contents: Contents) -> None:
    profile(BASIC).deidentify_tree(scans, tmp_path / "expected")
    paths = [scans / "Okonkwo", scans / "Okonkwo" / "1", scans / "cut.dcm", scans / "nothing.dcm"]
    report = profile(BASIC).deidentify_tree(paths, tmp_path / "clean")
    assert (report.succeeded, report.duplicates, report.failed) == (5, 1, 2)
    assert contents(tmp_path / "clean") == contents(tmp_path / "expected")


def test_a_cd_is_named_by_its_directory(
    profile: Any, scans: Path, tmp_path: Path, put: Callable[[Path, bytes], None]
) -> None:
    from pathlib import Path

    import pydicom

    folder = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    put(scans / "DICOMDIR", (folder / "DICOMDIR").read_bytes())
    report = profile(BASIC).deidentify_tree(scans / "DICOMDIR", tmp_path / "clean")
    assert (report.succeeded, report.ignored) == (5, 2)
