"""The emulator: a GET on a kept connection, an in-process call, stores and searches a second, operations."""

from __future__ import annotations

import http.client
import io
import json
import tempfile
import time
from pathlib import Path

import pydicom
from pydicom.uid import generate_uid
from timing import Row, interleaved

from healthcare_deid.emulator import Emulator, Request

LOCATION = "projects/p/locations/us-central1"
DATASET = f"{LOCATION}/datasets/d"
STORE = f"{DATASET}/dicomStores/s"
INSTANCES = 400
MINIMAL = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, Emulator(Path(folder) / "lab") as emulator:
        for path in (f"{LOCATION}/datasets?datasetId=d", f"{DATASET}/dicomStores?dicomStoreId=s"):
            assert emulator.handle(Request.of("POST", f"/v1/{path}")).status == 200
        with emulator.server() as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            rows = [*_stores(emulator), *_reads(emulator, connection), _operation(emulator)]
            connection.close()
    return rows


def _stores(emulator: Emulator) -> list[Row]:
    dataset = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm")
    bodies: list[bytes] = []
    for number in range(INSTANCES):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.StudyInstanceUID = f"1.2.{number // 20}"
        dataset.PatientID = f"MRN{number // 20}"
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        bodies.append(buffer.getvalue())
    begun = time.perf_counter()
    for body in bodies:
        sent = Request.of(
            "POST", f"/v1/{STORE}/dicomWeb/studies", headers={"Content-Type": "application/dicom"}, body=body
        )
        assert emulator.handle(sent).status == 200
    seconds = time.perf_counter() - begun
    return [
        Row(
            "stores", INSTANCES / seconds, "instances/s", "≥ 100", f"{INSTANCES} CT of 39 kB, one thread, a commit each"
        )
    ]


def _reads(emulator: Emulator, connection: http.client.HTTPConnection) -> list[Row]:
    def over_the_port(path: str) -> None:
        connection.request("GET", f"/v1/{path}")
        response = connection.getresponse()
        response.read()
        assert response.status == 200

    def in_process(path: str) -> None:
        assert emulator.handle(Request.of("GET", f"/v1/{path}")).status == 200

    search = f"{STORE}/dicomWeb/studies?PatientID=MRN7"
    seconds = interleaved(
        {
            "GET a dataset, kept connection": lambda: over_the_port(DATASET),
            "GET a dataset, in process": lambda: in_process(DATASET),
            "search by patient, in process": lambda: in_process(search),
            "search all studies, in process": lambda: in_process(f"{STORE}/dicomWeb/studies"),
        },
        number=100,
    )
    targets = {"GET a dataset, kept connection": "≤ 1 ms"}
    note = f"median of 9 × 100, interleaved; {INSTANCES} instances of 20 studies"
    return [Row(name, value * 1000, "ms", targets.get(name, ""), note) for name, value in seconds.items()]


def _operation(emulator: Emulator) -> Row:
    body = json.dumps({"destinationDataset": f"{LOCATION}/datasets/clean", "config": MINIMAL}).encode()
    begun = time.perf_counter()
    assert emulator.handle(Request.of("POST", f"/v1/{DATASET}:deidentify", body=body)).status == 200
    assert emulator.settle(300)
    seconds = time.perf_counter() - begun
    note = f"{INSTANCES} CT of 39 kB, tags only, worker processes, start included"
    return Row("deidentify a dataset", INSTANCES / seconds, "instances/s", "", note)
