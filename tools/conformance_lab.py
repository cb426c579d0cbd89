"""A scratch dataset at a Cloud Healthcare API: invented instances in, de-identified ones out, nothing left behind.

Raw requests go through a transport in the shape of ``httplib2.Http``, since half of what is asked here is what the SDK
refuses to send. Everything that the SDK does send goes through its client.
"""

from __future__ import annotations

import copy
import io
import ipaddress
import json
import secrets
import sys
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import RLELossless, generate_uid

from healthcare_deid import DeidClient, PollPolicy
from healthcare_deid.errors import DeidError, NotFound, PermissionDenied
from healthcare_deid.testing.samples import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = 200
LONG = 1800.0
"""Seconds one operation may take."""

MAIN_SIZE, OTHER_SIZE = 32, 16
"""Rows of the two probes: every profile keeps them, so they tell which result is whose."""

EMAIL, SHORT_EMAIL, PHONE = "imaging.desk@example.com", "desk@example.com", "(555) 010-9182"
STUDIES = 101
_SAMPLES = {sample.name: sample for sample in sample_dicom()}
OVERLAID, PACKED = _SAMPLES["mr-1.dcm"], _SAMPLES["ct-1.dcm"]
"""The images with burned-in text: `Sample` tells where it is."""


@dataclass(frozen=True)
class Answer:
    """A reply as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body read as JSON; an empty object when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


@dataclass(frozen=True)
class Run:
    """A de-identification: the status of its start, the operation at its end, what it wrote by number of rows."""

    status: int
    operation: dict[str, Any] = field(default_factory=dict[str, Any])
    store: str = ""
    results: dict[int, FileDataset] = field(default_factory=dict)

    @property
    def main(self) -> FileDataset:
        """What became of the first probe."""
        return self.results[MAIN_SIZE]

    @property
    def other(self) -> FileDataset:
        """What became of the second probe."""
        return self.results[OTHER_SIZE]

    @property
    def counter(self) -> dict[str, str]:
        """The operation's counters."""
        return dict(self.operation.get("metadata", {}).get("counter", {}))


