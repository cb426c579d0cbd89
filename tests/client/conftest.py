"""A misbehaving server on loopback, and clients of it."""

from __future__ import annotations

import json
import re
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidClient, DeidentifyConfig, presets
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATASET = "projects/p/locations/l/datasets/d"
NOW = "Tue, 14 Nov 2023 22:13:20 GMT"
"""The server's clock, which is the fake clock's start."""


@dataclass(frozen=True)
class Behavior:
    """Bytes that the server writes for one request, and how it ends the connection."""

    raw: bytes = b""
    close: bool = False
    stall: bool = False
    dribble: bool = False


def answer(status: int = 200, body: Any = None, *, headers: dict[str, str] | None = None) -> Behavior:
    """Reply with success."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    lines = {"Content-Length": str(len(content)), "Content-Type": "application/json", "Date": NOW, **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{key}: {value}\r\n" for key, value in lines.items())
    return Behavior(head.encode() + b"\r\n" + content)


def error(status: int, code: str = "", message: str = "", *, headers: dict[str, str] | None = None) -> Behavior:
    """Reply with an error as Google formats it."""
    return answer(status, {"error": {"code": status, "status": code, "message": message}}, headers=headers)


DROP = Behavior(close=True)
DROP_MID_BODY = Behavior(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"name": "', close=True)
STALL = Behavior(stall=True)
DRIBBLE = Behavior(dribble=True)
HALF_JSON = Behavior(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"name": "projects/', close=True)
GARBAGE = answer(200, b"<html>hello</html>")
JSON_LIST = answer(200, [1, 2])
HTML_502 = answer(502, b"<html>Bad gateway PHI-CANARY</html>", headers={"Content-Type": "text/html"})
REDIRECT = answer(302, b"", headers={"Location": "http://127.0.0.1:9/elsewhere"})


@dataclass
class Seen:
    """One request that the server received."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


def operation(
    number: str = "1", *, done: bool = False, created: str = "2023-11-14T22:13:20Z", **fields: Any
) -> dict[str, Any]:
    """Return an operation message as the service sends it."""
    method = fields.pop("method", "google.cloud.healthcare.v1.dataset.DatasetService.DeidentifyDataset")
    metadata = {"apiMethodName": method, "createTime": created, **fields.pop("metadata", {})}
    body: dict[str, Any] = {"name": f"{DATASET}/operations/{number}", "metadata": metadata, **fields}
    if done:
        body["done"] = True
        if "error" not in body:
            body.setdefault("response", {"@type": "type.googleapis.com/x"})
    return body


BEHAVIORS: dict[str, Behavior] = {
    "drop": DROP,
    "drop mid-body": DROP_MID_BODY,
    "stall": STALL,
    "dribble": DRIBBLE,
    "half a JSON": HALF_JSON,
    "garbage": GARBAGE,
    "a JSON list": JSON_LIST,
    "an HTML 502": HTML_502,
    "a redirect": REDIRECT,
    **{
        str(status): error(status)
        for status in (400, 401, 403, 404, 408, 409, 412, 418, 425, 429, 499, 500, 501, 503, 504)
    },
}


@dataclass
class Server:
    """Server scripted by the test; an unplanned request gets 404."""

    DATASET = DATASET
    answer = staticmethod(answer)
    error = staticmethod(error)
    operation = staticmethod(operation)

    seen: list[Seen] = field(default_factory=list[Seen])
    connections: int = 0

    def __post_init__(self) -> None:
        self._plans: list[tuple[str, re.Pattern[str], list[Behavior | Callable[[Seen], Behavior]]]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def on(self, method: str, path: str, *behaviors: str | Behavior | Callable[[Seen], Behavior]) -> None:
        """Plan what requests whose path matches get, one after the other; the last stays. Words are of BEHAVIORS."""
        planned = [BEHAVIORS[item] if isinstance(item, str) else item for item in behaviors]
        with self._lock:
            self._plans.insert(0, (method, re.compile(path), planned))

    def count(self, method: str, path: str = "") -> int:
        """Return the number of such requests."""
        with self._lock:
            return sum(item.method == method and re.search(path, item.path) is not None for item in self.seen)

    @staticmethod
    def behavior(word: str) -> Behavior:
        """Return the behavior for a word of BEHAVIORS."""
        return BEHAVIORS[word]

    def close(self) -> None:
        self._over.set()
        self._socket.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as stream:
            try:
                while self._one(connection, stream):
                    pass
            except OSError:
                return

    def _one(self, connection: socket.socket, stream: Any) -> bool:
        line = stream.readline().decode("latin-1").split()
        if len(line) < 2:
            return False
        headers: dict[str, str] = {}
        while (header := stream.readline().decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        content = stream.read(int(headers.get("content-length", "0")))
        is_json = "json" in headers.get("content-type", "") and content
        request = Seen(line[0], line[1], headers, json.loads(content) if is_json else content)
        behavior = self._plan(request)
        if behavior.raw:
            connection.sendall(behavior.raw)
        if behavior.stall:
            self._over.wait(10)
        if behavior.dribble:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(200):
                connection.sendall(b" ")
                if self._over.wait(0.05):
                    break
        return not (behavior.close or behavior.stall or behavior.dribble)

    def _plan(self, request: Seen) -> Behavior:
        with self._lock:
            self.seen.append(request)
            for method, pattern, behaviors in self._plans:
                if method == request.method and pattern.search(request.path):
                    chosen = behaviors.pop(0) if len(behaviors) > 1 else behaviors[0]
                    break
            else:
                return error(404, "NOT_FOUND")
        return chosen if isinstance(chosen, Behavior) else chosen(request)


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a scripted server on loopback."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock whose waits take no real time."""
    return FakeClock()


@pytest.fixture
def client(server: Server, clock: FakeClock) -> Iterator[DeidClient]:
    """Return a client of the misbehaving server."""
    with DeidClient("p", "l", endpoint=server.url, clock=clock) as client:
        yield client


@pytest.fixture
def config() -> DeidentifyConfig:
    """Return a config with a rule."""
    return presets.remove_metadata_and_all_text()
