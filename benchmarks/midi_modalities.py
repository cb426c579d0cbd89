"""The elements of each modality's instances: what they are called, and what kind of text stands in them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from midi_people import telling_words
from pydicom import uid as uids
from pydicom.dataset import Dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from midi_set import Builder

SAFE_CREATOR: Final = "NORTHLIGHT MR 2.0"
SAFE_PRIVATE: Final = (f"{SAFE_CREATOR},0019,01", f"{SAFE_CREATOR},0019,02")
"""Private elements that the bench declares safe: a b-value, and a text about the scan."""
OTHER_CREATOR: Final = "ACME WORKSTATION"

COMMON_TEXTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("StudyDescription", ("short",)),
    ("SeriesDescription", ("short",)),
    ("ProtocolName", ("short", "technique")),
    ("ImageComments", ("long", "technique")),
    ("PatientComments", ("history", "allergy")),
    ("AdditionalPatientHistory", ("history", "eponym", "drug")),
    ("RequestedProcedureDescription", ("short",)),
    ("PerformedProcedureStepDescription", ("short", "technique")),
    ("CommentsOnThePerformedProcedureStep", ("technique", "long")),
    ("AdmittingDiagnosesDescription", ("eponym", "history")),
    ("ReasonForStudy", ("history",)),
    ("StudyComments", ("long", "history")),
    ("Allergies", ("allergy", "drug")),
    ("MedicalAlerts", ("allergy", "device")),
    ("DerivationDescription", ("technique",)),
    ("AcquisitionComments", ("technique",)),
    ("AcquisitionProtocolDescription", ("technique", "short")),
    ("PatientState", ("history",)),
    ("SpecialNeeds", ("allergy",)),
    ("VisitComments", ("history", "device")),
    ("FrameComments", ("technique", "long")),
    ("RequestedProcedureComments", ("history", "short")),
    ("ReasonForTheRequestedProcedure", ("history",)),
    ("RequestAttributesSequence.ScheduledProcedureStepDescription", ("short",)),
    ("RequestAttributesSequence.RequestedProcedureDescription", ("short",)),
    ("RequestAttributesSequence.ReasonForTheRequestedProcedure", ("history", "eponym")),
    ("RequestAttributesSequence.ScheduledProtocolCodeSequence.CodeMeaning", ("code",)),
    ("ProcedureCodeSequence.CodeMeaning", ("code",)),
    ("PerformedProtocolCodeSequence.ProtocolContextSequence.ConceptNameCodeSequence.CodeMeaning", ("code",)),
    ("ReferencedImageSequence.PurposeOfReferenceCodeSequence.CodeMeaning", ("code",)),
    ("SourceImageSequence.DerivationCodeSequence.CodeMeaning", ("code",)),
)
"""Attributes that any instance may have; each instance has about a third of them."""
STORAGE: Final = {
    "CT": uids.CTImageStorage,
    "MR": uids.MRImageStorage,
    "US": uids.UltrasoundImageStorage,
    "CR": uids.ComputedRadiographyImageStorage,
    "DX": uids.DigitalXRayImageStorageForPresentation,
    "MG": uids.DigitalMammographyXRayImageStorageForPresentation,
    "PT": uids.PositronEmissionTomographyImageStorage,
    "NM": uids.NuclearMedicineImageStorage,
    "XA": uids.XRayAngiographicImageStorage,
    "RF": uids.XRayRadiofluoroscopicImageStorage,
    "OT": uids.SecondaryCaptureImageStorage,
    "PR": uids.GrayscaleSoftcopyPresentationStateStorage,
    "RTSTRUCT": uids.RTStructureSetStorage,
    "RTPLAN": uids.RTPlanStorage,
    "RTDOSE": uids.RTDoseStorage,
    "RTIMAGE": uids.RTImageStorage,
    "SEG": uids.SegmentationStorage,
    "SR": uids.ComprehensiveSRStorage,
    "KO": uids.KeyObjectSelectionDocumentStorage,
}
MODALITIES: Final = tuple(STORAGE)
WITHOUT_PIXELS: Final = ("PR", "RTSTRUCT", "RTPLAN", "SR", "KO")
BODY_PARTS: Final = ("CHEST", "ABDOMEN", "HEAD", "KNEE", "BREAST", "PELVIS", "LSPINE", "HEART", "NECK", "WRIST")


def common(builder: Builder, day: dt.date, number: int, *, explicit: bool) -> None:
    """Fill what every modality has: header, dates, device, texts, private elements."""
    _people(builder)
    _dates(builder, day)
    _device(builder)
    rng, modality = builder.rng, builder.instance.modality
    builder.technical("SOPClassUID", STORAGE[modality])
    builder.technical("Modality", modality)
    builder.technical("InstanceNumber", number + 1)
    builder.technical("SeriesNumber", rng.randint(1, 14))
    builder.technical("BodyPartExamined", rng.choice(BODY_PARTS))
    builder.plain("StudyTime", f"{rng.randint(7, 19):02d}{rng.randint(0, 59):02d}{rng.randint(0, 59):02d}")
    for path, styles in rng.sample(COMMON_TEXTS, 10):
        if path.endswith("CodeMeaning"):
            _code(builder, path.removesuffix(".CodeMeaning"))
        else:
            builder.text(path, *styles)
    _private(builder, explicit=explicit)
    if rng.random() < 0.25:
        _overlay(builder)


def _people(builder: Builder) -> None:
    who, rng = builder.patient, builder.rng
    cued = who.cued_only
    words = [part for part in who.person.parts if len(part) >= 3]
    # Everyday words are not searched for in the whole file: texts may hold them.
    builder.header("PatientName", who.person.pn, *(() if cued or not words else words))
    builder.header("PatientID", who.patient_id)
    builder.header("PatientBirthDate", f"{who.birth:%Y%m%d}")
    builder.header("AccessionNumber", who.accession)
    builder.header("InstitutionName", who.hospital, *telling_words(who.hospital))
    builder.header("ReferringPhysicianName", who.others[0].pn, *who.others[0].parts)
    builder.header("OperatorsName", who.others[1].pn, *who.others[1].parts)
    builder.header("NameOfPhysiciansReadingStudy", who.others[2].pn, *who.others[2].parts)
    number = str(rng.randint(1_000_000, 9_999_999))
    extra: list[Callable[[], None]] = [
        lambda: builder.header("PatientBirthName", who.others[8].pn, *who.others[8].parts),
        lambda: builder.header("OtherPatientNames", who.others[8].pn, *who.others[8].parts),
        lambda: builder.header("OtherPatientIDsSequence.PatientID", number),
        lambda: builder.header("PatientTelephoneNumbers", f"555-{number[:3]}-{number[3:]}"),
        lambda: builder.header("PatientAddress", f"{number[:3]} {who.city} Street, {who.city}", who.city),
        lambda: builder.header("InstitutionAddress", f"1 Hospital Drive, {who.city}", who.city),
        lambda: builder.header("PerformingPhysicianName", who.others[0].pn, *who.others[0].parts),
        lambda: builder.header("RequestingPhysician", who.others[0].pn, *who.others[0].parts),
        lambda: builder.header("RequestedProcedureID", number),
        lambda: builder.header("AdmissionID", number),
        lambda: builder.header("StudyID", number),
        lambda: builder.header("ResponsiblePerson", who.others[7].pn, *who.others[7].parts),
        lambda: builder.header("MilitaryRank", f"Sgt {who.others[7].family}", who.others[7].family),
        lambda: builder.header("InsurancePlanIdentification", number),
        lambda: builder.header("CurrentPatientLocation", f"Ward {who.city}", who.city),
        lambda: builder.header("ReferringPhysicianIdentificationSequence.PersonTelephoneNumbers", number),
        lambda: builder.header("RequestingService", f"{who.city} Orthopedics", who.city),
    ]
    for fill in rng.sample(extra, 5):
        fill()
    builder.technical("PatientSex", rng.choice("FM"))
    builder.technical("PatientAge", f"0{rng.randint(20, 84)}Y")
    builder.technical("PatientSize", f"1.{rng.randint(50, 95)}")
    builder.technical("PatientWeight", str(rng.randint(44, 118)))


def _dates(builder: Builder, day: dt.date) -> None:
    rng = builder.rng
    builder.date("StudyDate", day)
    builder.date("SeriesDate", day)
    builder.date("ContentDate", day + dt.timedelta(days=rng.randint(0, 2)))
    builder.date("InstanceCreationDate", day + dt.timedelta(days=rng.randint(0, 3)))
    if rng.random() < 0.6:
        builder.date("AcquisitionDate", day)
    if rng.random() < 0.6:
        builder.date("AcquisitionDateTime", day, f"{rng.randint(10, 18)}1507")
    if rng.random() < 0.5:
        builder.date("PerformedProcedureStepStartDate", day)
    if rng.random() < 0.3:
        builder.date("DateOfLastCalibration", day - dt.timedelta(days=rng.randint(5, 90)))


def _device(builder: Builder) -> None:
    rng, modality = builder.rng, builder.instance.modality
    builder.technical("Manufacturer", rng.choice(("Northlight", "Acme Medical", "Veridian Imaging")))
    builder.technical("ManufacturerModelName", rng.choice(("Aurora 64", "Zenith XR", "Polaris 3T", "Meridian Plus")))
    builder.technical("DeviceSerialNumber", str(rng.randint(10_000, 9_999_999)))
    builder.technical("SoftwareVersions", f"VB{rng.randint(10, 44)}.{rng.randint(1, 9)}")
    if rng.random() < 0.8 or not builder.whole("StationName", "device-operator"):
        builder.technical("StationName", f"{modality}{rng.randint(1, 9)}")
    if rng.random() < 0.25:
        builder.whole("GantryID", rng.choice(("device-operator", "device-hospital")))
    if rng.random() < 0.15:
        builder.whole("DeviceSequence.DeviceDescription", rng.choice(("device-operator", "device-hospital")))


def _private(builder: Builder, *, explicit: bool) -> None:
    rng, dataset = builder.rng, builder.dataset
    if rng.random() < 0.5:
        dataset.private_block(0x0029, OTHER_CREATOR, create=True)
        for tag, vr in rng.sample([(0x00291001, "LO"), (0x00291002, "LT"), (0x00291003, "UT"), (0x00291004, "SH")], 2):
            builder.private_text(tag, vr)
    if builder.instance.modality in ("MR", "CT", "PT", "NM") and explicit:
        dataset.private_block(0x0019, SAFE_CREATOR, create=True)
        dataset.add_new(0x00191001, "DS", str(rng.choice((0, 500, 800, 1000))))
        builder.instance.technical.append(_kept("x00191001", str(dataset[0x00191001].value)))
        builder.private_text(0x00191002, "LO", "technique", planted=0, phrases=1)


def _kept(path: str, text: str) -> Any:
    from midi_set import Kept

    return Kept(path, "safe private", text)


def _overlay(builder: Builder) -> None:
    dataset = builder.dataset
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000040, "CS", "G")
    dataset.add_new(0x60000050, "SS", [1, 1])
    dataset.add_new(0x60000100, "US", 1)
    dataset.add_new(0x60000102, "US", 0)
    dataset.add_new(0x60003000, "OW", b"\x18" * 8)
    builder.private_text(0x60004000, "LT", planted=1, phrases=0)


def _code(builder: Builder, path: str, *, planted: int = -1, not_null: bool = True) -> None:
    """Fill a code: a scheme of the site's own, whose meanings somebody typed."""
    builder.plain(f"{path}.CodeValue", f"L{builder.rng.randint(100, 999)}")
    builder.plain(f"{path}.CodingSchemeDesignator", "99LOCAL")
    builder.text(f"{path}.CodeMeaning", "code", planted=planted)
    if not_null:
        builder.instance.not_null.append(f"{path}.CodeMeaning")


