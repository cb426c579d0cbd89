"""Archives, lists and CDs as sources: the same results as from a folder."""

from __future__ import annotations

import pickle
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.engine.runs import archives
from healthcare_deid.engine.runs.temporary import Spooled

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


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_an_archive_among_the_files_is_named_as_one_that_was_not_read(
    profile: Any, scans: Path, tmp_path: Path, kind: str
) -> None:
    packed("zip", scans, scans / "Study 2.ZIP")
    source = scans if kind == "folder" else packed("zip", scans, tmp_path / "scans.zip")

    report = profile(BASIC).deidentify_tree(source, tmp_path / "clean", workers=1)

    assert (report.succeeded, report.failed, report.ignored) == (5, 1, 2)
    assert report.passed_over == {
        "an archive among the files was not read: name it as a source of its own": 1,
        "not a DICOM file": 1,
    }


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


def test_every_member_is_done_of_two_that_have_one_name(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes], contents: Contents
) -> None:
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("IM1", instance_file(1))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("IM1", instance_file(2))
    report = profile(BASIC).deidentify_tree(tmp_path / "twice.zip", tmp_path / "clean", workers=1)
    assert (report.succeeded, report.duplicates, len(contents(tmp_path / "clean"))) == (2, 0, 2)


def test_names_of_members_that_mean_one_place_are_one_name(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes], contents: Contents
) -> None:
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        for number, name in enumerate(["/a", "./a", "b/c", "b//c", "x.healthcare-deid.part"]):
            archive.writestr(name, instance_file(number))
    report = profile(BASIC).deidentify_tree(tmp_path / "scans.zip", tmp_path / "clean", names="source", workers=1)
    assert set(contents(tmp_path / "clean")) == {"a", "b/c"}
    assert report.succeeded == 2
    assert sorted(failure.reason for failure in report.failures) == ["bad-name", "same-uid", "same-uid"]


def test_a_member_that_breaks_its_decompressor_is_a_failure_and_the_others_are_done(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        file = tmp_path / f"{kind}.zip"
        with zipfile.ZipFile(file, "w", kind) as archive:
            archive.writestr("a", instance_file(1))
            archive.writestr("b", instance_file(2))
        data = bytearray(file.read_bytes())
        data[60:90] = bytes(byte ^ 0xFF for byte in data[60:90])
        file.write_bytes(data)
        report = profile(BASIC).deidentify_tree(file, tmp_path / f"clean{kind}", workers=1)
        assert (report.succeeded, report.failed) == (1, 1)


@pytest.mark.parametrize("damage", ["a header", "cut before a header", "cut in a header", "cut in a member"])
def test_a_damaged_tar_is_told_wherever_the_damage_is(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None], damage: str
) -> None:
    for number in range(4):
        put(tmp_path / "scans" / f"{number}", instance_file(number))
    file = packed("tar", tmp_path / "scans", tmp_path / "scans.tar")
    with tarfile.open(file) as archive:
        third = archive.getmembers()[3].offset
    data = bytearray(file.read_bytes())
    if damage == "a header":
        data[third + 5] ^= 0xFF
    else:
        del data[third + {"cut before a header": 0, "cut in a header": 100, "cut in a member": 700}[damage] :]
    file.write_bytes(data)
    report = profile(BASIC).deidentify_tree(file, tmp_path / "clean", workers=1)
    assert (report.succeeded, [failure.reason for failure in report.failures]) == (2, ["broken"])


def test_originals_of_a_list_outlive_a_run_that_removes_old_results(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents
) -> None:
    before = contents(scans)
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_tree([scans], tmp_path / "clean", names="source", workers=1)
    (scans / "Okonkwo" / "0").write_bytes(b"broken since")
    report = profile(BASIC).deidentify_tree([scans], tmp_path / "clean", names="source", workers=1, overwrite=True)
    assert [count for text, count in report.warnings.items() if "was removed" in text] == [1]
    assert contents(scans) == before | {"Okonkwo/0": b"broken since"}
    assert len(contents(tmp_path / "clean")) == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_a_large_member_of_a_tar_waits_on_disk_and_leaves_nothing(
    profile: Any, scans: Path, tmp_path: Path, contents: Contents, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(archives, "IN_MEMORY", 10)
    expected = profile(BASIC).deidentify_tree(scans, tmp_path / "expected", workers=1)
    archive = packed("tar", scans, tmp_path / "scans.tar")

    report = profile(BASIC).deidentify_tree(archive, tmp_path / "clean", workers=workers)

    assert (report.succeeded, report.failed) == (5, 1)
    assert report.failures[0].sha256 == expected.failures[0].sha256
    assert contents(tmp_path / "clean") == contents(tmp_path / "expected")
    assert not [*(tmp_path / "temporary").iterdir()]


def test_a_large_member_travels_to_a_worker_by_its_path(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "IN_MEMORY", 10)
    originals = archives.TarOriginals(packed("tar", scans, tmp_path / "scans.tar"))
    entry = next(entry for entry in originals.entries() if entry.name.endswith("Okonkwo/1"))
    assert isinstance(entry.data, Spooled)
    assert len(entry.data) == len((scans / "Okonkwo" / "1").read_bytes())
    assert b"Okonkwo^Ada" not in pickle.dumps(entry)
    with originals.opened(pickle.loads(pickle.dumps(entry))) as path:
        assert path.read_bytes() == (scans / "Okonkwo" / "1").read_bytes()
    path = entry.data.path
    del entry
    assert not path.exists()
