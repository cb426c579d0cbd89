"""DICOM JSON: the fast path equals pydicom."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from healthcare_deid.emulator.storage.dicom_json import to_json
from healthcare_deid.engine.silence import quiet

FOLDER = Path(pydicom.__file__).parent / "data"
FILES = sorted([*(FOLDER / "test_files").glob("*.dcm"), *(FOLDER / "charset_files").glob("*.dcm")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_plain_values_are_read_as_pydicom_reads_them(path: Path) -> None:
    with quiet():
        quick = to_json(pydicom.dcmread(path, force=True))
        slow = to_json(pydicom.dcmread(path, force=True), fast=False)
    assert quick == slow


def test_bulk_values_are_links_with_their_place() -> None:
    inner = Dataset()
    inner.add_new(0x00420011, "OB", b"%PDF")
    dataset = Dataset()
    dataset.ContentSequence = Sequence([inner])
    dataset.add_new(0x7FE00010, "OW", b"\0\0")
    made = to_json(dataset)
    assert made["0040A730"]["Value"][0]["00420011"] == {"vr": "OB", "BulkDataURI": "bulkdata/0040A730/0/00420011"}
    assert made["7FE00010"] == {"vr": "OW", "BulkDataURI": "bulkdata/7FE00010"}


@pytest.mark.parametrize("fast", [True, False])
def test_a_number_that_json_cannot_express_is_null(tmp_path: Path, fast: bool) -> None:
    dataset = pydicom.dcmread(FOLDER / "test_files" / "CT_small.dcm")
    dataset.add_new(0x00189073, "FD", [1.5, math.nan, -math.inf])
    dataset.add_new(0x00189087, "FD", math.inf)
    dataset.save_as(tmp_path / "file")
    made = to_json(pydicom.dcmread(tmp_path / "file"), fast=fast)
    assert made["00189073"] == {"vr": "FD", "Value": [1.5, None, None]}
    assert made["00189087"] == {"vr": "FD", "Value": [None]}
    json.dumps(made, allow_nan=False)


def test_a_large_value_stays_in_its_file(tmp_path: Path) -> None:
    dataset = pydicom.dcmread(FOLDER / "test_files" / "CT_small.dcm")
    dataset.add_new(0x00420011, "OB", bytes(100_000))
    dataset.save_as(tmp_path / "file")
    read = pydicom.dcmread(tmp_path / "file", defer_size=64 * 1024)
    assert to_json(read)["00420011"] == {"vr": "OB", "BulkDataURI": "bulkdata/00420011"}
    raw: Any = read.get_item(0x00420011, keep_deferred=True)
    assert raw.value is None


def test_a_value_that_cannot_be_expressed_keeps_its_vr() -> None:
    dataset = Dataset()
    dataset.add_new(0x00080001, "UL", 1)
    dataset[0x00080001]._value = "one"
    assert to_json(dataset) == {"00080001": {"vr": "UL"}}
