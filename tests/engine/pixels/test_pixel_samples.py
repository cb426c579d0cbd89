"""Every sample file that can be decoded goes through every mode, and loses nothing but boxes."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.misc import is_dicom
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from healthcare_deid.config import v1beta1
from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.plan.v1beta1 import pixel_plan
from healthcare_deid.engine.silence import quiet
from healthcare_deid.engine.text.engine import TextEngine
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels import Ocr
    from healthcare_deid.engine.pixels.arrays import Picture

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning")  # pydicom warns of what is odd in its own samples


def _folders() -> Iterator[Path]:
    yield Path(pydicom.__file__).parent / "data" / "test_files"
    for package, folder in (("data_store", "data"), ("deid_data", "data")):
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield Path(location) / folder


FILES = {path.name: path for folder in _folders() for path in sorted(folder.rglob("*.dcm")) if is_dicom(path)}
MODES = ("REDACT_ALL_TEXT", "REDACT_SENSITIVE_TEXT")


def _is_large(name: str) -> bool:
    return FILES[name].stat().st_size > 600_000


SMALL = ("CT_small.dcm", "MR_small.dcm", "SC_rgb_small_odd.dcm", "SC_ybr_full_422_uncompressed.dcm", "rtdose.dcm")
BURNED_IN = {
    "examples_jpeg2k.dcm": (),
    "RGB_IMAGE.dcm": ("ZZZDOWNTIME", "MARY", "CLEVELAND", "120907058"),
    "GREYSCALE_IMAGE.dcm": ("ZZZDOWNTIME", "MARY"),
    "gdcm-US-ALOKA-16.dcm": ("WESTWAY", "ULTRASOUND"),
    "US1_UNCR.dcm": ("BAPTIST",),
}


def _read(path: Path) -> Dataset:
    return pydicom.dcmread(path)


def _pixels(path: Path) -> NDArray[Any] | None:
    """Return what pydicom decodes, or None when it cannot."""
    try:
        return np.asarray(_read(path).pixel_array)
    except Exception:  # noqa: BLE001 - pydicom raises anything at broken samples
        return None


class InTheMiddle:
    """Finds one unreadable line in the middle of anything: what is tested is decoding and writing, not finding."""

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        del read, within
        rows, columns = picture.shape[:2]
        return [TextLine(Box(columns // 4, rows // 4, columns // 2 + 1, rows // 2 + 1), text="?", text_confidence=0.1)]


def _check_one(path: Path, mode: str, ocr: Ocr | None = None) -> None:
    before = _pixels(path)
    dataset, original = _read(path), _read(path)
    image = v1beta1.ImageConfig.from_api({"textRedactionMode": mode})
    inspector = TextEngine(TextPlan()).bind(original)
    try:
        with quiet():
            report = PixelRedactor(pixel_plan(image), ocr=ocr).redact(dataset, inspector)
    except UnsupportedPixelsError:
        assert before is None, f"{path.name}: pydicom decodes it"
        return
    if before is None or not hasattr(dataset, "file_meta"):
        return
    again = dataset
    if report.changes and _written(_read(path)) is not None:  # pydicom cannot write every sample it reads
        stream = _written(dataset)
        assert stream is not None
        again = pydicom.dcmread(stream)
    frames = int(original.get("NumberOfFrames") or 1)
    shape = (frames, original.Rows, original.Columns, -1)
    keep = np.ones(shape[:3], bool)
    more = 2 if again.file_meta.TransferSyntaxUID in (JPEGBaseline8Bit, JPEGExtended12Bit) else 0
    for item in report.redactions:  # decoders of lossy JPEG smooth color over the edges of blocks
        if item.path == "7FE00010":
            rows = slice(max(0, item.y - more), item.y + item.height + more)
            keep[item.frame, rows, max(0, item.x - more) : item.x + item.width + more] = False
    assert int(again.get("NumberOfFrames") or 1) == frames
    assert np.array_equal(again.pixel_array.reshape(shape)[keep], before.reshape(shape)[keep]), path.name
    if report.changes:
        _check_with_a_second_decoder(again, shape, keep, before)


def _written(dataset: Dataset) -> io.BytesIO | None:
    stream = io.BytesIO()
    try:
        with quiet():
            pydicom.dcmwrite(stream, dataset)
    except TypeError:
        return None
    stream.seek(0)
    return stream


def _check_with_a_second_decoder(
    dataset: Dataset, shape: tuple[int, ...], keep: NDArray[np.bool_], before: NDArray[Any]
) -> None:
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    for plugin in decoder.available_plugins if decoder.is_encapsulated else ():
        array, _ = decoder.as_array(dataset, decoding_plugin=plugin)
        assert np.array_equal(array.reshape(shape)[keep], before.reshape(shape)[keep]), plugin


@pytest.mark.parametrize(
    "mode", ["REDACT_ALL_TEXT", "REDACT_SENSITIVE_TEXT", "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"]
)
@pytest.mark.parametrize("name", SMALL)
def test_small_samples_pass_in_every_mode(name: str, mode: str) -> None:
    _check_one(FILES[name], mode)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if _is_large(name) else name for name in sorted(FILES)]
)
def test_every_sample_that_decodes_is_covered_and_keeps_every_other_value(name: str) -> None:
    _check_one(FILES[name], MODES[len(name) % 2], InTheMiddle())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(BURNED_IN))
def test_the_text_burned_into_samples_is_gone(name: str, independent_ocr: Any) -> None:
    if name not in FILES:
        pytest.skip("the package with this sample is not installed")
    dataset = _read(FILES[name])
    with quiet():
        PixelRedactor(PixelPlan(Scope.EVERYTHING)).redact(dataset, None)
    pixels: Any = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        pixels = apply_color_lut(pixels, dataset)
        pixels = pixels >> 8 if pixels.max() > 255 else pixels
    left = independent_ocr(pixels)
    assert not any(word in left for word in BURNED_IN[name])
