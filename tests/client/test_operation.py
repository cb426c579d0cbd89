"""Operations: states, waiting, results, exceptions, futures."""

from __future__ import annotations

import concurrent.futures
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid import DeidClient, PollPolicy, as_completed, errors, wait
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, OperationState, parse_operation
from healthcare_deid.config.v1.operations import DeidentifySummary
from healthcare_deid.testing.clock import FakeClock
from healthcare_deid.testing.scripted import (
    ScriptedOperation,
    Step,
    cancelled,
    expired,
    failed,
    partial,
    running,
    succeeded,
    unreachable,
)

NAME = "projects/p/locations/l/datasets/d/operations/1"

ENDINGS = [
    (succeeded(success=3), "SUCCEEDED"),
    (partial(success=2, failure=1), "PARTIAL"),
    (Step({"done": True, "metadata": {"counter": {"secondaryFailure": "1"}}, "response": {}}), "PARTIAL"),
    (Step({"done": True, "metadata": {"counter": {"success": "1", "pending": "4"}}, "response": {}}), "PARTIAL"),
    (Step({"done": True, "response": {"successResourceCount": "2", "failureResourceCount": "1"}}), "PARTIAL"),
    (failed(7), "FAILED"),
    (cancelled(), "CANCELLED"),
    (expired(), "EXPIRED"),
]


@pytest.mark.parametrize(("step", "state"), ENDINGS)
def test_the_final_state_follows_from_the_reply(step: Step, state: str) -> None:
    assert ScriptedOperation(running(), step).wait().state == state


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "done": st.booleans(),
            "error": st.fixed_dictionaries({"code": st.integers(0, 16)}),
            "response": st.just({}),
            "metadata": st.fixed_dictionaries(
                {},
                optional={
                    "counter": st.dictionaries(st.sampled_from(["success", "failure", "pending"]), st.integers(0, 9))
                },
            ),
        },
    )
)
def test_success_is_never_reported_unless_it_was_seen(reply: dict[str, Any]) -> None:
    state = parse_operation({"name": NAME, **reply}).state
    counter = reply.get("metadata", {}).get("counter", {})
    good = reply.get("done") and "response" in reply and not reply.get("error", {}).get("code")
    if state is OperationState.SUCCEEDED:
        assert good
        assert not counter.get("failure")
        assert not counter.get("pending")
    if not reply.get("done"):
        assert state is OperationState.RUNNING


def test_a_done_operation_without_result_and_error_ends_the_wait(server: Any, client: DeidClient) -> None:
    server.on("GET", "", server.answer(200, {"name": NAME}), server.answer(200, {"name": NAME, "done": True}))
    operation = client.operation(NAME).wait(timeout=60)
    assert operation.state is OperationState.FAILED, "nothing was seen that says it succeeded"
    with pytest.raises(errors.OperationFailed):
        operation.result()


def test_the_reply_of_another_operation_is_refused() -> None:
    from healthcare_deid.names import OperationName

    with pytest.raises(errors.ReplyError, match="different operation"):
        parse_operation({"name": NAME}, expected=OperationName.parse(NAME[:-1] + "2"))


def test_a_failed_poll_is_not_a_failed_operation() -> None:
    operation = ScriptedOperation(
        unreachable(), unreachable(403), unreachable(500), Step(status=401), succeeded(success=1)
    )
    assert operation.wait().state == "SUCCEEDED"
    assert operation.polls == 5


def test_on_progress_is_called_in_this_thread_once_per_change() -> None:
    operation = ScriptedOperation(
        running(pending=2), running(pending=2), running(success=1, pending=1), succeeded(success=2)
    )
    seen: list[tuple[int, int]] = []
    threads: set[str] = set()

    def note(snapshot: OperationSnapshot) -> None:
        seen.append((snapshot.progress.success, snapshot.progress.pending))
        threads.add(threading.current_thread().name)

    operation.wait(on_progress=note)
    assert seen == [(0, 2), (1, 1), (2, 0)]
    assert threads == {threading.current_thread().name}


def test_watch_starts_with_the_last_known_state_and_stops_at_the_end() -> None:
    states = [str(snapshot.state) for snapshot in ScriptedOperation(running(pending=1), succeeded()).watch()]
    assert states == ["RUNNING", "RUNNING", "SUCCEEDED"]


