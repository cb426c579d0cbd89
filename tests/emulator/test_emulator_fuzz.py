"""Any request gets a proper reply and never an internal error."""

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
def test_any_route_query_and_body_gets_a_reply(
    emulator: Emulator, method: str, path: str, query: list[tuple[str, str]], body: dict[str, object], accept: str
) -> None:
    if method == "DELETE" and path in {STORE, DATASET}:
        method = "GET"  # the next examples need them
    sent = Request(method, f"/v1/{path}", tuple(query), {}, {"accept": accept}, json.dumps(body).encode())
    check(emulator, sent)


@FEW
@given(bodies)
def test_any_config_gets_a_reply(emulator: Emulator, body: dict[str, object]) -> None:
    for version in ("v1", "v1beta1"):
        whole = {"destinationStore": STORE, **body}
        check(emulator, Request.of("POST", f"/{version}/{STORE}:deidentify", body=json.dumps(whole).encode()))


@FEW
@given(
    st.binary(max_size=300), st.sampled_from(["application/json", "application/dicom", "multipart/related; boundary=b"])
)
def test_any_bytes_get_a_reply(emulator: Emulator, body: bytes, kind: str) -> None:
    for path in (f"{DATASET}:deidentify", f"{STORE}/dicomWeb/studies", f"{STORE}:setIamPolicy"):
        check(emulator, Request.of("POST", f"/v1/{path}", headers={"Content-Type": kind}, body=body))


@FEW
@given(
    st.lists(st.tuples(st.integers(132, len(CT) - 1), st.integers(0, 255)), min_size=1, max_size=20),
    st.integers(140, len(CT)),
)
def test_a_damaged_instance_is_stored_or_refused_and_can_be_retrieved(
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


DEEP = 30_000
MONSTERS = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"config":' * DEEP + b"1" + b"}" * DEEP,
    "deep and known": b'{"config":{"dicom":' + b'{"keepList":' * DEEP + b"1" + b"}" * (DEEP + 2),
    "a surrogate": b'{"labels":{"a":"\\ud800"},"timeZone":"\\udfff","destinationDataset":"\\ud800"}',
    "a long number": b'{"version":' + b"9" * 5000 + b"}",
    "an infinite number": b'{"version":1e999,"labels":NaN}',
    "bytes that are no text": b'{"timeZone":"\xff\xfe"}',
    "a NUL": b'{"timeZone":"a\\u0000b","labels":{"a":"\\u0000"}}',
    "a long key": b'{"' + b"k" * 1_000_000 + b'":1}',
}


@pytest.mark.parametrize("name", MONSTERS)
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_no_body_breaks_anything(emulator: Emulator, name: str, version: str) -> None:
    for method, path in (
        ("POST", f"{DATASET}:deidentify"), ("POST", f"{STORE}:deidentify"), ("POST", f"{STORE}:import"),
        ("POST", f"{STORE}:export"), ("POST", f"{STORE}:setIamPolicy"), ("POST", f"{STORE}:testIamPermissions"),
        ("POST", f"{STORE}:setBlobStorageSettings"), ("POST", f"{LOCATION}/datasets?datasetId=d2"),
        ("POST", f"{DATASET}/dicomStores?dicomStoreId=s2"), ("PATCH", f"{STORE}?updateMask=labels"),
        ("PATCH", f"{DATASET}?updateMask=timeZone"), ("PATCH", f"{STORE}/dicomWeb/studies/1.2/metadata"),
        ("PUT", f"{STORE}/dicomWeb/studies"), ("POST", "../_emulator/faults"), ("POST", "../batch"),
    ):  # fmt: skip
        check(emulator, Request.of(method, f"/{version}/{path}".replace(f"/{version}/..", ""), body=MONSTERS[name]))


@pytest.mark.parametrize(
    "tail",
    [
        f"/v1/{STORE}/dicomWeb/instances?PatientName=" + "*?" * 3000, f"/v1/{STORE}?fields=" + "a(" * 5000,
        f"/v1/{STORE}?updateMask=" + "a." * 5000, f"/v1/{DATASET}/operations?pageSize=" + "9" * 5000,
        f"/v1/{STORE}/dicomWeb/studies/{'1.' * 40}1", "/v1/" + "a/" * 5000, "//[", "/v1/%ed%a0%80", "/v1/\ud800",
        f"/v1/{STORE}/dicomWeb/instances?" + ".".join(["00081115"] * 2000) + "=1", "/$discovery/rest?version=%00",
        f"/v1/{STORE}/dicomWeb/studies/1/series/1/instances/1/bulkdata/" + "00081115/0/" * 3000 + "7FE00010",
        f"/v1/{DATASET}/dicomStores?filter=" + "labels.a=b AND " * 3000,
        f"/v1/{LOCATION}/datasets?pageToken=" + "a" * 9999,
    ],
)  # fmt: skip
def test_no_url_breaks_anything(emulator: Emulator, tail: str) -> None:
    for method in ("GET", "PATCH", "POST"):
        check(emulator, Request.of(method, tail))


def test_sequences_of_any_depth_are_stored_or_refused(emulator: Emulator) -> None:
    for depth in (5, 200, 5000):
        item = pydicom.Dataset()
        item.PatientID = "x"
        value = b""
        for _ in range(depth):  # items of undefined length, one in another
            value = b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + value
            value += b"\xfe\xff\xdd\xe0\0\0\0\0\xfe\xff\x0d\xe0\0\0\0\0"
        deep = CT[:-2].replace(b"\xe0\x7f\x10\x00", b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" + value)
        headers = {"Content-Type": "application/dicom"}
        sent = Request.of("POST", f"/v1/{STORE}/dicomWeb/studies", headers=headers, body=deep)
        assert emulator.handle(sent).status in {200, 409}
        check(emulator, Request.of("GET", f"/v1/{STORE}/dicomWeb/instances?includefield=all"))
