"""``gs://`` URIs: mapped folders, and a Cloud Storage emulator over real HTTP."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import pydicom
import pytest

from healthcare_deid.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
PAGE = 2


@dataclass
class Storage:
    """Content of the server, its requests, and its planned misbehavior."""

    url: str = ""
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    requests: list[str] = field(default_factory=list[str])
    status: int = 200
    answer: bytes | None = None
    cut_short: bool = False

    def names(self, bucket: str) -> list[str]:
        return [name for owner, name in self.objects if owner == bucket]


class _JsonApi(BaseHTTPRequestHandler):
    """``objects.list`` in pages of two, ``objects.get?alt=media``, ``objects.insert?uploadType=media``."""

    storage: ClassVar[Storage]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        _, _, _, _, bucket, *rest = map(unquote, parts.path.split("/"))
        if bucket != "scans":
            self._send(404, b"")
        elif rest == ["o"]:
            self._send(200, json.dumps(self._list(bucket, query)).encode())
        else:
            assert rest[0] == "o"
            assert query == {"alt": "media"}
            data = self.storage.objects.get((bucket, rest[1]))
            self._send(404 if data is None else 200, data or b"")

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        assert query["uploadType"] == ["media"]
        prefix, bucket, kind = parts.path.rsplit("/", 2)
        assert (prefix, kind) == ("/upload/storage/v1/b", "o")
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if bucket == "scans":
            self.storage.objects[bucket, query["name"][0]] = data
        self._send(200 if bucket == "scans" else 404, b"{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        """Do not log."""

    def _list(self, bucket: str, query: dict[str, str]) -> dict[str, Any]:
        # Cloud Storage orders by name; a client must not need that.
        names = [name for name in reversed(self.storage.names(bucket)) if name.startswith(query.get("prefix", ""))]
        start = int(query.get("pageToken", "0"))
        page: dict[str, Any] = {"kind": "storage#objects"}
        if names[start : start + PAGE]:
            page["items"] = [{"name": name} for name in names[start : start + PAGE]]
        if len(names) > start + PAGE:
            page["nextPageToken"] = str(start + PAGE)
        return page

    def _send(self, status: int, body: bytes) -> None:
        assert not {name.lower() for name in self.headers} & {"authorization", "cookie"}
        self.storage.requests.append(f"{self.command} {self.path}")
        body = body if self.storage.answer is None else self.storage.answer
        self.send_response(status if self.storage.status == 200 else self.storage.status)
        self.send_header("Content-Length", str(len(body) + (10 if self.storage.cut_short else 0)))
        self.send_header("Location", "http://192.0.2.1/")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    held = Storage()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_JsonApi,), {"storage": held})) as server:
        held.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", held.url)
        yield held
        server.shutdown()
        thread.join()


@pytest.fixture
def storage_lab(storage: Storage, make_lab: Callable[[Emulator], Lab], tmp_path: Path) -> Iterator[Lab]:
    """Return a lab with the storage server and a mapped folder."""
    assert storage.url
    with Emulator(tmp_path / "lab", workers=0, gcs={"mapped": tmp_path / "mapped"}) as emulator:
        lab = make_lab(emulator)
        lab.create_dataset()
        lab.create_store()
        yield lab


def import_from(lab: Lab, uri: str) -> Any:
    answer = lab.post(f"{STORE}:import", {"gcsSource": {"uri": uri}})
    return lab.finished(answer.json["name"]) if answer.status == 200 else answer


def export_to(lab: Lab, prefix: str) -> Any:
    answer = lab.post(f"{STORE}:export", {"gcsDestination": {"uriPrefix": prefix}})
    return lab.finished(answer.json["name"]) if answer.status == 200 else answer


class TestEmulatedCloudStorage:
    def test_every_page_of_a_bucket_is_imported_and_other_files_are_failures(
        self, storage_lab: Lab, storage: Storage, dicom_bytes: Any
    ) -> None:
        for number in range(5):
            storage.objects["scans", f"in/höhe {number}?.dcm"] = dicom_bytes()
        storage.objects["scans", "in/deeper/x.dcm"] = dicom_bytes()
        storage.objects["scans", "in/notes.dcm"] = b"no DICOM"
        storage.objects["scans", "in/"] = b""
        storage.objects["scans", "other/x.dcm"] = dicom_bytes()
        operation = import_from(storage_lab, "gs://scans/in/*.dcm")
        assert operation["metadata"]["counter"] == {"success": "5", "failure": "1"}
        assert len(storage_lab.instances(STORE)) == 5
        lists = [line for line in storage.requests if "/o?" in line]
        assert len(lists) == 4  # seven objects and a folder below in/, two a page
        assert all("prefix=in%2F" in line for line in lists)
        assert import_from(storage_lab, "gs://scans/in/")["metadata"]["counter"] == {"success": "6", "failure": "1"}

    def test_an_export_writes_the_instances_as_objects(
        self, storage_lab: Lab, storage: Storage, dicom_bytes: Any
    ) -> None:
        data = dicom_bytes()
        storage_lab.store(data)
        operation = export_to(storage_lab, "gs://scans/out/")
        assert operation["metadata"]["counter"] == {"success": "1"}
        (instance,) = storage_lab.instances(STORE)
        key = f"{instance.StudyInstanceUID}/{instance.SeriesInstanceUID}/{instance.SOPInstanceUID}"
        assert storage.objects == {("scans", f"out/{key}.dcm"): data}

    def test_config_and_filter_files_are_read_from_it(
        self, storage_lab: Lab, storage: Storage, dicom_bytes: Any
    ) -> None:
        for patient in ("KEPT", "LEFT-OUT"):
            storage_lab.store(dicom_bytes(PatientID=patient))
        wanted = next(item for item in storage_lab.instances(STORE) if item.PatientID == "KEPT")
        storage.objects["scans", "config.json"] = b'{"dicom": {"removeList": {"tags": ["PatientName"]}}}'
        storage.objects["scans", "filter.txt"] = f"/studies/{wanted.StudyInstanceUID}\n".encode()
        clean = storage_lab.create_store(name="clean")
        body = {
            "destinationStore": clean,
            "gcsConfigUri": "gs://scans/config.json",
            "filterConfig": {"resourcePathsGcsUri": "gs://scans/filter.txt"},
        }
        storage_lab.finished(storage_lab.post(f"{STORE}:deidentify", body).json["name"])
        (instance,) = storage_lab.instances(clean)
        assert instance.PatientID == "KEPT"
        assert "PatientName" not in instance

    def test_a_mapped_folder_takes_precedence(
        self, storage_lab: Lab, storage: Storage, tmp_path: Path, dicom_bytes: Any
    ) -> None:
        storage_lab.store(dicom_bytes())
        assert export_to(storage_lab, "gs://mapped/out")["metadata"]["counter"] == {"success": "1"}
        (written,) = (tmp_path / "mapped").rglob("*.dcm")
        assert pydicom.dcmread(written).PatientID
        assert import_from(storage_lab, "gs://mapped/out/**")["metadata"]["counter"] == {"success": "1"}
        assert storage.requests == []

    @pytest.mark.parametrize("ask", [import_from, export_to])
    def test_a_missing_bucket_is_forbidden(self, storage_lab: Lab, ask: Callable[[Lab, str], Any]) -> None:
        answer = ask(storage_lab, "gs://elsewhere/x")
        assert answer.status == 403
        assert answer.json["error"]["status"] == "PERMISSION_DENIED"

    def test_an_object_that_goes_missing_is_one_failure(
        self, storage_lab: Lab, storage: Storage, dicom_bytes: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage.objects["scans", "a.dcm"] = dicom_bytes()

        def names(bucket: str) -> list[str]:
            del bucket
            return ["a.dcm", "gone.dcm"]

        monkeypatch.setattr(storage, "names", names)
        operation = import_from(storage_lab, "gs://scans/*")
        assert operation["metadata"]["counter"] == {"success": "1", "failure": "1"}


class TestAStorageThatMisbehaves:
    @pytest.mark.parametrize("status", [301, 429, 500])
    def test_another_status_is_unavailable_and_no_redirect_is_followed(
        self, storage_lab: Lab, storage: Storage, status: int
    ) -> None:
        storage.status = status
        answer = import_from(storage_lab, "gs://scans/*")
        assert answer.status == 503
        assert f"replied with HTTP {status}" in answer.json["error"]["message"]

    @pytest.mark.parametrize(
        "body", [b"<html>", b"[]", b'{"items": [{}]}', b'{"items": 1}', b'{"nextPageToken": "again"}']
    )
    def test_an_invalid_list_is_unavailable(self, storage_lab: Lab, storage: Storage, body: bytes) -> None:
        storage.answer = body
        assert import_from(storage_lab, "gs://scans/*").status == 503

    def test_a_truncated_object_is_never_stored(self, storage_lab: Lab, storage: Storage, dicom_bytes: Any) -> None:
        storage.objects["scans", "a.dcm"] = dicom_bytes()
        storage.cut_short = True
        assert import_from(storage_lab, "gs://scans/a.dcm").status == 503
        assert storage_lab.instances(STORE) == []

    def test_an_export_to_a_host_that_refuses_is_not_started(
        self, storage_lab: Lab, storage: Storage, dicom_bytes: Any
    ) -> None:
        storage_lab.store(dicom_bytes())
        storage.status = 507
        assert export_to(storage_lab, "gs://scans/out").status == 503


class TestWhichHost:
    @pytest.mark.parametrize("address", ["http://192.0.2.1:4443", "storage.example:80", "0.0.0.0:80"])
    def test_another_machine_is_refused_without_a_connection(
        self, make_lab: Callable[[Emulator], Lab], monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)

        def connect(*_: Any, **__: Any) -> Any:
            pytest.fail("connected")

        monkeypatch.setattr("socket.create_connection", connect)
        with Emulator(None) as emulator:
            lab = make_lab(emulator)
            lab.create_dataset()
            lab.create_store()
            answer = import_from(lab, "gs://scans/*")
        assert answer.status == 400
        assert "another machine" in answer.json["error"]["message"]

    def test_another_machine_is_used_if_allowed(
        self, make_lab: Callable[[Emulator], Lab], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []

        def refuse(address: Any, *_: Any, **__: Any) -> Any:
            asked.append(address)
            raise ConnectionRefusedError

        monkeypatch.setenv("STORAGE_EMULATOR_HOST", "192.0.2.1:4443")
        monkeypatch.setattr("socket.create_connection", refuse)
        with Emulator(None, allow_remote_storage=True) as emulator:
            lab = make_lab(emulator)
            lab.create_dataset()
            lab.create_store()
            answer = import_from(lab, "gs://scans/*")
        assert asked == [("192.0.2.1", 4443)]
        assert answer.status == 503

    @pytest.mark.parametrize("address", ["ftp://localhost", "http://me:secret@localhost", "localhost:port", "http://["])
    def test_an_invalid_address_is_refused_and_not_quoted(
        self, make_lab: Callable[[Emulator], Lab], monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        with Emulator(None) as emulator:
            lab = make_lab(emulator)
            lab.create_dataset()
            lab.create_store()
            answer = import_from(lab, "gs://scans/*")
        assert answer.status == 400
        assert "secret" not in answer.json["error"]["message"]
