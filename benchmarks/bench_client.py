"""The client beside plain googleapiclient and google-api-core: time, memory, garbage, and how many requests leave."""

from __future__ import annotations

import gc
import http.client
import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import bench_imports
import client_rivals
import httplib2
from googleapiclient.discovery import build
from googleapiclient.http import HttpMock, HttpRequest
from timing import Row, fresh_process, interleaved

from healthcare_deid import DeidClient, presets, wait
from healthcare_deid.client.http.connection import Connection
from healthcare_deid.emulator import Emulator
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

DATASET = "projects/p/locations/eu/datasets/d"
OPERATION = json.dumps({"name": f"{DATASET}/operations/1", "metadata": {}}).encode()
CONFIG = presets.remove_metadata_and_all_text()


class Mock(HttpMock):
    """Answers every request with an operation."""

    def __init__(self) -> None:
        super().__init__(headers={"status": "200"})
        self.data = OPERATION


def measure() -> list[Row]:
    return [
        *bench_imports.measure(),
        *first_request(),
        *one_call(),
        *garbage(),
        *memory(),
        *posts(),
        *polls(),
        *waiting(),
        *client_rivals.waiting_threads(),
        *client_rivals.callbacks(),
        *emulator(),
    ]


def first_request() -> list[Row]:
    mock = (
        "from googleapiclient.http import HttpMock; h = HttpMock(headers={'status': '200'}); "
        'h.data = b\'{"name": "projects/p/locations/eu/datasets/d/operations/1"}\'; '
    )
    body = "{'destinationDataset': 'projects/p/locations/eu/datasets/e', 'config': {}}"
    ours = (
        "from healthcare_deid import DeidClient, presets; "
        f"{mock}DeidClient('p', 'l', http=h).deidentify_dataset('d', 'e', presets.remove_metadata_and_all_text())"
    )
    naive = (
        f"from googleapiclient.discovery import build; {mock}"
        "build('healthcare', 'v1', http=h, static_discovery=True).projects().locations().datasets()"
        f".deidentify(sourceDataset='{DATASET}', body={body}).execute()"
    )
    seconds = fresh_process({"ours": ours, "naive": naive}, rounds=7)
    cpu = fresh_process({"ours": ours, "naive": naive}, rounds=15, clock="process_time")
    note = "fresh process, median of 7, interleaved"
    program = "import sys; before = set(sys.modules); {}; print('googleapiclient.discovery' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", program.format(ours)], capture_output=True, text=True, check=True)
    loaded = output.stdout.strip() == "True"
    return [
        Row("fresh process to the first request, healthcare_deid", seconds["ours"] * 1000, "ms", "≤ 260 ms", note),
        Row("fresh process to the first request, plain googleapiclient", seconds["naive"] * 1000, "ms", "", note),
        Row(
            "CPU time to the first request, times plain googleapiclient's",
            cpu["ours"] / cpu["naive"],
            "×",
            "≤ 1.3",
            "fresh process, medians of 15, interleaved",
        ),
        Row("googleapiclient.discovery loaded by ours", float(loaded), "", "0", "1 is yes"),
        Row(
            "memory to the first request, healthcare_deid",
            _resident(ours),
            "MiB",
            "≤ 32 MiB more than bare",
            "bare: next",
        ),
        Row(
            "memory to the first request, plain googleapiclient", _resident(naive), "MiB", "", "above an empty process"
        ),
    ]


def _resident(statement: str) -> float:
    """Return how many MiB more than an empty interpreter a statement's process ends with."""
    program = "{}; print(open('/proc/self/statm').read().split()[1])"

    def pages(text: str) -> int:
        output = subprocess.run(
            [sys.executable, "-c", program.format(text)], capture_output=True, text=True, check=True
        )
        return int(output.stdout.split()[-1])

    return (pages(statement) - pages("pass")) * 4096 / 2**20


