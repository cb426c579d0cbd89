"""A DICOMDIR that was de-identified is still a directory: its records are found at the offsets it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest

from healthcare_deid.errors import EngineError

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def chained(path: Path) -> list[str]:
    """Return the types of the records in the order of the offsets: each one found by the offset before it."""
    dataset = pydicom.dcmread(path)
    by_offset = {record.seq_item_tell: record for record in dataset.DirectoryRecordSequence}
    types: list[str] = []

    def follow(offset: int) -> None:
        while offset:
            record = by_offset[offset]
            types.append(record.DirectoryRecordType)
            follow(record.OffsetOfReferencedLowerLevelDirectoryEntity)
            offset = record.OffsetOfTheNextDirectoryRecord

    follow(dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity)
    return types


@pytest.mark.parametrize("name", [BASIC, "KEEP_ALL_PROFILE", "DEIDENTIFY_TAG_CONTENTS"])
def test_records_are_where_the_offsets_point(profile: Any, tmp_path: Path, name: str) -> None:
    profile(name).deidentify_file(FOLDER / "DICOMDIR", tmp_path / "DICOMDIR")

    assert chained(tmp_path / "DICOMDIR") == chained(FOLDER / "DICOMDIR")


def test_patients_names_go_from_the_records(profile: Any, tmp_path: Path) -> None:
    profile(BASIC).deidentify_file(FOLDER / "DICOMDIR", tmp_path / "DICOMDIR")

    names = {
        str(r.PatientName) for r in pydicom.dcmread(FOLDER / "DICOMDIR").DirectoryRecordSequence if "PatientName" in r
    }
    data = (tmp_path / "DICOMDIR").read_bytes()
    assert names
    assert not [name for name in names if name.encode() in data]


def test_the_names_of_files_in_a_directory_stay_and_are_warned_of(profile: Any, tmp_path: Path) -> None:
    result = profile(BASIC).deidentify_file(FOLDER / "DICOMDIR", tmp_path / "DICOMDIR")

    assert any("names files" in warning for warning in result.warnings)


def test_records_keep_the_elements_that_records_must_have(profile: Any, tmp_path: Path) -> None:
    profile(BASIC).deidentify_file(FOLDER / "DICOMDIR", tmp_path / "DICOMDIR")

    records = pydicom.dcmread(tmp_path / "DICOMDIR").DirectoryRecordSequence
    assert {str(item.PatientID) for item in records if item.DirectoryRecordType == "PATIENT"} == {"ANONYMIZED"}
    studies = {
        (item.StudyDate, item.StudyTime, item.StudyID, item.StudyDescription)
        for item in records
        if item.DirectoryRecordType == "STUDY"
    }
    assert studies == {("19000101", "000000", "ANONYMIZED", "")}


def test_a_keep_list_leaves_an_empty_directory(profile: Any, tmp_path: Path) -> None:
    profile("MINIMAL_KEEP_LIST_PROFILE").deidentify_file(FOLDER / "DICOMDIR", tmp_path / "DICOMDIR")

    assert "DirectoryRecordSequence" not in pydicom.dcmread(tmp_path / "DICOMDIR")


def test_a_directory_that_points_nowhere_is_refused(profile: Any, write: Any, tmp_path: Path) -> None:
    data = bytearray((FOLDER / "DICOMDIR").read_bytes())
    at = data.index(b"\x04\x00\x00\x14UL\x04\x00") + 8
    data[at : at + 4] = (12345).to_bytes(4, "little")

    with pytest.raises(EngineError):
        profile("KEEP_ALL_PROFILE").deidentify_file(write(bytes(data)), tmp_path / "DICOMDIR")
    assert not (tmp_path / "DICOMDIR").exists()
