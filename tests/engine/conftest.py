"""An instance with PHI planted everywhere a header can hold it, and short ways to make deidentifiers and files."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid import v1beta1
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass
class Planted:
    """An instance and every marker in it.

    Attributes:
        dataset: The instance.
        markers: Where each marker is → its bytes.
        preamble: The first 128 bytes of its file.
    """

    dataset: FileDataset
    markers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    preamble: bytes = b""

    def file(self, syntax: str = ExplicitVRLittleEndian) -> bytes:
        """Return it as a file."""
        return encode(self.dataset, syntax, preamble=self.preamble)

    def found_in(self, data: bytes) -> list[str]:
        """Return the places whose marker is in these bytes."""
        return [place for place, marker in self.markers.items() if marker in data]


def encode(dataset: Dataset, syntax: str = ExplicitVRLittleEndian, *, preamble: bytes = b"") -> bytes:
    """Return a dataset as a file."""
    buffer = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    pydicom.dcmwrite(
        buffer,
        dataset,
        enforce_file_format=True,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
    )
    return (preamble or bytes(128)) + buffer.getvalue()[128:]


class _Planter:
    """Hands out markers, and remembers where they went."""

    def __init__(self) -> None:
        self.markers: dict[str, bytes] = {}
        self._count = 0

    def text(self, place: str, vr: str = "LO") -> str:
        self._count += 1
        number = self._count
        values = {
            "DA": f"19{40 + number % 50}{1 + number % 12:02}{1 + number % 28:02}",
            "DT": f"19{40 + number % 50}{1 + number % 12:02}{1 + number % 28:02}0911{number % 60:02}",
            "TM": f"2317{number % 60:02}.4711{number:02}",
            "UI": f"1.2.826.0.1.3680043.99999.{number}.7777{number}",
            "AS": f"{number % 99:03}Y",
            "CS": f"ZQXCS{number:03}",
            "PN": f"Zqx{number:03}^Marker",
        }
        value = values.get(vr, f"ZQX{number:03}")
        marker = f"Zqx{number:03}" if vr == "PN" else value
        self.markers[place] = marker.encode()
        return value


def planted_instance() -> Planted:
    """Return a CT instance in which every kind of place holds a marker of its own."""
    plant = _Planter()
    dataset = FileDataset("", {}, file_meta=FileMetaDataset())
    _plant_top_level(dataset, plant)
    _plant_sequences(dataset, plant)
    _plant_private(dataset, plant)
    _plant_odd_places(dataset, plant)
    preamble = plant.text("preamble").encode().ljust(128, b"\0")
    dataset.file_meta = _planted_meta(dataset, plant)
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True, character_encoding="ISO_IR 100")
    return Planted(dataset, plant.markers, preamble)


_TOP_LEVEL = {
    "LO": "PatientID OtherPatientIDs StudyDescription SeriesDescription ProtocolName InstitutionName Allergies "
    "PatientReligiousPreference MilitaryRank MedicalAlerts DeviceSerialNumber IssuerOfPatientID BranchOfService "
    "InstitutionalDepartmentName DetectorID RequestedProcedureDescription AdmissionID CountryOfResidence "
    "CurrentPatientLocation PatientInstitutionResidence ClinicalTrialSiteName PerformedProcedureStepDescription",
    "PN": "PatientName ReferringPhysicianName PerformingPhysicianName OperatorsName OtherPatientNames "
    "PatientBirthName PatientMotherBirthName ResponsiblePerson RequestingPhysician NameOfPhysiciansReadingStudy",
    "SH": "AccessionNumber StudyID StationName PatientTelephoneNumbers ReferringPhysicianTelephoneNumbers "
    "EthnicGroup Occupation PerformedStationName",
    "ST": "InstitutionAddress ReferringPhysicianAddress AcquisitionDeviceProcessingDescription",
    "LT": "PatientComments AdditionalPatientHistory ImageComments StudyComments RequestAttributesComments",
    "DA": "StudyDate SeriesDate AcquisitionDate ContentDate PatientBirthDate AdmittingDate LastMenstrualDate",
    "TM": "StudyTime PatientBirthTime AdmittingTime",
    "DT": "AcquisitionDateTime",
    "UI": "StudyInstanceUID SeriesInstanceUID SOPInstanceUID FrameOfReferenceUID IrradiationEventUID",
    "AE": "StationAETitle ScheduledStudyLocationAETitle",
    "CS": "",
}


def _plant_top_level(dataset: Dataset, plant: _Planter) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = CTImageStorage
    dataset.Modality = "CT"
    for vr, keywords in _TOP_LEVEL.items():
        for keyword in keywords.split():
            if tag_for_keyword(keyword) is None:
                continue
            setattr(dataset, keyword, plant.text(keyword, vr))
    dataset.PatientAddress = plant.text("PatientAddress")
    dataset.PatientSex = "F"
    dataset.Rows, dataset.Columns = 2, 3
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.PixelData = bytes(range(12))
    dataset["PixelData"].VR = "OW"


def _plant_sequences(dataset: Dataset, plant: _Planter) -> None:
    level3 = Dataset()
    level3.PersonName = plant.text("level 3 PersonName", "PN")
    level3.TextValue = plant.text("level 3 TextValue")
    level2 = Dataset()
    level2.PatientID = plant.text("level 2 PatientID")
    level2.ContentSequence = Sequence([level3])
    level2.ReferencedSOPInstanceUID = plant.text("level 2 ReferencedSOPInstanceUID", "UI")
    level1 = Dataset()
    level1.RequestedProcedureDescription = plant.text("level 1 RequestedProcedureDescription")
    level1.ReferencedStudySequence = Sequence([level2])
    dataset.RequestAttributesSequence = Sequence([level1])
    other = Dataset()
    other.PatientID = plant.text("OtherPatientIDsSequence PatientID")
    dataset.OtherPatientIDsSequence = Sequence([other])
    reference = Dataset()
    reference.ReferencedSOPClassUID = CTImageStorage
    reference.ReferencedSOPInstanceUID = plant.text("ReferencedImageSequence UID", "UI")
    dataset.ReferencedImageSequence = Sequence([reference])
    modified = Dataset()
    modified.PatientName = plant.text("OriginalAttributes PatientName", "PN")
    modified.PatientBirthDate = plant.text("OriginalAttributes PatientBirthDate", "DA")
    original = Dataset()
    original.ModifiedAttributesSequence = Sequence([modified])
    original.SourceOfPreviousValues = plant.text("SourceOfPreviousValues")
    original.ModifyingSystem = plant.text("ModifyingSystem")
    original.AttributeModificationDateTime = plant.text("AttributeModificationDateTime", "DT")
    dataset.OriginalAttributesSequence = Sequence([original])
    content = Dataset()
    content.RelationshipType = "CONTAINS"
    content.ValueType = "TEXT"
    content.TextValue = plant.text("ContentSequence TextValue", "UT")
    observer = Dataset()
    observer.ValueType = "PNAME"
    observer.PersonName = plant.text("ContentSequence PersonName", "PN")
    dated = Dataset()
    dated.ValueType = "DATE"
    dated.Date = plant.text("ContentSequence Date", "DA")
    content.ContentSequence = Sequence([observer, dated])
    dataset.ContentSequence = Sequence([content])


def _plant_private(dataset: Dataset, plant: _Planter) -> None:
    block = dataset.private_block(0x0009, "ZQXCREATOR", create=True)
    plant.markers["private creator"] = b"ZQXCREATOR"
    block.add_new(0x01, "LO", plant.text("private LO"))
    block.add_new(0x02, "UN", plant.text("private UN").encode() + b" ")
    block.add_new(0x03, "UI", plant.text("private UI", "UI"))
    inner = Dataset()
    inner.PatientName = plant.text("private SQ PatientName", "PN")
    inner.private_block(0x0009, "ZQXINNER", create=True).add_new(0x01, "LO", plant.text("private in private SQ"))
    block.add_new(0x04, "SQ", Sequence([inner]))
    nested = Dataset()
    nested.private_block(0x0029, "ACME", create=True).add_new(0x10, "ST", plant.text("private in standard SQ"))
    nested.ReferencedSOPInstanceUID = plant.text("beside private in standard SQ", "UI")
    dataset.SourceImageSequence = Sequence([nested])
    hidden = DataElement(0x00091005, "UN", b"")
    inside = plant.text("UN of undefined length, holding a sequence").encode() + b"  "
    item = b"\x10\x00\x10\x00" + len(inside).to_bytes(4, "little") + inside
    hidden.value = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    dataset[0x00091005] = hidden


def _plant_odd_places(dataset: Dataset, plant: _Planter) -> None:
    dataset.add_new(0x60003000, "OW", plant.text("overlay data").encode() + b"  ")
    dataset.add_new(0x60004000, "LT", plant.text("overlay comments"))
    dataset.add_new(0x60020022, "LO", "SAFE LABEL")
    dataset.add_new(0x60024000, "LT", plant.text("second overlay's comments"))
    dataset.add_new(0x50002500, "LO", plant.text("curve label"))
    dataset.add_new(0x50003000, "OW", plant.text("curve data").encode() + b"  ")
    dataset.add_new(0x00420011, "OB", plant.text("encapsulated document").encode() + b"  ")
    signature = Dataset()
    signature.MACIDNumber = 1
    signature.DigitalSignatureUID = plant.text("DigitalSignatureUID", "UI")
    signature.CertificateOfSigner = plant.text("CertificateOfSigner").encode() + b"  "
    dataset.add_new(0xFFFAFFFA, "SQ", Sequence([signature]))
    dataset.add_new(0xFFFCFFFC, "OB", plant.text("padding after PixelData").encode() + b"  ")


def _planted_meta(dataset: Dataset, plant: _Planter) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.SourceApplicationEntityTitle = plant.text("meta SourceApplicationEntityTitle", "AE")
    meta.SendingApplicationEntityTitle = plant.text("meta SendingApplicationEntityTitle", "AE")
    meta.ImplementationVersionName = plant.text("meta ImplementationVersionName", "SH")
    meta.PrivateInformationCreatorUID = UID(plant.text("meta PrivateInformationCreatorUID", "UI"))
    meta.PrivateInformation = plant.text("meta PrivateInformation").encode() + b"  "
    return meta


@pytest.fixture
def planted() -> Planted:
    """An instance with a marker in every kind of place."""
    return planted_instance()


@pytest.fixture
def as_file() -> Callable[..., bytes]:
    """Encodes a dataset as a file."""
    return encode


@pytest.fixture
def make() -> Callable[..., Deidentifier]:
    """Makes a deidentifier from a v1 ``dicom`` message and engine arguments."""

    def build(
        dicom: dict[str, Any] | None = None, /, *, text: dict[str, Any] | None = None, **arguments: Any
    ) -> Deidentifier:
        message: dict[str, Any] = {"dicom": dicom or {}}
        if text is not None:
            message["text"] = text
        return Deidentifier(DeidentifyConfig.from_api(message), **arguments)

    return build


@pytest.fixture
def make_beta() -> Callable[..., Deidentifier]:
    """Makes a deidentifier from a v1beta1 ``dicomTagConfig`` and engine arguments."""

    def build(tag_config: dict[str, Any], /, **arguments: Any) -> Deidentifier:
        return Deidentifier(v1beta1.DeidentifyConfig.from_api({"dicomTagConfig": tag_config}), **arguments)

    return build


@pytest.fixture
def profile(make: Callable[..., Deidentifier]) -> Callable[..., Deidentifier]:
    """Makes a deidentifier from the name of a v1 profile and engine arguments."""

    def build(name: str, **arguments: Any) -> Deidentifier:
        return make({"filterProfile": name}, **arguments)

    return build


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes bytes to a file of a temporary folder."""

    def put(data: bytes, name: str = "in.dcm") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return put
