"""v1beta1 updates, metadata patches, and instances from metadata and JPEG."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGBaseline8Bit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulator.conftest import Answer, Lab

STORE = "projects/MyProj/locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"
WEB = f"{STORE}/dicomWeb"
UIDS = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}
INSTANCE = f"{WEB}/studies/1.2/series/1.2.3/instances/1.2.3.4"
DICOM = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}


def picture(mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((48, 32)).convert(mode).save(buffer, "JPEG")
    return buffer.getvalue()


def metadata(**more: Any) -> dict[str, Any]:
    dataset = pydicom.Dataset()
    for keyword, value in {**UIDS, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "PatientName": "Żebrowska^Oktawia",
                           "Modality": "OT", **more}.items():  # fmt: skip
        setattr(dataset, keyword, value)
    return {**dataset.to_json_dict(), "7FE00010": {"vr": "OB", "BulkDataURI": "jpeg-image"}}


def send(lab: Lab, *parts: tuple[str, bytes], method: str = "POST") -> Answer:
    body = b"".join(f"--b\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts) + b"--b--\r\n"
    headers = {
        "Content-Type": 'multipart/related; type="application/dicom+json"; boundary=b',
        "Accept": "application/dicom+json",
    }
    return lab.call(method, f"{WEB}/studies", body, headers=headers)


JSON_PART = "Content-Type: application/dicom+json"
JPEG_PART = f"Content-Type: image/jpeg; transfer-syntax={JPEGBaseline8Bit}\r\nContent-Location: jpeg-image"


class TestMetadataWithPictures:
    @pytest.mark.parametrize(("mode", "photometric"), [("RGB", "YBR_FULL_422"), ("L", "MONOCHROME2")])
    def test_a_jpeg_and_its_metadata_become_an_instance(self, lab: Lab, mode: str, photometric: str) -> None:
        stream = picture(mode)
        answer = send(lab, (JSON_PART, json.dumps([metadata()]).encode()), (JPEG_PART, stream))
        assert answer.status == 200, answer.body
        (made,) = lab.instances(STORE)
        assert made.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
        assert (made.Rows, made.Columns, made.PhotometricInterpretation) == (32, 48, photometric)
        assert str(made.PatientName) == "Żebrowska^Oktawia"
        (frame,) = generate_frames(made.PixelData, number_of_frames=1)
        assert frame.rstrip(b"\0") == stream.rstrip(b"\0")
        assert lab.get(f"{INSTANCE}/rendered", "image/png").status == 200

    def test_metadata_without_bulk_data_is_an_instance_too(self, lab: Lab) -> None:
        item = metadata()
        del item["7FE00010"]
        assert send(lab, (JSON_PART, json.dumps([item]).encode())).status == 200
        assert lab.get(f"{INSTANCE}/metadata").status == 200

    @pytest.mark.parametrize(
        "parts",
        [
            ((JSON_PART, json.dumps([metadata()]).encode()),),
            ((JSON_PART, b"[1]"), (JPEG_PART, picture())),
            ((JSON_PART, b"no json"), (JPEG_PART, picture())),
            ((JSON_PART, b'[{"00100010": {"vr": "PN", "Value": 7}}]'),),
            ((JSON_PART, b"[" * 100_000 + b"]" * 100_000),),
            ((JSON_PART, b'[{"zz": 1}]'),),
        ],
    )
    def test_metadata_that_does_not_form_an_instance_is_refused(
        self, lab: Lab, parts: tuple[tuple[str, bytes], ...]
    ) -> None:
        assert send(lab, *parts).status in {400, 409}
        assert lab.get(f"{WEB}/instances").status == 204

    def test_another_kind_of_part_is_an_unsupported_media_type(self, lab: Lab) -> None:
        video = ("Content-Type: video/mp4\r\nContent-Location: jpeg-image", b"x")
        assert send(lab, (JSON_PART, json.dumps([metadata()]).encode()), video).status == 415


class TestUpdates:
    def test_an_update_replaces_the_instance_and_its_file(self, lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
        lab.store(dicom_bytes(**UIDS, PatientID="old"))
        new = dicom_bytes(**UIDS, PatientID="new")
        assert lab.store(new).status == 409
        answer = lab.call("PUT", f"{WEB}/studies", new, headers=DICOM, version="v1beta1")
        assert answer.status == 200
        (found,) = lab.instances(STORE)
        assert found.PatientID == "new"
        assert len(list((lab.emulator.data_dir / "instances").rglob("*.dcm"))) == 1

    def test_v1_has_no_updates(self, lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
        assert lab.call("PUT", f"{WEB}/studies", dicom_bytes(), headers=DICOM).status == 404
        assert lab.call("PATCH", f"{INSTANCE}/metadata", b"[]").status == 404


class TestPatches:
    @pytest.fixture(autouse=True)
    def _stored(self, lab: Lab, dicom_bytes: Callable[..., bytes]) -> None:
        for number in (4, 5):
            lab.store(dicom_bytes(**{**UIDS, "SOPInstanceUID": f"1.2.3.{number}"}, PatientName="Old^Name"))

    def patch(self, lab: Lab, path: str, *steps: dict[str, Any]) -> Answer:
        return lab.call("PATCH", f"{path}/metadata", json.dumps(steps), version="v1beta1")

    def test_a_patch_changes_the_metadata_and_the_file_and_not_the_pixels(self, lab: Lab) -> None:
        before = next(item for item in lab.instances(STORE) if item.SOPInstanceUID == "1.2.3.4")
        name = {"vr": "PN", "Value": [{"Alphabetic": "Néw^Name"}]}
        answer = self.patch(
            lab,
            INSTANCE,
            {"op": "test", "path": "/00100010/Value/0/Alphabetic", "value": "Old^Name"},
            {"op": "replace", "path": "/00100010", "value": name},
            {"op": "remove", "path": "/00081030"},
            {"op": "add", "path": "/00104000", "value": {"vr": "LT", "Value": ["ok"]}},
        )
        assert answer.status == 200, answer.body
        assert answer.json[0]["00100010"] == name
        after = next(item for item in lab.instances(STORE) if item.SOPInstanceUID == "1.2.3.4")
        assert str(after.PatientName) == "Néw^Name"
        assert after.PatientComments == "ok"
        assert "StudyDescription" not in after
        assert after.PixelData == before.PixelData
        assert lab.get(f"{WEB}/instances?PatientName=Old*").json[0]["00080018"]["Value"] == ["1.2.3.5"]

    def test_a_study_is_patched_by_an_operation(self, lab: Lab) -> None:
        step = {"op": "replace", "path": "/00080060/Value/0", "value": "OT"}
        name = self.patch(lab, f"{WEB}/studies/1.2", step).json["name"]
        assert lab.finished(name)["metadata"]["counter"] == {"success": "2"}
        assert [item.Modality for item in lab.instances(STORE)] == ["OT", "OT"]

    @pytest.mark.parametrize(
        "step",
        [
            {"op": "replace", "path": "/00080018/Value/0", "value": "1.9"},
            {"op": "remove", "path": "/0020000D"},
            {"op": "remove", "path": "/7FE00010"},
            {"op": "replace", "path": "/00020010/Value/0", "value": "1.2.840.10008.1.2"},
            {"op": "add", "path": "/00420011", "value": {"vr": "OB", "BulkDataURI": "http://x"}},
            {"op": "copy", "from": "/00100010", "path": "/00100020"},
            {"op": "test", "path": "/00100010/Value/0/Alphabetic", "value": "Another"},
            {"op": "remove", "path": "/99999999"},
            {"op": "add", "path": "/00100010", "value": {"vr": "PN", "Value": 7}},
            {"op": "add", "path": "/zz", "value": 1},
            {"path": "/00100010"},
        ],
    )
    def test_a_patch_that_does_not_apply_changes_nothing(self, lab: Lab, step: dict[str, Any]) -> None:
        before = lab.get(f"{INSTANCE}/metadata").body
        assert self.patch(lab, INSTANCE, step).status == 400
        assert lab.get(f"{INSTANCE}/metadata").body == before

    @pytest.mark.parametrize("body", [b"{}", b"no", b'[{"op": "add"}', b"[[]]", b"[" * 5000])
    def test_an_invalid_patch_is_refused(self, lab: Lab, body: bytes) -> None:
        assert lab.call("PATCH", f"{INSTANCE}/metadata", body, version="v1beta1").status == 400
