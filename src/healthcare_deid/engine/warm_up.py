"""An instance of nobody's, with every kind of thing that needs a word list or a model to be loaded."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from healthcare_deid.engine.dicom.files import encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS, _COLUMNS = 96, 384
_WORDS = "JOHN PUBLIC 01/02/1970"


def example() -> bytes:
    """Return the instance as the bytes of a file: names and dates in its header, in its text and in its picture."""
    dataset = Dataset()
    dataset.preamble = bytes(128)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = UID("1.2.3.1")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = UID("1.2.3.2"), UID("1.2.3.3")
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Public^John", "0000", "19700102"
    dataset.StudyDate, dataset.Modality = "19900102", "OT"
    dataset.StudyDescription = "CT of the chest, seen by Dr. Jane Roe at St. Mary's, Boston, call 617-555-0100"
    dataset.Rows, dataset.Columns = _ROWS, _COLUMNS
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = _picture().tobytes()
    file = io.BytesIO()
    encode(dataset, file)
    return file.getvalue()


def _picture() -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (_COLUMNS, _ROWS))
    ImageDraw.Draw(picture).text((12, 30), _WORDS, fill=255, font=ImageFont.load_default(28))
    return np.asarray(picture)
