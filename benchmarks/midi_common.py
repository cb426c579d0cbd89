"""The elements that instances of every modality have: people, dates, device, texts, private ones."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from midi_people import telling_words
from pydicom import uid as uids

if TYPE_CHECKING:
    from collections.abc import Callable

    from midi_builder import Builder

SAFE_CREATOR: Final = "NORTHLIGHT MR 2.0"
SAFE_PRIVATE: Final = (f"{SAFE_CREATOR},0019,01", f"{SAFE_CREATOR},0019,02", f"{SAFE_CREATOR},0019,03")
"""Private elements that the bench declares safe: a b-value, a text about the scan, the day of a calibration."""
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
    for path, styles in rng.sample(COMMON_TEXTS, 13):
        if path.endswith("CodeMeaning"):
            code(builder, path.removesuffix(".CodeMeaning"))
        else:
            builder.text(path, *styles)
    _private(builder, day, explicit=explicit)
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


def _private(builder: Builder, day: dt.date, *, explicit: bool) -> None:
    rng, dataset = builder.rng, builder.dataset
    if rng.random() < 0.5:
        dataset.private_block(0x0029, OTHER_CREATOR, create=True)
        for tag, vr in rng.sample([(0x00291001, "LO"), (0x00291002, "LT"), (0x00291003, "UT"), (0x00291004, "SH")], 2):
            builder.private_text(tag, vr)
    if builder.instance.modality in ("MR", "CT", "PT", "NM") and explicit:
        dataset.private_block(0x0019, SAFE_CREATOR, create=True)
        builder.private_safe(rng.choice(("0", "500", "800", "1000")), day - dt.timedelta(days=rng.randint(1, 40)))


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


def code(builder: Builder, path: str, *, planted: int = -1, not_null: bool = True) -> None:
    """Fill a code: a scheme of the site's own, whose meanings somebody typed."""
    builder.plain(f"{path}.CodeValue", f"L{builder.rng.randint(100, 999)}")
    builder.plain(f"{path}.CodingSchemeDesignator", "99LOCAL")
    builder.text(f"{path}.CodeMeaning", "code", planted=planted)
    if not_null:
        builder.instance.not_null.append(f"{path}.CodeMeaning")
