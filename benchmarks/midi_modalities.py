"""Attributes and pixels of instances, by modality."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from midi_common import STORAGE, code
from midi_people import telling_words
from midi_values import new_uid

if TYPE_CHECKING:
    from collections.abc import Callable

    from midi_builder import Builder

MODALITIES: Final = tuple(STORAGE)
WITHOUT_PIXELS: Final = ("PR", "RTSTRUCT", "RTPLAN", "SR", "KO")


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
        code(builder, "ViewCodeSequence")
        code(builder, "AnatomicRegionSequence")
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
    code(builder, f"{path}.RadiopharmaceuticalCodeSequence")


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
    builder.uid("ReferencedSeriesSequence.ReferencedImageSequence.ReferencedSOPInstanceUID", new_uid(builder.rng))


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
    builder.uid("ReferencedStructureSetSequence.ReferencedSOPInstanceUID", new_uid(builder.rng))


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
        builder.uid(f"{segment}.TrackingUID", new_uid(builder.rng))
        code(builder, f"{segment}.SegmentedPropertyTypeCodeSequence")


def _sr(builder: Builder, day: dt.date) -> None:
    builder.technical("ValueType", "CONTAINER")
    builder.technical("CompletionFlag", "COMPLETE")
    code(builder, "ConceptNameCodeSequence", planted=1)
    for path, deep in (("ContentSequence", 0), ("ContentSequence[1].ContentSequence", 1),
                       ("ContentSequence[1].ContentSequence[1].ContentSequence", 2)):  # fmt: skip
        _items(builder, path, day, deep)
    builder.header(
        "VerifyingObserverSequence.VerifyingObserverName",
        builder.patient.others[5].pn,
        *builder.patient.others[5].parts,
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
        code(builder, f"{here}.ConceptNameCodeSequence", planted=0)
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
    builder.uid(f"{item(6, 'UIDREF')}.UID", new_uid(builder.rng))


def _ko(builder: Builder, _: dt.date) -> None:
    builder.technical("ValueType", "CONTAINER")
    code(builder, "ConceptNameCodeSequence", planted=0)
    builder.technical("ContentSequence[0].ValueType", "TEXT")
    code(builder, "ContentSequence[0].ConceptNameCodeSequence", planted=0)
    builder.text("ContentSequence[0].TextValue", "long", "short")
    builder.technical("ContentSequence[1].ValueType", "IMAGE")
    builder.uid("ContentSequence[1].ReferencedSOPSequence.ReferencedSOPInstanceUID", new_uid(builder.rng))


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
