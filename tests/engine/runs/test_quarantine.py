"""The quarantine: sources that failed, copied with their reasons, where they are not released."""

from __future__ import annotations

import csv
import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def listed(folder: Path) -> dict[str, tuple[str, str]]:
    with (folder / "quarantine.csv").open(newline="") as file:
        return {row["source"]: (row["file"], row["reason"]) for row in csv.DictReader(file)}


def test_failed_sources_are_copied_with_their_reasons_for_their_owner_only(
    profile: Any, scans: Path, tmp_path: Path
) -> None:
    (scans / "link").symlink_to(tmp_path / "nowhere")
    ward = tmp_path / "quarantine"
    report = profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=1, quarantine=ward)
    cut = f"{hashlib.sha256((scans / 'cut.dcm').read_bytes()).hexdigest()}.dcm"
    told = listed(ward)
    assert (report.succeeded, report.failed, len(told)) == (2, 4, 4)
    assert told["cut.dcm"] == told["copy-of-cut.dcm"] == (cut, "truncated")
    assert told["link"] == ("", "dangling-link")
    assert (ward / cut).read_bytes() == (scans / "cut.dcm").read_bytes()
    assert len(list(ward.iterdir())) == 1 + 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in (ward, *ward.iterdir()))
    (ward / cut).write_bytes(b"repaired")  # which changes no original
    assert (scans / "cut.dcm").read_bytes() != b"repaired"


def test_it_holds_what_fails_now(
    profile: Any, scans: Path, tmp_path: Path, instance_file: Callable[..., bytes]
) -> None:
    ward, clean = tmp_path / "quarantine", tmp_path / "clean"
    profile(BASIC).deidentify_tree(scans, clean, workers=1, quarantine=ward)
    for name in ("cut.dcm", "copy-of-cut.dcm"):
        (scans / name).write_bytes(instance_file(9))
    report = profile(BASIC).deidentify_tree(scans, clean, workers=1, quarantine=ward)
    assert (report.failed, set(listed(ward))) == (1, {"empty.dcm"})
    assert len(list(ward.iterdir())) == 2


def test_members_of_an_archive_are_copied_too(profile: Any, scans: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        for path in scans.iterdir():
            archive.write(path, path.name)
    ward = tmp_path / "quarantine"
    profile(BASIC).deidentify_tree(tmp_path / "scans.zip", tmp_path / "clean", workers=1, quarantine=ward)
    name, _ = listed(ward)["cut.dcm"]
    assert (ward / name).read_bytes() == (scans / "cut.dcm").read_bytes()


@pytest.mark.parametrize("place", ["scans/q", "clean/q", "clean.run/q", "clean.run", "full"])
def test_it_is_refused_among_originals_results_and_evidence_and_in_a_folder_of_something_else(
    profile: Any, scans: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("Dear colleague")
    with pytest.raises(ValueError, match="quarantine"):
        profile(BASIC).deidentify_tree(scans, tmp_path / "clean", workers=1, quarantine=tmp_path / place)
    assert not (tmp_path / "clean").exists()


def test_a_run_without_failures_makes_none(
    profile: Any, tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[..., None]
) -> None:
    put(tmp_path / "scans" / "0.dcm", instance_file(0))
    profile(BASIC).deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1, quarantine=tmp_path / "q")
    assert not (tmp_path / "q").exists()


@pytest.fixture
def scans(tmp_path: Path, instance_file: Callable[..., bytes], put: Callable[[Path, bytes], None]) -> Path:
    for number in range(2):
        put(tmp_path / "scans" / f"{number}.dcm", instance_file(number))
    for name in ("cut.dcm", "copy-of-cut.dcm"):
        put(tmp_path / "scans" / name, instance_file(7)[:-3])
    put(tmp_path / "scans" / "empty.dcm", b"")
    return tmp_path / "scans"
