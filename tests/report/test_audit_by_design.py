"""What the rules leave by design is no error of an audit; the same place with something of the patient is one."""

from __future__ import annotations

import importlib.util
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import EngineError
from healthcare_deid.report import Originals, audit
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid import DeidentifyConfig
    from healthcare_deid.report.audit import Audit

BASIC = presets.basic_confidentiality_profile().model_copy(update={"image": None})
MINIMAL = presets.remove_metadata_and_all_text().model_copy(update={"image": None})
PRESETS = {"minimal": presets.remove_metadata_and_all_text(), "basic": presets.basic_confidentiality_profile()}
HOT_IRON = "1.2.840.10008.1.5.1"


def audited(result: Dataset, original: Dataset, config: DeidentifyConfig = BASIC) -> Audit:
    compared = Originals()
    compared.add(original)
    return audit(result, config=config, originals=compared)


def errors(result: Dataset, original: Dataset) -> set[str]:
    return {finding.path for finding in audited(result, original).errors}


@pytest.fixture
def original() -> Dataset:
    return sample_dicom()[0].dataset


def result_of(original: Dataset) -> Dataset:
    return Deidentifier(BASIC).deidentify(original).dataset


def coded(designator: str, uid: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1111", designator, "Diagnosis"
    item.CodingSchemeUID = uid
    return Sequence([item])


def test_uids_of_classes_and_coding_schemes_are_no_errors_and_an_instance_uid_in_their_place_is_one(
    original: Dataset,
) -> None:
    scheme, private_class = "1.3.6.1.4.1.19376.9999", "1.2.840.113619.4.26"
    original.ConceptNameCodeSequence = coded("99ACME", scheme)
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = private_class, "1.2.826.77.3.2.1"
    original.ReferencedImageSequence = Sequence([reference])
    result = result_of(original)
    result.ConceptNameCodeSequence = coded("99ACME", scheme)
    assert not errors(result, original)
    result.ConceptNameCodeSequence = coded("99ACME", str(original.StudyInstanceUID))
    assert errors(result, original) == {"ConceptNameCodeSequence[0]/CodingSchemeUID"}


def test_a_code_of_the_standard_is_no_error_where_the_patient_is_called_like_it_and_a_name_or_number_is_one(
    original: Dataset,
) -> None:
    original.PatientName, original.OtherPatientNames = "Text^Kowalczyk", ["CQ500-CT-310", "Perfusion^Ana"]
    original.ImageType = ["DERIVED", "PRIMARY", "PERFUSION", "RCBF"]
    result = result_of(original)
    result.Modality, result.ValueType = "CT", "TEXT"
    result.ConceptNameCodeSequence = coded("TEXT", "1.2.840.10008.2.16.4")
    found = audited(result, original)
    assert not found.errors
    assert {"ImageType", "Modality", "ValueType", "ConceptNameCodeSequence[0]/CodingSchemeDesignator"} <= {
        item.path for item in found.findings
    }
    result.ImageType = ["ORIGINAL", "PRIMARY", "CQ500_CT_310"]
    result.ValueType = "KOWALCZYK"
    result.ConceptNameCodeSequence[0].CodeValue = "KOWALCZYK"
    assert errors(result, original) == {"ImageType", "ValueType", "ConceptNameCodeSequence[0]/CodeValue"}


def test_a_common_word_beside_a_name_in_other_letters_is_no_error_and_that_name_in_any_bytes_is_one(
    original: Dataset,
) -> None:
    original.SpecificCharacterSet = "ISO_IR 100"
    original.PatientName, original.OperatorsName = "Test^Ana", "Grönvall^Jörg"
    original.ConceptNameCodeSequence = coded("TEST", "1.2.840.10008.2.16.4")
    original.ReferencedImageSequence = Sequence([Dataset()])
    original.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "0"
    original.ReferencedImageSequence[0].ReferencedSOPClassUID = "0"
    result = result_of(original)
    result.ReferencedImageSequence[0].ReferencedSOPClassUID = "0"
    assert not errors(result, original)
    result.SegmentLabel = "Grönvall"
    result.TrackingID = "Gr\u00c3\u00b6nvall"  # UTF-8, read as Latin-1
    assert errors(result, original) == {"SegmentLabel", "TrackingID"}


def test_the_engine_empties_a_code_that_holds_a_number_of_the_patient_beside_words_of_the_field(
    original: Dataset,
) -> None:
    original.PatientID = "77654033"
    original.ImageType = ["ORIGINAL", "PRIMARY", "77654033"]
    assert not result_of(original).ImageType


def test_numbers_of_equipment_are_no_errors_and_a_labeled_number_beside_them_is_one(original: Dataset) -> None:
    result = result_of(original)
    result.AcquisitionDeviceProcessingCode, result.TransducerData = "10090", ["S5_1", "55360"]
    result.ProcessingFunction, result.PostprocessingFunction = "6000,17133,10625,11622", "UKE_pa_020395"
    assert audit(result).clean
    result.TransducerData = ["S5_1", "MRN 5536077"]
    assert not audit(result).clean
    del result.TransducerData
    result.SegmentLabel = "MRN 5536077"
    assert not audit(result).clean


def test_a_description_in_an_instance_of_the_standard_is_no_error_and_in_any_other_it_is_one(
    original: Dataset,
) -> None:
    result = result_of(original)
    result.ContentDescription = "Heisses Eisen"
    assert not audit(result).clean
    result.SOPInstanceUID = result.file_meta.MediaStorageSOPInstanceUID = UID(HOT_IRON)
    assert audit(result).clean
    compared = Originals()
    original.PatientName = "Eisen^Marta"
    compared.add(original)
    assert not audit(result, originals=compared).clean


def shipped() -> Iterator[Path]:
    """Yield every file that pydicom ships."""
    spec = importlib.util.find_spec("pydicom.data")
    assert spec is not None
    assert spec.origin is not None
    yield from sorted(path for path in Path(spec.origin).parent.rglob("*") if path.is_file())


def instances() -> Iterator[tuple[Path, Any]]:
    """Yield those of them that are DICOM, apart from directories and from one film, whose frames take minutes."""
    for path in shipped():
        if path.name == "color3d_jpeg_baseline.dcm":
            continue
        try:
            dataset = pydicom.dcmread(path)
            uid = dataset.file_meta.get("TransferSyntaxUID")
        except Exception:  # noqa: BLE001 - the files of pydicom's own tests are broken in every way
            continue
        if uid is not None and "DirectoryRecordSequence" not in dataset:
            yield path, dataset


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("compressed", [True, False], ids=["compressed", "native"])
def test_results_of_all_files_that_pydicom_ships_have_no_error(preset: str, compressed: bool) -> None:
    config = PRESETS[preset]
    engine = Deidentifier(config if compressed else config.model_copy(update={"image": None}))
    found: list[tuple[str, str, str]] = []
    done = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, original in instances():
            if UID(original.file_meta.TransferSyntaxUID).is_compressed is not compressed:
                continue
            try:
                result = engine.deidentify_bytes(path.read_bytes()).data
            except EngineError:
                continue  # refused: there is nothing to audit
            done += 1
            told = audited(pydicom.dcmread(io.BytesIO(result)), original, config)
            found += [(path.name, str(item.residue), item.path) for item in told.errors]
    assert done > 15
    assert not found
