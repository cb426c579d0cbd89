"""Clients and operations in another process: forked, or unpickled."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import AsyncDeidClient, DeidClient, DeidentifyConfig, Operation, PollPolicy, RetryPolicy, errors
from healthcare_deid.client.protocol.operation_state import OperationSnapshot
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
    # What Python 3.12 and later warn of, forking with threads at work, is what is tested.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]


def in_child(work: Callable[[], object]) -> str:
    """Fork, run ``work`` in the child, and return what it said; it is killed when it hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - the child reports through the pipe
        import signal

        signal.alarm(10)
        try:
            os.write(writing, str(work()).encode())
        except BaseException as error:  # noqa: BLE001 - all of it is reported
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        return said.read()


def test_a_forked_child_makes_its_own_connection(server: Any) -> None:
    server.on("GET", "", server.answer(200, {"name": server.DATASET}))
    with DeidClient("p", "l", endpoint=server.url) as client:
        client.get_dataset("d")
        assert in_child(lambda: client.get_dataset("d").name) == server.DATASET
        client.get_dataset("d")
    assert server.connections == 2, "the parent keeps its connection, the child has one of its own"


def test_locks_held_in_the_parent_do_not_block_the_child(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", "", server.answer(200, server.operation("2")))
    server.on(
        "GET", "", server.answer(200, server.operation("1")), server.answer(200, server.operation("1", done=True))
    )
    operation = client.operation("d/1")
    session = client._session
    held = (client._context.starts._lock, operation._tracker._lock, session.poller._changed, session.connection._lock)
    for lock in held:
        lock.acquire()
    try:
        started = in_child(lambda: client.deidentify_dataset("d", "e", config).name)
        state = in_child(lambda: operation.wait(timeout=60).state)
    finally:
        for lock in held:
            lock.release()
    assert started.endswith("/2")
    assert state == "SUCCEEDED"


def test_a_forked_child_can_wait_for_an_operation_of_its_parent(server: Any) -> None:
    """Real time: the parent's threads are at work when it forks."""
    running, ended = (server.answer(200, server.operation("1", done=done)) for done in (False, True))
    server.on("GET", "", running)
    with DeidClient("p", "l", endpoint=server.url, poll=PollPolicy(initial=0.01, maximum=0.02)) as client:
        operation, heard = client.operation("d/1"), threading.Event()
        operation.add_done_callback(lambda _: heard.set())
        server.on("GET", "", running, running, ended)
        assert in_child(lambda: operation.wait(timeout=60).state) == "SUCCEEDED"
        assert heard.wait(10), "the parent's callback was not lost"


def test_an_async_client_works_in_a_forked_child(server: Any, clock: FakeClock) -> None:
    server.on("GET", "", server.answer(200, {"name": server.DATASET}))
    client = AsyncDeidClient("p", "l", endpoint=server.url, clock=clock)

    async def ask() -> set[str | None]:
        return {dataset.name for dataset in await asyncio.gather(*(client.get_dataset("d") for _ in range(32)))}

    asyncio.run(ask())  # as many threads as there will be
    said = in_child(lambda: asyncio.run(ask()))
    assert said == str({server.DATASET}), "those threads are the parent's: the child makes its own"
    assert asyncio.run(ask()) == {server.DATASET}
    asyncio.run(client.close())


RESUME = """
import pickle, sys
operation = pickle.load(open(sys.argv[1], "rb"))
print(operation.state, type(operation.result(timeout=20)).__name__, operation.state)
"""


def test_a_pickled_operation_resumes_in_another_process(server: Any, tmp_path: Path) -> None:
    running, ended = server.operation("1"), server.operation("1", done=True, metadata={"counter": {"success": "2"}})
    server.on("GET", "", server.answer(200, running), server.answer(200, ended))
    with DeidClient("p", "l", endpoint=server.url) as client:
        handle = tmp_path / "operation.pickle"
        handle.write_bytes(pickle.dumps(client.operation("d/1")))
    program = [sys.executable, "-c", RESUME, str(handle)]
    said = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.split() == ["RUNNING", "DeidentifySummary", "SUCCEEDED"]


def test_a_pickled_local_operation_opens_its_emulator_on_first_use(tmp_path: Path) -> None:
    with DeidClient.local(tmp_path / "lab") as client:
        operation = client.create_dataset("d")
        operation.wait(timeout=30)
        handle = pickle.dumps(client.operation(operation.name))
        fresh = pickle.dumps(Operation(client._session, client._context, OperationSnapshot(operation._path)))
    assert pickle.loads(handle).state == "SUCCEEDED"
    assert pickle.loads(fresh).result(timeout=30).name.endswith("/datasets/d")


def test_an_unpickled_operation_of_a_remote_emulator_sends_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "http://emulator.invalid:8085")
    policy = RetryPolicy(tries=2)
    client = DeidClient("p", "l", timeout=7.0, retry=policy, poll=PollPolicy(maximum=5))
    operation = Operation[Any](
        client._session, client._context, OperationSnapshot(client._context.operation_name("d/1"))
    )
    monkeypatch.delenv("HEALTHCARE_EMULATOR_HOST")
    for given in (operation, errors.OperationTimeout("late", operation=operation)):
        found = pickle.loads(pickle.dumps(given))
        found = getattr(found, "operation", found)
        connection = found._session.connection
        assert (connection.endpoint, connection.is_anonymous) == ("http://emulator.invalid:8085", True)
        assert (found._context.timeout, found._context.retry, found._context.poll.maximum) == (7.0, policy, 5)
        assert found._tracker.timeout == 7.0


def test_pickling_a_client_raises_with_a_remedy() -> None:
    for client in (DeidClient("p", "l"), AsyncDeidClient("p", "l")):
        with pytest.raises(errors.DeidError, match=r"create one in each process, or pass operation\.name"):
            pickle.dumps(client)


def test_an_unpickled_operation_is_still_adopted(server: Any, config: DeidentifyConfig) -> None:
    server.on("POST", "", "drop")
    server.on("GET", r"datasets/e\?", "404", server.answer(200, {}))
    server.on("GET", r"operations\?", server.answer(200, {"operations": [server.operation("1")]}))
    server.on("GET", "operations/1", server.answer(200, server.operation("1", done=True)))
    with DeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
        operation = client.deidentify_dataset("d", "e", config).wait()
    assert (operation.adopted, operation.adoption_proved) == (True, True)
    again = pickle.loads(pickle.dumps(operation))
    assert (again.adopted, again.adoption_proved) == (True, True)