class Lab:
    """The scratch dataset and the stores in it; leaving the ``with`` block deletes all of it."""

    def __init__(self, http: Any, endpoint: str, project: str, location: str, bucket: str | None = None) -> None:
        poll = PollPolicy(initial=0.05, maximum=1) if is_loopback(endpoint) else PollPolicy()
        self.client = DeidClient(project, location, http=http, endpoint=endpoint, poll=poll)
        self._http = http
        self._endpoint = endpoint.rstrip("/")
        self.location = f"projects/{project}/locations/{location}"
        self.dataset = f"{self.location}/datasets/conformance-{secrets.token_hex(4)}"
        self.source, self.empty = f"{self.dataset}/dicomStores/source", f"{self.dataset}/dicomStores/empty"
        self.images, self.studies = f"{self.dataset}/dicomStores/images", f"{self.dataset}/dicomStores/studies"
        self.prefix = f"gs://{bucket}/conformance-{secrets.token_hex(4)}"
        self._made: list[str] = []
        self._runs: dict[str, Run] = {}
        self.left_behind: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._fill()
        except BaseException:
            self._delete()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._delete()

    def _fill(self) -> None:
        self._made.append(self.dataset)
        self.client.create_dataset(self.dataset).result(LONG)
        for store in (self.source, self.empty, self.images, self.studies):
            self.client.create_dicom_store(store)
        self.upload(self.source, *probes())
        self.upload(self.images, *images())
        self.upload(self.studies, *(tiny(number) for number in range(STUDIES)))

    def _delete(self) -> None:
        for dataset in self._made:
            try:
                self.client.delete_dataset(dataset)
            except DeidError:
                if self._may_exist(dataset):
                    self.left_behind.append(dataset.rpartition("/")[2])
                    print(f"NOT DELETED: {dataset}", file=sys.stderr)
        self.client.close()

    def _may_exist(self, dataset: str) -> bool:
        try:
            self.client.get_dataset(dataset)
        except (NotFound, PermissionDenied):
            return False
        except DeidError:
            return True
        return True

    def upload(self, store: str, *instances: FileDataset) -> None:
        """Store instances, all of them or it is an error."""
        with tempfile.TemporaryDirectory() as folder:
            for number, instance in enumerate(instances):
                instance.save_as(Path(folder) / f"{number:04}.dcm", enforce_file_format=True)
            report = self.client.upload(store, folder)
        if report.succeeded != len(instances):
            raise RuntimeError(f"only {report.succeeded} of {len(instances)} instances were stored")

    def new_store(self) -> str:
        """Create an empty DICOM store in the scratch dataset."""
        name = f"{self.dataset}/dicomStores/store-{secrets.token_hex(4)}"
        self.client.create_dicom_store(name)
        return name

    def another_dataset(self) -> str:
        """Return the name of a dataset that does not exist yet, and will be deleted at the end."""
        name = f"{self.dataset}-{secrets.token_hex(2)}"
        self._made.append(name)
        return name

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        version: str = "v1",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request as it is: text and bytes unchanged, anything else as JSON."""
        sent = body if isinstance(body, str | bytes | None) else json.dumps(body)
        given = dict(headers or ({"content-type": "application/json"} if sent is not None else {}))
        response, content = self._http.request(f"{self._endpoint}/{version}/{path}", method, body=sent, headers=given)
        return Answer(int(response.status), {name.lower(): value for name, value in response.items()}, content)

    def get(self, path: str, accept: str = "application/json") -> Answer:
        """Send a GET request."""
        return self.call("GET", path, headers={"accept": accept})

    def start(self, body: object, source: str = "", version: str = "v1") -> Answer:
        """Ask for a de-identification of a store or dataset, and wait for it if it started."""
        answer = self.call("POST", f"{source or self.empty}:deidentify", body, version=version)
        if answer.status == OK:
            self.ended(answer)
        return answer

    def verdict(self, config: object) -> int | str:
        """Return what becomes of a config: its HTTP status, or where it failed when it was taken at first."""
        answer = self.start({"destinationStore": self.new_store(), "config": config})
        error = self.ended(answer).get("error") if answer.status == OK else None
        return f"operation fails with code {error.get('code')}" if error else answer.status

    def ended(self, answer: Answer) -> dict[str, Any]:
        """Wait for an operation that an answer names, and return it as the service gives it."""
        name = answer.json["name"]
        self.client.operation(name).wait(LONG)
        operation: dict[str, Any] = self.get(name).json
        return operation

    def run(self, config: object, source: str | None = None, into: str | None = None) -> Run:
        """De-identify the probes, or another store, and read the results; the same question is asked once."""
        source = source or self.source
        key = json.dumps([config, source, into])
        if into is not None or key not in self._runs:
            target = into or self.new_store()
            body = {"destinationStore": target} | ({} if config is None else {"config": config})
            answer = self.call("POST", f"{source}:deidentify", body)
            if answer.status != OK:
                self._runs[key] = Run(answer.status)
            else:
                self._runs[key] = Run(
                    OK, self.ended(answer), target, {} if source == self.studies else self.read(target)
                )
        return self._runs[key]

    def read(self, store: str) -> dict[int, FileDataset]:
        """Return the instances of a store as they are stored, by their number of rows."""
        with tempfile.TemporaryDirectory() as folder:
            self.client.download(store, folder)
            found = [pydicom.dcmread(io.BytesIO(path.read_bytes())) for path in Path(folder).rglob("*.dcm")]
        return {int(dataset.Rows): dataset for dataset in found}


def is_loopback(endpoint: str) -> bool:
    """Return whether an endpoint is on this machine."""
    host = urlsplit(endpoint).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@lru_cache(maxsize=1)
def probes() -> tuple[FileDataset, FileDataset]:
    """Return two small instances of an invented patient, to read; the first refers to the second, of another study."""
    main, other = (copy.deepcopy(_SAMPLES[name].dataset) for name in ("ct-1.dcm", "ct-2.dcm"))
    _crop(main, MAIN_SIZE)
    _crop(other, OTHER_SIZE)
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        setattr(other, keyword, generate_uid(entropy_srcs=["conformance", keyword]))
    other.StudyDate = "20210918"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = other.SOPClassUID, other.SOPInstanceUID
    main.ReferencedImageSequence = [reference]
    main.PatientAge = "041Y"
    main.StationName = SHORT_EMAIL
    main.SeriesDescription = EMAIL
    main.PatientTelephoneNumbers = PHONE
    main.OperatorsName = "Moreau^Ida"
    main.ContentCreatorName = "Moreau^Ida"
    main.VerifyingObserverName = "Moreau^Ida"
    main.VerifyingOrganization = "Harbour General Hospital"
    main.SourceStartDateTime = "20210304101500"
    main.ProtocolName = "SPINE"
    main.PatientComments = f"Mail {EMAIL} or call {PHONE}. Seen on 2021-03-04. Host 192.168.17.4, 00:1B:44:11:3A:B7."
    main.add_new(0x60000010, "US", MAIN_SIZE)
    main.add_new(0x60000011, "US", MAIN_SIZE)
    main.add_new(0x60000040, "CS", "G")
    main.add_new(0x60000050, "SS", [1, 1])
    main.add_new(0x60000100, "US", 1)
    main.add_new(0x60000102, "US", 0)
    main.add_new(0x60003000, "OW", bytes(MAIN_SIZE * MAIN_SIZE // 8))
    return main, other


@lru_cache(maxsize=1)
def images() -> tuple[FileDataset, FileDataset]:
    """Return two images with burned-in text: one with an overlay, one compressed without loss (RLE). To read."""
    plain, packed = (copy.deepcopy(sample.dataset) for sample in (OVERLAID, PACKED))
    packed.compress(RLELossless, generate_instance_uid=False)
    return plain, packed


def tiny(number: int) -> FileDataset:
    """Return an instance without pixels, in a study of its own, of a patient of its own."""
    dataset = copy.deepcopy(_headers())
    dataset.PatientID = f"CONF{number:04}"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=["conformance", keyword, str(number)]))
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


@lru_cache(maxsize=1)
def _headers() -> FileDataset:
    whole = PACKED.dataset
    few = FileDataset("", {}, file_meta=whole.file_meta, preamble=b"\0" * 128)
    for keyword in ("SOPClassUID", "StudyDate", "Modality", "StudyDescription", "PatientName", "InstanceNumber"):
        few[keyword] = whole[keyword]
    return few


def dicom_bytes(dataset: FileDataset) -> bytes:
    """Return an instance as a DICOM file."""
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _crop(dataset: FileDataset, size: int) -> None:
    pixels = dataset.pixel_array[-size:, -size:]
    dataset.PixelData = pixels.tobytes()
    dataset.Rows = dataset.Columns = size
