"""Whatever is sent, the answer is a reply of the service's, never a failure inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthcare_deid.emulator import Emulator, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCATION = "projects/p/locations/us-central1"
DATASET = f"{LOCATION}/datasets/d"
STORE = f"{DATASET}/dicomStores/s"
CT = (Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm").read_bytes()
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
KNOWN = (
    "config dicom keepList removeList tags filterProfile image text textRedactionMode destinationDataset timeZone "
    "labels destinationStore gcsConfigUri filterConfig policy bindings gcsSource uri version"
)
SEGMENTS = (
    "projects p locations l datasets d d:deidentify dicomStores s s:import operations dicomWeb studies series "
    "instances metadata frames 1 rendered bulkdata 7FE00010 .. %00 %2F %ff s:getIamPolicy fhirStores $discovery rest "
    "_emulator logs faults"
)
PARAMETERS = (
    "limit offset includefield PatientName StudyDate 00100020 pageSize pageToken filter fields updateMask datasetId "
    "dicomStoreId $.xgafv alt viewport fuzzymatching"
)
known = st.sampled_from(KNOWN.split())
bodies = st.dictionaries(known | words, json_values | st.dictionaries(known, json_values, max_size=3), max_size=4)
endpoints = (f"{STORE}/dicomWeb/studies", f"{STORE}/dicomWeb/instances", f"{DATASET}/operations", STORE)
segments = st.sampled_from(["", *SEGMENTS.split()])
paths = st.lists(segments, max_size=14).map("/".join) | st.sampled_from(endpoints)
queries = st.lists(st.tuples(st.sampled_from(PARAMETERS.split()) | words, words), max_size=3)
accepts = st.sampled_from(
    ["*/*", "", "application/dicom", "multipart/related; type=", ",;=", "image/png", "a/b;q=9e999"]
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(None, workers=0) as emulator:
        for path in (f"{LOCATION}/datasets?datasetId=d", f"{DATASET}/dicomStores?dicomStoreId=s"):
            assert emulator.handle(Request.of("POST", f"/v1/{path}")).status == 200
        sent = Request.of(
            "POST", f"/v1/{STORE}/dicomWeb/studies", headers={"Content-Type": "application/dicom"}, body=CT
        )
        assert emulator.handle(sent).status == 200
        yield emulator


def check(emulator: Emulator, request: Request) -> None:
    reply = emulator.handle(request)
    assert len(b"".join(reply.chunks())) == reply.size
    assert reply.status < 500 or reply.status == 501, (request.method, request.path, request.query, request.body)
    if reply.status >= 400 and reply.body:
        json_body = reply.headers["content-type"].startswith("application/json")
        assert not json_body or json.loads(reply.body)


@FEW
@given(st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "BREW"]), paths, queries, bodies, accepts)
def test_any_route_query_and_body_gets_an_answer(
    emulator: Emulator, method: str, path: str, query: list[tuple[str, str]], body: dict[str, object], accept: str
) -> None:
    if method == "DELETE" and path in {STORE, DATASET}:
        method = "GET"  # the next examples need them
    sent = Request(method, f"/v1/{path}", tuple(query), {}, {"accept": accept}, json.dumps(body).encode())
    check(emulator, sent)


@FEW
@given(bodies)
def test_any_config_gets_an_answer(emulator: Emulator, body: dict[str, object]) -> None:
    for version in ("v1", "v1beta1"):
        whole = {"destinationStore": STORE, **body}
        check(emulator, Request.of("POST", f"/{version}/{STORE}:deidentify", body=json.dumps(whole).encode()))


@FEW
@given(
    st.binary(max_size=300), st.sampled_from(["application/json", "application/dicom", "multipart/related; boundary=b"])
)
def test_any_bytes_get_an_answer(emulator: Emulator, body: bytes, kind: str) -> None:
    for path in (f"{DATASET}:deidentify", f"{STORE}/dicomWeb/studies", f"{STORE}:setIamPolicy"):
        check(emulator, Request.of("POST", f"/v1/{path}", headers={"Content-Type": kind}, body=body))


@FEW
@given(
    st.lists(st.tuples(st.integers(132, len(CT) - 1), st.integers(0, 255)), min_size=1, max_size=20),
    st.integers(140, len(CT)),
)
def test_a_damaged_instance_is_stored_or_refused_and_can_be_asked_for(
    emulator: Emulator, changes: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(CT)
    for position, value in changes:
        damaged[132 + (position - 132) % 1500] = value  # the header
    headers = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}
    sent = Request.of("POST", f"/v1/{STORE}/dicomWeb/studies", headers=headers, body=bytes(damaged[:length]))
    reply = emulator.handle(sent)
    assert reply.status in {200, 409}
    if reply.status == 200:
        (item,) = json.loads(reply.body)["00081199"]["Value"]
        url = item["00081190"]["Value"][0]
        for tail in ("", "/metadata", "/frames/1", "/rendered", "/bulkdata/7FE00010"):
            check(emulator, Request.of("GET", url + tail))
        check(emulator, Request.of("GET", f"/v1/{STORE}/dicomWeb/instances?includefield=all"))
