"""Ctrl-C, ``close()`` and cancellation end at once, even if a request hangs."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import AsyncDeidClient, DeidClient, errors
from healthcare_deid.client.drivers.daemon_pool import DaemonPool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOON = 5.0
PROGRAM = """
import signal, sys
from healthcare_deid import DeidClient
signal.signal(signal.SIGINT, signal.default_int_handler)
client = DeidClient("p", "l", endpoint=sys.argv[1])
print("begun", flush=True)
{work}
"""
WORK = {
    "wait": 'client.operation("d/1").wait()',
    "upload": 'client.upload("d/s", sys.argv[2])',
    "download": 'client.download("d/s", sys.argv[2])',
    "call": 'client.get_dataset("d")',
}


def plan(server: Any) -> None:
    """Make every relevant request hang."""
    found = [{"0020000D": {"Value": ["1.2"]}, "0020000E": {"Value": ["1.2.3"]}, "00080018": {"Value": ["1.2.3.4"]}}]
    server.on("POST", "studies", "stall")
    server.on("GET", "datasets/d", "stall")
    server.on("GET", r"/(studies|instances)\?.*offset=0", server.answer(200, found))
    server.on("GET", r"/(studies|instances)\?.*offset=1", server.answer(200, []))
    server.on("GET", "instances/1.2.3.4", "stall")
    server.on("GET", "operations/1", server.answer(200, server.operation("1")), "stall")


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.01)


def hangs(server: Any, work: str) -> Callable[[], bool]:
    wanted = {"wait": ("GET", "operations/1", 2), "upload": ("POST", "", 1), "download": ("GET", "1.2.3.4", 1)}
    verb, path, count = wanted.get(work, ("GET", "datasets/d", 1))
    return lambda: server.count(verb, path) >= count


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for number in range(4):
        (tmp_path / f"{number}.dcm").write_bytes(bytes(128) + b"DICM" + bytes(64))
    return tmp_path


@pytest.mark.parametrize("work", WORK)
def test_ctrl_c_ends_a_program_whose_request_hangs(server: Any, scans: Path, work: str) -> None:
    plan(server)
    program = PROGRAM.format(work=WORK[work])
    process = subprocess.Popen([sys.executable, "-c", program, server.url, str(scans)], stderr=subprocess.DEVNULL)
    try:
        wait_for(hangs(server, work))
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(30)
        assert time.monotonic() - began < SOON
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("work", WORK)
def test_closing_a_client_ends_a_hanging_request_with_an_error_that_says_so(
    server: Any, scans: Path, work: str
) -> None:
    plan(server)
    client = DeidClient("p", "l", endpoint=server.url)
    caught: list[BaseException] = []

    def run() -> None:
        try:
            exec(WORK[work], {"client": client, "sys": sys, "__name__": "x"}, {})
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            caught.append(error)

    sys.argv[1:] = ["", str(scans)]
    thread = threading.Thread(target=run)
    thread.start()
    wait_for(hangs(server, work))
    began = time.monotonic()
    client.close()
    thread.join(SOON)
    assert not thread.is_alive()
    assert time.monotonic() - began < SOON
    assert isinstance(caught[0], errors.DeidError)
    assert "closed" in str(caught[0])


@pytest.mark.parametrize("work", ["wait", "upload", "download", "call"])
def test_cancelling_a_task_and_closing_end_at_once(server: Any, scans: Path, work: str) -> None:
    plan(server)

    async def main() -> float:
        client = AsyncDeidClient("p", "l", endpoint=server.url)
        works: dict[str, Callable[[], Any]] = {
            "wait": lambda: _wait(client),
            "upload": lambda: client.upload("d/s", scans),
            "download": lambda: client.download("d/s", scans / "out"),
            "call": lambda: client.get_dataset("d"),
        }
        task = asyncio.create_task(works[work]())
        while not hangs(server, work)():  # noqa: ASYNC110 - another thread's server has no event for it
            await asyncio.sleep(0.01)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()
        return time.monotonic() - began

    assert asyncio.run(main()) < SOON


async def _wait(client: AsyncDeidClient) -> None:
    await (await client.operation("d/1")).wait()


def test_closing_the_client_ends_a_pause_between_attempts(server: Any) -> None:
    server.on("GET", "", server.error(503, headers={"Retry-After": "50"}))
    client = DeidClient("p", "l", endpoint=server.url)
    caught: list[BaseException] = []

    def run() -> None:
        try:
            client.get_dataset("d")
        except errors.DeidError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: server.count("GET") == 1)
    client.close()
    thread.join(SOON)
    assert [str(error) for error in caught] == ["the client is closed: create a new one"]


def test_a_pool_runs_everything_on_a_few_threads_and_ends() -> None:
    pool = DaemonPool(3, "test")
    names = {future.result(5) for future in [pool.submit(lambda: threading.current_thread().name) for _ in range(50)]}
    assert len(names) <= 3
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(5)
    gate = threading.Event()
    begun = threading.Barrier(4)
    blocked = [pool.submit(lambda: begun.wait(5) >= 0 and gate.wait(10)) for _ in range(3)]
    begun.wait(5)
    waiting = pool.submit(int)
    pool.shutdown(cancel_futures=True)
    assert waiting.cancelled()
    gate.set()
    assert all(future.result(5) for future in blocked)
    with pytest.raises(RuntimeError):
        pool.submit(int)
