"""A run with originals, results and a run folder, as a review needs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = presets.remove_metadata_and_all_text().model_copy(update={"image": None})
"""No pixels: quick."""
UNREADABLE = {
    "frame": 0,
    "x": 5,
    "y": 6,
    "width": 30,
    "height": 10,
    "rule": "unreadable",
    "confidence": 0.9,
    "path": "7FE00010",
}
READABLE = UNREADABLE | {"x": 60, "y": 70, "rule": "all-text", "confidence": 0.99}
COUNT = 3


def make_run(folder: Path) -> Path:
    """De-identify three samples, and return the folder of results.

    The record tells of boxes and warnings besides, as if the run had looked at pixels, and ends in half a line.
    """
    scans, clean = folder / "scans", folder / "clean"
    (scans / "study").mkdir(parents=True)
    for number, sample in enumerate(sample_dicom()[:COUNT]):
        sample.dataset.save_as(scans / "study" / f"{number}.dcm", enforce_file_format=True)
    Deidentifier(CONFIG).deidentify_tree(scans, clean, names="source", workers=1)
    record = folder / "clean.run" / "record.jsonl"
    header, *lines = map(json.loads, record.read_text().splitlines())
    said: dict[str, dict[str, Any]] = {
        "study/1.dcm": {"warnings": {"id": "one", "list": ["look here"]}},
        "study/2.dcm": {"redactions": [UNREADABLE, READABLE]},
    }
    lines = [line | said.get(line["result"], {}) for line in lines]
    record.write_text("".join(f"{json.dumps(line)}\n" for line in [header, *lines]) + '{"result":"cut o')
    return clean


def save(dataset: Dataset, path: Path) -> None:
    """Write an instance with file meta information."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


def make_report() -> Dataset:
    """Return a structured report: an instance without pictures."""
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = BasicTextSRStorage, "1.2.3.4.5.1"
    report.StudyInstanceUID, report.SeriesInstanceUID, report.Modality = "1.2.3.4.5.2", "1.2.3.4.5.3", "SR"
    report.PatientName, report.PatientID, report.StudyDate = "Rivera^Ana", "MRN-483920", "20210304"
    finding, case = Dataset(), Dataset()
    finding.ValueType, finding.TextValue = "TEXT", "Patient Ana Rivera has a nodule."
    finding.ConceptNameCodeSequence = [_code("121071", "DCM", "Finding")]
    case.ValueType, case.ConceptNameCodeSequence = "CODE", [_code("MRN-483920", "99LOCAL", "Case")]
    report.ContentSequence = [finding, case]
    return report


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
