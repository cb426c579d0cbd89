"""DICOM instances with known PHI in tags and pixels.

They serve tests, the quickstart and demos. The images are pydicom's sample files (CT, MR, US, an ultrasound cine); the
patients are invented. `Sample` lists all PHI added, so that a test can look for it. Small images are enlarged by
repeating pixels, to make room for text.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import NDArray
    from pydicom.dataset import FileDataset

_FILES = Path(pydicom.__file__).parent / "data" / "test_files"
_PRIVATE_CREATOR = "ACME SCANNER 1.0"


@dataclass(frozen=True, slots=True)
class Patient:
    """Invented patient.

    Attributes:
        name: DICOM person name.
        patient_id: Patient ID.
        birth_date: Birth date, ``YYYYMMDD``.
        phone: Telephone number as written in tags.
        address: Postal address.
        physician: Referring physician, as a DICOM person name.
    """

    name: str
    patient_id: str
    birth_date: str
    phone: str
    address: str
    physician: str

    @property
    def spoken_name(self) -> str:
        """Given name, then family name."""
        family, given = self.name.split("^")[:2]
        return f"{given} {family}"


ANA = Patient("Rivera^Ana", "MRN204816", "19610709", "(555) 010-4477", "12 Harbour St, Springfield", "Lindqvist^Tom")
DANIEL = Patient(
    "Okafor^Daniel", "MRN771903", "19840221", "(555) 010-9182", "88 Mill Ln, Greenville", "Marchetti^Paola"
)


@dataclass(frozen=True)
class Sample:
    """One instance and the PHI in it.

    Attributes:
        name: File name.
        dataset: Dataset with native pixel data, Explicit VR Little Endian, and file meta information.
        person: Patient.
        study_date: Study date, ``YYYYMMDD``.
        sensitive_text: Burned-in lines that identify the patient.
        innocent_text: Burned-in lines that do not, such as laterality marks and views.
        text_boxes: Position of each burned-in line in every frame: ``(x, y, width, height)``.
    """

    name: str
    dataset: FileDataset
    person: Patient
    study_date: str
    sensitive_text: tuple[str, ...]
    innocent_text: tuple[str, ...]
    text_boxes: Mapping[str, tuple[int, int, int, int]]


def sample_dicom() -> tuple[Sample, ...]:
    """Return sample instances: two patients, three studies.

    They are CT, US and MR images and a multi-frame US cine. The first patient has two studies, so that consistency
    across studies can be tested. Each call returns new copies.
    """
    return tuple(copy.deepcopy(sample) for sample in _samples())


def write_samples(folder: str | PathLike[str]) -> list[Path]:
    """Write the samples as DICOM files and return their paths.

    Args:
        folder: Directory to write to. It is created if missing.
    """
    directory = Path(folder)
    directory.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for sample in _samples():
        path = directory / sample.name
        sample.dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


@dataclass(frozen=True, slots=True)
class _SampleRecipe:
    """Recipe for a sample.

    Positions of text are in tenths of the image's width and height.
    """

    source: str
    region: str
    enlarge: int
    mark: str
    lines_at: tuple[float, float] = (0.2, 0.2)
    mark_at: tuple[float, float] = (9.2, 9.0)


_CT = _SampleRecipe("CT_small.dcm", "spine", enlarge=4, mark="L")
_US = _SampleRecipe(
    "examples_rgb_color.dcm", "neck", enlarge=2, mark="GAIN 50%", lines_at=(0.2, 7.2), mark_at=(7.5, 7.6)
)
_MR = _SampleRecipe("examples_overlay.dcm", "abdomen", enlarge=1, mark="R")
_CINE = _SampleRecipe(
    "examples_ybr_color.dcm", "heart", enlarge=2, mark="91 BPM", lines_at=(0.2, 2.2), mark_at=(0.2, 8.2)
)


@lru_cache(maxsize=1)
def _samples() -> tuple[Sample, ...]:
    return (
        _make("ct-1.dcm", _CT, ANA, "20210304", instance=1),
        _make("ct-2.dcm", _CT, ANA, "20210304", instance=2),
        _make("us-1.dcm", _US, ANA, "20210918", instance=1),
        _make("mr-1.dcm", _MR, DANIEL, "20220115", instance=1),
        _make("us-cine.dcm", _CINE, DANIEL, "20220115", instance=1),
    )


def _make(name: str, recipe: _SampleRecipe, person: Patient, study_date: str, *, instance: int) -> Sample:
    dataset = pydicom.dcmread(_FILES / recipe.source)
    pixels = _native_pixels(dataset, recipe.enlarge)
    sensitive = (
        person.spoken_name.upper(),
        f"ID {person.patient_id}",
        f"DOB {person.birth_date[:4]}-{person.birth_date[4:6]}-{person.birth_date[6:]}",
    )
    boxes = _burn_in(pixels, sensitive, recipe)
    _set_pixels(dataset, pixels)
    _set_identity(dataset, person, study_date, recipe.region, name, instance)
    return Sample(name, dataset, person, study_date, sensitive, (recipe.mark,), boxes)


def _native_pixels(dataset: FileDataset, enlarge: int) -> NDArray[Any]:
    """Return writable stored values of at most six frames.

    Their shape is (frames, rows, columns[, samples]). Color is RGB.
    """
    pixels: NDArray[Any] = np.array(dataset.pixel_array)
    frames = int(dataset.get("NumberOfFrames", 1) or 1)
    if frames == 1:
        pixels = pixels[np.newaxis]
    pixels = pixels[:6]
    return np.ascontiguousarray(pixels.repeat(enlarge, axis=1).repeat(enlarge, axis=2))


def _burn_in(
    pixels: NDArray[Any], sensitive: tuple[str, ...], recipe: _SampleRecipe
) -> dict[str, tuple[int, int, int, int]]:
    """Draw the lines into every frame in place.

    Returns the position of each line.
    """
    rows, columns = pixels.shape[1:3]
    size = max(16, rows // 24)
    font = ImageFont.load_default(size=size)
    canvas = Image.new("L", (columns, rows))
    draw = ImageDraw.Draw(canvas)
    boxes: dict[str, tuple[int, int, int, int]] = {}
    x, y = round(recipe.lines_at[0] * columns / 10), round(recipe.lines_at[1] * rows / 10)
    for line in sensitive:
        boxes[line] = _draw_line(draw, (x, y), line, font)
        y += round(size * 1.6)
    at = round(recipe.mark_at[0] * columns / 10), round(recipe.mark_at[1] * rows / 10)
    boxes[recipe.mark] = _draw_line(draw, at, recipe.mark, font)
    # Blended with the picture, because the font is drawn anti-aliased.
    opacity = np.asarray(canvas, dtype=np.float64) / 255.0
    if pixels.ndim > 3:
        opacity = opacity[..., np.newaxis]
    for frame in pixels:
        # The brightest value of the frame itself: text must not change the range that a viewer's window is set to.
        bright = float(frame.max())
        frame[...] = np.rint(frame * (1 - opacity) + bright * opacity).astype(frame.dtype)
    return boxes


def _draw_line(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> tuple[int, int, int, int]:
    draw.text(at, line, fill=255, font=font)
    left, top, right, bottom = draw.textbbox(at, line, font=font)
    return round(left), round(top), round(right - left), round(bottom - top)


def _set_pixels(dataset: FileDataset, pixels: NDArray[Any]) -> None:
    frames, dataset.Rows, dataset.Columns = pixels.shape[:3]
    if frames > 1 or "NumberOfFrames" in dataset:
        dataset.NumberOfFrames = frames
    if pixels.ndim > 3:
        dataset.PhotometricInterpretation = "RGB"
        dataset.PlanarConfiguration = 0
    # These describe the original pixels or all of the frames, and would be wrong now.
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue", "FrameTimeVector"):
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    dataset["PixelData"].is_undefined_length = False
    dataset.set_original_encoding(is_implicit_vr=False, is_little_endian=True, character_encoding="ISO_IR 100")


def _set_identity(
    dataset: FileDataset, person: Patient, study_date: str, region: str, name: str, instance: int
) -> None:
    """Write the patient into the header.

    PHI goes to the top level, free text, a nested sequence and a private block.
    """
    study = (person.patient_id, study_date)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName = person.name
    dataset.PatientID = person.patient_id
    dataset.PatientBirthDate = person.birth_date
    dataset.PatientTelephoneNumbers = person.phone
    dataset.PatientAddress = person.address
    dataset.ReferringPhysicianName = person.physician
    dataset.InstitutionName = "Harbour General Hospital"
    dataset.AccessionNumber = f"ACC{study_date[2:]}"
    dataset.StudyID = study_date[4:]
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(dataset, keyword, study_date)
    dataset.StudyDescription = f"{region.upper()} {dataset.Modality} for {person.spoken_name}"
    readable_date = f"{study_date[:4]}-{study_date[4:6]}-{study_date[6:]}"
    dataset.PatientComments = f"{person.spoken_name} seen on {readable_date}, call {person.phone}"
    request = Dataset()
    request.RequestedProcedureDescription = f"{region.upper()} study"
    request.RequestingPhysician = person.physician
    request.ScheduledProcedureStepDescription = f"Requested for {person.spoken_name}"
    dataset.RequestAttributesSequence = Sequence([request])
    # Private elements are easily forgotten in a de-identification, so one of them has PHI too.
    block = dataset.private_block(0x0099, _PRIVATE_CREATOR, create=True)
    block.add_new(0x01, "LO", f"{person.spoken_name} {person.patient_id}")

    # UIDs from fixed entropy: every run gets the same samples, so that tests can compare results.
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", *study])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", *study])
    dataset.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame", *study])
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["instance", *study, name])
    dataset.InstanceNumber = instance
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
