"""Bytes after the last native frame are removed under every profile, even if pixels are not inspected."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"KOWALCZYK^MARIA!"
MADE = [
    Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}}))
    for profile in ("KEEP_ALL_PROFILE", "MINIMAL_KEEP_LIST_PROFILE", "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE")
]


def _instance(shape: tuple[int, ...], kind: str, syntax: UID = ExplicitVRLittleEndian) -> Dataset:
    pixels = np.zeros(shape, kind)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.1", "1.2.2"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    if len(shape) == 3:
        dataset.NumberOfFrames = shape[0]
    dataset.Rows, dataset.Columns = shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    if pixels.dtype.kind == "f":
        dataset.FloatPixelData = pixels.tobytes()
    else:
        dataset.PixelData = pixels.tobytes()
        dataset["PixelData"].VR = "OB" if dataset.BitsAllocated == 8 else "OW"
    return dataset


def _icon() -> Dataset:
    icon = Dataset()
    icon.Rows = icon.Columns = 10
    icon.SamplesPerPixel, icon.PhotometricInterpretation, icon.PixelRepresentation = 1, "MONOCHROME2", 0
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit = 7
    icon.PixelData = bytes(100)
    icon["PixelData"].VR = "OB"
    return icon


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(
    ("shape", "kind"),
    [((20, 30), "u1"), ((3, 20, 30), "u2"), ((300, 400), "u2"), ((9, 300, 400), "u1"), ((21, 31), "f4")],
)
@pytest.mark.parametrize("icon", [False, True])
def test_text_after_the_last_frame_is_removed_with_a_warning(
    shape: tuple[int, ...], kind: str, icon: bool, syntax: UID, tmp_path: Path
) -> None:
    dataset = _instance(shape, kind, syntax)
    if icon:
        dataset.IconImageSequence = Sequence([_icon()])
    element: Any = dataset["FloatPixelData" if kind == "f4" else "PixelData"]
    whole = element.value
    for deidentifier in MADE:
        for text in (b"", TEXT):
            element.value = whole + text
            dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
            result = deidentifier.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
            assert pydicom.dcmread(tmp_path / "out.dcm")[element.tag].value == whole
            assert any("after the last frame" in warning for warning in result.warnings) is bool(text)
            assert ("after-last-frame" in {change.rule for change in result.changes}) is bool(text)


def test_a_length_that_may_be_a_larger_picture_stays_with_a_warning(tmp_path: Path) -> None:
    dataset = _instance((20, 30), "u1")
    dataset.PixelData = b"\1" * 1800
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    result = MADE[0].deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert any("length of the pixel data contradicts its attributes" in warning for warning in result.warnings)
    assert result.dataset.PixelData == dataset.PixelData


@pytest.mark.parametrize("more", [60, 300], ids=["whole rows", "another frame"])
def test_a_result_with_pixel_data_of_unexplained_length_does_not_claim_removal(more: int, tmp_path: Path) -> None:
    dataset = _instance((20, 30), "u1")
    dataset.PixelData += (TEXT * 40)[:more]
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    for deidentifier in MADE:
        by_bytes = deidentifier.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
        by_dataset = deidentifier.deidentify(dataset)
        for result in (by_bytes, by_dataset):
            assert "PatientIdentityRemoved" not in result.dataset
            assert any("contradicts" in warning for warning in result.warnings)


def test_a_result_with_fragments_in_a_native_syntax_does_not_claim_removal() -> None:
    dataset = _instance((20, 30), "u1")
    dataset.PixelData = bytes.fromhex("feff00e000000000feff00e010000000") + TEXT
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    before, pixels = file.getvalue().split(b"OB\0\0\x20\0\0\0")
    data = before + b"OB\0\0\xff\xff\xff\xff" + pixels + bytes.fromhex("feffdde000000000")
    for deidentifier in MADE:
        result = pydicom.dcmread(io.BytesIO(deidentifier.deidentify_bytes(data).data))
        assert "PatientIdentityRemoved" not in result


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_result_with_text_in_the_place_of_pixels_does_not_claim_removal(syntax: UID) -> None:
    dataset = _instance((20, 30), "u1", syntax)
    dataset.PixelData = TEXT
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    for deidentifier in MADE:
        by_bytes = pydicom.dcmread(io.BytesIO(deidentifier.deidentify_bytes(file.getvalue()).data))
        for result in (by_bytes, deidentifier.deidentify(dataset).dataset):
            assert "PatientIdentityRemoved" not in result


def test_text_after_the_last_frame_of_a_nested_picture_is_removed(tmp_path: Path) -> None:
    icon = _icon()
    icon.PixelData += TEXT[:-1]
    dataset = _instance((20, 30), "u1")
    del dataset.PixelData, dataset.Rows, dataset.Columns
    dataset.IconImageSequence = Sequence([icon])
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    keeps_all = MADE[0]
    keeps_all.deidentify_file(tmp_path / "in.dcm", tmp_path / "out.dcm")
    assert TEXT[:-1] not in (tmp_path / "out.dcm").read_bytes()
    assert keeps_all.deidentify(dataset).dataset.IconImageSequence[0].PixelData == bytes(100)
