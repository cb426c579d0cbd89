"""An instance with a patient's identity in every kind of place, de-identified by both executors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from healthcare_deid.engine import Deidentifier, DeidentifyResult

SECRET = b"a secret for the tests of identity"


def instance(**values: Any) -> Dataset:
    """Return an instance; *values* replace its own, and None takes an element away."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.41", "1.2.3.42", "1.2.3.43"
    dataset.StudyDate, dataset.StudyTime, dataset.AcquisitionDateTime = "20200310", "101112", "20200310101112"
    dataset.AccessionNumber, dataset.StudyID = "ACC998877", "S7766"
    dataset.PatientID, dataset.PatientName = "MRN4711-22", "Walkenhorst^Annegret"
    dataset.PatientBirthDate, dataset.PatientAge = "19280203", "092Y"
    dataset.StudyDescription = "Walkenhorst, Annegret (MRN4711-22)"
    dataset.ImageComments = "Walkenhorst was here on 2020-03-08"
    dataset.InstitutionName, dataset.ProtocolName = "General Hospital Site A", "AX T1"
    request = Dataset()
    request.AccessionNumber = "ACC998877"
    request.RequestedProcedureDescription = "for Walkenhorst"
    dataset.RequestAttributesSequence = Sequence([request])
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


@pytest.fixture
def both_ways(tmp_path: Path) -> Callable[[Deidentifier, Dataset], DeidentifyResult]:
    """Return a function that de-identifies as a dataset and as a file, and sees that the results are the same."""

    def run(deidentifier: Deidentifier, dataset: Dataset) -> DeidentifyResult:
        pydicom.dcmwrite(tmp_path / "old.dcm", dataset, enforce_file_format=True)
        as_dataset = deidentifier.deidentify(dataset)
        as_file = deidentifier.deidentify_file(tmp_path / "old.dcm", tmp_path / "new.dcm")
        assert as_file.dataset == as_dataset.dataset
        assert _rules(as_file) == _rules(as_dataset)
        assert as_file.warnings == as_dataset.warnings
        return as_file

    return run


def _rules(result: DeidentifyResult) -> set[tuple[str, str, str]]:
    return {
        (change.path, change.action, change.rule) for change in result.changes if not change.path.startswith("0002")
    }
