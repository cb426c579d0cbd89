"""The async client equals the sync client and never blocks the event loop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import AsyncDeidClient, AsyncOperation, DeidClient, DeidentifyConfig, Operation, errors
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


def public(kind: type) -> dict[str, Any]:
    return {name: value for name, value in inspect.getmembers(kind) if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(item.name, item.kind, item.default) for item in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("sync", "aio"), [(DeidClient, AsyncDeidClient), (Operation, AsyncOperation)])
def test_both_have_the_same_names_and_signatures(sync: type, aio: type) -> None:
    assert set(public(sync)) == set(public(aio))
    for name, function in public(sync).items():
        if callable(function):
            assert parameters(function) == parameters(public(aio)[name]), name
    if sync is DeidClient:
        assert parameters(sync) == parameters(aio)


@pytest.mark.parametrize(("sync", "aio"), [(DeidClient, AsyncDeidClient), (Operation, AsyncOperation)])
def test_both_document_the_same_errors(sync: type, aio: type) -> None:
    for name, function in public(sync).items():
        theirs = inspect.getdoc(public(aio)[name]) or ""
        if "those of `DeidClient" in theirs or not callable(function):
            continue
        raised = [line.partition(":")[0].strip() for line in _raises(function)]
        assert raised == [line.partition(":")[0].strip() for line in _raises(public(aio)[name])], name


def _raises(function: Any) -> list[str]:
    lines = (inspect.getdoc(function) or "").partition("Raises:")[2].splitlines()
    return [line for line in lines if line.startswith("    ") and not line.startswith("     ")]


ERRORS = [
    "drop",
    "garbage",
    "a redirect",
    "an HTML 502",
    "400",
    "401",
    "403",
    "404",
    "408",
    "409",
    "412",
    "429",
    "500",
    "503",
]


@pytest.mark.parametrize("behavior", ERRORS)
def test_both_raise_the_same_exception_after_the_same_attempts(server: Any, behavior: str) -> None:
    server.on("GET", "", behavior)
    with (
        DeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client,
        pytest.raises(errors.DeidError) as first,
    ):
        client.get_dataset("d")
    tries = len(server.seen)

    async def ask() -> None:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
            await client.get_dataset("d")

    with pytest.raises(errors.DeidError) as second:
        asyncio.run(ask())
    assert type(first.value) is type(second.value)
    assert str(first.value) == str(second.value)
    assert len(server.seen) == 2 * tries


def test_a_start_is_adopted_in_the_async_client_too(server: Any, config: DeidentifyConfig) -> None:
    server.on("POST", "", "drop")
    server.on("GET", r"operations\?", server.answer(200, {"operations": [server.operation("8")]}))
    server.on("GET", "operations/", server.answer(200, server.operation("8", done=True)))
    server.on("GET", r"datasets/e\?", "404", server.answer(200, {}))

    async def start() -> str:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
            operation = await client.deidentify_dataset("d", "e", config)
            await operation
            return operation.name + str(operation.state)

    assert asyncio.run(start()).endswith("/8SUCCEEDED")
    assert server.count("POST") == 1


def in_loop(server: Any, work: Callable[[AsyncDeidClient, AsyncOperation[Any]], Awaitable[Any]], *replies: Any) -> Any:
    """Run ``work`` with an operation whose polls are answered by ``replies``."""
    server.on("GET", "operations/", server.answer(200, server.operation("1")), *replies)

    async def main() -> Any:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
            return await asyncio.wait_for(_started(client), 20)

    async def _started(client: AsyncDeidClient) -> Any:
        return await work(client, await client.operation("d/1"))

    return asyncio.run(main())


def test_an_operation_can_be_watched_and_awaited(server: Any) -> None:
    async def work(_: AsyncDeidClient, operation: AsyncOperation[Any]) -> list[str]:
        states = [str(snapshot) async for snapshot in operation.watch()]
        await operation
        return states

    counted = server.operation("1", metadata={"counter": {"success": "1", "pending": "1"}})
    replies = (server.answer(200, counted), "503", server.answer(200, server.operation("1", done=True)))
    assert in_loop(server, work, *replies) == ["RUNNING: 0 done", "RUNNING: 1 done, 1 to do", "SUCCEEDED: 0 done"]


def test_a_timeout_raises_and_the_operation_goes_on(server: Any) -> None:
    async def work(_: AsyncDeidClient, operation: AsyncOperation[Any]) -> str:
        with pytest.raises(errors.OperationTimeout) as caught:
            await operation.wait(timeout=20)
        assert caught.value.operation is operation
        return str(operation.state)

    assert in_loop(server, work) == "RUNNING"


def test_callbacks_and_futures_work_in_the_loop(server: Any) -> None:
    async def work(_: AsyncDeidClient, operation: AsyncOperation[Any]) -> list[str]:
        heard: list[str] = []
        operation.add_done_callback(lambda ended: heard.append(str(ended.state)))
        with pytest.raises(errors.OperationFailed):
            await operation.as_future()
        await asyncio.sleep(0)
        return heard

    assert in_loop(server, work, server.answer(200, server.operation("1", done=True, error={"code": 5}))) == ["FAILED"]


def test_cancelling_the_waiter_leaves_the_operation_alone(server: Any) -> None:
    async def work(_: AsyncDeidClient, operation: AsyncOperation[Any]) -> int:
        task = asyncio.create_task(operation.wait())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return int(server.count("POST"))

    assert in_loop(server, work) == 0


def test_closing_the_client_ends_the_waiting(server: Any) -> None:
    async def work(client: AsyncDeidClient, operation: AsyncOperation[Any]) -> None:
        task = asyncio.create_task(operation.wait())
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(errors.OperationLost, match="closed"):
            await task

    in_loop(server, work)


def test_a_thousand_waiting_operations_share_one_list_per_poll_and_few_threads(server: Any) -> None:
    ticks = 0
    threads: list[int] = []

    def listing(request: Any) -> Any:
        nonlocal ticks
        page = int(request.path.partition("pageToken=")[2].partition("&")[0] or 0)
        ticks += page == 0
        threads.append(sum(thread.name.startswith("healthcare-deid") for thread in threading.enumerate()))
        items = [server.operation(str(n), done=ticks > 5) for n in range(500 * page, 500 * page + 500)]
        return server.answer(200, {"operations": items, "nextPageToken": "1" if page == 0 else ""})

    server.on("GET", r"operations\?", listing)

    async def main() -> list[Any]:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
            chosen = [operation async for operation in client.list_operations("d")]
            return await asyncio.gather(*chosen)

    assert len(asyncio.run(main())) == 1000
    assert ticks == 6, "one to list them, five to wait for them"
    assert server.count("GET", "operations/") == 0, "none was asked for by itself"
    assert max(threads) <= 12


def test_nothing_blocks_the_loop(server: Any) -> None:
    server.on("GET", "", "stall")
    beats: list[None] = []

    async def heart() -> None:
        while True:
            await asyncio.sleep(0.01)
            beats.append(None)

    async def main() -> None:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
            await client.warm()
            beating = asyncio.create_task(heart())
            with pytest.raises(errors.RequestTimeout):
                await client.with_options(timeout=0.1).get_dataset("d")
            beating.cancel()

    asyncio.run(main())
    assert len(beats) > 12, "six tries of 0.1 s: a blocked loop beats once or twice a try"


def test_the_local_emulator_works_with_the_async_client(tmp_path: Any) -> None:
    async def main() -> list[str | None]:
        async with AsyncDeidClient.local(tmp_path / "lab") as client:
            await (await client.create_dataset("d")).result(timeout=20)
            return [dataset.name async for dataset in client.list_datasets()]

    assert asyncio.run(main()) == ["projects/local/locations/us-central1/datasets/d"]
