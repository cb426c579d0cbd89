"""Two clients, lagging lists and lost replies: nothing starts twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from healthcare_deid import DeidClient, DeidentifyConfig, Operation, RetryPolicy, errors, presets
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DATASET = "projects/p/locations/l/datasets/d"
CONFIG = presets.remove_metadata_and_all_text()
METHODS = {"dataset": "dataset.DatasetService.DeidentifyDataset", "store": "deidentify.X.DeidentifyDicomStore"}


class Response(dict[str, str]):
    """Response of an httplib2-like transport."""

    status = 200
    reason = "OK"


@dataclass
class Service:
    """The API as far as starts go: de-identification creates datasets, and lists show operations late."""

    lag: float = 0.0
    losses: list[str] = field(default_factory=list[str])
    """For each POST in turn: ``""``, lost on the way ("request"), or carried out with a lost answer ("answer")."""
    before_post: Callable[[], object] | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    operations: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list[Any])
    """Creation time, who started it, and the operation."""
    datasets: set[str] = field(default_factory=lambda: {"d"})

    def transport(self, who: str) -> Transport:
        """Return one client's transport to the service."""
        return Transport(self, who)

    def started_by(self, who: str) -> list[str]:
        """Return the names of the operations that a client started."""
        return [operation["name"] for _, starter, operation in self.operations if starter == who]


@dataclass
class Transport:
    """Transport with httplib2's signature."""

    service: Service
    who: str

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Response, bytes]:
        del headers
        service = self.service
        service.clock.advance(0.05)
        status, answer = self._post(uri, json.loads(body)) if method == "POST" else self._get(uri)
        response = Response(date=formatdate(service.clock.time(), usegmt=True))
        response.status = status
        return response, json.dumps(answer).encode()

    def _get(self, uri: str) -> tuple[int, dict[str, Any]]:
        service = self.service
        if "/operations" in uri:
            now = service.clock.time()
            return 200, {
                "operations": [item for created, _, item in service.operations if now - created >= service.lag]
            }
        name = uri.split("/datasets/")[1].split("?", maxsplit=1)[0]
        return (200, {"name": name}) if name in service.datasets else (403, {})

    def _post(self, uri: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        service = self.service
        before, service.before_post = service.before_post, None
        if before is not None:
            before()
        loss = service.losses.pop(0) if service.losses and self.who == "ours" else ""
        if loss == "request":
            raise ConnectionResetError("the request is lost")
        kind = "store" if "dicomStores" in uri else "dataset"
        destination = body.get("destinationDataset", "").rsplit("/", 1)[-1]
        if destination in service.datasets:
            return 409, {"error": {"code": 409, "status": "ALREADY_EXISTS"}}
        if destination:
            service.datasets.add(destination)
        now = service.clock.time()
        operation = {
            "name": f"{DATASET}/operations/{len(service.operations) + 1}",
            "metadata": {
                "apiMethodName": f"google.cloud.healthcare.v1.{METHODS[kind]}",
                "createTime": datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z"),
            },
        }
        service.operations.append((now, self.who, operation))
        if loss == "answer":
            raise ConnectionResetError("the answer is lost")
        return 200, operation


def start(service: Service, who: str, level: str, destination: str, **options: Any) -> Operation[Any] | None:
    """Start work of one client; None if the client says that it cannot know whether or as what it runs."""
    client = DeidClient("p", "l", http=service.transport(who), clock=service.clock)
    try:
        if level == "dataset":
            return client.deidentify_dataset("d", destination, CONFIG, **options)
        return client.deidentify_dicom_store("d/a", f"d/{destination}", CONFIG, **options)
    except errors.AmbiguousSubmit:
        return None


LOSSES = st.lists(st.sampled_from(["request", "answer"]), max_size=3)


@settings(max_examples=200, deadline=None)
@given(
    level=st.sampled_from(["dataset", "store"]),
    lag=st.floats(0, 60),
    losses=LOSSES,
    other=st.sampled_from(["none", "before", "at once", "after"]),
    other_level=st.sampled_from(["dataset", "store"]),
)
@example(level="store", lag=5.0, losses=["answer"], other="none", other_level="store")
@example(level="dataset", lag=60.0, losses=["answer"], other="at once", other_level="dataset")
@example(level="dataset", lag=0.0, losses=["request"], other="at once", other_level="dataset")
@example(level="store", lag=60.0, losses=["request", "answer"], other="before", other_level="store")
def test_nothing_starts_twice_and_no_other_operation_is_adopted(
    level: str, lag: float, losses: list[str], other: str, other_level: str
) -> None:
    service = Service(lag, list(losses))

    def stranger() -> None:
        start(service, "theirs", other_level, "z")

    if other == "before":
        stranger()
        service.clock.advance(1)
    elif other == "at once":
        service.before_post = stranger
    operation = start(service, "ours", level, "x")
    if other == "after":
        stranger()
    ours = service.started_by("ours")
    assert len(ours) <= 1, "a start is never sent again on silence"
    if operation is None:
        return
    if operation.name not in ours:
        assert operation.adopted, "a stranger's operation says that it was adopted"
        assert ours == [], "our own would have been listed by then"
        assert not operation.adoption_proved
        assert level == "store", "a stranger has no destination of ours"
    if not losses:
        assert not operation.adopted


@pytest.mark.parametrize("lag", [0, 1, 5, 20, 59])
@pytest.mark.parametrize("level", ["dataset", "store"])
def test_a_start_whose_reply_is_lost_is_found_however_late_it_is_listed(level: str, lag: float) -> None:
    service = Service(lag, ["answer"])
    operation = start(service, "ours", level, "x")
    assert operation is not None
    assert operation.adopted
    assert [operation.name] == service.started_by("ours")


def test_a_second_run_happens_only_with_reconcile_resend() -> None:
    service = Service(90.0, ["answer"])
    assert start(service, "ours", "store", "x") is None
    again = Service(90.0, ["answer"])
    assert start(again, "ours", "store", "x", retry=RetryPolicy(reconcile="resend")) is not None
    assert (len(service.started_by("ours")), len(again.started_by("ours"))) == (1, 2)


def test_one_client_tells_the_starts_of_two_threads_apart() -> None:
    config: DeidentifyConfig = CONFIG
    service = Service(10.0, ["answer"])
    client = DeidClient("p", "l", http=service.transport("ours"), clock=service.clock)
    first = client.deidentify_dicom_store("d/a", "d/x", config)
    second = client.deidentify_dicom_store("d/a", "d/y", config)
    assert first.adopted
    assert not second.adopted
    assert first.name != second.name
