"""A labelled set of images with burned-in text: what is written, where, and which of it identifies the patient.

Backgrounds are real where pydicom's sample files have them (CT, MR, CR, NM), and drawn where they do not (an ultrasound
sector with speckle, a colour-mapped PET, a white report page). Names and numbers are invented. The same seed gives the
same set; the one used for tuning (`TUNING_SEED`) is not the one results are given for (`REPORT_SEED`).
"""

from __future__ import annotations

import functools
import io
import random
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom."""

TUNING_SEED = 1
REPORT_SEED = 60713

SURNAMES = (
    "Rivera",
    "Okafor",
    "Lindqvist",
    "Marchetti",
    "Nakamura",
    "Olufemi",
    "Petrov",
    "Johansson",
    "Delacroix",
    "Haddad",
    "Kowalski",
    "Nguyen",
    "Fernandez",
    "Whitcombe",
    "Abernathy",
    "Castellanos",
    "Dubois",
    "Eriksen",
    "Fitzgerald",
    "Gutierrez",
    "Hartmann",
    "Ivanova",
    "Jimenez",
    "Kaplan",
    "Lombardi",
    "Mcallister",
    "Novak",
    "Oconnor",
    "Papadakis",
    "Quigley",
    "Rasmussen",
    "Silva",
    "Takahashi",
    "Underwood",
    "Vasquez",
    "Weissman",
    "Yamamoto",
    "Zimmer",
)
GIVEN = (
    "Ana",
    "Daniel",
    "Ingrid",
    "Paolo",
    "Keiko",
    "Tunde",
    "Irina",
    "Lars",
    "Chloe",
    "Omar",
    "Marta",
    "Minh",
    "Lucia",
    "George",
    "Edith",
    "Rosa",
    "Henri",
    "Astrid",
    "Sean",
    "Carmen",
    "Klaus",
    "Olga",
    "Pablo",
    "Ruth",
    "Enzo",
    "Fiona",
    "Jana",
    "Declan",
    "Eleni",
    "Maeve",
)
INNOCENT = (
    "R",
    "L",
    "AP",
    "PA LAT",
    "PORTABLE",
    "SUPINE",
    "ERECT",
    "120 kVp",
    "250 mAs",
    "W 400 L 40",
    "FOV 35 cm",
    "5 cm",
    "TR 500 TE 15",
    "MI 0.8",
    "TIS < 0.4",
    "20 Hz",
    "DVA 94%",
    "3.0 thk",
    "AXIAL T2",
    "Gain 66",
    "LIVER",
    "KIDNEY",
    "RT",
    "LT",
    "10 mm",
    "Zoom 150%",
    "C 40 W 350",
    "Freq 5.0 MHz",
    "PWR 100%",
    "B/W 12",
    "SAG",
    "COR",
    "SOFT TISSUE",
    "Depth 16 cm",
    "x 1.5",
)
MARKS: dict[str, tuple[Rectangle, ...]] = {"RG3_UNCR.dcm": ((1112, 1362, 1250, 1496),)}
"""Sample files with text of their own: a side marker of lead."""
TINTS = ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 0.3), (0.3, 1.0, 1.0), (0.4, 1.0, 0.4))
"""What colour screens write in: mostly white, then yellow, cyan and green. Of a dark ink, a darker one."""
KINDS = {"CT": 22, "MR": 22, "CR": 20, "NM": 16, "US": 22, "PT": 16, "report": 12}


@dataclass(frozen=True)
class PlantedLine:
    """A line that was written into an image: its ink as a mask over ``box`` (left, top, right, bottom).

    ``near`` is what lies within half a line's height of it, as a mask over the box with ``room`` on every side.
    """

    text: str
    sensitive: bool
    box: Rectangle
    ink: NDArray[np.bool_]
    size: int
    near: NDArray[np.bool_]
    room: int


@dataclass(frozen=True)
class LabelledImage:
    """One image, as an instance, with its answer key; ``marks`` are boxes of text that the picture had before."""

    name: str
    kind: str
    dataset: Dataset
    lines: tuple[PlantedLine, ...]
    marks: tuple[Rectangle, ...]


@dataclass(frozen=True)
class Difficulty:
    """What makes a set hard. The default is the ordinary set."""

    name: str = "ordinary"
    sizes: tuple[int, int] = (10, 40)
    contrast: tuple[float, float] = (0.35, 1.0)
    turns: tuple[int, ...] = ()
    mirrored: bool = False
    blur: float = 0.0
    noise: float = 0.0
    jpeg: int | None = None
    kinds: tuple[str, ...] = field(default=tuple(KINDS))
    goal: float | None = None


SLANTS = tuple(sign * turn for turn in range(2, 46) for sign in (1, -1))
"""Degrees, counterclockwise."""
HARD = (
    Difficulty("contrast 0.15", contrast=(0.15, 0.15), goal=0.95),
    Difficulty("contrast 0.08", contrast=(0.08, 0.08), goal=0.9),
    Difficulty("5 px text", sizes=(5, 5)),
    Difficulty("6 px text", sizes=(6, 6)),
    Difficulty("7 to 9 px text", sizes=(7, 9)),
    Difficulty("5 to 9 px text", sizes=(5, 9), goal=0.95),
    Difficulty("60 to 150 px text", sizes=(60, 150)),
    Difficulty("turned by 90°", turns=(90, 270), goal=0.98),
    Difficulty("turned by 180°", turns=(180,), goal=0.98),
    Difficulty("turned by 2 to 45°", turns=SLANTS, goal=0.98),
    Difficulty("mirrored", mirrored=True),
    Difficulty("blurred", blur=1.2),
    Difficulty("noisy", noise=0.08),
    Difficulty("JPEG quality 20", jpeg=20),
)


def labelled_set(seed: int, difficulty: Difficulty | None = None, *, scale: float = 1.0) -> Iterator[LabelledImage]:
    """Yield the images of a set.

    Args:
        seed: Of everything random.
        difficulty: What makes it hard.
        scale: Part of the ordinary number of images of each kind.
    """
    chosen = difficulty or Difficulty()
    for kind in chosen.kinds:
        for index in range(max(1, round(KINDS[kind] * scale))):
            rng = random.Random(f"{seed}/{chosen.name}/{kind}/{index}")
            yield _image(kind, index, rng, chosen)


def _image(kind: str, index: int, rng: random.Random, difficulty: Difficulty) -> LabelledImage:
    person = _person(rng)
    picture, marks = _background(kind, index, rng)
    height, width = picture.shape[:2]
    top = float(picture.max()) or 1.0
    taken = list(marks)
    lines: list[PlantedLine] = []
    wanted = rng.randint(4, 7) if kind != "report" else rng.randint(8, 12)
    texts = [(text, True) for text in rng.sample(_phrases(person, rng), k=min(wanted, 3 + wanted // 4))]
    texts += [(text, False) for text in rng.sample(INNOCENT, k=max(1, wanted - len(texts)))]
    for text, sensitive in texts:
        size = rng.randint(*difficulty.sizes)
        size = round(size * max(1.0, min(height, width) / 1200)) if difficulty.sizes[0] >= 10 else size
        planted = _write(picture, text, sensitive, size, rng, difficulty, taken, top)
        if planted is not None:
            lines.append(planted)
    picture = _spoilt(picture, difficulty, rng, top)
    return LabelledImage(f"{kind}-{index}", kind, _instance(kind, picture, person), tuple(lines), marks)


def _person(rng: random.Random) -> dict[str, str]:
    year, month, day = rng.randint(1935, 2009), rng.randint(1, 12), rng.randint(1, 28)
    return {
        "family": rng.choice(SURNAMES),
        "given": rng.choice(GIVEN),
        "id": rng.choice(["MRN", "", "P", "00"]) + str(rng.randint(100000, 99999999)),
        "birth": f"{year:04d}{month:02d}{day:02d}",
        "study": f"20{rng.randint(10, 24)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}",
        "physician": rng.choice(SURNAMES),
        "accession": f"A{rng.randint(1000000, 9999999)}",
        "hospital": rng.choice(["St Vincent Hospital", "Riverside Clinic", "Mercy Medical Center", "Lakeview Imaging"]),
    }


def _phrases(person: dict[str, str], rng: random.Random) -> list[str]:
    family, given = person["family"], person["given"]
    birth, study = person["birth"], person["study"]
    year, month, day = birth[:4], birth[4:6], birth[6:]
    return [
        rng.choice(
            [
                f"{family}, {given}",
                f"{family.upper()}^{given.upper()}",
                f"{given} {family}",
                f"{family.upper()} {given[0]}",
            ]
        ),
        rng.choice([person["id"], f"ID: {person['id']}", f"MRN {person['id']}"]),
        rng.choice([f"DOB {month}/{day}/{year}", f"{day}.{month}.{year}", f"*{year}-{month}-{day}", f"Born {birth}"]),
        rng.choice([f"{study[4:6]}/{study[6:]}/{study[:4]} 10:42", f"{study[:4]}-{study[4:6]}-{study[6:]}"]),
        rng.choice([f"Dr. {person['physician']}", f"Ref: {person['physician']}"]),
        f"Acc {person['accession']}",
        person["hospital"],
        f"Tel (555) 01{rng.randint(0, 9)}-{rng.randint(1000, 9999)}",
    ]


def _write(
    picture: NDArray[np.float64],
    text: str,
    sensitive: bool,
    size: int,
    rng: random.Random,
    difficulty: Difficulty,
    taken: list[Rectangle],
    top: float,
) -> PlantedLine | None:
    ink = _ink(text, rng.randrange(len(_fonts())), size)
    if difficulty.mirrored:
        ink = ink[:, ::-1]
    turn = rng.choice(difficulty.turns) if difficulty.turns else 0
    room = max(4, min(ink.shape) // 2)
    near = _turned(np.ones((ink.shape[0] + 2 * room, ink.shape[1] + 2 * room)), turn) > 0
    ink = _turned(ink, turn)
    rows, columns = ink.shape
    height, width = picture.shape[:2]
    for _ in range(60):
        if rows + 8 > height or columns + 8 > width:
            return None
        x, y = rng.randint(2, width - columns - 2), rng.randint(2, height - rows - 2)
        gap = max(6, size // 2)
        if rng.random() < 0.6:  # overlays keep to the margins
            x = rng.choice((min(4, x), max(x, width - columns - 4)))
        box = (x, y, x + columns, y + rows)
        if any(
            box[0] < b[2] + gap and b[0] < box[2] + gap and box[1] < b[3] + gap and b[1] < box[3] + gap for b in taken
        ):
            continue
        patch = picture[y : y + rows, x : x + columns]
        gray = patch if patch.ndim == 2 else patch.mean(axis=2)
        contrast = rng.uniform(*difficulty.contrast) * top
        low, high = np.percentile(gray, 5), np.percentile(gray, 95)
        if top - high >= contrast:
            colour = high + contrast
        elif low >= contrast:
            colour = low - contrast
        else:
            continue
        if picture.ndim == 3:
            patch += ink[..., np.newaxis] * (colour * np.array(rng.choice(TINTS)) - patch)
        else:
            patch += ink * (colour - patch)
        taken.append(box)
        return PlantedLine(text, sensitive, box, ink > 0.4, size, *_around(near, ink))
    return None


def _turned(ink: NDArray[np.float64], turn: int) -> NDArray[np.float64]:
    """Return ink turned counterclockwise by some degrees."""
    if turn % 90 == 0:
        return np.rot90(ink, turn // 90)
    block = Image.fromarray(np.pad(ink, 2).astype(np.float32))
    array = np.asarray(block.rotate(turn, Image.Resampling.BICUBIC, expand=True), np.float64).clip(0, 1)
    rows, columns = np.nonzero(array > 0.1)
    return array[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _around(near: NDArray[np.bool_], ink: NDArray[np.float64]) -> tuple[NDArray[np.bool_], int]:
    """Return a mask with the ink's middle, padded to the ink's shape and the same room on every side."""
    room = max(0, *((side - own + 1) // 2 for side, own in zip(near.shape, ink.shape, strict=True)))
    padded = np.zeros([own + 2 * room for own in ink.shape], bool)
    top, left = ((whole - side) // 2 for whole, side in zip(padded.shape, near.shape, strict=True))
    padded[top : top + near.shape[0], left : left + near.shape[1]] = near
    return padded, room


@functools.cache
def _fonts() -> tuple[str | None, ...]:
    """Paths of the fonts: Pillow's own (None), its pixel font (""), and those of installed ``font-*`` packages."""
    wanted = ("Roboto", "SourceSansPro", "SourceSerifPro", "CaladeaBold", "Lato", "Manrope")
    found: dict[str, str] = {}
    for entry in entry_points(group="fonts_ttf"):
        found.update(entry.load())
    return (None, "", *(found[name] for name in wanted if name in found))