def _callers() -> tuple[Callable[[], object], Callable[[], object], Callable[[], object]]:
    client = DeidClient("p", "eu", http=Mock())
    service: Any = build("healthcare", "v1", http=Mock(), static_discovery=True)
    body = {"destinationDataset": "projects/p/locations/eu/datasets/e", "config": CONFIG.to_api()}
    http = Mock()

    def ours() -> object:
        return client.deidentify_dataset("d", "e", CONFIG)

    def naive() -> object:
        datasets = service.projects().locations().datasets()
        return datasets.deidentify(sourceDataset=DATASET, body=body).execute()

    def bare() -> object:
        uri = f"https://healthcare.googleapis.com/v1/{DATASET}:deidentify?alt=json"
        return HttpRequest(http, lambda _, content: json.loads(content), uri, "POST", json.dumps(body)).execute()

    return ours, naive, bare


def one_call() -> list[Row]:
    ours, naive, bare = _callers()
    seconds = interleaved({"ours": ours, "naive": naive, "bare": bare}, rounds=9, number=200)
    note = "median of 9 x 200, interleaved, HttpMock"
    return [
        Row("build, send, parse one deidentify: healthcare_deid", seconds["ours"] * 1e6, "µs", "≤ 150 µs", note),
        Row("the same: plain googleapiclient", seconds["naive"] * 1e6, "µs", "", note),
        Row("the same: a bare HttpRequest", seconds["bare"] * 1e6, "µs", "", note),
    ]


def garbage() -> list[Row]:
    rows: list[Row] = []
    for name, call in zip(("healthcare_deid", "plain googleapiclient"), _callers()[:2], strict=True):
        call()
        gc.collect()
        gc.disable()
        for _ in range(10):
            call()
        left = gc.collect() / 10
        gc.enable()
        target = "0" if name == "healthcare_deid" else ""
        rows.append(Row(f"objects in cycles a call: {name}", left, "", target, "gc.collect() after 10 calls"))
    return rows


def memory() -> list[Row]:
    """Memory a further thread costs: its transport against a service of its own."""
    connection = Connection(endpoint="http://127.0.0.1:9", user_agent="x")
    connection.warm()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held: list[Any] = [connection._own() for _ in range(50)]
    ours = (tracemalloc.get_traced_memory()[0] - before) / 50
    held = []
    before = tracemalloc.get_traced_memory()[0]
    held = [build("healthcare", "v1", http=Mock(), static_discovery=True) for _ in range(5)]
    naive = (tracemalloc.get_traced_memory()[0] - before) / 5
    tracemalloc.stop()
    del held
    return [
        Row("memory a further thread: healthcare_deid", ours / 1000, "kB", "≤ 10 kB", "before TLS, tracemalloc, 50"),
        Row("memory a further thread: a service each", naive / 1000, "kB", "", "tracemalloc, 5"),
    ]


class Dropper:
    """Hangs up on every request without an answer, and counts the POSTs."""

    def __init__(self) -> None:
        self.posts = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                self.posts += connection.recv(65536).startswith(b"POST")


def posts() -> list[Row]:
    plain = Dropper()
    service: Any = build(
        "healthcare",
        "v1",
        http=httplib2.Http(),
        static_discovery=True,
        client_options={"api_endpoint": f"http://127.0.0.1:{plain.port}"},
    )
    try:
        service.projects().locations().datasets().deidentify(sourceDataset=DATASET, body={}).execute()
    except Exception as error:  # noqa: BLE001 - the count is what is measured
        print(f"plain googleapiclient raised {type(error).__name__}")
    mine = Dropper()
    with DeidClient("p", "eu", endpoint=f"http://127.0.0.1:{mine.port}", clock=FakeClock()) as client:
        try:
            client.deidentify_dataset("d", "e", CONFIG)
        except Exception as error:  # noqa: BLE001 - as above
            print(f"healthcare_deid raised {type(error).__name__}")
    return [
        Row(
            "POSTs when the peer hangs up: healthcare_deid",
            mine.posts,
            "",
            "1",
            "then it lists, and says what it cannot know",
        ),
        Row("POSTs when the peer hangs up: plain googleapiclient", plain.posts, "", "", "num_retries=0"),
    ]


