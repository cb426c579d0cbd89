"""Bodies larger than memory: multipart chunks, payloads of files, and a port."""

from __future__ import annotations

import http.client
import io
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.emulator.errors import ServiceError
from healthcare_deid.emulator.http import multipart
from healthcare_deid.emulator.http.payload import MAX_IN_MEMORY, Payload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.emulator.conftest import Lab

LOCATION = "projects/MyProj/locations/us-central1"
STORE = f"{LOCATION}/datasets/dataset1/dicomStores/dicomstore1"
WEB = f"{STORE}/dicomWeb"
TYPE = "multipart/related; boundary=cut"


class Dripping(io.BytesIO):
    """Stream that returns a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        super().__init__(data)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._step)


def contents(body: bytes, step: int = 1 << 20) -> list[bytes]:
    return [b"".join(part.chunks) for part in multipart.read(TYPE, Dripping(body, step))]


class TestMultipart:
    @given(
        st.lists(st.text("\r\n-cut x", max_size=30).map(str.encode), max_size=4),
        st.integers(1, 40),
        st.binary(max_size=5).filter(lambda data: b"--" not in data),
    )
    def test_parts_are_read_correctly_wherever_the_chunks_end(
        self, parts: list[bytes], step: int, before: bytes
    ) -> None:
        if any(b"\r\n--cut" in b"\r\n" + part + b"\r\n" for part in parts):
            return  # such a part cannot be sent with this boundary
        framed = b"".join(b"\r\n--cut\r\nA: b\r\n\r\n" + part for part in parts)
        assert contents(before + framed + b"\r\n--cut--\r\nafter", step) == parts

    def test_a_line_that_only_starts_like_the_boundary_is_content(self) -> None:
        content = b"a\r\n--cutter\r\n--cut-\r\nb" + b"x" * 100
        for step in (1, 7, 1 << 20):
            assert contents(b"--cut\r\n\r\n" + content + b"\r\n--cut--", step) == [content]

    def test_a_part_may_have_no_headers_and_a_boundary_trailing_spaces(self) -> None:
        assert contents(b"--cut  \r\n\r\none\r\n--cut\t\r\n\r\ntwo\r\n--cut--") == [b"one", b"two"]

    @pytest.mark.parametrize(
        "body", [b"", b"--cu", b"--cut\r\n", b"--cut\r\nA: b\r\n\r\nx", b"--cut\r\n" + b"x" * 99999]
    )
    def test_a_truncated_body_is_refused(self, body: bytes) -> None:
        with pytest.raises(ServiceError):
            contents(body, 1000)

    def test_a_truncated_request_stores_nothing(self, lab: Lab, dicom_bytes: Any) -> None:
        body = b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + dicom_bytes() + b"\r\n--cut\r\n\r\nhalf"
        assert lab.call("POST", f"{WEB}/studies", body, headers={"Content-Type": TYPE}).status == 400
        assert lab.get(f"{WEB}/instances").status == 204
        assert not [path for path in (lab.emulator.data_dir / "instances").rglob("*") if path.is_file()]


class TestPayload:
    def test_bytes_and_files_come_in_the_order_they_were_added(self, tmp_path: Path) -> None:
        file = tmp_path / "file"
        file.write_bytes(b"file" * 1_000_000)
        payload = Payload(tmp_path)
        payload.write(b"before ")
        payload.add_file(file, 4_000_000)
        payload.write(b" after")
        assert payload.size == 4_000_013
        assert b"".join(payload.chunks()) == b"before " + file.read_bytes() + b" after"
        payload.close()

    def test_a_body_too_large_for_memory_leaves_no_visible_file(self, tmp_path: Path) -> None:
        payload = Payload(tmp_path)
        payload.write(bytes(MAX_IN_MEMORY + 1))
        assert not list(tmp_path.iterdir())
        assert sum(map(len, payload.chunks())) == MAX_IN_MEMORY + 1
        payload.close()

    @pytest.mark.parametrize("left", [None, b"short"])
    def test_a_deleted_or_truncated_file_is_never_skipped(self, tmp_path: Path, left: bytes | None) -> None:
        payload = Payload(tmp_path)
        payload.add_file(tmp_path / "file", 10)
        if left is not None:
            (tmp_path / "file").write_bytes(left)
        with pytest.raises(ConnectionResetError):
            list(payload.chunks())
        payload.close()


def test_a_client_that_disconnects_while_sending_stores_nothing(lab: Lab, dicom_bytes: Any) -> None:
    data = dicom_bytes()
    with lab.emulator.server() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            head = f"POST /v1/{WEB}/studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/dicom\r\n"
            connection.sendall(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data[:-100])
        # The server ends the lost request before it answers the next.
        check = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        check.request("GET", f"/v1/{WEB}/instances")
        assert check.getresponse().status == 204
        check.close()
    assert lab.get(f"{WEB}/instances").status == 204


def test_an_instance_that_vanishes_while_it_is_sent_ends_the_connection(lab: Lab, dicom_bytes: Any) -> None:
    lab.store(dicom_bytes(StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4"))
    for path in (lab.emulator.data_dir / "instances").rglob("*.dcm"):
        path.unlink()
    whole = f"/v1/{WEB}/studies/1.2/series/1.2.3/instances/1.2.3.4"
    with lab.emulator.server() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", whole, headers={"Accept": "application/dicom; transfer-syntax=*"})
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            connection.getresponse().read()
        connection.close()
        connection.request("GET", f"{whole}/frames/1")
        assert connection.getresponse().status == 404
        connection.close()


_SERVE = """
import resource, sys
from healthcare_deid.emulator import Emulator
with Emulator(sys.argv[1], workers=0) as emulator, emulator.server(port=0) as server:
    print(server.port, flush=True)
    for line in sys.stdin:
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
"""
_MB = 1 << 20
_LARGE = 160 * _MB


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is counted in kB on Linux")
def test_storing_and_retrieving_large_instances_takes_little_memory(tmp_path: Path, lab: Lab, dicom_bytes: Any) -> None:
    lab.emulator.close()
    lab.http.close()
    frames = _LARGE // (128 * 128 * 2)
    start = dicom_bytes(
        StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3", SOPInstanceUID="1.2.3.4", NumberOfFrames=frames
    )
    tag = start.index(b"\xe0\x7f\x10\x00OW\0\0")
    size = frames * 128 * 128 * 2
    large = tmp_path / "large.dcm"
    with large.open("wb") as stream:
        stream.write(start[: tag + 8] + size.to_bytes(4, "little"))
        stream.truncate(tag + 12 + size)
    before, after = b"--cut\r\nContent-Type: application/dicom\r\n\r\n", b"\r\n--cut--\r\n"
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(tmp_path / "lab")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    with process:
        port = int(process.stdout.readline())

        def peak() -> int:
            assert process.stdin
            assert process.stdout
            process.stdin.write("\n")
            process.stdin.flush()
            return int(process.stdout.readline()) * 1024

        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

        def call(method: str, path: str, body: Any = None, **headers: str) -> int:
            connection.request(method, f"/v1/{path}", body, {k.replace("_", "-"): v for k, v in headers.items()})
            response = connection.getresponse()
            assert response.status == 200
            return sum(len(chunk) for chunk in iter(lambda: response.read(_MB), b""))

        series = f"{WEB}/studies/1.2/series/1.2.3"
        call("GET", f"{STORE}")
        idle = peak()
        with large.open("rb") as source:
            pieces = [before, *iter(lambda: source.read(_MB), b""), after]
        length = str(sum(map(len, pieces)))
        call("POST", f"{WEB}/studies", iter(pieces), Content_Type=TYPE, Content_Length=length)
        assert call("GET", series, Accept='multipart/related; type="application/dicom"') > size
        assert call("GET", f"{series}/instances/1.2.3.4", Accept="application/dicom; transfer-syntax=*") > size
        assert call("GET", f"{series}/instances/1.2.3.4/frames/7") > 128 * 128 * 2
        assert call("GET", f"{series}/instances/1.2.3.4/bulkdata/7FE00010") > size
        used = peak() - idle
        connection.close()
        process.stdin.close()
    # More than a request's share of memory and what decodes a frame, and far less than the instance.
    assert used < _LARGE // 2, f"{used // _MB} MB for an instance of {_LARGE // _MB} MB"
