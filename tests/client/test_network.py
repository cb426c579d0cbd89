"""Proxies, certificates, endless and broken bodies, hanging token servers."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httplib2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth import credentials as google_credentials
from google.oauth2.credentials import Credentials

from healthcare_deid import DeidClient, RetryPolicy, errors
from healthcare_deid.client.http import limits, network
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.credentials import access_token
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ONCE = RetryPolicy.never()
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"


class Listener:
    """Server on loopback that passes each connection to a function."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self.requests: list[bytes] = []
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.settimeout(5)
                self.requests.append(connection.recv(65536))
                self._serve(connection)
            except OSError:
                return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[socket.socket], object]], Listener]]:
    """Return a function that opens listeners, which close after the test."""
    opened: list[Listener] = []

    def listen(serve: Callable[[socket.socket], object]) -> Listener:
        opened.append(Listener(serve))
        return opened[-1]

    yield listen
    for listener in opened:
        listener.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def sending(data: bytes) -> Callable[[socket.socket], object]:
    """Return a function that sends some bytes."""
    return lambda connection: connection.sendall(data)


# Proxies


def _not_found(name: str) -> None:
    del name


def proxied(**options: Any) -> DeidClient:
    return DeidClient(
        "p", "l", endpoint="https://healthcare.invalid", credentials=access_token("made-up"), retry=ONCE, **options
    )


@pytest.mark.parametrize(("status", "word"), [(403, "may block"), (407, "user name and password"), (502, "HTTP 502")])
def test_a_proxy_that_refuses_is_named_without_its_password(
    listen: Any, monkeypatch: pytest.MonkeyPatch, status: int, word: str
) -> None:
    proxy = listen(sending(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status))
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{proxy.port}")
    with proxied() as client, pytest.raises(errors.ConnectError) as caught:
        client.get_dataset("d", timeout=3)
    line, *headers = proxy.requests[0].split(b"\r\n")
    assert line.startswith(b"CONNECT healthcare.invalid:443 ")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"user:secret") in headers
    assert word in str(caught.value)
    assert f"127.0.0.1:{proxy.port}" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.transient == (status >= 500), "asking again cannot help where it is forbidden"


def test_an_unreachable_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with proxied() as client, pytest.raises(errors.ConnectError, match=r"the proxy http://127.0.0.1:9 from HTTPS"):
        client.get_dataset("d", timeout=3)


def test_a_http_request_goes_to_the_proxy_with_its_absolute_url(listen: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = listen(sending(HEAD + b"Content-Length: 2\r\n\r\n{}"))
    monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "http://emulator.invalid:8085")
    with DeidClient("p", "l") as client:
        client.get_dataset("d", timeout=3)
    assert proxy.requests[0].startswith(b"GET http://emulator.invalid:8085/v1/projects/p/locations/l/datasets/d?")
    assert b"\r\nHost: emulator.invalid:8085\r\n" in proxy.requests[0]


