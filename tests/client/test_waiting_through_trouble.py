"""Waiting while polls fail: no wrong state, no hang, and the right outcome."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from google.auth import credentials as google_credentials

from healthcare_deid import AsyncDeidClient, DeidClient, as_completed, errors, wait

if TYPE_CHECKING:
    from healthcare_deid.testing import FakeClock

POLL = "operations/1"
PASSING = [
    "drop",
    "drop mid-body",
    "half a JSON",
    "garbage",
    "a JSON list",
    "an HTML 502",
    "a redirect",
    *("400", "401", "403", "408", "409", "412", "418", "425", "429", "499", "500", "501", "503", "504"),
]
"""What may happen to one poll. A 404 is not among them: it is the service's word that it forgot the operation."""


def running(server: Any) -> Any:
    return server.answer(200, server.operation("1"))


def ended(server: Any, **counter: int) -> Any:
    counts = {key: str(value) for key, value in (counter or {"success": 3}).items()}
    return server.answer(200, server.operation("1", done=True, metadata={"counter": counts}))


@pytest.mark.parametrize("trouble", PASSING)
def test_failing_polls_change_neither_the_state_nor_the_outcome(server: Any, client: DeidClient, trouble: str) -> None:
    server.on("GET", POLL, running(server), trouble, trouble, running(server), trouble, ended(server))
    states = [snapshot.state for snapshot in client.operation("d/1").watch(timeout=3600)]
    assert states == ["RUNNING", "SUCCEEDED"]


@pytest.mark.parametrize("trouble", PASSING)
def test_the_same_holds_in_an_event_loop(server: Any, clock: FakeClock, trouble: str) -> None:
    server.on("GET", POLL, running(server), trouble, ended(server, success=2, failure=1))

    async def watch() -> list[str]:
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=clock) as client:
            operation = await client.operation("d/1")
            return [str(snapshot.state) async for snapshot in operation.watch(timeout=3600)]

    assert asyncio.run(watch()) == ["RUNNING", "PARTIAL"]


@pytest.mark.parametrize("trouble", PASSING)
def test_failing_list_polls_change_nothing(server: Any, client: DeidClient, trouble: str) -> None:
    both, done = ([server.operation(n, done=over) for n in "12"] for over in (False, True))
    first, last = (server.answer(200, {"operations": items}) for items in (both, done))
    server.on("GET", r"operations\?", first, trouble, first, trouble, last)
    chosen = list(client.list_operations("d"))
    assert {operation.state for operation in as_completed(chosen, timeout=3600)} == {"SUCCEEDED"}


@pytest.mark.parametrize("trouble", ["stall", "dribble"])
def test_a_stalled_poll_is_abandoned_and_repeated(server: Any, clock: FakeClock, trouble: str) -> None:
    server.on("GET", POLL, running(server), trouble, ended(server))
    with DeidClient("p", "l", endpoint=server.url, clock=clock, timeout=0.2) as client:
        assert client.operation("d/1").wait().state == "SUCCEEDED"


@pytest.mark.parametrize("trouble", PASSING)
def test_permanently_failing_polls_mean_lost_never_failed(server: Any, client: DeidClient, trouble: str) -> None:
    server.on("GET", POLL, running(server), trouble)
    operation = client.operation("d/1")
    with pytest.raises(errors.OperationLost):
        operation.result()
    assert operation.state == "RUNNING"


def test_an_unreachable_operation_is_not_done(server: Any, client: DeidClient) -> None:
    server.on("GET", POLL, running(server), "503")
    operation = client.operation("d/1")
    assert wait([operation]) == (set(), {operation})


class Hourly(google_credentials.Credentials):
    """Credentials whose tokens the server stops accepting."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth's is untyped
        self.issued = 0
        self._lock = threading.Lock()

    def refresh(self, request: Any) -> None:
        del request
        with self._lock:
            self.issued += 1
            self.token = f"token-{self.issued}"


def test_a_token_that_expires_during_a_wait_is_renewed_once(server: Any, clock: FakeClock) -> None:
    taken = "Bearer token-1"

    def reply(request: Any) -> Any:
        nonlocal taken
        polls = server.count("GET", POLL)
        if polls == 4:
            taken = "Bearer token-2"  # the first token's hour is over
        if request.headers["authorization"] != taken:
            return server.error(401)
        return ended(server) if polls > 8 else running(server)

    server.on("GET", POLL, reply)
    tokens = Hourly()
    with DeidClient("p", "l", endpoint=server.url, credentials=tokens, clock=clock) as client:
        operation = client.operation("d/1")
        assert operation.wait(timeout=3600).state == "SUCCEEDED"
        assert operation.poll_error is None
    assert tokens.issued == 2


def test_an_expired_access_token_is_not_a_failed_operation(server: Any, clock: FakeClock) -> None:
    from healthcare_deid.credentials import access_token

    server.on("GET", POLL, running(server), "401")
    with DeidClient("p", "l", endpoint=server.url, credentials=access_token("x"), clock=clock) as client:
        operation = client.operation("d/1")
        with pytest.raises(errors.OperationLost) as caught:
            operation.wait()
        assert operation.state == "RUNNING"
    assert isinstance(caught.value.__cause__, errors.CredentialsError | errors.Unauthenticated)
