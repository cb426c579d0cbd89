"""A lab: an emulator in a temporary folder, helpers to call it, and real DICOM."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from pydicom.uid import generate_uid

from healthcare_deid.emulator import Emulator, EmulatorHttp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"


@dataclass(frozen=True)
class Answer:
    """A reply: status, headers, and the body as bytes or read as JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Lab:
    """Calls to one emulator, by path after the version."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.http: EmulatorHttp = emulator.http()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        version: str = "v1",
    ) -> Answer:
        sent = json.dumps(body) if isinstance(body, dict) else body
        uri = f"http://localhost:8085/{version}/{path}"
        response, content = self.http.request(uri, method, sent, headers)
        return Answer(response.status, response, content)

    def get(self, path: str, accept: str | None = None) -> Answer:
        return self.call("GET", path, headers={"Accept": accept} if accept else None)

    def post(self, path: str, body: Any = None, *, version: str = "v1") -> Answer:
        return self.call("POST", path, body, version=version)

    def create_dataset(self, name: str = "dataset1") -> str:
        assert self.post(f"{LOCATION}/datasets?datasetId={name}").status == 200
        return f"{LOCATION}/datasets/{name}"

    def create_store(self, dataset: str = DATASET, name: str = "dicomstore1") -> str:
        assert self.post(f"{dataset}/dicomStores?dicomStoreId={name}", {}).status == 200
        return f"{dataset}/dicomStores/{name}"

    def store(self, data: bytes, store: str = STORE) -> Answer:
        headers = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}
        return self.call("POST", f"{store}/dicomWeb/studies", data, headers=headers)

    def finished(self, operation: str) -> Any:
        """Wait for an operation without polling, and return it."""
        assert self.emulator.settle(60)
        answer = self.get(operation)
        assert answer.status == 200
        return answer.json

    def instances(self, store: str) -> list[pydicom.FileDataset]:
        """Return all instances of a store, parsed from the bytes retrieved."""
        found = self.get(f"{store}/dicomWeb/instances")
        if found.status == 204:
            return []
        datasets: list[pydicom.FileDataset] = []
        for item in found.json:
            path = item["00081190"]["Value"][0].partition("/v1/")[2]
            answer = self.get(path, "application/dicom; transfer-syntax=*")
            assert answer.status == 200
            datasets.append(pydicom.dcmread(io.BytesIO(answer.body)))
        return datasets


@pytest.fixture
def dicom_bytes() -> Callable[..., bytes]:
    """Return a factory of DICOM files: a real CT with attributes set by the test."""

    def make(name: str = "CT_small.dcm", **attributes: Any) -> bytes:
        dataset = pydicom.dcmread(FILES / name)
        uids = {keyword: generate_uid() for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
        for keyword, value in {**uids, **attributes}.items():
            setattr(dataset, keyword, value)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()

    return make


@pytest.fixture
def make_lab() -> Callable[[Emulator], Lab]:
    """Return a factory of labs for emulators with other options."""
    return Lab


@pytest.fixture
def empty_lab(tmp_path: Path) -> Iterator[Lab]:
    with Emulator(tmp_path / "lab", gcs={"bucket": tmp_path / "bucket"}) as emulator:
        yield Lab(emulator)


@pytest.fixture
def lab(empty_lab: Lab) -> Lab:
    """Return a lab with an empty dataset and DICOM store, named as in the tutorial."""
    empty_lab.create_dataset()
    empty_lab.create_store()
    return empty_lab
