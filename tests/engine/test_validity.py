"""Results are no less valid than what they were made of, in the eyes of dicom3tools, dcmtk and gdcm."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
NAMES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "examples_overlay.dcm",
    "examples_palette.dcm",
    "examples_rgb_color.dcm",
    "examples_ybr_color.dcm",
    "rtplan.dcm",
    "rtdose.dcm",
    "test-SR.dcm",
    "liver_1frame.dcm",
    "rtdose_rle.dcm",
    "waveform_ecg.dcm",
    "JPEG2000.dcm",
)
BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
RETAINING = (
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
)
MODES: dict[str, dict[str, Any]] = {
    "basic": {},
    "basic 2026d": {"edition": "2026d"},
    "basic 2026d with options": {"edition": "2026d", "options": RETAINING},
}
DCIODVFY, DCMDUMP, DCMCONV = (shutil.which(tool) for tool in ("dciodvfy", "dcmdump", "dcmconv"))
UNREADABLE = re.compile(r"read failed|Tags out of order|not valid DICOM")
"""dciodvfy gave up before it came to the end: what it says of the rest of the result has nothing to be held against."""
NOT_OURS = re.compile("MediaStorageSOPInstanceUID but missing SOPInstanceUID")
"""File meta must name an instance (PS3.10 section 7.1), also where the source's dataset names none."""
OF_FILE_IDS = re.compile(r"Referenced File ID is empty|Empty attribute \(no value\) Type 1C")
"""File IDs of a DICOMDIR that hold the patient's number are emptied: none stays for validity's sake."""
_LARGEST = 20_000_000


def sample_files() -> list[Path]:
    """Return every sample file that is installed: of pydicom, pydicom-data and deid-data."""
    folders = [FILES]
    for package in ("data_store", "deid_data"):
        found = importlib.util.find_spec(package)
        if found is not None and found.origin is not None:
            folders.append(Path(found.origin).parent)
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if path.stat().st_size < _LARGEST and path.suffix not in {".py", ".pyc"}]


def errors(path: Path) -> Counter[str] | None:
    """Return dciodvfy's errors, by their text without values; None where it could not read the file."""
    assert DCIODVFY is not None
    told = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, check=False, errors="replace")
    lines = [line for line in (told.stderr + told.stdout).splitlines() if line.startswith("Error")]
    if any(UNREADABLE.search(line) for line in lines):
        return None
    return Counter(re.sub(r"<[^<>]*>|UID [0-9.]+", "<>", line) for line in lines if not NOT_OURS.search(line))


@cache
def errors_of_source(path: Path) -> Counter[str] | None:
    """Return a sample file's errors; asked for once a file."""
    return errors(path)


def new_errors(old: Path, new: Path) -> Counter[str]:
    """Return the errors that the result has and its source has not."""
    before = errors_of_source(old)
    if before is None:
        return Counter()
    after = errors(new)
    if after is None:
        return Counter({"cannot be read": 1})
    is_directory = old.name.startswith("DICOMDIR")
    return Counter({text: n for text, n in (after - before).items() if not (is_directory and OF_FILE_IDS.search(text))})


@pytest.mark.skipif(DCIODVFY is None, reason="needs dciodvfy (Debian package dicom3tools)")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_no_new_error_comes_with_de_identification(profile: Any, name: str, mode: str, tmp_path: Path) -> None:
    profile(BASIC, **MODES[mode]).deidentify_file(FILES / name, tmp_path / "out.dcm")

    assert new_errors(FILES / name, tmp_path / "out.dcm") == Counter()


@pytest.mark.slow
@pytest.mark.skipif(DCIODVFY is None, reason="needs dciodvfy (Debian package dicom3tools)")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("mode", ["basic", "basic 2026d with options"])
def test_no_new_error_comes_to_any_sample_file(profile: Any, mode: str, tmp_path: Path) -> None:
    basic, new = profile(BASIC, **MODES[mode]), dict[str, Counter[str]]()
    done = 0
    for path in sample_files():
        try:
            basic.deidentify_file(path, tmp_path / "out.dcm")
        except EngineError:
            continue
        done += 1
        if found := new_errors(path, tmp_path / "out.dcm"):
            new[path.name] = found

    assert new == {}
    assert done > 100


@pytest.mark.slow
@pytest.mark.skipif(DCMDUMP is None or DCMCONV is None, reason="needs dcmdump and dcmconv (Debian package dcmtk)")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("profile_name", ["MINIMAL_KEEP_LIST_PROFILE", BASIC, "KEEP_ALL_PROFILE"])
def test_what_dcmtk_and_gdcm_can_read_they_can_read_afterwards(profile: Any, profile_name: str, tmp_path: Path) -> None:
    gdcm = pytest.importorskip("gdcm")
    target = tmp_path / "out.dcm"
    unreadable: list[str] = []

    def reads_in_gdcm(path: Path) -> bool:
        reader = gdcm.Reader()
        reader.SetFileName(str(path))
        return bool(reader.Read())

    def reads_in(*command: str | None) -> bool:
        return subprocess.run([str(word) for word in command], capture_output=True, check=False).returncode == 0

    readers: dict[str, Callable[[Path], bool]] = {
        "dcmdump": lambda path: reads_in(DCMDUMP, "-q", str(path)),
        "dcmconv": lambda path: reads_in(DCMCONV, "-q", str(path), str(tmp_path / "converted.dcm")),
        "gdcm": reads_in_gdcm,
    }
    for path in sample_files():
        try:
            profile(profile_name).deidentify_file(path, target)
        except EngineError:
            continue
        unreadable += [f"{path.name} {tool}" for tool, reads in readers.items() if not reads(target) and reads(path)]

    assert unreadable == []


@pytest.mark.parametrize(
    "name", [name for name in NAMES if name not in {"rtplan.dcm", "test-SR.dcm", "waveform_ecg.dcm"}]
)
@pytest.mark.parametrize(
    "profile_name", ["MINIMAL_KEEP_LIST_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", "KEEP_ALL_PROFILE"]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pictures_can_be_decoded_and_are_the_same(profile: Any, name: str, profile_name: str, tmp_path: Path) -> None:
    profile(profile_name).deidentify_file(FILES / name, tmp_path / "out.dcm")

    old, new = pydicom.dcmread(FILES / name), pydicom.dcmread(tmp_path / "out.dcm")
    assert new.file_meta.TransferSyntaxUID == old.file_meta.TransferSyntaxUID
    assert (new.pixel_array == old.pixel_array).all()