GOOGLE, IPV4, IPV6 = "https://healthcare.googleapis.com", "https://10.1.2.3", "https://[2001:db8::1]"


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (GOOGLE, "*"),
        (GOOGLE, "example.com,*"),
        (GOOGLE, "googleapis.com"),
        (GOOGLE, ".googleapis.com"),
        (GOOGLE, "*.googleapis.com"),
        (GOOGLE, "HealthCare.GoogleAPIs.com"),
        (GOOGLE, "googleapis.com."),
        (GOOGLE, "example.com,  googleapis.com ,"),
        (GOOGLE, "example.com googleapis.com"),
        (GOOGLE, "googleapis.com:443"),
        (GOOGLE, "*.googleapis.com:443"),
        ("https://healthcare.googleapis.com.", "googleapis.com"),
        ("https://healthcare.googleapis.com:8443", "healthcare.googleapis.com:8443"),
        ("http://emulator.lab", "emulator.lab:80"),
        (IPV4, "10.1.2.3"),
        (IPV4, "10.0.0.0/8"),
        (IPV4, "10.9.9.9/8"),
        (IPV4, "10.0.0.0/8:443"),
        (IPV4, "10.1.*"),
        (IPV4, "*"),
        (IPV6, "[2001:db8::1]"),
        (IPV6, "[2001:db8::1]:443"),
        (IPV6, "2001:db8::1"),
        (IPV6, "2001:0DB8:0:0:0:0:0:1"),
        (IPV6, "example.com, 2001:db8::/32"),
        (IPV6, "[2001:db8::]/32"),
        ("https://127.0.0.1", ""),
        ("http://metadata.google.internal", ""),
    ],
)
def test_no_proxy_names_an_origin_in_every_form_that_curl_requests_or_go_know(
    monkeypatch: pytest.MonkeyPatch, url: str, names: str
) -> None:
    assert _is_direct(monkeypatch, url, NO_PROXY=names)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (GOOGLE, ""),
        (GOOGLE, " , .,:,:443,[],[]:443,/8"),
        (GOOGLE, "example.com"),
        (GOOGLE, "apis.com"),
        (GOOGLE, "*.healthcare.googleapis.com"),
        (GOOGLE, "healthcare.googleapis.com.example.com"),
        (GOOGLE, "googleapis.com:8443"),
        ("https://googleapis.com", "*.googleapis.com"),
        (IPV4, "2.3"),
        (IPV4, "11.0.0.0/8, example.com"),
        (IPV4, "10.0.0.0/33"),
        (IPV4, "10.1.2.3:8443"),
        (IPV4, "::/0"),
        (IPV6, "[2001:db8::2]"),
        (IPV6, "[2001:db8::1]:8443"),
        (IPV6, "2001:db9::/32"),
        (IPV6, "0.0.0.0/0"),
    ],
)
def test_no_proxy_names_no_other_origin(monkeypatch: pytest.MonkeyPatch, url: str, names: str) -> None:
    assert not _is_direct(monkeypatch, url, NO_PROXY=names)


def test_the_lower_case_variables_win_over_the_upper_case_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _is_direct(monkeypatch, GOOGLE, no_proxy="googleapis.com")
    assert _is_direct(monkeypatch, GOOGLE, no_proxy="googleapis.com", NO_PROXY="example.com")
    assert not _is_direct(monkeypatch, GOOGLE, no_proxy="example.com", NO_PROXY="googleapis.com")


def _is_direct(monkeypatch: pytest.MonkeyPatch, url: str, **variables: str) -> bool:
    """Return whether an origin is reached without the proxy, with these variables set."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**variables, "HTTPS_PROXY": "http://proxy:3128", "HTTP_PROXY": "http://proxy:3128"}.items():
        monkeypatch.setenv(name, value)
    origin = Origin.of(url)
    assert origin is not None
    return network.proxy_for(origin) is None


def test_a_socks_proxy_without_pysocks_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setattr(network, "find_spec", _not_found)
    with proxied() as client, pytest.raises(errors.ConnectError, match="pip install pysocks"):
        client.get_dataset("d", timeout=3)


@pytest.mark.parametrize("address", ["https://proxy:3128", "http://proxy:port", "ftp://proxy", "http://"])
def test_an_invalid_proxy_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with proxied() as client, pytest.raises(errors.ConnectError, match=r"HTTPS_PROXY must have the form http://"):
        client.get_dataset("d", timeout=3)


def test_a_users_httplib2_http_that_would_ignore_the_proxy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setattr("healthcare_deid.client.http.transport.find_spec", _not_found)
    client = DeidClient("p", "l", endpoint="https://healthcare.invalid", http=httplib2.Http(), retry=ONCE)
    with client, pytest.raises(errors.ConnectError, match="pip install pysocks"):
        client.get_dataset("d", timeout=3)


# Certificates


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and a self-signed certificate for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("healthcare.test")]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem, form, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(key.private_bytes(pem, form, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[tuple[str, list[Any]]]:
    """Return the URL of a server with that certificate, and its TLS handshakes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handshakes: list[Any] = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection = server.accept()[0]
            except OSError:
                return
            handshakes.append(None)
            try:
                with connection, context.wrap_socket(connection, server_side=True) as stream:
                    stream.recv(65536)
                    stream.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")
            except OSError:
                continue

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{server.getsockname()[1]}", handshakes
    server.close()


