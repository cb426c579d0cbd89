"""Files: broken ones are typed failures, and what is written is there whole or not at all."""

from __future__ import annotations

import io
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.file_slices import FileSlice
from healthcare_deid.errors import EngineError, InvalidDicomError

if TYPE_CHECKING:
    from pathlib import Path

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


@pytest.mark.parametrize("data", [b"", b"no DICOM at all", bytes(132), bytes(128) + b"DICM", b"\x89PNG" * 100])
def test_what_is_not_dicom_is_told_so_and_nothing_is_written(
    profile: Any, write: Any, tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(InvalidDicomError) as caught:
        profile(BASIC).deidentify_file(write(data), tmp_path / "out.dcm")

    assert caught.value.reason in {"not-dicom", "empty", "broken"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.dcm"]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_cut_off_anywhere_fails_or_comes_out_clean(
    profile: Any, planted: Any, write: Any, tmp_path: Path, syntax: str
) -> None:
    whole, basic = planted.file(syntax), profile(BASIC)
    came_out = 0
    for end in range(0, len(whole), 7):
        target = tmp_path / "out.dcm"
        try:
            basic.deidentify_file(write(whole[:end]), target)
        except EngineError:
            assert not target.exists()
        else:
            came_out += 1
            assert planted.found_in(target.read_bytes()) == []
            target.unlink()
    assert came_out < len(whole) / 7 / 3
    assert [path.name for path in tmp_path.iterdir()] == ["in.dcm"]


def test_a_dataset_without_preamble_and_file_meta_is_repaired_with_a_warning(
    profile: Any, planted: Any, write: Any, tmp_path: Path
) -> None:
    data = planted.file()
    bare = data[132 + 12 + int.from_bytes(data[140:144], "little") :]
    assert bare.startswith(b"\x08\x00")

    result = profile(BASIC).deidentify_file(write(bare), tmp_path / "out.dcm")

    assert files.NO_PREAMBLE in result.warnings
    new = pydicom.dcmread(tmp_path / "out.dcm")
    assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID
    assert planted.found_in((tmp_path / "out.dcm").read_bytes()) == []


def test_lengths_of_four_gigabytes_are_no_four_gigabytes_of_memory(
    profile: Any, planted: Any, write: Any, tmp_path: Path
) -> None:
    data = planted.file()
    at = data.index(b"\xe0\x7f\x10\x00OW") + 8
    lying = data[:at] + b"\xfe\xff\xff\xff" + data[at + 4 :]

    with pytest.raises(InvalidDicomError) as caught:
        profile(BASIC).deidentify_file(write(lying), tmp_path / "out.dcm")
    assert caught.value.reason == "truncated"


def test_a_failure_while_writing_leaves_nothing_behind(
    profile: Any, planted: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    planted.dataset.Rows, planted.dataset.Columns = 250, 400
    planted.dataset.PixelData = bytes(200_000)
    with pytest.raises(OSError, match="No space"):
        profile(BASIC).deidentify_file(write(planted.file()), tmp_path / "out.dcm")

    assert [path.name for path in tmp_path.iterdir()] == ["in.dcm"]


def test_an_existing_result_stays_until_the_new_one_is_complete(
    profile: Any, planted: Any, write: Any, tmp_path: Path
) -> None:
    target = tmp_path / "out.dcm"
    target.write_bytes(b"old")

    with pytest.raises(EngineError):
        profile(BASIC).deidentify_file(write(planted.file()[:1500]), target)
    assert target.read_bytes() == b"old"

    profile(BASIC).deidentify_file(write(planted.file()), target)
    assert pydicom.dcmread(target).Modality == "CT"


def test_missing_folders_are_made(profile: Any, planted: Any, write: Any, tmp_path: Path) -> None:
    profile(BASIC).deidentify_file(write(planted.file()), tmp_path / "a" / "b" / "out.dcm")

    assert (tmp_path / "a" / "b" / "out.dcm").exists()


def test_the_result_of_a_file_reads_its_dataset_when_asked(
    profile: Any, planted: Any, write: Any, tmp_path: Path
) -> None:
    result = profile(BASIC).deidentify_file(write(planted.file()), tmp_path / "out.dcm")

    assert result.dataset.Modality == "CT"
    assert any(change.keyword == "PatientName" for change in result.changes)


def test_a_missing_source_is_an_os_error(profile: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        profile(BASIC).deidentify_file(tmp_path / "none.dcm", tmp_path / "out.dcm")


def test_reads_and_writes_that_do_less_than_asked_go_on_where_they_stopped(
    profile: Any, planted: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_write, whole_read = os.write, os.preadv

    def write_less(target: int, data: memoryview) -> int:
        return whole_write(target, data[:9999])

    def read_less(source: int, parts: list[memoryview], at: int) -> int:
        return whole_read(source, [parts[0][:7777]], at)

    monkeypatch.setattr("os.write", write_less)
    monkeypatch.setattr("os.preadv", read_less)
    planted.dataset.Rows, planted.dataset.Columns = 250, 400
    planted.dataset.PixelData = bytes(range(200)) * 1000
    profile(BASIC).deidentify_file(write(planted.file()), tmp_path / "out.dcm")
    monkeypatch.undo()

    assert pydicom.dcmread(io.BytesIO((tmp_path / "out.dcm").read_bytes())).PixelData == planted.dataset.PixelData


def test_a_file_takes_two_opens_two_reads_two_writes_and_a_rename(
    profile: Any, planted: Any, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    basic, counts = profile(BASIC), Counter[str]()
    planted.dataset.Rows, planted.dataset.Columns = 500, 500
    planted.dataset.PixelData = bytes(500_000)
    source = write(planted.file())
    basic.deidentify_file(source, tmp_path / "first.dcm")
    for name in ("open", "pread", "preadv", "write", "replace"):
        monkeypatch.setattr(f"os.{name}", counted(counts, name, getattr(os, name)))

    basic.deidentify_file(source, tmp_path / "out.dcm")
    monkeypatch.undo()

    assert counts["open"] == 2
    assert counts["pread"] + counts["preadv"] <= 3
    assert counts["write"] <= 2
    assert counts["replace"] == 1


def counted(counts: Counter[str], name: str, function: Any) -> Any:
    def call(*arguments: Any, **named: Any) -> Any:
        counts[name] += 1
        return function(*arguments, **named)

    return call


@pytest.mark.parametrize("compressed", [False, True])
def test_large_pixel_data_stays_in_its_file_until_it_is_read(planted: Any, write: Any, compressed: bool) -> None:
    data = bytes(range(250)) * 8000
    planted.dataset.PixelData = encapsulate([data]) if compressed else data
    planted.dataset["PixelData"].VR = "OB" if compressed else "OW"
    source = write(planted.file(RLELossless if compressed else ExplicitVRLittleEndian))

    with files.opened(source) as (dataset, notes):
        value = dataset["PixelData"].value

        assert notes == []
        assert isinstance(value, FileSlice)
        assert value.read_at(0, len(value)) == pydicom.dcmread(source).PixelData
        assert value.read_at(len(value) - 3, len(value) + 9) == value.read_at(0, len(value))[-3:]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_what_was_left_in_its_file_is_written_as_it_was(planted: Any, write: Any, tmp_path: Path, syntax: str) -> None:
    planted.dataset.Rows, planted.dataset.Columns = 1000, 1000
    planted.dataset.PixelData = bytes(range(250)) * 8000
    source = write(planted.file(syntax))

    files.write(files.read(source)[0], tmp_path / "whole.dcm")
    with files.opened(source) as (dataset, _):
        files.write(dataset, tmp_path / "deferred.dcm")

    assert (tmp_path / "deferred.dcm").read_bytes() == (tmp_path / "whole.dcm").read_bytes()


def test_pixel_data_that_is_cut_off_is_refused_when_it_is_read(planted: Any, write: Any) -> None:
    planted.dataset.Rows, planted.dataset.Columns = 1000, 1000
    planted.dataset.PixelData = bytes(2_000_000)
    with (
        pytest.raises(InvalidDicomError, match="ends inside an element"),
        files.opened(write(planted.file()[:1_500_000])),
    ):
        pass
