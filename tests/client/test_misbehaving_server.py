"""Reads from a misbehaving server: documented exceptions after documented attempts."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidClient, RetryPolicy, errors

if TYPE_CHECKING:
    from healthcare_deid.testing import FakeClock

PATH = r"/v1/projects/p/locations/l/datasets/d\?"

READS: list[tuple[str, type[errors.DeidError], int]] = [
    ("drop", errors.ConnectionDropped, 6),
    ("drop mid-body", errors.ConnectionDropped, 6),
    ("half a JSON", errors.ReplyError, 1),
    ("garbage", errors.ReplyError, 1),
    ("a JSON list", errors.ReplyError, 1),
    ("a redirect", errors.ReplyError, 1),
    ("an HTML 502", errors.Unavailable, 6),
    ("400", errors.BadRequest, 1),
    ("401", errors.Unauthenticated, 1),
    ("403", errors.PermissionDenied, 1),
    ("404", errors.NotFound, 1),
    ("408", errors.DeadlineExceeded, 6),
    ("409", errors.AlreadyExists, 1),
    ("412", errors.FailedPrecondition, 1),
    ("418", errors.ApiError, 1),
    ("425", errors.ApiError, 6),
    ("429", errors.ResourceExhausted, 6),
    ("499", errors.RequestCancelled, 1),
    ("500", errors.InternalError, 6),
    ("501", errors.NotImplementedByServer, 1),
    ("503", errors.Unavailable, 6),
    ("504", errors.DeadlineExceeded, 6),
]


@pytest.mark.parametrize(("behavior", "kind", "tries"), READS, ids=[row[0] for row in READS])
def test_a_read_raises_the_documented_exception_after_the_documented_attempts(
    server: Any, client: DeidClient, behavior: str, kind: type[errors.DeidError], tries: int
) -> None:
    server.on("GET", PATH, behavior)
    with pytest.raises(errors.DeidError) as caught:
        client.get_dataset("d")
    assert type(caught.value) is kind
    assert server.count("GET") == tries
    if isinstance(caught.value, errors.ApiError | errors.TransportError):
        assert caught.value.attempts == tries


@pytest.mark.parametrize("behavior", ["drop", "drop mid-body", "an HTML 502", "408", "429", "500", "503"])
def test_a_read_succeeds_after_transient_failures(server: Any, client: DeidClient, behavior: str) -> None:
    server.on("GET", PATH, behavior, behavior, server.answer(200, {"name": server.DATASET}))
    assert client.get_dataset("d").name == server.DATASET
    assert server.count("GET") == 3


@pytest.mark.parametrize("behavior", ["stall", "dribble"])
def test_a_timeout_applies_to_a_kept_connection(server: Any, client: DeidClient, behavior: str) -> None:
    server.on("GET", PATH, server.answer(200, {"name": server.DATASET}), behavior)
    client.get_dataset("d")
    began = time.monotonic()
    with pytest.raises(errors.RequestTimeout) as caught:
        client.get_dataset("d", timeout=0.3, retry=RetryPolicy.never())
    assert time.monotonic() - began < 20, "the server keeps it for ever; a loaded machine may take its time"
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.sent == "maybe"


def test_reads_share_one_connection_and_a_start_opens_a_new_one(server: Any, client: DeidClient) -> None:
    server.on("GET", PATH, server.answer(200, {"name": server.DATASET}))
    server.on("POST", "", server.answer(200, server.operation("1")))
    for _ in range(3):
        client.get_dataset("d")
    assert server.connections == 1
    client.create_dataset("d")
    assert server.connections == 2


def test_only_a_403_for_a_rate_limit_is_retried(server: Any, client: DeidClient) -> None:
    reason = {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}
    server.on("GET", PATH, server.answer(403, reason), server.answer(200, {"name": server.DATASET}))
    assert client.get_dataset("d").name == server.DATASET


def test_a_retry_after_beyond_the_deadline_is_raised_at_once(server: Any, client: DeidClient, clock: FakeClock) -> None:
    server.on("GET", PATH, server.error(503, headers={"Retry-After": "3600"}))
    with pytest.raises(errors.Unavailable) as caught:
        client.get_dataset("d")
    assert caught.value.retry_after == 3600
    assert server.count("GET") == 1
    assert clock.slept == []


def test_a_retry_after_may_be_a_date(server: Any, client: DeidClient, clock: FakeClock) -> None:
    later = server.error(503, headers={"Retry-After": "Tue, 14 Nov 2023 22:13:32 GMT"})
    server.on("GET", PATH, later, server.answer(200, {"name": server.DATASET}))
    client.get_dataset("d")
    assert clock.slept == [12.0]


def test_the_deadline_limits_all_attempts_together(server: Any, client: DeidClient, clock: FakeClock) -> None:
    server.on("GET", PATH, "503")
    patient = RetryPolicy(tries=1000, deadline=20.0)
    with pytest.raises(errors.Unavailable):
        client.get_dataset("d", retry=patient)
    assert clock.monotonic() <= 20.0
    assert 2 < server.count("GET") < 1000


def test_not_found_on_a_retried_delete_is_success(server: Any, client: DeidClient) -> None:
    server.on("DELETE", "", "drop", "404")
    client.delete_dataset("d")
    assert server.count("DELETE") == 2


def test_not_found_on_the_first_delete_is_raised(server: Any, client: DeidClient) -> None:
    server.on("DELETE", "", "404")
    with pytest.raises(errors.NotFound):
        client.delete_dataset("d")


def test_lists_fetch_all_pages(server: Any, client: DeidClient) -> None:
    pages = {"": ("1", "2"), "2": ("2", "3"), "3": ("3", "")}

    def page(request: Any) -> Any:
        token = request.path.partition("pageToken=")[2].partition("&")[0]
        number, following = pages[token]
        return server.answer(200, {"datasets": [{"name": number}], "nextPageToken": following})

    server.on("GET", r"/datasets\?", page)
    assert [dataset.name for dataset in client.list_datasets()] == ["1", "2", "3"]


def test_an_endless_list_is_an_error(server: Any, client: DeidClient) -> None:
    server.on("GET", r"/datasets\?", server.answer(200, {"datasets": [], "nextPageToken": "x"}))
    with pytest.raises(errors.ReplyError):
        list(client.list_datasets())


def test_unknown_fields_and_values_are_kept(server: Any, client: DeidClient) -> None:
    reply = {"name": server.DATASET, "newField": {"deep": [1]}, "timeZone": "UTC"}
    server.on("GET", PATH, server.answer(200, reply))
    assert client.get_dataset("d").to_api() == reply


def test_raw_replies_are_available(server: Any, client: DeidClient) -> None:
    server.on("GET", PATH, server.answer(200, {"name": server.DATASET}, headers={"X-Thing": "yes"}))
    with client.raw_replies() as replies:
        client.get_dataset("d")
    client.get_dataset("d")
    assert [reply.status for reply in replies] == [200]
    assert replies[0].headers["x-thing"] == "yes"
    assert replies[0].json == {"name": server.DATASET}


def test_eight_threads_with_500_polls_each_get_their_own_operation(server: Any, client: DeidClient) -> None:
    def reply(request: Any) -> Any:
        return server.answer(200, server.operation(request.path.rsplit("/", 1)[1].partition("?")[0]))

    server.on("GET", "operations/", reply)
    wrong: list[str] = []

    def poll(number: int) -> None:
        for turn in range(500):
            wanted = f"{number}{turn:03d}"
            operation = client.operation(f"d/{wanted}")
            if operation.name != f"{server.DATASET}/operations/{wanted}" or operation.state != "RUNNING":
                wrong.append(wanted)

    threads = [threading.Thread(target=poll, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert wrong == []
    assert server.connections == 8, "a connection a thread"
