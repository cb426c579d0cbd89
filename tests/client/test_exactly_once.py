"""An operation starts once, or the caller learns that this is unknown."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from healthcare_deid import DeidClient, DeidentifyConfig, RetryPolicy, errors

if TYPE_CHECKING:
    from healthcare_deid.testing import FakeClock

START = r"datasets/d:deidentify"
LIST = r"datasets/d/operations\?"
DESTINATION = r"datasets/[ef]\?"
RESEND = RetryPolicy(reconcile="resend", settle=(1.0, 3.0))
MAY_HAVE_RUN = ["drop", "drop mid-body", "500", "503", "504", "408", "an HTML 502"]


@pytest.fixture(autouse=True)
def destination(server: Any) -> None:
    """Make the destination dataset exist from the second check on."""
    server.on("GET", DESTINATION, "403", server.answer(200, {}))


@pytest.mark.parametrize("loss", [*MAY_HAVE_RUN, "garbage", "half a JSON", "a JSON list"])
def test_a_start_whose_reply_is_lost_is_adopted_not_sent_again(
    server: Any, client: DeidClient, config: DeidentifyConfig, loss: str
) -> None:
    server.on("POST", START, loss)
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("77")]}))
    operation = client.deidentify_dataset("d", "e", config)
    assert operation.name == f"{server.DATASET}/operations/77"
    assert operation.adopted
    assert operation.adoption_proved, "the destination did not exist before, and does now"
    assert server.count("POST") == 1


@pytest.mark.parametrize("loss", ["stall", "dribble"])
def test_a_start_that_times_out_is_adopted(
    server: Any, client: DeidClient, config: DeidentifyConfig, loss: str
) -> None:
    server.on("POST", START, loss)
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("77")]}))
    operation = client.deidentify_dataset("d", "e", config, timeout=0.3)
    assert operation.name.endswith("/77")
    assert server.count("POST") == 1


@pytest.mark.parametrize("loss", MAY_HAVE_RUN)
def test_an_empty_list_proves_nothing_and_nothing_is_sent_again(
    server: Any, client: DeidClient, clock: FakeClock, config: DeidentifyConfig, loss: str
) -> None:
    server.on("POST", START, loss)
    server.on("GET", LIST, server.answer(200, {}))
    with pytest.raises(errors.AmbiguousSubmit, match="no new operation is listed after 65 s"):
        client.deidentify_dataset("d", "e", config)
    assert server.count("POST") == 1
    assert sum(clock.slept) >= 60


def test_an_answer_that_does_not_tell_whether_it_began_is_called_that(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, server.answer(503, {}))
    server.on("GET", LIST, server.answer(200, {}))
    with pytest.raises(errors.AmbiguousSubmit, match="HTTP 503, does not tell whether the operation was started"):
        client.deidentify_dataset("d", "e", config)


@pytest.mark.parametrize("loss", MAY_HAVE_RUN)
def test_reconcile_resend_sends_the_call_again(
    server: Any, client: DeidClient, config: DeidentifyConfig, loss: str
) -> None:
    server.on("POST", START, loss, server.answer(200, server.operation("5")))
    server.on("GET", LIST, server.answer(200, {}))
    operation = client.deidentify_dataset("d", "e", config, retry=RetryPolicy(reconcile="resend"))
    assert operation.name.endswith("/5")
    assert not operation.adopted
    assert server.count("POST") == 2


def test_reconcile_raise_names_the_candidates_at_once(
    server: Any, client: DeidClient, clock: FakeClock, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("77")]}))
    with pytest.raises(errors.AmbiguousSubmit) as caught:
        client.deidentify_dataset("d", "e", config, retry=RetryPolicy(reconcile="raise"))
    assert caught.value.candidates == (f"{server.DATASET}/operations/77",)
    assert clock.slept == []


def test_an_endless_list_ends(server: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    server.on("POST", START, "drop")
    page = {"operations": [server.operation("77")], "nextPageToken": "again"}
    server.on("GET", LIST, server.answer(200, page))
    with pytest.raises(errors.AmbiguousSubmit):
        client.deidentify_dataset("d", "e", config)


def test_a_list_with_repeating_pages_proves_nothing(server: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    def page(request: Any) -> Any:
        following = "b" if "pageToken=a" in request.path else "a"
        return server.answer(200, {"operations": [server.operation("77")], "nextPageToken": following})

    server.on("POST", START, "drop")
    server.on("GET", LIST, page)
    with pytest.raises(errors.AmbiguousSubmit, match="cannot be listed"):
        client.deidentify_dataset("d", "e", config)
    with pytest.raises(errors.ReplyError, match="page token repeats"):
        list(client.list_operations("d"))


@pytest.mark.parametrize("listed", [7, {"a": 1}, "text", [None], [7]])
def test_a_malformed_list_is_ambiguous(
    server: Any, client: DeidClient, config: DeidentifyConfig, listed: object
) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, server.answer(200, {"operations": listed}))
    with pytest.raises(errors.AmbiguousSubmit, match="cannot be listed"):
        client.deidentify_dataset("d", "e", config)


def test_an_operation_on_two_pages_is_one(server: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    def page(request: Any) -> Any:
        more = {} if "pageToken" in request.path else {"nextPageToken": "a"}
        return server.answer(200, {"operations": [server.operation("77")], **more})

    server.on("POST", START, "drop")
    server.on("GET", LIST, page)
    assert client.deidentify_dataset("d", "e", config).adopted


def test_an_unknown_value_of_reconcile_is_refused() -> None:
    with pytest.raises(errors.ConfigError, match="reconcile must be"):
        RetryPolicy(reconcile="guess")  # type: ignore[arg-type]


@pytest.mark.parametrize("after", ["403", "404"])
def test_an_operation_is_not_adopted_while_the_destination_does_not_exist(
    server: Any, client: DeidClient, config: DeidentifyConfig, after: str
) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("77")]}))
    server.on("GET", DESTINATION, "403", after)
    with pytest.raises(errors.AmbiguousSubmit, match="another program"):
        client.deidentify_dataset("d", "e", config)


def test_an_operation_is_not_adopted_if_the_destination_existed_before(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("77")]}))
    server.on("GET", DESTINATION, server.answer(200, {}))
    with pytest.raises(errors.AmbiguousSubmit, match="existed before"):
        client.deidentify_dataset("d", "e", config)


def test_a_failed_existence_check_neither_stops_the_start_nor_proves_anything(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("77")]}))
    server.on("GET", DESTINATION, "400")
    operation = client.deidentify_dataset("d", "e", config)
    assert operation.adopted
    assert not operation.adoption_proved


def test_several_operations_that_could_be_ours_are_ambiguous(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("1"), server.operation("2")]}))
    with pytest.raises(errors.AmbiguousSubmit) as caught:
        client.deidentify_dataset("d", "e", config)
    assert sorted(name[-1] for name in caught.value.candidates) == ["1", "2"]
    assert server.count("POST") == 1


def test_an_unreadable_list_is_ambiguous(server: Any, client: DeidClient, config: DeidentifyConfig) -> None:
    server.on("POST", START, "drop")
    server.on("GET", LIST, "403")
    with pytest.raises(errors.AmbiguousSubmit) as caught:
        client.deidentify_dataset("d", "e", config)
    assert caught.value.candidates == ()
    assert server.count("POST") == 1


def test_a_call_that_the_service_accepted_is_never_sent_again(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "garbage")
    server.on("GET", LIST, server.answer(200, {}))
    with pytest.raises(errors.AmbiguousSubmit):
        client.deidentify_dataset("d", "e", config)
    assert server.count("POST") == 1


@pytest.mark.parametrize("status", ["400", "403", "404", "409", "412", "a redirect"])
def test_a_start_the_service_refuses_is_neither_sent_again_nor_looked_for(
    server: Any, client: DeidClient, config: DeidentifyConfig, status: str
) -> None:
    server.on("POST", START, status)
    with pytest.raises((errors.ApiError, errors.ReplyError)):
        client.deidentify_dataset("d", "e", config)
    assert server.count("POST") == 1
    assert server.count("GET", LIST) == 0


def test_a_conflict_after_a_lost_reply_is_our_own_first_attempt(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "503", "409")
    looks = [server.answer(200, {})] * 3
    server.on("GET", LIST, *looks, server.answer(200, {"operations": [server.operation("9")]}))
    assert client.deidentify_dataset("d", "e", config, retry=RESEND).name.endswith("/9")


def test_a_conflict_after_a_lost_reply_is_raised_if_it_is_not_ours(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on("POST", START, "503", "409")
    server.on("GET", LIST, server.answer(200, {}))
    with pytest.raises(errors.AlreadyExists):
        client.deidentify_dataset("d", "e", config, retry=RESEND)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"created": "2023-11-14T22:00:00Z"}, "older than the call"),
        ({"method": "google.cloud.healthcare.v1.dicom.DicomService.ImportDicomData"}, "of another method"),
    ],
)
def test_an_operation_that_cannot_be_ours_is_not_adopted(
    server: Any, client: DeidClient, config: DeidentifyConfig, other: dict[str, str], why: str
) -> None:
    server.on("POST", START, "drop", server.answer(200, server.operation("5")))
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("4", **other)]}))
    operation = client.deidentify_dataset("d", "e", config, retry=RESEND)
    assert operation.name.endswith("/5"), why


def test_an_operation_this_client_already_knows_is_not_adopted(
    server: Any, client: DeidClient, config: DeidentifyConfig
) -> None:
    server.on(
        "POST", START, server.answer(200, server.operation("1")), "drop", server.answer(200, server.operation("2"))
    )
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("1")]}))
    first = client.deidentify_dataset("d", "e", config)
    second = client.deidentify_dataset("d", "f", config, retry=RESEND)
    assert (first.name[-1], second.name[-1]) == ("1", "2")


def test_the_servers_clock_decides_what_is_new(server: Any, config: DeidentifyConfig) -> None:
    from healthcare_deid.testing import FakeClock

    with DeidClient("p", "l", endpoint=server.url, clock=FakeClock(start=1_900_000_000)) as far_ahead:
        server.on("POST", START, "drop")
        server.on("GET", LIST, server.answer(200, {"operations": [server.operation("3")]}))
        assert far_ahead.deidentify_dataset("d", "e", config).name.endswith("/3")
    assert server.count("POST") == 1


def test_a_rate_limit_is_waited_out_as_the_service_asks(
    server: Any, client: DeidClient, clock: FakeClock, config: DeidentifyConfig
) -> None:
    limited = server.error(429, "RESOURCE_EXHAUSTED", headers={"Retry-After": "7"})
    server.on("POST", START, limited, server.answer(200, server.operation("1")))
    client.deidentify_dataset("d", "e", config)
    assert clock.slept == [7.0]
    assert server.count("GET", LIST) == 0, "a refused start did not run"


def test_an_unreachable_server_is_retried_and_then_raised(clock: FakeClock, config: DeidentifyConfig) -> None:
    client = DeidClient("p", "l", endpoint="http://127.0.0.1:9", clock=clock)
    with client, pytest.raises(errors.ConnectError) as caught:
        client.deidentify_dataset("d", "e", config)
    assert caught.value.sent == "no"
    assert caught.value.attempts == 6


def test_two_threads_with_lost_replies_never_adopt_each_others_operation(server: Any, config: DeidentifyConfig) -> None:
    """Real time: both starts are under way at once, and one of the two ran."""
    ran: list[str] = []
    gate = threading.Barrier(2)

    def start(request: Any) -> Any:
        if len(ran) < 2:
            destination = request.body["destinationDataset"]
            ran.append(destination)
            gate.wait(5)
        return server.error(503)

    server.on("POST", START, start)
    server.on("GET", LIST, server.answer(200, {"operations": [server.operation("1")]}))
    policy = RetryPolicy(tries=2, deadline=0.5, settle=(), initial=0.05)
    server.on("GET", DESTINATION, "404", "404", server.answer(200, {}))
    outcomes: list[BaseException | str] = []
    with DeidClient("p", "l", endpoint=server.url, retry=policy) as client:

        def submit(destination: str) -> None:
            try:
                outcomes.append(client.deidentify_dataset("d", destination, config).name)
            except errors.DeidError as problem:
                outcomes.append(problem)

        threads = [threading.Thread(target=submit, args=(name,)) for name in ("e", "f")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    adopted = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(outcomes) == 2
    assert len(adopted) <= 1, "one operation belongs to one call"


@pytest.mark.parametrize("method", ["create_dataset", "import", "export", "store", "fhir"])
def test_every_method_that_starts_an_operation_reconciles_before_it_is_sent_again(
    server: Any, client: DeidClient, config: DeidentifyConfig, method: str
) -> None:
    names = {
        "create_dataset": "dataset.DatasetService.CreateDataset",
        "import": "dicom.DicomService.ImportDicomData",
        "export": "dicom.DicomService.ExportDicomData",
        "store": "deidentify.DeidentifyService.DeidentifyDicomStore",
        "fhir": "deidentify.DeidentifyService.DeidentifyFhirStore",
    }
    fhir = f"{server.DATASET}/fhirStores/"
    calls: dict[str, Any] = {
        "create_dataset": lambda: client.create_dataset("d"),
        "import": lambda: client.import_dicom("d/s", "gs://bucket/**.dcm"),
        "export": lambda: client.export_dicom("d/s", "gs://bucket/folder"),
        "store": lambda: client.deidentify_dicom_store("d/s", "e/s", config),
        "fhir": lambda: client.deidentify_fhir_store(fhir + "a", fhir + "b", config),
    }
    server.on("POST", "", "drop")
    mine = server.operation("6", method=f"google.cloud.healthcare.v1.{names[method]}")
    server.on("GET", LIST, server.answer(200, {"operations": [mine]}))
    server.on("GET", r"datasets/d\?", server.answer(200, {}))
    operation = calls[method]()
    assert operation.name.endswith("/6")
    assert operation.adopted
    assert not operation.adoption_proved
    assert server.count("POST") == 1


def test_creating_a_store_is_not_sent_again_when_it_may_have_happened(server: Any, client: DeidClient) -> None:
    server.on("POST", "dicomStores", "drop")
    with pytest.raises(errors.ConnectionDropped) as caught:
        client.create_dicom_store("d/s")
    assert caught.value.sent == "maybe"
    assert server.count("POST") == 1


LOST = ["drop", "drop mid-body", "half a JSON", "garbage", "a JSON list", "an HTML 502", "408", "500", "503", "504"]
"""What a start may be answered although it ran."""
REFUSED = ["drop", "an HTML 502", "408", "429", "500", "503", "504", "400", "403"]
"""What it may be answered without having run."""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    starts=st.lists(
        st.one_of(
            st.tuples(st.just(True), st.sampled_from(LOST)),
            st.tuples(st.just(False), st.sampled_from(REFUSED)),
        ),
        max_size=4,
    ),
    looks_late=st.integers(0, 2),
)
@example(starts=[(False, "503"), (True, "drop")], looks_late=2)
def test_at_most_one_operation_runs_whatever_happens_to_replies(
    server: Any, config: DeidentifyConfig, starts: list[tuple[bool, str]], looks_late: int
) -> None:
    """A model of the service: some starts run, some do not, answers get lost, and lists lag behind."""
    from healthcare_deid.testing import FakeClock

    created: list[str] = []
    looks = 0
    left = list(starts)

    def start(_: Any) -> Any:
        nonlocal looks
        runs, said = left.pop(0) if left else (True, "")
        if runs:
            created.append(str(len(created) + 1))
            looks = 0
        if not said:
            return server.answer(200, server.operation(created[-1]))
        return server.behavior(said)

    def look(_: Any) -> Any:
        return server.answer(200, {}) if created else server.error(404)

    def listing(_: Any) -> Any:
        nonlocal looks
        looks += 1
        seen = created if looks > looks_late else created[:-1]
        return server.answer(200, {"operations": [server.operation(number) for number in seen]})

    server.on("POST", START, start)
    server.on("GET", LIST, listing)
    server.on("GET", DESTINATION, look)
    with DeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
        try:
            operation = client.deidentify_dataset("d", "e", config)
        except errors.AmbiguousSubmit:
            assert len(created) <= 1
        except errors.DeidError:
            assert created == [], "an error that says it did not start is right"
        else:
            assert created == [operation.name.rsplit("/", 1)[1]]
