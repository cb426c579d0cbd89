"""Transcoding: the result has the requested syntax and shows the same picture."""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from healthcare_deid.engine.dicom.files import encode
from healthcare_deid.engine.dicom.transfer_syntaxes import TRANSFER_SYNTAXES

if TYPE_CHECKING:
    from tests.emulator.conftest import Lab

STORE = "projects/MyProj/locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"
UIDS = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}
INSTANCE = f"{STORE}/dicomWeb/studies/1.2/series/1.2.3/instances/1.2.3.4"
JPEG = "1.2.840.10008.1.2.4."
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
LOSSLESS = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    *(f"{JPEG}{number}" for number in (57, 70, 80, 90)),
]
EXTRA = [f"{JPEG}{number}" for number in (201, 202, 203)]


def retrieved(lab: Lab, syntax: str) -> pydicom.FileDataset:
    answer = lab.get(INSTANCE, f"application/dicom; transfer-syntax={syntax}")
    assert answer.status == 200, answer.body
    dataset = pydicom.dcmread(io.BytesIO(answer.body))
    assert dataset.file_meta.TransferSyntaxUID == syntax
    return dataset


def picture(number_of_bits: int, *, color: bool = False) -> np.ndarray[Any, Any]:
    across = np.linspace(0, (1 << number_of_bits) - 1, 96)
    gray = (across[None, :] * np.linspace(0.2, 1, 80)[:, None]).astype("u1" if number_of_bits == 8 else "<u2")
    return np.stack([gray, gray[::-1], 255 - gray], axis=-1) if color else gray


def stored(lab: Lab, make: Any, pixels: np.ndarray[Any, Any], bits: int) -> None:
    size = pixels.dtype.itemsize * 8
    attributes = {
        "Rows": pixels.shape[0], "Columns": pixels.shape[1], "BitsAllocated": size, "BitsStored": bits,
        "HighBit": bits - 1, "PixelRepresentation": 0, "SamplesPerPixel": 3 if pixels.ndim == 3 else 1,
        "PhotometricInterpretation": "RGB" if pixels.ndim == 3 else "MONOCHROME2", "PixelData": pixels.tobytes(),
    }  # fmt: skip
    if pixels.ndim == 3:
        attributes["PlanarConfiguration"] = 0
    assert lab.store(make(**UIDS, **attributes)).status == 200


@pytest.mark.parametrize("syntax", [*LOSSLESS, pytest.param(DEFLATED_FRAMES), *EXTRA])
@pytest.mark.parametrize(("bits", "color"), [(8, False), (12, False), (8, True)])
def test_lossless_syntaxes_keep_every_value(lab: Lab, dicom_bytes: Any, syntax: str, bits: int, color: bool) -> None:
    if syntax in EXTRA:
        pytest.importorskip("imagecodecs")
    pixels = picture(bits, color=color)
    stored(lab, dicom_bytes, pixels, bits)
    made = retrieved(lab, syntax)
    if syntax == DEFLATED_FRAMES:
        (frame,) = generate_frames(made.PixelData, number_of_frames=1)
        assert zlib.decompressobj(wbits=-15).decompress(frame) == pixels.tobytes()
    else:
        assert (made.pixel_array == pixels).all()
    assert made.get("LossyImageCompression", "00") == "00"


@pytest.mark.parametrize(("number", "bits", "color"), [(50, 8, False), (50, 8, True), (81, 8, False), (91, 12, False)])
def test_lossy_syntaxes_look_the_same_and_say_so(
    lab: Lab, dicom_bytes: Any, number: int, bits: int, color: bool
) -> None:
    pixels = picture(bits, color=color)
    stored(lab, dicom_bytes, pixels, bits)
    made = retrieved(lab, f"{JPEG}{number}")
    if color:  # sharp edges of color are what 4:2:2 loses
        assert made.PhotometricInterpretation == "YBR_FULL_422"
    shown = pixel_array(made, raw=False) if color else made.pixel_array
    assert np.abs(shown.astype(int) - pixels).mean() < (1 << bits) / 60
    assert made.LossyImageCompression == "01"
    assert made.LossyImageCompressionMethod.startswith("ISO_")


@pytest.mark.parametrize(("number", "bits"), [(110, 8), (110, 12), (112, 12), (51, 12)])
def test_jpeg_xl_and_jpeg_of_12_bits_are_made_with_the_extra(
    lab: Lab, dicom_bytes: Any, number: int, bits: int
) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    pixels = picture(bits)
    stored(lab, dicom_bytes, pixels, bits)
    made = retrieved(lab, f"{JPEG}{number}")
    (frame,) = generate_frames(made.PixelData, number_of_frames=1)
    decoded = imagecodecs.jpeg8_decode(frame) if number == 51 else imagecodecs.jpegxl_decode(frame)
    difference = np.abs(decoded.astype(int) - pixels)
    assert difference.max() == 0 if number == 110 else difference.mean() < (1 << bits) / 60


@pytest.mark.parametrize("syntax", [f"{JPEG}110", DEFLATED_FRAMES])
def test_a_transcoded_instance_can_be_stored_and_retrieved_natively(lab: Lab, dicom_bytes: Any, syntax: str) -> None:
    if syntax != DEFLATED_FRAMES:
        pytest.importorskip("imagecodecs")
    pixels = picture(12)
    stored(lab, dicom_bytes, pixels, 12)
    coded = lab.get(INSTANCE, f"application/dicom; transfer-syntax={syntax}").body
    assert lab.call("DELETE", INSTANCE).status == 200
    assert lab.store(coded).status == 200
    assert (retrieved(lab, ExplicitVRLittleEndian).pixel_array == pixels).all()
    frame = lab.get(f"{INSTANCE}/frames/1", "application/octet-stream")
    assert frame.body[: pixels.nbytes] == pixels.tobytes()