class Operations(BaseHTTPRequestHandler):
    """Answers polls and lists of operations."""

    protocol_version = "HTTP/1.1"
    lists: ClassVar[list[int]] = []
    gets: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        """Answer."""
        if "/operations?" in self.path:
            self.lists.append(1)
            done = {"done": True, "response": {}} if len(self.lists) > 12 else {}
            page = 500 if "pageToken" in self.path else 0
            items = [{"name": f"{DATASET}/operations/{n}", **done} for n in range(page, page + 500)]
            body: dict[str, Any] = {"operations": items, "nextPageToken": "" if page else "x"}
        else:
            self.gets.append(1)
            body = {"name": f"{DATASET}/operations/" + re.split(r"[/?]", self.path.partition("operations/")[2])[0]}
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class' name
        """Write no log."""
        del format, args


class Quick(ThreadingHTTPServer):
    """A server without Nagle's delay."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that give up: the shared service's threads do."""

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


def _served() -> Quick:
    server = Quick(("127.0.0.1", 0), Operations)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def polls() -> list[Row]:
    server = _served()
    wrong: list[str] = []
    with DeidClient("p", "eu", endpoint=f"http://127.0.0.1:{server.server_port}") as client:

        def poll(number: int) -> None:
            for turn in range(500):
                name = f"{number}{turn:03d}"
                if not client.operation(f"d/{name}").name.endswith(f"/{name}"):
                    wrong.append(name)

        begun = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(poll, range(1, 9)))
        taken = time.perf_counter() - begun
    gets = len(Operations.gets)
    rivals = client_rivals.shared_service(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    return [
        Row("8 threads x 500 polls: wrong answers", len(wrong), "", "0", f"{gets} GETs, none hung"),
        Row(
            "8 threads x 500 polls: a poll", taken / 4000 * 1e6, "µs", "", "http.server on loopback, all in one process"
        ),
        *rivals,
    ]


def emulator() -> list[Row]:
    """A GET of the emulator's server on a kept connection, bare and through both clients."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Emulator(Path(folder) / "lab") as emulator,
        emulator.server() as server,
    ):
        address = f"http://127.0.0.1:{server.port}"
        client = DeidClient("p", "us-central1", endpoint=address)
        name = "projects/p/locations/us-central1/datasets/d"
        client.create_dataset("d").wait(60)
        service: Any = build(
            "healthcare",
            "v1",
            http=httplib2.Http(),
            static_discovery=True,
            client_options={"api_endpoint": address},
        )
        bare = http.client.HTTPConnection("127.0.0.1", server.port)

        def get() -> None:
            bare.request("GET", f"/v1/{name}")
            assert json.loads(bare.getresponse().read())["name"] == name

        seconds = interleaved(
            {
                "bare": get,
                "ours": lambda: client.get_dataset("d"),
                "naive": lambda: service.projects().locations().datasets().get(name=name).execute(),
            },
            number=100,
        )
        bare.close()
        client.close()
    note = "median of 9 x 100, interleaved, server in the same process"
    return [
        Row("emulator, GET on a kept connection: http.client", seconds["bare"] * 1000, "ms", "≤ 1 ms", note),
        Row("the same: healthcare_deid", seconds["ours"] * 1000, "ms", "", note),
        Row("the same: plain googleapiclient", seconds["naive"] * 1000, "ms", "", note),
    ]


def waiting() -> list[Row]:
    server = _served()
    most = 0
    with DeidClient("p", "eu", endpoint=f"http://127.0.0.1:{server.server_port}", clock=FakeClock()) as client:
        chosen = list(client.list_operations("d"))
        Operations.lists.clear()
        Operations.gets.clear()
        stop = threading.Event()

        def count() -> None:
            nonlocal most
            while not stop.wait(0.005):
                most = max(most, sum(thread.name.startswith("healthcare-deid") for thread in threading.enumerate()))

        counter = threading.Thread(target=count)
        counter.start()
        begun = time.perf_counter()
        done, _ = wait(chosen)
        taken = time.perf_counter() - begun
        stop.set()
        counter.join()
    server.shutdown()
    ticks = len(Operations.lists) // 2
    return [
        Row("1,000 waiting operations: threads", most, "", "≤ 12", f"{len(done)} ended"),
        Row(
            "1,000 waiting operations: gets",
            len(Operations.gets),
            "",
            "0",
            f"{ticks} ticks, {len(Operations.lists)} list pages",
        ),
        Row(
            "1,000 waiting operations: a tick",
            taken / max(1, ticks) * 1000,
            "ms",
            "",
            "CPU of client and server, fake time",
        ),
    ]
