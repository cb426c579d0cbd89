"""Residues of twenty kinds, planted in clean results: an answer key for the audit. The people are invented."""

from __future__ import annotations

import copy
import io
import zlib
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import JPEGBaseline8Bit

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

_FAMILIES = ["Rivera", "Okafor", "Lindqvist", "Marchetti", "Nakamura", "Haddad", "Kowalska", "Benitez", "Achterberg"]
_GIVEN = ["Ana", "Daniel", "Ingrid", "Paola", "Kenji", "Samira", "Zofia", "Mateo", "Willem", "Claire"]


class Person:
    """Whose things are left behind."""

    def __init__(self, random_: random.Random) -> None:
        self.family, self.given = random_.choice(_FAMILIES), random_.choice(_GIVEN)
        self.number = f"MRN{random_.randrange(10**5, 10**6)}"
        self.phone = f"(555) 01{random_.randrange(10)}-{random_.randrange(1000, 10000)}"
        self.date = f"{random_.randrange(1930, 2015)}{random_.randrange(1, 13):02}{random_.randrange(1, 29):02}"
        self.uid = f"1.2.840.113619.2.55.3.{random_.randrange(10**9)}.{random_.randrange(10**6)}"

    @property
    def name(self) -> str:
        return f"{self.family}^{self.given}"

    @property
    def spoken(self) -> str:
        return f"{self.given} {self.family}"


def _patient_id(dataset: Dataset, person: Person) -> None:
    dataset.PatientID = person.number


def _patient_name(dataset: Dataset, person: Person) -> None:
    dataset.PatientName = person.name


def _institution(dataset: Dataset, person: Person) -> None:
    dataset.InstitutionName = f"{person.family} Memorial Hospital"


def _operator(dataset: Dataset, person: Person) -> None:
    dataset.OperatorsName = person.name


def _study_date(dataset: Dataset, person: Person) -> None:
    dataset.StudyDate = person.date


def _birth_date(dataset: Dataset, person: Person) -> None:
    dataset.PatientBirthDate = person.date


def _protocol(dataset: Dataset, person: Person) -> None:
    dataset.ProtocolName = f"Chest {person.spoken}"


def _code_meaning(dataset: Dataset, person: Person) -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "T-D3000", "SRT"
    item.CodeMeaning = f"Chest, patient {person.spoken}"
    dataset.AnatomicRegionSequence = Sequence([item])


def _private_text(dataset: Dataset, person: Person) -> None:
    dataset.private_block(0x0099, "ACME SCANNER 1.0", create=True).add_new(1, "LO", person.spoken)


def _private_unknown(dataset: Dataset, person: Person) -> None:
    dataset.private_block(0x0011, "ACME WORKLIST", create=True).add_new(7, "UN", person.number.encode())


def _deep_name(dataset: Dataset, person: Person) -> None:
    inner, outer = Dataset(), Dataset()
    inner.PersonName = person.name
    outer.PurposeOfReferenceCodeSequence = Sequence([inner])
    dataset.SourceImageSequence = Sequence([outer])


def _reference(dataset: Dataset, person: Person) -> None:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", person.uid
    dataset.ReferencedImageSequence = Sequence([item])


def _uid_in_text(dataset: Dataset, person: Person) -> None:
    dataset.SegmentLabel = f"from {person.uid}"


def _text_nobody_lists(dataset: Dataset, person: Person) -> None:
    dataset.SegmentLabel = f"Lesion of patient {person.spoken}"


def _phone_in_text(dataset: Dataset, person: Person) -> None:
    dataset.TrackingID = f"call {person.phone}"


def _overlay(dataset: Dataset, person: Person) -> None:
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60003000, "OW", person.spoken.encode()[:8].ljust(8, b"\1"))


def _document(dataset: Dataset, person: Person) -> None:
    page = zlib.compress(f"BT (Report on {person.spoken}, {person.number}) Tj ET".encode())
    dataset.EncapsulatedDocument = b"%PDF-1.4\nstream\n" + page + b"\nendstream\n%%EOF\n"


def _comment_in_frame(dataset: Dataset, person: Person) -> None:
    buffer = io.BytesIO()
    Image.linear_gradient("L").save(buffer, "JPEG", comment=f"{person.spoken} {person.number}".encode())
    dataset.PixelData = encapsulate([buffer.getvalue()])
    dataset["PixelData"].is_undefined_length = True
    dataset.Rows = dataset.Columns = 256
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.NumberOfFrames = 1
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit


def _preamble(dataset: Any, person: Person) -> None:
    dataset.preamble = b"II*\0" + person.spoken.encode().ljust(124, b"\0")


def _machine(dataset: Dataset, person: Person) -> None:
    dataset.file_meta.SourceApplicationEntityTitle = f"{person.family.upper()[:12]}_PC"


def _burned_in(dataset: Dataset, person: Person) -> None:
    picture = Image.new("L", (512, 256), 30)
    font = ImageFont.load_default(size=30)
    ImageDraw.Draw(picture).text((24, 100), f"Patient: {person.spoken}", font=font, fill=235)
    dataset.PixelData = picture.tobytes()
    dataset.Rows, dataset.Columns = 256, 512
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.NumberOfFrames = 1


KINDS: dict[str, Callable[[Any, Person], None]] = {
    function.__name__.lstrip("_"): function
    for function in (
        *(_patient_id, _patient_name, _institution, _operator, _study_date, _birth_date, _protocol, _code_meaning),
        *(_private_text, _private_unknown, _deep_name, _reference, _uid_in_text, _text_nobody_lists, _phone_in_text),
        *(_overlay, _document, _comment_in_frame, _preamble, _machine),
    )
}
IN_PIXELS = _burned_in


def planted(clean: Any, kind: str, person: Person) -> Any:
    """Return a copy of a clean result with one residue."""
    dataset = copy.deepcopy(clean)
    KINDS[kind](dataset, person)
    return dataset
