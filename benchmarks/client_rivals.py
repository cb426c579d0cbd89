"""What the client is measured beside: one googleapiclient service for all threads, and google-api-core's operations."""

from __future__ import annotations

import threading
import time
from typing import Any

import httplib2
from google.api_core import operation as api_core
from google.api_core.future.polling import DEFAULT_POLLING
from google.protobuf import empty_pb2
from googleapiclient.discovery import build
from timing import Row

from healthcare_deid.testing import ScriptedOperation, running, succeeded

DATASET = "projects/p/locations/eu/datasets/d"
THREADS, POLLS = 8, 60


def shared_service(endpoint: str) -> list[Row]:
    """Poll from eight threads through one service of googleapiclient, as its ``build`` gives it."""
    service: Any = build(
        "healthcare",
        "v1",
        http=httplib2.Http(timeout=1),
        static_discovery=True,
        client_options={"api_endpoint": endpoint},
    )
    operations = service.projects().locations().datasets().operations()
    wrong: list[str] = []
    failed: list[str] = []

    def poll(number: int) -> None:
        for turn in range(POLLS):
            name = f"{DATASET}/operations/{number}{turn:03d}"
            try:
                if operations.get(name=name).execute()["name"] != name:
                    wrong.append(name)
            except Exception as error:  # noqa: BLE001 - that it fails is what is counted
                failed.append(type(error).__name__)

    _in_threads(poll)
    total = THREADS * POLLS
    return [
        Row("8 threads, one googleapiclient service: wrong answers", len(wrong), "", "", f"of {total} polls"),
        Row("8 threads, one googleapiclient service: failed or hung 1 s", len(failed), "", "", f"of {total} polls"),
    ]


def _in_threads(poll: Any) -> None:
    threads = [threading.Thread(target=poll, args=(number,), daemon=True) for number in range(1, THREADS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def _api_core_operation(polls: int, *, timeout: float) -> Any:
    """Return google-api-core's future over an operation that ends after so many polls."""
    left = [polls]
    body = {"name": "operations/1"}

    def request(**_: Any) -> dict[str, Any]:
        left[0] -= 1
        done = {"done": True, "response": {"@type": "type.googleapis.com/google.protobuf.Empty"}}
        return body | (done if left[0] <= 0 else {})

    polling = DEFAULT_POLLING.with_timeout(timeout).with_delay(initial=0.05, maximum=0.05)
    return api_core.from_http_json(body, request, empty_pb2.Empty, polling=polling)


def callbacks() -> list[Row]:
    """Add a callback to an operation that outlives the polling's own deadline (900 s by default; here 0.2 s)."""
    quiet = threading.excepthook
    threading.excepthook = lambda _: None
    heard: list[object] = []
    late = _api_core_operation(12, timeout=0.2)
    late.add_done_callback(heard.append)
    time.sleep(1.5)
    late.done()  # it has ended, and is asked once more
    threading.excepthook = quiet
    ours: list[object] = []
    ended = threading.Event()
    operation = ScriptedOperation(*[running()] * 400, succeeded())
    operation.add_done_callback(lambda done: (ours.append(done), ended.set()))
    ended.wait(60)
    hours = operation.clock.monotonic() / 3600
    return [
        Row("callbacks lost on an operation that runs long: healthcare_deid", 1 - len(ours), "", "0", f"{hours:.1f} h"),
        Row(
            "the same: google-api-core",
            1 - len(heard),
            "",
            "",
            f"past its deadline, {DEFAULT_POLLING.timeout:g} s by default",
        ),
    ]


def waiting_threads(count: int = 100) -> list[Row]:
    """Wait for many operations with google-api-core: a thread each."""
    before = threading.active_count()
    futures = [_api_core_operation(20, timeout=30) for _ in range(count)]
    ended: list[object] = []
    for future in futures:
        future.add_done_callback(ended.append)
    most = threading.active_count() - before
    deadline = time.monotonic() + 30
    while len(ended) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    note = f"{len(ended)} ended; a get each and poll"
    return [Row(f"{count} waiting operations: threads of google-api-core", most, "", "", note)]
