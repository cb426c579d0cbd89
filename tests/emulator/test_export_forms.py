"""Exports in every format of ``GcsDestination.mimeType``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.emulator.conftest import Lab

STORE = "projects/MyProj/locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"


@pytest.fixture
def bucket(lab: Lab) -> Path:
    folder = lab.emulator.data_dir.parent / "bucket"
    folder.mkdir()
    return folder


def export(lab: Lab, mime_type: str | None, prefix: str = "out") -> Any:
    destination = {"uriPrefix": f"gs://bucket/{prefix}", **({"mimeType": mime_type} if mime_type else {})}
    answer = lab.post(f"{STORE}:export", {"gcsDestination": destination})
    assert answer.status == 200, answer.body
    return lab.finished(answer.json["name"])["metadata"]["counter"]


def files(bucket: Path) -> dict[str, bytes]:
    return {path.relative_to(bucket).as_posix(): path.read_bytes() for path in bucket.rglob("*") if path.is_file()}


UIDS = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}


@pytest.mark.parametrize(
    ("mime_type", "ending", "kind"),
    [
        ("image/png", ".png", "PNG"),
        ("image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50", ".jpg", "JPEG"),
        ("image/jpeg", ".jpg", "JPEG"),
    ],
)
def test_pictures_contain_nothing_of_the_header(
    lab: Lab, bucket: Path, dicom_bytes: Callable[..., bytes], mime_type: str, ending: str, kind: str
) -> None:
    lab.store(dicom_bytes(**UIDS, PatientName="Zebrowska^Oktawia"))
    assert export(lab, mime_type) == {"success": "1"}
    ((name, content),) = files(bucket).items()
    assert name == f"out/1.2/1.2.3/1.2.3.4{ending}"
    with Image.open(io.BytesIO(content)) as picture:
        assert (picture.format, picture.size) == (kind, (128, 128))
    assert b"Zebrowska" not in content


def test_a_multi_frame_instance_has_one_file_per_frame(lab: Lab, bucket: Path, dicom_bytes: Any) -> None:
    lab.store(dicom_bytes("SC_rgb_rle_2frame.dcm", **UIDS))
    assert export(lab, "image/png") == {"success": "1"}
    assert sorted(files(bucket)) == sorted(f"out/1.2/1.2.3/1.2.3.4/{number}.png" for number in (1, 2))


def test_octets_are_raw_frames_native_or_as_stored(lab: Lab, bucket: Path, dicom_bytes: Any) -> None:
    data = dicom_bytes("MR_small_RLE.dcm", **UIDS)
    lab.store(data)
    stored = pydicom.dcmread(io.BytesIO(data))
    assert stored.file_meta.TransferSyntaxUID == RLELossless
    assert export(lab, "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", "native") == {"success": "1"}
    assert export(lab, "application/octet-stream; transfer-syntax=*", "stored") == {"success": "1"}
    written = files(bucket)
    assert sorted(written) == ["native/1.2/1.2.3/1.2.3.4", "stored/1.2/1.2.3/1.2.3.4"]
    native = np.frombuffer(written["native/1.2/1.2.3/1.2.3.4"], "<i2").reshape(64, 64)
    assert (native == stored.pixel_array).all()
    assert next(generate_frames(stored.PixelData)) == written["stored/1.2/1.2.3/1.2.3.4"]


def test_dicom_is_exported_transcoded_or_as_stored(lab: Lab, bucket: Path, dicom_bytes: Any) -> None:
    data = dicom_bytes(**UIDS)
    lab.store(data)
    for prefix, mime_type in (("a", None), ("b", "application/dicom; transfer-syntax=*"), ("c", "application/dicom")):
        assert export(lab, mime_type, prefix) == {"success": "1"}
        assert files(bucket)[f"{prefix}/1.2/1.2.3/1.2.3.4.dcm"] == data
    assert export(lab, f"application/dicom; transfer-syntax={JPEG2000Lossless}", "d") == {"success": "1"}
    made = pydicom.dcmread(bucket / "d/1.2/1.2.3/1.2.3.4.dcm")
    assert made.file_meta.TransferSyntaxUID == JPEG2000Lossless
    assert (made.pixel_array == pydicom.dcmread(io.BytesIO(data)).pixel_array).all()


def test_an_instance_without_the_form_is_a_failure_without_a_file(lab: Lab, bucket: Path, dicom_bytes: Any) -> None:
    lab.store(dicom_bytes("reportsi.dcm", StudyInstanceUID="1.9"))
    lab.store(dicom_bytes(**UIDS))
    assert export(lab, "image/png", "pictures") == {"success": "1", "failure": "1"}
    assert export(lab, f"application/dicom; transfer-syntax={JPEGBaseline8Bit}", "lossy")["failure"] == "1"
    assert len(files(bucket)) == 2  # the picture, and the report, which has no pixels to code


@pytest.mark.parametrize(
    "mime_type",
    [
        "video/mp4", "image/gif", "image/png; transfer-syntax=1.2.840.10008.1.2.4.50", "text/html", "*/*",
        "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.70", "application/dicom; transfer-syntax=1.2.3",
        "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.100", "image/png; quality=3", "image/png, image/jpeg",
        "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.90", "multipart/related; type=image/png", ";",
    ],
)  # fmt: skip
def test_an_unsupported_form_is_refused_and_nothing_is_written(
    lab: Lab, bucket: Path, dicom_bytes: Callable[..., bytes], mime_type: str
) -> None:
    lab.store(dicom_bytes())
    body = {"gcsDestination": {"uriPrefix": "gs://bucket/out", "mimeType": mime_type}}
    assert lab.post(f"{STORE}:export", body).status == 400
    assert lab.emulator.settle(60)
    assert files(bucket) == {}