def font_count() -> int:
    """Return how many fonts the set is written in."""
    return len(_fonts())


def _ink(text: str, font: int, size: int) -> NDArray[np.float64]:
    path = _fonts()[font]
    if path == "":
        drawn = ImageFont.load_default_imagefont()
        mask = Image.new("L", (drawn.getbbox(text)[2] + 2, 13))
        ImageDraw.Draw(mask).text((1, 1), text, fill=255, font=drawn)
        factor = max(1, round(size / 11))
        mask = mask.resize((mask.width * factor, mask.height * factor), Image.Resampling.NEAREST)
    else:
        scalable = ImageFont.load_default(size=size) if path is None else ImageFont.truetype(path, size)
        left, upper, right, lower = scalable.getbbox(text)
        mask = Image.new("L", (round(right - left) + 2, round(lower - upper) + 2))
        ImageDraw.Draw(mask).text((1 - left, 1 - upper), text, fill=255, font=scalable)
    array = np.asarray(mask, np.float64) / 255
    rows, columns = np.nonzero(array > 0.1)
    return array[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _spoilt(
    picture: NDArray[np.float64], difficulty: Difficulty, rng: random.Random, top: float
) -> NDArray[np.float64]:
    if not (difficulty.blur or difficulty.noise or difficulty.jpeg):
        return picture
    eight = Image.fromarray(np.clip(picture * (255 / top), 0, 255).astype(np.uint8))
    if difficulty.blur:
        eight = eight.filter(ImageFilter.GaussianBlur(difficulty.blur))
    if difficulty.jpeg:
        stream = io.BytesIO()
        eight.save(stream, "JPEG", quality=difficulty.jpeg)
        eight = Image.open(stream)
    result = np.asarray(eight, np.float64) * (top / 255)
    if difficulty.noise:
        result = result + np.random.default_rng(rng.randrange(1 << 30)).normal(0, difficulty.noise * top, result.shape)
    return np.clip(result, 0, top)


def _background(kind: str, index: int, rng: random.Random) -> tuple[NDArray[np.float64], tuple[Rectangle, ...]]:
    """Return a picture to write on, and where it has text of its own."""
    noise = np.random.default_rng(rng.randrange(1 << 30))
    if kind == "US":
        return _sector(noise, *rng.choice([(768, 1024), (480, 640), (600, 800)])), ()
    if kind == "PT":
        return _hot(noise, 512), ()
    if kind == "report":
        return np.full((1000, 800, 3), 235.0) + noise.normal(0, 2, (1000, 800, 3)).clip(-6, 6), ()
    real = _real(kind)
    if kind == "NM" and index % 2:
        return _counts(noise, 512), ()
    picture, marks = real[index % len(real)]
    if index % 4 < 2:
        return picture.copy(), marks
    width = picture.shape[1]
    mirrored = tuple((width - right, top, width - left, bottom) for left, top, right, bottom in marks)
    return np.ascontiguousarray(picture[:, ::-1]), mirrored


@functools.cache
def _real(kind: str) -> list[tuple[NDArray[np.float64], tuple[Rectangle, ...]]]:
    own = Path(pydicom.__file__).parent / "data" / "test_files"
    more = Path(pydicom.__file__).parents[1] / "data_store" / "data"
    names = {
        "CT": (own / "CT_small.dcm", more / "693_UNCR.dcm", more / "eCT_Supplemental.dcm"),
        "MR": (own / "MR_small.dcm", more / "MR2_UNCR.dcm", more / "emri_small.dcm"),
        "CR": (more / "RG1_UNCR.dcm", more / "RG3_UNCR.dcm", own / "CT_small.dcm"),
        "NM": (more / "JPEG2000_UNC.dcm", own / "MR_small.dcm"),
    }[kind]
    pictures: list[tuple[NDArray[np.float64], tuple[Rectangle, ...]]] = []
    for path in names:
        if path.exists():
            array = pydicom.dcmread(path).pixel_array.astype(np.float64)
            array = array[0] if array.ndim == 3 else array
            array -= array.min()
            array *= 4095 / array.max()
            if min(array.shape) < 200:
                size = tuple(side * (512 // min(array.shape)) for side in reversed(array.shape))
                array = np.asarray(
                    Image.fromarray(array.astype(np.float32)).resize(size, Image.Resampling.BICUBIC), np.float64
                )
            pictures.append((np.clip(array, 0, 4095), MARKS.get(path.name, ())))
    return pictures


def _sector(noise: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    y, x = np.mgrid[:rows, :columns]
    radius, angle = np.hypot(x - columns / 2, y + 20), np.arctan2(x - columns / 2, y + 20)
    inside = (np.abs(angle) < 0.62) & (radius > 70) & (radius < rows * 0.92)
    depth = np.exp(-radius / rows) * (1 + 0.5 * np.sin(radius / 37) * np.cos(angle * 9))
    speckle = noise.rayleigh(60, (rows, columns)) * depth
    gray = np.where(inside, np.clip(speckle, 0, 230), 0)
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


def _hot(noise: np.random.Generator, side: int) -> NDArray[np.float64]:
    counts = _counts(noise, side) / 4095
    return np.stack([np.clip(counts * 3 - shift, 0, 1) * 255 for shift in range(3)], axis=2)


def _counts(noise: np.random.Generator, side: int) -> NDArray[np.float64]:
    y, x = np.mgrid[:side, :side] / side
    activity = sum(
        strength * np.exp(-(((x - cx) / width) ** 2 + ((y - cy) / width) ** 2))
        for cx, cy, width, strength in zip(
            noise.uniform(0.25, 0.75, 7),
            noise.uniform(0.2, 0.8, 7),
            noise.uniform(0.03, 0.2, 7),
            noise.uniform(2, 30, 7),
            strict=True,
        )
    )
    counts = noise.poisson(activity).astype(np.float64)
    return np.clip(counts * (4095 / max(1.0, counts.max())), 0, 4095)


def _instance(kind: str, picture: NDArray[np.float64], person: dict[str, str]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.set_original_encoding(False, True, "iso8859")
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = {"report": "OT"}.get(kind, kind)
    dataset.PatientName = f"{person['family']}^{person['given']}"
    dataset.PatientID = person["id"]
    dataset.PatientBirthDate = person["birth"]
    dataset.StudyDate = person["study"]
    dataset.ReferringPhysicianName = person["physician"]
    dataset.AccessionNumber = person["accession"]
    dataset.InstitutionName = person["hospital"]
    dataset.Rows, dataset.Columns = picture.shape[:2]
    dataset.PixelRepresentation = 0
    if picture.ndim == 3:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.PixelData = np.clip(np.rint(picture), 0, 255).astype(np.uint8).tobytes()
    else:
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelData = np.clip(np.rint(picture), 0, 4095).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW" if picture.ndim == 2 else "OB"
    return dataset