def test_a_result_is_typed() -> None:
    operation = ScriptedOperation(succeeded(success=1, response={"successStoreCount": "3"}))
    result = operation.result()
    assert isinstance(result, DeidentifySummary)
    assert result.success_store_count == 3


def test_a_failure_carries_the_operation_and_the_servers_text_separately() -> None:
    operation = ScriptedOperation(failed(7, "patient Smith"))
    with pytest.raises(errors.OperationFailed) as caught:
        operation.result()
    assert caught.value.operation is operation
    assert (caught.value.code, caught.value.message) == (7, "patient Smith")
    assert "Smith" not in f"{caught.value}{caught.value!r}{operation!r}"
    assert "PERMISSION_DENIED" in str(caught.value)
    assert type(operation.exception()) is errors.OperationFailed


def test_a_partial_failure_has_a_result_and_raises_when_asked_to() -> None:
    operation = ScriptedOperation(partial(success=9, failure=1))
    assert operation.result() is not None
    assert operation.exception() is None
    with pytest.raises(errors.PartialFailure, match="1 of 10"):
        operation.result(raise_on_partial=True)


def test_a_timeout_raises_instead_of_returning_an_unfinished_operation() -> None:
    operation = ScriptedOperation(running(pending=1))
    with pytest.raises(errors.OperationTimeout) as caught:
        operation.result(timeout=90)
    assert caught.value.operation is operation
    assert isinstance(caught.value, TimeoutError)
    assert operation.clock.monotonic() == 90
    assert operation.state == "RUNNING"


def test_polling_begins_at_once_and_slows_down() -> None:
    operation = ScriptedOperation(running(), poll=PollPolicy(jitter=0))
    with pytest.raises(errors.OperationTimeout):
        operation.wait(timeout=1 + 1.5 + 2.25 + 0.01)
    assert operation.polls == 4


def test_an_operation_that_cannot_be_polled_for_ten_minutes_is_lost_not_failed() -> None:
    operation = ScriptedOperation(running(), unreachable())
    with pytest.raises(errors.OperationLost) as caught:
        operation.result()
    # The fake clock may run on while a thread of a busy machine is at work, so the polls tell that it was not longer:
    # ten minutes of pauses of up to 30 s, give or take a fifth.
    assert operation.clock.monotonic() >= 600
    assert 20 < operation.polls < 40
    assert operation.state == "RUNNING"
    assert isinstance(caught.value.__cause__, errors.Unavailable)


def test_a_lost_operation_can_be_waited_for_again() -> None:
    operation = ScriptedOperation(running(), *[unreachable()] * 40, succeeded())
    with pytest.raises(errors.OperationLost):
        operation.wait()
    assert operation.wait().state == "SUCCEEDED"


def test_callbacks_survive_a_wait_that_timed_out() -> None:
    operation = ScriptedOperation(*[running()] * 12, succeeded())
    called = threading.Event()
    heard: list[str] = []

    def hear(ended: Any) -> None:
        heard.append(str(ended.state))
        called.set()

    operation.add_done_callback(hear)
    with pytest.raises(errors.OperationTimeout):
        operation.wait(timeout=5)
    assert called.wait(10)
    assert heard == ["SUCCEEDED"]
    operation.add_done_callback(hear)
    assert heard == ["SUCCEEDED"] * 2, "an ended one calls back at once"


def test_a_callback_may_wait_for_another_operation() -> None:
    other, operation = ScriptedOperation(running(), succeeded()), ScriptedOperation(running(), succeeded())
    done = threading.Event()

    def wait_for_the_other(_: Any) -> None:
        other.result()
        done.set()

    operation.add_done_callback(wait_for_the_other)
    assert done.wait(10)


def test_a_callback_that_raises_is_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    operation, done = ScriptedOperation(running(), succeeded()), threading.Event()

    def bad(_: Any) -> None:
        raise ValueError("PHI-CANARY")

    operation.add_done_callback(bad)
    operation.add_done_callback(lambda _: done.set())
    assert done.wait(10)
    assert "ValueError" in caplog.text
    assert "PHI-CANARY" not in caplog.text


