"""The emulator: a GET on a kept connection, an in-process call, stores, searches among 10,000 instances, operations."""

from __future__ import annotations

import functools
import hashlib
import http.client
import io
import itertools
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
from pydicom.uid import UID
from timing import Row, against, interleaved

from healthcare_deid.emulator import Emulator, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCATION = "projects/p/locations/us-central1"
DATASET = f"{LOCATION}/datasets/d"
STORE, SCRATCH, SMALL = (f"{DATASET}/dicomStores/{name}" for name in ("large", "scratch", "small"))
MINIMAL = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}
LARGE, A_REQUEST, A_STUDY = 10_000, 100, 20
_ROUNDS, _A_ROUND = 9, 25
SAMPLE = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, Emulator(Path(folder) / "lab") as emulator:
        _post(emulator, f"{LOCATION}/datasets?datasetId=d")
        for store in (STORE, SCRATCH):
            _post(emulator, f"{DATASET}/dicomStores?dicomStoreId={store.rpartition('/')[2]}")
        rows = [*_stores(emulator, Path(folder)), _fill(emulator)]
        with emulator.server() as server:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            rows += [*_reads(emulator, connection), *_searches(emulator)]
            connection.close()
    with Emulator(None) as emulator:
        return [*rows, _operation(emulator)]


def _post(emulator: Emulator, path: str, body: bytes = b"", media_type: str = "application/json") -> None:
    reply = emulator.handle(Request.of("POST", f"/v1/{path}", headers={"Content-Type": media_type}, body=body))
    assert reply.status == 200, reply.body


def _instances() -> Iterator[bytes]:
    """Give a CT of 39 kB again and again: 20 instances a study, a study a patient and a day."""
    dataset = pydicom.dcmread(SAMPLE)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.1111111111")
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.2222222222", "1.2.2222222222.3"
    dataset.PatientID, dataset.PatientName, dataset.StudyDate = "MRN2222222222", "Invented^2222222222", "19990909"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    template = buffer.getvalue()
    for number in itertools.count(1_000_000_000):
        study = number // A_STUDY
        day = f"2{study // 336 % 1000:03}{study // 28 % 12 + 1:02}{study % 28 + 1:02}"
        yield (
            template.replace(b"1111111111", b"%d" % number)
            .replace(b"2222222222", b"%d" % (study + 1_000_000_000))
            .replace(b"19990909", day.encode())
        )


def _stores(emulator: Emulator, folder: Path) -> list[Row]:
    """Measure store requests against the least that anybody's must do: parse, hash, write a file, commit a row."""
    database = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("CREATE TABLE instances (uid TEXT PRIMARY KEY, digest TEXT, file TEXT)")
    made = list(itertools.islice(_instances(), 2 * _ROUNDS * _A_ROUND))
    plain, sent = iter(made), iter(made)

    def least() -> None:
        for data in itertools.islice(plain, _A_ROUND):
            dataset = pydicom.dcmread(io.BytesIO(data))
            file = folder / f"{dataset.SOPInstanceUID}.dcm"
            file.write_bytes(data)
            row = (dataset.SOPInstanceUID, hashlib.sha256(data).hexdigest(), str(file))
            database.execute("INSERT INTO instances VALUES (?, ?, ?)", row)

    def store() -> None:
        for data in itertools.islice(sent, _A_ROUND):
            _post(emulator, f"{SCRATCH}/dicomWeb/studies", data, "application/dicom")

    taken = against(least, {"store": store}, rounds=_ROUNDS)["store"]
    database.close()
    note = f"CT of 39 kB, one a request, in process; {_ROUNDS} rounds of {_A_ROUND} in turn with the baseline"
    return [
        Row("stores, one a request", _A_ROUND / statistics.median(taken.wall), "instances/s", "≥ 100", note),
        Row("the same, CPU time", statistics.median(taken.cpu) / _A_ROUND * 1000, "ms", "", note),
        Row("the same", taken.cpu_ratio, "× dcmread + hash + file + commit", "≤ 5", f"median of ratios of CPU; {note}"),
    ]


def _fill(emulator: Emulator) -> Row:
    instances = _instances()
    seconds = 0.0
    for _ in range(LARGE // A_REQUEST):
        parts = [
            b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n"
            for data in itertools.islice(instances, A_REQUEST)
        ]
        body = b"".join(parts) + b"--cut--\r\n"
        begun = time.process_time()
        _post(emulator, f"{STORE}/dicomWeb/studies", body, "multipart/related; boundary=cut")
        seconds += time.process_time() - begun
    return Row(
        "stores, many a request",
        LARGE / seconds,
        "instances/s",
        "",
        f"{LARGE:,} CT of 39 kB, {A_REQUEST} a request, CPU time",
    )


def _reads(emulator: Emulator, connection: http.client.HTTPConnection) -> list[Row]:
    def over_the_port() -> None:
        connection.request("GET", f"/v1/{DATASET}")
        response = connection.getresponse()
        response.read()
        assert response.status == 200

    def in_process() -> None:
        assert emulator.handle(Request.of("GET", f"/v1/{DATASET}")).status == 200

    seconds = interleaved({"kept connection": over_the_port, "in process": in_process}, number=100)
    targets = {"kept connection": "≤ 1 ms"}
    return [
        Row(f"GET a dataset, {name}", value * 1000, "ms", targets.get(name, ""), "median of 9 × 100, interleaved")
        for name, value in seconds.items()
    ]


def _searches(emulator: Emulator) -> list[Row]:
    found = json.loads(emulator.handle(Request.of("GET", f"/v1/{STORE}/dicomWeb/instances?offset=4321&limit=1")).body)
    study, instance, patient, day = (
        found[0][tag]["Value"][0] for tag in ("0020000D", "00080018", "00100020", "00080020")
    )
    queries = {
        "a patient's studies": f"studies?PatientID={patient}",
        "a study's instances": f"studies/{study}/instances",
        "an instance by UID": f"instances?SOPInstanceUID={instance}",
        "studies of a day": f"studies?StudyDate={day}",
        "studies by the end of a name": f"studies?PatientName=Invented^*{study[-3:]}",
        "studies, the first 100": "studies",
        "instances, the first 1,000": "instances",
    }

    def search(query: str) -> None:
        assert emulator.handle(Request.of("GET", f"/v1/{STORE}/dicomWeb/{query}")).status == 200

    seconds = interleaved({name: functools.partial(search, query) for name, query in queries.items()}, number=3)
    note = f"in process, {LARGE:,} instances of {LARGE // A_STUDY} studies; median of 9 × 3, interleaved"
    return [Row(f"search: {name}", 1 / value, "a second", "", note) for name, value in seconds.items()]


def _operation(emulator: Emulator) -> Row:
    count = 400
    _post(emulator, f"{LOCATION}/datasets?datasetId=d")
    _post(emulator, f"{DATASET}/dicomStores?dicomStoreId=small")
    for data in itertools.islice(_instances(), count):
        _post(emulator, f"{SMALL}/dicomWeb/studies", data, "application/dicom")
    body = json.dumps({"destinationDataset": f"{LOCATION}/datasets/clean", "config": MINIMAL}).encode()
    begun = time.perf_counter()
    _post(emulator, f"{DATASET}:deidentify", body)
    assert emulator.settle(300)
    seconds = time.perf_counter() - begun
    note = f"{count} CT of 39 kB, tags only, worker processes, start included"
    return Row("deidentify a dataset", count / seconds, "instances/s", "", note)
