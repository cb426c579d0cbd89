from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLossless, JPEGLosslessSV1

from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.frames.codecs.jpeg_lossless import LONGEST_CODE, code_lengths, encode
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def _decoded(stream: bytes, like: NDArray[Any], bits_stored: int) -> NDArray[Any]:
    colour = like.ndim == 3
    options: dict[str, Any] = {
        "rows": like.shape[0],
        "columns": like.shape[1],
        "number_of_frames": 1,
        "samples_per_pixel": 3 if colour else 1,
        "photometric_interpretation": "RGB" if colour else "MONOCHROME2",
        "bits_allocated": like.dtype.itemsize * 8,
        "bits_stored": bits_stored,
        "pixel_representation": 0,
    }
    if colour:
        options["planar_configuration"] = 0
    array, _ = get_decoder(JPEGLosslessSV1).as_array(encapsulate([stream]), index=0, raw=True, **options)
    return array


# A picture of a few pixels may happen to be as long compressed as it was.
@pytest.mark.filterwarnings("ignore:The number of bytes of compressed pixel data matches:UserWarning")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_decoder_reads_exactly_what_was_written(data: st.DataObject) -> None:
    bits = data.draw(st.sampled_from((8, 10, 12, 16)))
    colour = bits == 8 and data.draw(st.booleans())
    shape = (data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40)), *((3,) if colour else ()))
    spread = data.draw(st.integers(1, 1 << bits))
    noise = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))
    words = noise.integers(0, spread, shape).astype(np.uint8 if bits == 8 else np.uint16)
    assert np.array_equal(_decoded(encode(words, bits, rgb=colour), words, bits), words)


def test_the_steepest_steps_survive() -> None:
    words = np.zeros((4, 6), np.uint16)
    words[::2, ::2] = 0xFFFF
    words[1::2, 1::2] = 0x8000  # a difference of 2^15, which has no further bits
    assert np.array_equal(_decoded(encode(words, 16), words, 16), words)


def test_bits_above_those_stored_are_kept() -> None:
    words = np.array([[0xF123, 0x0123]], np.uint16)
    assert np.array_equal(_decoded(encode(words, 12), words, 16), words)


@given(st.lists(st.integers(0, 1 << 40), min_size=17, max_size=17).filter(any))
def test_codes_are_no_longer_than_allowed_and_leave_room_for_the_code_of_all_ones(frequencies: list[int]) -> None:
    lengths = code_lengths(frequencies)
    assert [length > 0 for length in lengths] == [frequency > 0 for frequency in frequencies]
    assert max(lengths) <= LONGEST_CODE
    assert sum(2 ** (LONGEST_CODE - length) for length in lengths if length) < 2**LONGEST_CODE


class InTheMiddle:
    def find(self, picture: NDArray[np.uint8], *, read: bool, within: Any = None) -> list[TextLine]:
        del read, within
        rows, columns = picture.shape[:2]
        return [TextLine(Box(columns // 4, rows // 4, columns // 2, rows // 2))]


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1], ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("kind", ["gray", "signed", "colour"])
def test_a_redacted_file_stays_in_its_syntax_and_dcmtk_decodes_it(
    syntax: Any, kind: str, make_instance: Any, tmp_path: Path
) -> None:
    noise = np.random.default_rng(8)
    kinds: dict[str, NDArray[Any]] = {
        "gray": noise.integers(0, 4096, (3, 40, 56)).astype(np.uint16),
        "signed": noise.integers(-2000, 2000, (3, 40, 56)).astype(np.int16),
        "colour": noise.integers(0, 256, (3, 40, 56, 3)).astype(np.uint8),
    }
    pixels = kinds[kind]
    dataset = make_instance(pixels, colour=kind == "colour", bits_stored=12 if kind == "gray" else 0)
    bits = dataset.BitsStored
    words = pixels.view(f"u{pixels.dtype.itemsize}")
    dataset.PixelData = encapsulate([encode(frame, bits, rgb=kind == "colour") for frame in words])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    mode = PixelPlan(Scope.EVERYTHING)
    report = PixelRedactor(mode, ocr=InTheMiddle()).redact(dataset, None)
    assert dataset.file_meta.TransferSyntaxUID == syntax
    assert report.warnings == ()
    outside = np.ones(pixels.shape[:3], bool)
    for item in report.redactions:
        outside[item.frame, item.y : item.y + item.height, item.x : item.x + item.width] = False
    dataset.save_as(tmp_path / "redacted.dcm", enforce_file_format=True)
    assert np.array_equal(pydicom.dcmread(tmp_path / "redacted.dcm").pixel_array[outside], pixels[outside])
    if shutil.which("dcmdjpeg") is None:
        pytest.skip("dcmtk is not installed")
    subprocess.run(["dcmdjpeg", "+cn", tmp_path / "redacted.dcm", tmp_path / "native.dcm"], check=True)
    again = pydicom.dcmread(tmp_path / "native.dcm").pixel_array
    assert np.array_equal(again[outside], pixels[outside])
    assert all(len(np.unique(frame[~mask])) == 1 for frame, mask in zip(again, outside, strict=True))