def test_closing_the_client_ends_the_waiting() -> None:
    operation = ScriptedOperation(running())
    problems: list[BaseException] = []
    watching = threading.Event()

    def hang() -> None:
        try:
            for _ in operation.watch():
                watching.set()
        except errors.OperationLost as problem:
            problems.append(problem)

    waiter = threading.Thread(target=hang)
    waiter.start()
    assert watching.wait(10)
    operation.as_future()
    operation.close()
    waiter.join(10)
    assert not waiter.is_alive()
    with pytest.raises(errors.DeidError, match="closed"):
        operation.wait()


def test_an_operation_can_be_used_as_a_future() -> None:
    good, bad = (
        ScriptedOperation(running(), succeeded()).as_future(),
        ScriptedOperation(running(), failed()).as_future(),
    )
    done, _ = concurrent.futures.wait([good, bad], timeout=10)
    assert done == {good, bad}
    assert set(concurrent.futures.as_completed([good, bad], timeout=10)) == {good, bad}
    assert isinstance(good.result(), DeidentifySummary)
    assert isinstance(bad.exception(), errors.OperationFailed)


def test_a_future_of_a_lost_operation_ends() -> None:
    operation = ScriptedOperation(unreachable())
    assert isinstance(operation.as_future().exception(timeout=10), errors.OperationLost)
    operation.close()


def test_cancel_returns_at_once_and_waiting_returns_the_final_state() -> None:
    operation = ScriptedOperation(running())
    assert operation.cancel()
    assert not operation.cancelled()
    assert operation.cancel_and_wait() == "CANCELLED"
    assert operation.cancelled()
    assert not operation.cancel(), "an ended operation is not asked"
    with pytest.raises(errors.OperationCancelled):
        operation.result()


def test_a_loop_over_done_does_not_poll_each_time() -> None:
    operation = ScriptedOperation(running(), running(), succeeded())
    turns = 0
    while not operation.done():
        turns += 1
        operation.clock.sleep(0.25)
    assert operation.polls == 3
    assert turns == 8, "asked for at most once a second"


def test_a_new_operation_that_is_not_found_yet_is_not_expired(server: Any, client: DeidClient) -> None:
    server.on("POST", "", server.answer(200, server.operation("1")))
    ended = server.answer(200, server.operation("1", done=True))
    server.on("GET", "operations", "404", "403", "404", ended)
    assert client.create_dataset("d").wait().state == "SUCCEEDED"


def test_an_operation_resumed_by_name_that_is_not_found_is_expired(server: Any, client: DeidClient) -> None:
    operation = client.operation("d/1")
    assert operation.state == "EXPIRED"
    with pytest.raises(errors.OperationLost, match="30 days"):
        operation.result()


def test_an_error_with_its_operation_can_be_pickled() -> None:
    operation = ScriptedOperation(failed(7, "text"))
    error = operation.exception()
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, errors.OperationFailed)
    assert again.operation.state == "FAILED"


def test_waiting_for_many_returns_those_that_ended_and_those_that_did_not() -> None:
    clock = FakeClock()
    good, late = ScriptedOperation(running(), succeeded(), clock=clock), ScriptedOperation(running(), clock=clock)
    ended, running_still = wait([good, late], timeout=50)
    assert (ended, running_still) == ({good}, {late})


def test_as_completed_yields_operations_in_order_of_completion(server: Any, client: DeidClient) -> None:
    turn = 0

    def listing(_: Any) -> Any:
        nonlocal turn
        turn += 1
        return server.answer(200, {"operations": [server.operation(str(n), done=n <= turn) for n in range(1, 5)]})

    server.on("GET", r"operations\?", listing)
    chosen = list(client.list_operations("d"))
    turn = 0
    assert [operation.name[-1] for operation in as_completed(chosen)] == ["1", "2", "3", "4"]


def test_as_completed_raises_when_the_time_is_up() -> None:
    with pytest.raises(errors.OperationTimeout):
        list(as_completed([ScriptedOperation(running())], timeout=30))


def test_a_thousand_operations_of_a_dataset_take_one_list_per_poll_and_few_threads(
    server: Any, client: DeidClient
) -> None:
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
    chosen = list(client.list_operations("d"))
    assert len(chosen) == 1000
    ticks = 0
    done, left = wait(chosen)
    assert (len(done), len(left)) == (1000, 0)
    assert ticks == 6
    assert server.count("GET", "operations/") == 0, "none was asked for by itself"
    assert max(threads) <= 12
