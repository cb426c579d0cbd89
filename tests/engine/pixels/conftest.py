"""Pictures with known text, instances around them, and OCRs: a scripted one, and one that is not the engine's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from healthcare_deid.engine.pixels import Box, TesseractOcr, TextLine

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Picture

Array = NDArray[Any]
MakeInstance = Callable[..., Dataset]
Drawn = Callable[..., NDArray[np.uint8]]
Independent = Callable[[Array], str]


@dataclass
class ScriptedOcr:
    """Says that bright pixels are text: one line around each stretch of bright columns, with a text of its own.

    It is exact, so that tests of what is done with boxes do not depend on what a network sees in them.
    """

    text: str = "SMITH"
    looked_at: list[Box] = field(default_factory=list[Box])

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        area = within or Box(0, 0, picture.shape[1], picture.shape[0])
        self.looked_at.append(area)
        bright = picture[area.top : area.bottom, area.left : area.right].max(axis=2) > 200
        rows, columns = np.nonzero(bright)
        if not rows.size:
            return []
        box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        text = self.text if read else None
        return [TextLine(box.moved(area.left, area.top), 0.9, text, 0.99)]


@pytest.fixture
def scripted_ocr() -> ScriptedOcr:
    return ScriptedOcr()


@pytest.fixture
def drawn() -> Drawn:
    """Draw text into an 8-bit picture: ``drawn((x, y, text), ..., size=(columns, rows), height=24)``."""

    def draw(
        *texts: tuple[int, int, str],
        size: tuple[int, int] = (512, 384),
        height: int = 24,
        shade: int = 255,
        back: int = 20,
    ) -> NDArray[np.uint8]:
        picture = Image.new("L", size, back)
        font = ImageFont.load_default(size=height)
        for x, y, text in texts:
            ImageDraw.Draw(picture).text((x, y), text, fill=shade, font=font)
        return np.asarray(picture).copy()

    return draw


@pytest.fixture
def make_instance() -> MakeInstance:
    """Make a native instance around an array: (rows, columns), (frames, rows, columns) or either with 3 samples."""

    def make(
        pixels: Array,
        *,
        colour: bool = False,
        syntax: str = ExplicitVRLittleEndian,
        photometric: str = "",
        bits_stored: int = 0,
        planar: int = 0,
    ) -> Dataset:
        samples = 3 if colour else 1
        shape = pixels.shape[:-1] if colour else pixels.shape
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = UID(syntax)
        little = syntax != ExplicitVRBigEndian
        dataset.set_original_encoding(False, little, "iso8859")
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
        dataset.SOPInstanceUID = "2.25.1"
        dataset.Rows, dataset.Columns = shape[-2:]
        if len(shape) == 3:
            dataset.NumberOfFrames = shape[0]
        dataset.SamplesPerPixel = samples
        dataset.PhotometricInterpretation = photometric or ("RGB" if colour else "MONOCHROME2")
        if colour:
            dataset.PlanarConfiguration = planar
        bits = pixels.dtype.itemsize * 8
        dataset.BitsAllocated = bits
        dataset.BitsStored = bits_stored or bits
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        stored = np.moveaxis(pixels, -1, -3) if colour and planar else pixels
        data = stored.astype(stored.dtype.newbyteorder("<" if little else ">")).tobytes()
        dataset.PixelData = data + b"\0" * (len(data) % 2)
        dataset["PixelData"].VR = "OB" if bits == 8 else "OW"
        return dataset

    return make


@pytest.fixture(scope="session")
def independent_ocr() -> Independent:
    """Read an 8-bit array with Tesseract, an OCR the engine does not use; the letters and digits, in capitals."""
    if shutil.which("tesseract") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have tesseract-ocr installed: without it nothing checks the engine's own OCR")
        pytest.skip("tesseract is not installed")
    reader = TesseractOcr(page_mode=11, scale=2)

    def read(pixels: Array) -> str:
        eight = np.asarray(pixels, np.uint8)
        picture = eight if eight.ndim == 3 else np.repeat(eight[:, :, np.newaxis], 3, axis=2)
        texts = " ".join(line.text or "" for line in reader.find(picture, read=True))
        return "".join(letter for letter in texts.upper() if letter.isalnum())

    return read


@dataclass(frozen=True)
class Written:
    """A phantom with text on it, and where its ink is."""

    picture: NDArray[np.uint8]
    ink: NDArray[np.bool_]

    def covered_by(self, redactions: Iterable[Any]) -> float:
        """Return which part of the ink rectangles cover."""
        mask = np.zeros(self.ink.shape, bool)
        for item in redactions:
            mask[item.y : item.y + item.height, item.x : item.x + item.width] = True
        return float(mask[self.ink].mean())


FACES = {
    "latin": "fontpkg_noto_sans/files/NotoSans[wdth,wght].ttf",
    "cyrillic": "fontpkg_noto_sans/files/NotoSans[wdth,wght].ttf",
    "greek": "fontpkg_noto_sans/files/NotoSans[wdth,wght].ttf",
    "hebrew": "fontpkg_rubik/files/Rubik[wght].ttf",
    "arabic": "fontpkg_rubik/files/Rubik[wght].ttf",
    "thai": "fontpkg_noto_sans_thai/files/NotoSansThai[wdth,wght].ttf",
    "devanagari": "fontpkg_noto_sans_devanagari/files/NotoSansDevanagari[wdth,wght].ttf",
}


@pytest.fixture
def written_phantom() -> Callable[..., Written]:
    """Write lines on a smooth, noisy organ: ``written_phantom((x, y, text), ..., height=22, turn=0, face="latin")``."""

    def write(
        *texts: tuple[int, int, str],
        size: tuple[int, int] = (480, 320),
        height: int = 22,
        turn: float = 0,
        face: str = "latin",
        page: bool = False,
    ) -> Written:
        columns, rows = size
        package, name = FACES[face].split("/", 1)
        font = ImageFont.truetype(str(resources.files(package) / name), height)
        whole = Image.new("L", size)
        for x, y, text in texts:
            left, top, right, bottom = font.getbbox(text)
            block = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
            ImageDraw.Draw(block).text((1 - left, 1 - top), text, font=font, fill=255)
            block = block.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
            whole.paste(block, (x, y), block)
        mask = np.asarray(whole, np.float64) / 255
        random = np.random.default_rng(1)
        down, across = np.mgrid[:rows, :columns]
        inside = ((across - columns / 2) / (columns * 0.38)) ** 2 + ((down - rows / 2) / (rows * 0.4)) ** 2
        organ = np.where(
            inside < 1, 110 - 80 * inside + random.normal(0, 6, mask.shape), random.normal(6, 2, mask.shape)
        )
        ground = np.full(mask.shape, 245.0) if page else organ
        shown = ground * (1 - mask) + (20 if page else 235) * mask
        return Written(np.clip(shown, 0, 255).astype(np.uint8), mask > 0.4)

    return write