def test_baseline_jpeg_becomes_jpeg_xl_without_loss(lab: Lab, dicom_bytes: Any) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    stored(lab, dicom_bytes, picture(8), 8)
    baseline = lab.get(INSTANCE, f"application/dicom; transfer-syntax={JPEG}50").body
    lab.call("DELETE", INSTANCE)
    assert lab.store(baseline).status == 200
    (before,) = generate_frames(pydicom.dcmread(io.BytesIO(baseline)).PixelData, number_of_frames=1)
    (after,) = generate_frames(retrieved(lab, f"{JPEG}111").PixelData, number_of_frames=1)
    assert imagecodecs.jpegxl_decode_jpeg(after.rstrip(b"\0")).rstrip(b"\0") == before.rstrip(b"\0")
    recompressed = lab.get(INSTANCE, f"application/dicom; transfer-syntax={JPEG}111").body
    lab.call("DELETE", INSTANCE)
    assert lab.store(recompressed).status == 200
    (again,) = generate_frames(retrieved(lab, f"{JPEG}50").PixelData, number_of_frames=1)
    assert again.rstrip(b"\0") == before.rstrip(b"\0")


@pytest.mark.parametrize("syntax", [f"{JPEG}110", DEFLATED_FRAMES])
def test_newer_syntaxes_are_rendered_and_given_frame_by_frame(lab: Lab, dicom_bytes: Any, syntax: str) -> None:
    if syntax != DEFLATED_FRAMES:
        pytest.importorskip("imagecodecs")
    pixels = picture(8, color=True)
    stored(lab, dicom_bytes, pixels, 8)
    coded = lab.get(INSTANCE, f"application/dicom; transfer-syntax={syntax}").body
    lab.call("DELETE", INSTANCE)
    assert lab.store(coded).status == 200
    shown = lab.get(f"{INSTANCE}/rendered", "image/png")
    assert shown.status == 200
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown.body))), pixels)
    whole = lab.get(f"{INSTANCE}/frames/1", "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1")
    assert whole.body[: pixels.nbytes] == pixels.tobytes()
    as_stored = lab.get(f"{INSTANCE}/frames/1", 'multipart/related; type="application/octet-stream"; transfer-syntax=*')
    assert as_stored.status == 200


def test_frames_that_cannot_be_decoded_are_not_acceptable(lab: Lab, dicom_bytes: Any) -> None:
    stored(lab, dicom_bytes, picture(8), 8)
    coded = lab.get(INSTANCE, f"application/dicom; transfer-syntax={DEFLATED_FRAMES}").body
    lab.call("DELETE", INSTANCE)
    broken = pydicom.dcmread(io.BytesIO(coded))
    broken.Rows = 17
    buffer = io.BytesIO()
    encode(broken, buffer)
    assert lab.store(buffer.getvalue()).status == 200
    for path in (INSTANCE, f"{INSTANCE}/frames/1", f"{INSTANCE}/rendered"):
        accept = "image/png" if path.endswith("rendered") else "application/octet-stream"
        accept = f"application/dicom; transfer-syntax={ExplicitVRLittleEndian}" if path == INSTANCE else accept
        assert lab.get(path, accept).status == 406


@pytest.mark.parametrize("number", [5, 57, 80, 90, 110])
def test_signed_pixels_stay_signed_in_every_lossless_syntax(lab: Lab, dicom_bytes: Any, number: int) -> None:
    pytest.importorskip("imagecodecs")
    syntax = f"{JPEG}{number}" if number != 5 else "1.2.840.10008.1.2.5"
    pixels = picture(12).astype("<i2") - 2048
    attributes = {
        "Rows": 80, "Columns": 96, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1,
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "PixelData": pixels.tobytes(),
    }  # fmt: skip
    assert lab.store(dicom_bytes(**UIDS, **attributes)).status == 200
    coded = lab.get(INSTANCE, f"application/dicom; transfer-syntax={syntax}").body
    lab.call("DELETE", INSTANCE)
    assert lab.store(coded).status == 200
    back = retrieved(lab, ExplicitVRLittleEndian).pixel_array
    assert np.array_equal(back, pixels)


@pytest.mark.parametrize("syntax", [f"{JPEG}100", f"{JPEG}94", "1.2.840.10008.1.2.2", "1.2.3"])
def test_other_syntaxes_are_not_acceptable(lab: Lab, dicom_bytes: Any, syntax: str) -> None:
    stored(lab, dicom_bytes, picture(8), 8)
    assert lab.get(INSTANCE, f"application/dicom; transfer-syntax={syntax}").status == 406


def test_pixels_that_a_syntax_cannot_hold_are_not_acceptable(lab: Lab, dicom_bytes: Any) -> None:
    stored(lab, dicom_bytes, picture(12), 12)
    assert lab.get(INSTANCE, f"application/dicom; transfer-syntax={JPEG}50").status == 406


def test_every_transcodable_syntax_of_the_table_can_be_requested() -> None:
    tried = {*LOSSLESS, *EXTRA, DEFLATED_FRAMES, *(f"{JPEG}{number}" for number in (50, 51, 81, 91, 110, 111, 112))}
    assert {row.uid for row in TRANSFER_SYNTAXES.values() if row.transcodes} == tried
