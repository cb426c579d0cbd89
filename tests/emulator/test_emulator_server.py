"""The emulator on a port: access, concurrent clients, dropped connections."""

from __future__ import annotations

import http.client
import itertools
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.emulator.conftest import Lab

    from healthcare_deid.emulator.http.server import Server

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    with lab.emulator.server() as server:
        yield server


def call(
    server: Server, method: str, path: str, body: bytes | str | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, named)
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_it_is_reached_by_name_and_by_both_loopback_addresses(server: Server) -> None:
    for address in ("127.0.0.1", "::1") if socket.has_ipv6 else ("127.0.0.1",):
        connection = http.client.HTTPConnection(address, server.port, timeout=30)
        connection.request("GET", f"/v1/{DATASET}")
        assert connection.getresponse().status == 200
        connection.close()


def test_urls_in_replies_use_the_servers_own_address_whatever_the_host_header(server: Server, dicom_bytes: Any) -> None:
    status, _, body = call(
        server,
        "POST",
        f"/v1/{STORE}/dicomWeb/studies",
        dicom_bytes(),
        Content_Type="application/dicom",
        Accept="application/dicom+json",
        Host="localhost",
    )
    assert status == 200
    assert json.loads(body)["00081190"]["Value"][0].startswith(f"http://127.0.0.1:{server.port}/v1/{STORE}/dicomWeb/")


class TestHosts:
    def test_an_allowed_host_may_be_requested_behind_a_proxy(self, lab: Lab) -> None:
        with lab.emulator.server(hosts=["healthcare.googleapis.com"]) as server:
            for host, status in (
                ("healthcare.googleapis.com", 200), ("Healthcare.GoogleAPIs.com:443", 200), ("localhost", 200),
                ("evil.example", 403), ("healthcare.googleapis.com.evil.example", 403),
            ):  # fmt: skip
                assert call(server, "GET", f"/v1/{DATASET}", Host=host)[0] == status, host

    def test_no_other_host_or_origin_is_allowed_by_default(self, server: Server) -> None:
        assert call(server, "GET", f"/v1/{DATASET}", Host="healthcare.googleapis.com")[0] == 403

    @pytest.mark.parametrize("path", ["//[", "/v1/%ff%fe", "/%00", "/v1/" + "x" * 30_000, "*"])
    def test_any_path_gets_a_reply(self, server: Server, path: str) -> None:
        assert 400 <= call(server, "GET", path)[0] < 500


class TestWhoMayReachIt:
    def test_a_remotely_reachable_address_is_refused_unless_allowed(self, lab: Lab) -> None:
        with pytest.raises(EmulatorError, match="other machines"):
            lab.emulator.server("0.0.0.0")
        allowed = lab.emulator.server("0.0.0.0", allow_remote=True)
        allowed.stop()

    def test_only_web_pages_of_this_machine_may_read(self, server: Server) -> None:
        status, headers, _ = call(server, "GET", f"/v1/{DATASET}", Origin="http://localhost:3000")
        assert (status, headers["access-control-allow-origin"]) == (200, "http://localhost:3000")
        status, headers, body = call(server, "GET", f"/v1/{DATASET}", Origin="https://evil.example")
        assert status == 403
        assert "access-control-allow-origin" not in headers
        assert b"dataset1" not in body

    @pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://localhost.evil.example", "null"])
    def test_an_origin_that_is_not_a_url_of_this_machine_may_not_read(self, lab: Lab, origin: str) -> None:
        with lab.emulator.server() as server:
            status, headers, _ = call(server, "GET", f"/v1/{DATASET}", Origin=origin)
        assert status == 403
        assert "access-control-allow-origin" not in headers

    def test_an_allowed_origin_may_read(self, lab: Lab) -> None:
        with lab.emulator.server(origins=["https://viewer.example"]) as server:
            status, headers, _ = call(
                server,
                "OPTIONS",
                f"/v1/{STORE}/dicomWeb/studies",
                Origin="https://viewer.example",
                Access_Control_Request_Method="GET",
                Access_Control_Request_Headers="accept,authorization",
            )
            assert status == 204
            assert headers["access-control-allow-headers"] == "accept,authorization"
            assert headers["access-control-allow-origin"] == "https://viewer.example"

    def test_a_host_name_rebound_to_this_machine_is_refused(self, server: Server) -> None:
        status, _, body = call(server, "GET", f"/v1/{DATASET}", Host="rebound.example")
        assert status == 403
        assert b"dataset1" not in body
        for host in ("localhost", "127.0.0.1:1", "[::1]:8085", "[::1]"):
            assert call(server, "GET", f"/v1/{DATASET}", Host=host)[0] == 200

    def test_a_port_in_use_is_reported(self, lab: Lab, server: Server) -> None:
        with pytest.raises(EmulatorError, match=f"port {server.port}"):
            lab.emulator.server(port=server.port)


def test_a_planned_drop_closes_the_connection_without_a_reply(lab: Lab, server: Server) -> None:
    lab.emulator.faults.drop("datasets.get")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        call(server, "GET", f"/v1/{DATASET}")
    assert call(server, "GET", f"/v1/{DATASET}")[0] == 200


def test_head_replies_without_a_body(server: Server) -> None:
    status, _, body = call(server, "HEAD", f"/v1/{DATASET}")
    assert (status, body) == (404, b"")


def test_concurrent_clients_lose_and_mix_nothing_while_operations_run(
    lab: Lab, server: Server, dicom_bytes: Any
) -> None:
    for _ in range(4):
        lab.store(dicom_bytes())
    stores = [lab.create_store(name=f"client{number}") for number in range(8)]
    config = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}
    operations = [
        lab.post(f"{DATASET}:deidentify", {"destinationDataset": f"{LOCATION}/datasets/clean{n}", "config": config})
        for n in range(3)
    ]
    # 8 clients of 25 requests each: 12 times store and search, then read it all.
    data = [[dicom_bytes(PatientID=f"P{client}-{number}") for number in range(12)] for client in range(8)]
    answered = itertools.count()

    def client(number: int) -> set[str]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        seen: set[str] = set()
        for body in data[number]:
            connection.request(
                "POST", f"/v1/{stores[number]}/dicomWeb/studies", body, {"Content-Type": "application/dicom"}
            )
            response = connection.getresponse()
            response.read()
            assert response.status == 200
            next(answered)
            connection.request("GET", f"/v1/{stores[number]}/dicomWeb/instances?includefield=00100020")
            found = json.loads(connection.getresponse().read())
            next(answered)
            seen = {item["00100020"]["Value"][0] for item in found}
        connection.request(
            "GET",
            f"/v1/{stores[number]}/dicomWeb/instances?limit=12&includefield=all",
            headers={"Accept": "application/dicom+json"},
        )
        found = json.loads(connection.getresponse().read())
        next(answered)
        connection.close()
        return seen & {item["00100020"]["Value"][0] for item in found}

    with ThreadPoolExecutor(8) as pool:
        for number, seen in enumerate(pool.map(client, range(8))):
            assert seen == {f"P{number}-{index}" for index in range(12)}
    assert next(answered) == 200
    for operation in operations:
        # What clients stored after an operation was asked for is no part of it.
        counter = lab.finished(operation.json["name"])["metadata"]["counter"]
        assert counter == {"success": "4"}