def test_a_rejected_certificate_is_one_attempt_and_an_error_with_the_reason(secure: tuple[str, list[Any]]) -> None:
    url, handshakes = secure
    with DeidClient("p", "l", endpoint=url) as client, pytest.raises(errors.ConnectError) as caught:
        client.get_dataset("d", timeout=5)
    assert "certificate was rejected: self" in str(caught.value)
    assert "SSL_CERT_FILE" in str(caught.value)
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    assert caught.value.__cause__.__traceback__ is None
    assert (caught.value.attempts, len(handshakes)) == (1, 1)


def test_a_https_request_goes_through_the_proxy_in_a_tunnel(
    listen: Any, secure: tuple[str, list[Any]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", int(secure[0].rsplit(":", 1)[1]))) as server:
            back = threading.Thread(target=_pipe, args=(server, connection), daemon=True)
            back.start()
            _pipe(connection, server)
            back.join(5)

    proxy = listen(tunnel)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    client = DeidClient("p", "l", endpoint="https://healthcare.test", credentials=access_token("made-up"), retry=ONCE)
    with client:
        client.get_dataset("d", timeout=5)
    assert proxy.requests[0].startswith(b"CONNECT healthcare.test:443 ")
    assert b"made-up" not in proxy.requests[0]


def _pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_a_server_without_tls_is_one_attempt_and_a_clear_error(listen: Any) -> None:
    plain = listen(sending(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    client = DeidClient("p", "l", endpoint=f"https://localhost:{plain.port}")
    with client, pytest.raises(errors.ConnectError, match="no TLS connection: ") as caught:
        client.get_dataset("d", timeout=5)
    assert caught.value.attempts == 1


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_ca_certificates_from_the_environment_are_trusted(
    secure: tuple[str, list[Any]], certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    with DeidClient("p", "l", endpoint=secure[0]) as client:
        assert client.get_dataset("d", timeout=5) is not None
    assert secure[1], "nothing reached the server"


def test_a_missing_ca_file_is_named(secure: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with DeidClient("p", "l", endpoint=secure[0]) as client, pytest.raises(errors.ConnectError) as caught:
        client.get_dataset("d", timeout=5)
    assert "SSL_CERT_FILE is not the path of a readable" in str(caught.value)
    assert caught.value.attempts == 1


# Bodies


def endless(connection: socket.socket, head: bytes = HEAD) -> None:
    connection.sendall(head + b"\r\n")
    while True:
        connection.sendall(b" " * 65536)


def dripping(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(400):
        connection.sendall(b" ")
        time.sleep(0.05)


def replying(head: bytes, body: bytes) -> Callable[[socket.socket], object]:
    return sending(HEAD + head + b"\r\n" + body)


def sized(body: bytes, *, encoding: bytes = b"") -> Callable[[socket.socket], object]:
    head = b"Content-Length: %d\r\n" % len(body)
    return replying(head + (b"Content-Encoding: " + encoding + b"\r\n" if encoding else b""), body)


def asked(listener: Listener, **options: Any) -> Any:
    with DeidClient("p", "l", endpoint=f"http://127.0.0.1:{listener.port}", retry=ONCE, clock=FakeClock()) as client:
        return client.get_dataset("d", **options)


def test_an_endless_reply_raises_this_packages_error(listen: Any) -> None:
    with pytest.raises(errors.ReplyError, match="larger than 32 MiB"):
        asked(listen(endless))


def test_a_reply_sent_byte_by_byte_ends_with_the_timeout(listen: Any) -> None:
    began = time.monotonic()
    with pytest.raises(errors.RequestTimeout):
        asked(listen(dripping), timeout=0.5)
    assert time.monotonic() - began < 5


def test_a_zip_bomb_raises_this_packages_error(listen: Any) -> None:
    packed = gzip.compress(bytes(limits.JSON_BYTES + 2**20))
    assert len(packed) < 2**17
    with pytest.raises(errors.ReplyError, match="larger than 32 MiB"):
        asked(listen(sized(packed, encoding=b"gzip")))


NAME = json.dumps({"name": "projects/p/locations/l/datasets/d"}).encode()


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(NAME), b"gzip"),
        (gzip.compress(NAME[:9]) + gzip.compress(NAME[9:]), b"gzip"),
        (zlib.compress(NAME), b"deflate"),
        (raw_deflate(NAME), b"deflate"),
        (NAME, b"identity"),
    ],
    ids=["gzip", "two members", "zlib", "raw deflate", "identity"],
)
def test_every_usual_compression_is_read(listen: Any, packed: bytes, encoding: bytes) -> None:
    assert asked(listen(sized(packed, encoding=encoding))).name.endswith("datasets/d")


@pytest.mark.parametrize(
    "packed", [gzip.compress(NAME)[:-12], b"\x1f\x8b" + b"x" * 40, b"\xff" * 40], ids=["short", "broken", "noise"]
)
def test_a_corrupt_compressed_body_raises_this_packages_error(listen: Any, packed: bytes) -> None:
    with pytest.raises(errors.ReplyError):
        asked(listen(sized(packed, encoding=b"gzip")))


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b'{"name": ' + b"9" * 10_000 + b"}"],
    ids=["lists", "objects", "a long number", "a long number inside"],
)
def test_invalid_json_raises_this_packages_error(listen: Any, body: bytes) -> None:
    with pytest.raises(errors.DeidError):
        asked(listen(sized(body)))


@pytest.mark.parametrize("value", ["²", "٣", "-1", "1e3", "Mon, 32 Foo 99999 99:99:99 +9999", "9" * 5000, ""])
def test_any_retry_after_is_parsed_or_ignored(listen: Any, value: str) -> None:
    head = (
        b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: "
        + value.encode("latin-1", "replace")
        + b"\r\n\r\n"
    )
    listener = listen(sending(head))
    client = DeidClient("p", "l", endpoint=f"http://127.0.0.1:{listener.port}", clock=FakeClock())
    with client, pytest.raises(errors.Unavailable):
        client.get_dataset("d")


# Instances


WHOLE = bytes(128) + b"DICM" + bytes(2**17)
UIDS = ("0020000D", "0020000E", "00080018")


def instances(count: int) -> bytes:
    found = [("1.2", "1.2.3", f"1.2.3.{number}") for number in range(count)]
    return json.dumps([{tag: {"Value": [uid]} for tag, uid in zip(UIDS, uids, strict=True)} for uids in found]).encode()


def store(listen: Any, first: Callable[[socket.socket], object], count: int = 8) -> Listener:
    """Return a store of ``count`` instances, the first of which is answered by ``first``."""

    def serve(connection: socket.socket) -> None:
        line = listener.requests[-1].split(b"\r\n")[0] if listener.requests else b""
        if b"/instances?" in line or b"/studies?" in line:
            found = instances(count if b"/instances?" in line else 1)
            sized(found if b"offset=0" in line else b"[]")(connection)
        elif b"/instances/1.2.3.0 " in line:
            first(connection)
        else:
            sized(WHOLE)(connection)

    listener: Listener = listen(serve)
    return listener


def endless_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")


def cut(count: int) -> Callable[[socket.socket], object]:
    return sending(HEAD + b"Content-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE[:-count])


EXPLODING = gzip.compress(WHOLE + bytes(2**23))
FIRSTS: dict[str, tuple[Callable[[socket.socket], object], str]] = {
    "endless": (endless_chunks, "larger than 4 MiB"),
    "exploding": (sized(EXPLODING, encoding=b"gzip"), "larger than 4 MiB"),
    "cut off": (cut(40), "connection was lost"),
    "cut off without a length": (replying(b"", WHOLE[:-40]), "no Content-Length"),
    "whole without a length": (replying(b"", WHOLE), "no Content-Length"),
    "cut off in gzip": (sized(gzip.compress(WHOLE)[:-30], encoding=b"gzip"), "ends too early"),
    "an endless error": (lambda connection: endless(connection, b"HTTP/1.1 500 No\r\n"), "larger than 32 MiB"),
    "a proxy's page": (sized(b"<html>"), "not a DICOM file"),
}


@pytest.mark.parametrize("first", FIRSTS)
def test_a_truncated_instance_is_a_failure_and_the_others_continue(
    listen: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr("healthcare_deid.client.http.reply_body.INSTANCE_BYTES", 2**22)
    listener = store(listen, FIRSTS[first][0])
    with DeidClient("p", "l", endpoint=f"http://127.0.0.1:{listener.port}", retry=ONCE) as client:
        report = client.download("d/s", tmp_path, parallel=1)
    assert (report.succeeded, report.failed) == (7, 1)
    assert FIRSTS[first][1] in report.failures[0].reason
    assert {path.read_bytes() for path in tmp_path.rglob("*.dcm")} == {WHOLE}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 7, "nothing half-written is left"


def test_a_highly_compressed_instance_is_streamed_not_held_in_memory(listen: Any, tmp_path: Path) -> None:
    import tracemalloc

    black = WHOLE + bytes(2**26)
    listener = store(listen, sized(gzip.compress(black, 1), encoding=b"gzip"), count=1)
    del black
    with DeidClient("p", "l", endpoint=f"http://127.0.0.1:{listener.port}", retry=ONCE) as client:
        tracemalloc.start()
        report = client.download("d/s", tmp_path)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (report.succeeded, report.bytes) == (1, len(WHOLE) + 2**26)
    assert most < 2**24


def test_a_large_upload_may_exceed_its_timeout_while_data_moves(server: Any, tmp_path: Path) -> None:
    (tmp_path / "1.dcm").write_bytes(WHOLE + bytes(2**22))
    server.on("POST", "studies", server.answer(200, {"00081199": {"vr": "SQ", "Value": [{}]}}))
    with DeidClient("p", "l", endpoint=server.url, retry=ONCE) as client:
        assert client.upload("d/s", tmp_path).succeeded == 1
    assert len(server.seen[0].body) == len(WHOLE) + 2**22


def test_a_delete_whose_reply_was_lost_is_a_success(server: Any) -> None:
    server.on("DELETE", "", "drop", "404")
    with DeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
        client.delete_dicom_store("d/s")
        server.on("DELETE", "instances", "503", "404")
        client.dicomweb("d/s").delete_instance("1.2", "1.2.3", "1.2.3.4")
        server.on("DELETE", "", "404")
        with pytest.raises(errors.NotFound):
            client.delete_dicom_store("d/s")


# Tokens


class Hanging(google_credentials.Credentials):
    """Credentials whose refresh never ends."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth's is untyped
        self.refreshed = 0
        self.over = threading.Event()

    def refresh(self, request: Any) -> None:
        del request
        self.refreshed += 1
        self.over.wait(60)


def test_a_hanging_refresh_runs_once_and_all_calls_end_within_their_timeouts(server: Any) -> None:
    tokens = Hanging()
    caught: list[BaseException] = []
    with DeidClient("p", "l", endpoint=server.url, credentials=tokens, retry=ONCE) as client:

        def call() -> None:
            with pytest.raises(errors.CredentialsError, match="within the timeout") as error:
                client.get_dataset("d", timeout=0.5)
            caught.append(error.value)

        began = time.monotonic()
        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    tokens.over.set()
    assert (len(caught), tokens.refreshed) == (8, 1)
    assert len(set(map(id, caught))) == 8, "each thread has an error of its own"
    assert time.monotonic() - began < 5
    assert server.seen == []


def test_a_token_server_with_a_rejected_certificate_is_named(secure: tuple[str, list[Any]], server: Any) -> None:
    tokens: Any = Credentials(  # type: ignore[no-untyped-call] # google-auth's is untyped
        None, refresh_token="r", token_uri=f"{secure[0]}/token", client_id="c", client_secret="s"
    )
    client = DeidClient("p", "l", endpoint=server.url, credentials=tokens)
    with client, pytest.raises(errors.CredentialsError, match="certificate was rejected"):
        client.get_dataset("d", timeout=5)


def test_a_connection_that_is_being_made_while_the_client_closes_is_closed(
    listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept_open = sending(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    client = DeidClient("p", "l", endpoint=f"http://127.0.0.1:{listen(kept_open).port}", retry=ONCE)
    made: list[socket.socket] = []
    create = socket.create_connection

    def close_meanwhile(*args: Any, **options: Any) -> socket.socket:
        made.append(create(*args, **options))
        client.close()
        return made[0]

    monkeypatch.setattr(socket, "create_connection", close_meanwhile)
    with contextlib.suppress(errors.DeidError):
        client.get_dataset("d", timeout=5)
    assert [one.fileno() for one in made] == [-1]