def modality_part(builder: Builder, day: dt.date) -> None:
    """Fill what the modality has of its own, and the pixels."""
    modality = builder.instance.modality
    if modality not in WITHOUT_PIXELS:
        _pixels(builder)
    _PARTS[modality](builder, day)


def _pixels(builder: Builder) -> None:
    """Write a small gradient; its bytes are no letters."""
    modality, rng = builder.instance.modality, builder.rng
    color = modality in ("US", "OT")
    side, bits = rng.choice((16, 24, 32)), 8 if color or modality in ("XA", "SEG", "NM", "RF") else 16
    builder.technical("Rows", side)
    builder.technical("Columns", side)
    builder.technical("SamplesPerPixel", 3 if color else 1)
    builder.technical("PhotometricInterpretation", "RGB" if color else "MONOCHROME2")
    builder.technical("BitsAllocated", bits)
    builder.technical("BitsStored", 8 if bits == 8 else 12)
    builder.technical("HighBit", 7 if bits == 8 else 11)
    builder.technical("PixelRepresentation", 0)
    if color:
        builder.technical("PlanarConfiguration", 0)
    start = rng.randint(0, 200)
    cells = side * side * (3 if color else 1)
    values = bytes((index // 7 + start) % 31 for index in range(cells))
    builder.dataset.add_new(0x7FE00010, "OB" if bits == 8 else "OW", values if bits == 8 else b"".join(
        bytes((value, value % 15)) for value in values
    ))  # fmt: skip


def _tomography(builder: Builder) -> None:
    rng = builder.rng
    builder.technical("PixelSpacing", [f"0.{rng.randint(31, 97)}"] * 2)
    builder.technical("SliceThickness", f"{rng.uniform(0.6, 5):.1f}")
    builder.technical("ImagePositionPatient", [f"{rng.uniform(-200, 200):.1f}" for _ in range(3)])
    builder.technical("ImageOrientationPatient", ["1", "0", "0", "0", "1", "0"])
    builder.technical("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL"])


def _ct(builder: Builder, _: dt.date) -> None:
    rng = builder.rng
    _tomography(builder)
    builder.technical("KVP", rng.choice(("80", "100", "120", "140")))
    builder.technical("XRayTubeCurrent", rng.randint(60, 600))
    builder.technical("Exposure", rng.randint(20, 400))
    builder.technical("ConvolutionKernel", rng.choice(("B30f", "STANDARD", "FC18")))
    builder.technical("RescaleSlope", "1")
    builder.technical("RescaleIntercept", "-1024")
    builder.text("ContrastBolusAgent", "contrast")


def _mr(builder: Builder, _: dt.date) -> None:
    rng = builder.rng
    _tomography(builder)
    builder.technical("RepetitionTime", str(rng.randint(300, 9000)))
    builder.technical("EchoTime", str(rng.randint(3, 120)))
    builder.technical("FlipAngle", str(rng.randint(5, 180)))
    builder.technical("MagneticFieldStrength", rng.choice(("1.5", "3")))
    builder.technical("ScanningSequence", "SE")
    builder.technical("SequenceName", "*tfl3d1_16")
    builder.text("ContrastBolusAgent", "contrast")


def _us(builder: Builder, _: dt.date) -> None:
    region = "SequenceOfUltrasoundRegions"
    builder.technical(f"{region}.RegionSpatialFormat", 1)
    builder.technical(f"{region}.PhysicalDeltaX", 0.0125)
    builder.technical("TransducerType", "CURVED LINEAR")
    builder.text("ImageComments", "long", "technique")


def _projection(builder: Builder, day: dt.date) -> None:
    rng = builder.rng
    builder.technical("KVP", str(rng.randint(40, 125)))
    builder.technical("ExposureTime", rng.randint(4, 900))
    builder.technical("ViewPosition", rng.choice(("AP", "PA", "LL", "CC", "MLO")))
    builder.technical("ImagerPixelSpacing", ["0.143", "0.143"])
    builder.technical("DistanceSourceToDetector", str(rng.randint(600, 1850)))
    if builder.instance.modality in ("DX", "MG"):
        builder.technical("ImageLaterality", rng.choice("LR"))
        builder.technical("DetectorID", f"D{rng.randint(100, 999)}")
        _code(builder, "ViewCodeSequence")
        _code(builder, "AnatomicRegionSequence")
    builder.text("AcquisitionDeviceProcessingDescription", "technique")
    builder.date("AcquisitionDate", day)


def _pt(builder: Builder, day: dt.date) -> None:
    _tomography(builder)
    path = "RadiopharmaceuticalInformationSequence"
    builder.technical("Units", "BQML")
    builder.technical("DecayCorrection", "START")
    builder.technical(f"{path}.RadionuclideHalfLife", "6586.2")
    builder.technical(f"{path}.RadionuclideTotalDose", str(builder.rng.randint(150, 480) * 1_000_000))
    builder.date(f"{path}.RadiopharmaceuticalStartDateTime", day, "091500")
    _code(builder, f"{path}.RadiopharmaceuticalCodeSequence")


def _nm(builder: Builder, _: dt.date) -> None:
    builder.technical("EnergyWindowInformationSequence.EnergyWindowRangeSequence.EnergyWindowLowerLimit", "126.5")
    builder.text("EnergyWindowInformationSequence.EnergyWindowName", "label", room=16)
    builder.technical("DetectorInformationSequence.CollimatorType", "PARA")
    builder.technical("NumberOfDetectors", 2)
    builder.technical("ActualFrameDuration", "20000")


def _xa(builder: Builder, _: dt.date) -> None:
    rng = builder.rng
    builder.technical("KVP", str(rng.randint(60, 120)))
    builder.technical("PositionerPrimaryAngle", str(rng.randint(-90, 90)))
    builder.technical("RadiationSetting", "GR")
    builder.text("ContrastBolusAgent", "contrast")
    builder.text("InterventionSequence.InterventionDescription", "long", "device", room=200)


def _ot(builder: Builder, day: dt.date) -> None:
    builder.technical("ConversionType", "WSD")
    builder.date("DateOfSecondaryCapture", day + dt.timedelta(days=1))
    builder.text("DerivationDescription", "technique")
    builder.text("ImageComments", "long")


def _pr(builder: Builder, day: dt.date) -> None:
    builder.technical("ContentLabel", "ANNOTATION")
    builder.text("ContentDescription", "short", "long")
    builder.header("ContentCreatorName", builder.patient.others[4].pn, *builder.patient.others[4].parts)
    builder.date("PresentationCreationDate", day + dt.timedelta(days=1))
    for index in range(3):
        text = f"GraphicAnnotationSequence[0].TextObjectSequence[{index}]"
        builder.text(f"{text}.UnformattedTextValue", "label", "long", "short", room=150)
        builder.technical(f"{text}.AnchorPoint", [float(index), 2.0])
    builder.plain("GraphicLayerSequence.GraphicLayer", "LAYER1")
    builder.text("GraphicLayerSequence.GraphicLayerDescription", "label", "short")
    builder.uid("ReferencedSeriesSequence.ReferencedImageSequence.ReferencedSOPInstanceUID", builder_uid(builder))


def builder_uid(builder: Builder) -> str:
    """Return a UID of another instance."""
    from midi_set import new_uid

    return new_uid(builder.rng)


def _rtstruct(builder: Builder, day: dt.date) -> None:
    _label(builder, "StructureSetLabel")
    builder.text("StructureSetName", "label", "short")
    builder.text("StructureSetDescription", "technique", "long")
    builder.date("StructureSetDate", day)
    for index in range(4):
        roi, seen = f"StructureSetROISequence[{index}]", f"RTROIObservationsSequence[{index}]"
        builder.technical(f"{roi}.ROINumber", index + 1)
        builder.text(f"{roi}.ROIName", "label")
        builder.text(f"{roi}.ROIDescription", "long", "label", room=120)
        builder.text(f"{seen}.ROIObservationLabel", "label")
        builder.technical(f"{seen}.RTROIInterpretedType", "ORGAN")
        doctor = builder.patient.others[3]
        builder.header(f"{seen}.ROIInterpreter", doctor.pn, *doctor.parts)
        builder.technical(f"ROIContourSequence[{index}].ROIDisplayColor", [255, 64, index])
    builder.uid("StructureSetROISequence[0].ReferencedFrameOfReferenceUID", builder.dataset.FrameOfReferenceUID)


def _label(builder: Builder, path: str) -> None:
    builder.text(path, "label")
    builder.instance.not_null.append(path)


def _rtplan(builder: Builder, day: dt.date) -> None:
    _label(builder, "RTPlanLabel")
    builder.text("RTPlanName", "label", "technique")
    builder.text("RTPlanDescription", "technique", "history")
    builder.date("RTPlanDate", day)
    builder.text("PrescriptionDescription", "technique", room=150)
    builder.text("TreatmentProtocols", "technique")
    for index in range(2):
        beam = f"BeamSequence[{index}]"
        builder.technical(f"{beam}.BeamNumber", index + 1)
        builder.text(f"{beam}.BeamName", "label")
        builder.text(f"{beam}.BeamDescription", "technique", room=160)
        builder.technical(f"{beam}.RadiationType", "PHOTON")
        builder.technical(f"{beam}.ControlPointSequence.NominalBeamEnergy", "6")
    builder.text("DoseReferenceSequence.DoseReferenceDescription", "label")
    builder.text("PatientSetupSequence.SetupTechniqueDescription", "technique", room=120)
    builder.uid("ReferencedStructureSetSequence.ReferencedSOPInstanceUID", builder_uid(builder))


def _rtdose(builder: Builder, _: dt.date) -> None:
    builder.technical("DoseUnits", "GY")
    builder.technical("DoseGridScaling", "0.0001")
    builder.text("DoseComment", "technique", "label")
    builder.technical("DVHSequence.DVHType", "CUMULATIVE")


def _rtimage(builder: Builder, _: dt.date) -> None:
    _label(builder, "RTImageLabel")
    builder.text("RTImageName", "label")
    builder.text("RTImageDescription", "technique", "long", room=180)
    builder.technical("RTImageSID", "1500")
    builder.technical("GantryAngle", str(builder.rng.randint(0, 359)))


def _seg(builder: Builder, _: dt.date) -> None:
    builder.technical("SegmentationType", "FRACTIONAL")
    builder.technical("ContentLabel", "SEGMENTATION")
    builder.text("ContentDescription", "technique", "short")
    builder.header("ContentCreatorName", builder.patient.others[4].pn, *builder.patient.others[4].parts)
    for index in range(3):
        segment = f"SegmentSequence[{index}]"
        builder.technical(f"{segment}.SegmentNumber", index + 1)
        _label(builder, f"{segment}.SegmentLabel")
        builder.text(f"{segment}.SegmentDescription", "long", "technique", room=150)
        builder.text(f"{segment}.TrackingID", "label", room=60)
        builder.uid(f"{segment}.TrackingUID", builder_uid(builder))
        _code(builder, f"{segment}.SegmentedPropertyTypeCodeSequence")


def _sr(builder: Builder, day: dt.date) -> None:
    builder.technical("ValueType", "CONTAINER")
    builder.technical("CompletionFlag", "COMPLETE")
    _code(builder, "ConceptNameCodeSequence", planted=1)
    for path, deep in (("ContentSequence", 0), ("ContentSequence[1].ContentSequence", 1),
                       ("ContentSequence[1].ContentSequence[1].ContentSequence", 2)):  # fmt: skip
        _items(builder, path, day, deep)
    builder.header(
        "VerifyingObserverSequence.VerifyingObserverName", builder.patient.others[5].pn, *builder.patient.others[5].parts
    )
    builder.date("VerifyingObserverSequence.VerificationDateTime", day, "173000")
    hospital = builder.patient.hospital
    builder.header("VerifyingObserverSequence.VerifyingOrganization", hospital, *telling_words(hospital))
    builder.plain("VerificationFlag", "VERIFIED")


def _items(builder: Builder, path: str, day: dt.date, deep: int) -> None:
    """Add items to a container: a text, a container for the next level, a person, a number, a date."""

    def item(index: int, kind: str) -> str:
        here = f"{path}[{index}]"
        builder.technical(f"{here}.RelationshipType", "CONTAINS")
        builder.technical(f"{here}.ValueType", kind)
        _code(builder, f"{here}.ConceptNameCodeSequence", planted=0)
        return here

    builder.text(f"{item(0, 'TEXT')}.TextValue", "long", "history")
    item(1, "CONTAINER" if deep < 2 else "TEXT")
    if deep == 2:
        builder.text(f"{path}[1].TextValue", "long", "eponym")
    person = builder.patient.others[3 + deep]
    builder.header(f"{item(2, 'PNAME')}.PersonName", person.pn, *person.parts)
    number = item(3, "NUM")
    builder.technical(f"{number}.MeasuredValueSequence.NumericValue", f"{builder.rng.uniform(1, 90):.1f}")
    builder.text(f"{item(4, 'TEXT')}.TextValue", "long", "device", "drug")
    builder.date(f"{item(5, 'DATE')}.Date", day - dt.timedelta(days=builder.rng.randint(1, 60)))
    builder.uid(f"{item(6, 'UIDREF')}.UID", builder_uid(builder))


def _ko(builder: Builder, _: dt.date) -> None:
    builder.technical("ValueType", "CONTAINER")
    _code(builder, "ConceptNameCodeSequence", planted=0)
    builder.technical("ContentSequence[0].ValueType", "TEXT")
    _code(builder, "ContentSequence[0].ConceptNameCodeSequence", planted=0)
    builder.text("ContentSequence[0].TextValue", "long", "short")
    builder.technical("ContentSequence[1].ValueType", "IMAGE")
    builder.uid("ContentSequence[1].ReferencedSOPSequence.ReferencedSOPInstanceUID", builder_uid(builder))


_PARTS: Final[dict[str, Callable[[Builder, dt.date], None]]] = {
    "CT": _ct,
    "MR": _mr,
    "US": _us,
    "CR": _projection,
    "DX": _projection,
    "MG": _projection,
    "PT": _pt,
    "NM": _nm,
    "XA": _xa,
    "RF": _xa,
    "OT": _ot,
    "PR": _pr,
    "RTSTRUCT": _rtstruct,
    "RTPLAN": _rtplan,
    "RTDOSE": _rtdose,
    "RTIMAGE": _rtimage,
    "SEG": _seg,
    "SR": _sr,
    "KO": _ko,
}
