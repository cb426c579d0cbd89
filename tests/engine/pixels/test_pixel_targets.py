"""Pictures are found wherever an instance has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.values import convert_SQ

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from pathlib import Path

ALL_TEXT = PixelPlan(Scope.EVERYTHING)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian], ids=["no VR", "UN"])
def test_pictures_in_a_private_sequence_that_nothing_names_one_are_covered(
    syntax: UID, make_instance: Any, scripted_ocr: Any, tmp_path: Path
) -> None:
    picture = np.full((40, 64), 30, np.uint8)
    picture[8:16, 20:50] = 255
    nested = Dataset()
    nested.add(DataElement(0x00091001, "SQ", Sequence([make_instance(picture)])))
    encoded = DicomBytesIO()
    encoded.is_implicit_VR, encoded.is_little_endian = True, True
    write_dataset(encoded, nested)
    dataset = make_instance(np.zeros((40, 64), np.uint8), syntax=syntax)
    dataset.add(DataElement(0x00090010, "LO", "ACME"))
    dataset.add(DataElement(0x00091001, "UN", encoded.getvalue()[8:]))
    dataset.save_as(tmp_path / "in.dcm", enforce_file_format=True)
    read = pydicom.dcmread(tmp_path / "in.dcm")
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(read, None)
    assert {redaction.path for redaction in report.redactions} == {"00091001[0]/7FE00010"}
    read.save_as(tmp_path / "out.dcm")
    value = pydicom.dcmread(tmp_path / "out.dcm")[0x00091001].value
    (item,) = convert_SQ(value, is_implicit_VR=True, is_little_endian=True) if isinstance(value, bytes) else value
    after = np.frombuffer(item.PixelData, np.uint8).reshape(picture.shape)
    assert not after[7:17, 19:51].any()
    assert np.count_nonzero(after == 30) == picture.size - 10 * 32


def test_a_private_element_that_seems_to_hold_pictures_and_cannot_be_read_is_removed(
    make_instance: Any, scripted_ocr: Any
) -> None:
    dataset = make_instance(np.zeros((40, 64), np.uint8))
    dataset.add(DataElement(0x00090010, "LO", "ACME"))
    broken = b"\xfe\xff\x00\xe0\xff\x00\x00\x00\xe0\x7f\x10\x00\xff\xff\x00\x00PHI"
    dataset.add(DataElement(0x00091001, "UN", broken))
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    path = "00091001[0]/7FE00010"
    assert list(dataset[0x00091001].value[0]) == []
    assert report.warnings == (f"a private picture that could not be decoded was removed: {path}",)
    assert [(change.path, change.action) for change in report.changes] == [(path, "removed")]


def test_a_private_thumbnail_that_cannot_be_decoded_is_removed_and_a_standard_one_refused(
    make_instance: Any, scripted_ocr: Any
) -> None:
    thumbnail = make_instance(np.zeros((40, 64), np.uint8))
    thumbnail.PixelData = b"\0PHI"
    thumbnail.PatientComments = "beside it"
    dataset = make_instance(np.zeros((40, 64), np.uint8))
    dataset.add(DataElement(0x00090010, "LO", "ACME"))
    dataset.add(DataElement(0x00091001, "SQ", Sequence([Dataset(), thumbnail])))
    report = PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    item = dataset[0x00091001].value[1]
    assert ("PixelData" in item, "PatientComments" in item) == (False, True)
    assert report.warnings == ("a private picture that could not be decoded was removed: 00091001[1]/7FE00010",)

    dataset = make_instance(np.zeros((40, 64), np.uint8))
    dataset.IconImageSequence = Sequence([thumbnail])
    with pytest.raises(UnsupportedPixelsError) as caught:
        PixelRedactor(ALL_TEXT, ocr=scripted_ocr).redact(dataset, None)
    assert "PHI" not in str(caught.value)
