"""No PHI, URL query, server text, token or key in errors, logs, spans or reprs."""

from __future__ import annotations

import asyncio
import io
import logging
import traceback
from contextlib import redirect_stderr
from typing import TYPE_CHECKING, Any, Self

import pytest
from googleapiclient.http import HttpMock
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry import trace

from healthcare_deid import AsyncDeidClient, DeidClient, DeidentifyConfig, RetryPolicy, errors, presets, wait
from healthcare_deid.client.http.telemetry import ATTRIBUTES
from healthcare_deid.testing import FakeClock
from healthcare_deid.testing.scripted import ScriptedOperation, Step, failed, running, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CANARY = "PHICANARY"
KEY = "UEhJQ0FOQVJZUEhJQ0FOQVJZUEhJQ0FOQVJZUEhJQ0E="
"""Thirty-two bytes of the canary, in base64."""


class Spans(list[Any]):
    """Tracer that records spans."""

    def text(self) -> str:
        return repr([vars(span) for span in self])


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Collect the spans this package makes; the SDK of OpenTelemetry is not needed for that."""
    collected = Spans()

    class Span:
        def __init__(self, name: str, attributes: dict[str, Any]) -> None:
            self.name, self.attributes, self.status = name, dict(attributes), ""
            collected.append(self)

        def set_attribute(self, key: str, value: Any) -> None:
            self.attributes[key] = value

        def set_status(self, status: Any) -> None:
            self.status = f"{status.status_code} {status.description}"

        def end(self, **times: Any) -> None:
            assert set(times) == {"end_time"}

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *ignored: object) -> None:
            pass

    class Tracer:
        def start_as_current_span(self, name: str, attributes: dict[str, Any], **options: Any) -> Span:
            assert options == {"record_exception": False, "set_status_on_exception": False}
            return Span(name, attributes)

        def start_span(self, name: str, attributes: dict[str, Any], **_: Any) -> Span:
            return Span(name, attributes)

    def get_tracer(_: str) -> Tracer:
        return Tracer()

    monkeypatch.setattr(trace, "get_tracer", get_tracer)
    return collected


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """Collect everything that any logger of the program writes."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def all_text(error: BaseException) -> str:
    """Return everything that printing, logging or inspecting an exception shows."""
    parts = ["".join(traceback.format_exception(error)), repr(error), str(error)]
    seen: BaseException | None = error
    while seen is not None:
        parts += [str(seen), repr(seen)]
        seen = seen.__cause__ or seen.__context__
    operation = getattr(error, "operation", None)
    return "".join(parts) + repr(operation)


def search(client: DeidClient) -> object:
    found: object = client.dicomweb("d/s").search_for_studies(search_filters={"PatientName": CANARY})
    return found


CONFIG = presets.transform_contents_and_sensitive_text(crypto_key=KEY)

CALLS: dict[str, Callable[[DeidClient, Path], object]] = {
    "get": lambda client, _: client.get_dataset(CANARY),
    "list": lambda client, _: list(client.list_dicom_stores("d", filter=f"labels.x={CANARY}")),
    "create store": lambda client, _: client.create_dicom_store("d/s", labels={"patient": CANARY}),
    "create dataset": lambda client, _: client.create_dataset(CANARY),
    "delete": lambda client, _: client.delete_dataset(CANARY),
    "operation": lambda client, _: client.operation("d/1").result(timeout=10),
    "cancel": lambda client, _: client.cancel_operation("d/1"),
    "deidentify": lambda client, _: client.deidentify_dataset("d", CANARY, CONFIG),
    "search": lambda client, _: search(client),
    "metrics": lambda client, _: client.get_dicom_store_metrics("d/s"),
    "upload": lambda client, folder: client.upload(f"d/{CANARY}", folder),
    "download": lambda client, folder: client.download(f"d/{CANARY}", folder / "out"),
    "preflight": lambda client, _: client.preflight("d/s", f"e/{CANARY}", CONFIG),
    "import": lambda client, _: client.import_dicom("d/s", f"gs://bucket/{CANARY}"),
    "many": lambda client, _: wait(list(client.list_operations("d"))),
}
ASYNC_CALLS: dict[str, Callable[[AsyncDeidClient, Path], Any]] = {
    "get": lambda client, _: client.get_dataset(CANARY),
    "deidentify": lambda client, _: client.deidentify_dataset("d", CANARY, CONFIG),
    "upload": lambda client, folder: client.upload(f"d/{CANARY}", folder),
    "preflight": lambda client, _: client.preflight("d/s", f"e/{CANARY}", CONFIG),
}
SAFE_RESULTS = {"operation", "deidentify", "create dataset", "upload", "download", "preflight", "import", "many"}
"""Calls whose result says what happened; the others return what the server sent, which is the point of them."""

WRONG: list[Any] = [
    {"name": CANARY},
    {"operations": [{"name": CANARY}]},
    {"timeZone": {"x": CANARY}},
    {"labels": CANARY},
    {"permissions": CANARY},
]
"""Replies of another shape than the method's."""

TROUBLE = ["drop", "drop mid-body", "half a JSON", "garbage", "a JSON list", "a redirect", "an HTML 502"]


ANY_TROUBLE = st.one_of(
    st.sampled_from(TROUBLE),
    st.tuples(st.sampled_from([400, 401, 403, 404, 409, 412, 429, 500, 503]), st.booleans(), st.booleans()),
    st.sampled_from(WRONG),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file whose name and content are the canary."""
    patient = tmp_path / "scans" / CANARY
    patient.mkdir(parents=True)
    (patient / f"{CANARY}.dcm").write_bytes(bytes(128) + b"DICM" + CANARY.encode() * 9)
    return tmp_path / "scans"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=st.sampled_from(sorted(CALLS)), trouble=ANY_TROUBLE)
@example(call="get", trouble=(403, False, True))  # googleapiclient logs the body of a 403 that is not JSON
@example(call="get", trouble=(400, False, False))  # the canary in the place of a canonical code
@example(call="search", trouble="half a JSON")  # requests quotes an answer that is not JSON
@example(call="upload", trouble=(409, False, True))
@example(call="upload", trouble=(403, False, False))
@example(call="download", trouble=(403, False, False))
@example(call="preflight", trouble=(500, False, False))
@example(call="many", trouble={"operations": [{"name": CANARY}]})
def test_a_canary_in_every_input_and_reply_never_shows(
    server: Any, spans: Spans, logs: io.StringIO, folder: Path, call: str, trouble: Any
) -> None:
    plan(server, trouble)
    client = DeidClient("p", "l", endpoint=server.url, clock=FakeClock(), retry=RetryPolicy(tries=2))
    stderr = io.StringIO()
    with client, redirect_stderr(stderr):
        try:
            result = CALLS[call](client, folder)
            shown = f"{result!r}{result}" if call in SAFE_RESULTS else ""
        except errors.DeidError as error:
            shown = all_text(error)
    assert_hidden(shown, logs.getvalue(), spans.text(), stderr.getvalue(), repr(client))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(call=st.sampled_from(sorted(ASYNC_CALLS)), trouble=ANY_TROUBLE)
def test_the_same_holds_in_an_event_loop(
    server: Any, spans: Spans, logs: io.StringIO, folder: Path, call: str, trouble: Any
) -> None:
    plan(server, trouble)
    stderr = io.StringIO()

    async def ask() -> str:
        options = RetryPolicy(tries=2)
        async with AsyncDeidClient("p", "l", endpoint=server.url, clock=FakeClock(), retry=options) as client:
            try:
                result = await ASYNC_CALLS[call](client, folder)
            except errors.DeidError as error:
                return all_text(error)
            return f"{result!r}{result}" if call in SAFE_RESULTS else ""

    with redirect_stderr(stderr):
        shown = asyncio.run(ask())
    assert_hidden(shown, logs.getvalue(), spans.text(), stderr.getvalue())


def plan(server: Any, trouble: Any) -> None:
    """Make the server answer every request with one failure that contains the canary."""
    if isinstance(trouble, tuple):
        status, as_list, html = trouble
        body: Any = {"error": {"message": CANARY, "status": CANARY, "details": [{"reason": CANARY, "x": CANARY}]}}
        trouble = server.answer(status, f"<p>{CANARY}".encode() if html else [body] if as_list else body)
    elif isinstance(trouble, dict):
        trouble = server.answer(200, trouble)
    for verb in ("GET", "POST", "DELETE"):
        server.on(verb, "", trouble)


def assert_hidden(*texts: str) -> None:
    for text in texts:
        assert CANARY not in text
        assert KEY not in text
        assert "Bearer" not in text


def test_spans_carry_nothing_but_the_listed_attributes(server: Any, spans: Spans, config: DeidentifyConfig) -> None:
    server.on("POST", "", "503", server.answer(200, server.operation("1")))
    server.on("GET", r"operations\?", server.answer(200, {}))
    server.on("GET", "operations/", server.answer(200, server.operation("1", done=True)))
    with DeidClient("p", "l", endpoint=server.url, clock=FakeClock()) as client:
        client.deidentify_dataset("d", "e", config, retry=RetryPolicy(reconcile="resend")).wait()
    assert {key for span in spans for key in span.attributes} <= ATTRIBUTES
    names = [span.name for span in spans]
    assert names.count("healthcare.projects.locations.datasets.deidentify") == 2
    assert names[-1] == "healthcare_deid.operation"
    assert spans[-1].attributes["healthcare_deid.state"] == "SUCCEEDED"
    first = next(span for span in spans if span.name.endswith("datasets.deidentify"))
    assert first.attributes["error.type"] == "Unavailable"


def test_a_span_never_shows_an_unknown_method_name(spans: Spans) -> None:
    operation = ScriptedOperation(Step({"done": True, "metadata": {"apiMethodName": f"a.{CANARY}"}, "response": {}}))
    operation.wait()
    assert spans[-1].name == "healthcare_deid.operation"
    assert CANARY not in str(spans[-1].attributes)


def test_an_operation_shows_its_counters_and_no_text_of_the_server() -> None:
    operation = ScriptedOperation(running(), failed(13, CANARY))
    operation.wait()
    shown = f"{operation!r}{operation.snapshot!r}{operation.snapshot}{operation._repr_html_()}"
    error = operation.exception()
    assert error is not None
    assert CANARY not in shown + all_text(error) + repr(operation.snapshot.error)
    done = ScriptedOperation(succeeded(response={"note": CANARY}))
    done.wait()
    assert CANARY not in f"{done!r}{done.snapshot!r}"


def test_credentials_never_show(tmp_path: Path) -> None:
    path = tmp_path / f"{CANARY}.json"
    path.write_text(f'{{"type": "service_account", "private_key": "{CANARY}"}}')
    for source in (str(path), {"type": "service_account", "private_key": CANARY}):
        client = DeidClient("p", "l", credentials=source, retry=RetryPolicy.never())
        with client, pytest.raises(errors.CredentialsError) as caught:
            client.get_dataset("d")
        assert CANARY not in all_text(caught.value) + repr(client) + repr(vars(client._session.connection))


def test_the_repr_of_a_client_names_its_transport() -> None:
    with DeidClient("p", "l", http=HttpMock(headers={"status": "200"})) as client:
        assert repr(client) == "<DeidClient of https://healthcare.googleapis.com through HttpMock>"


def test_the_repr_of_a_local_client_says_local_without_the_path(tmp_path: Path) -> None:
    with DeidClient.local(tmp_path / "secret") as client:
        assert repr(client) == "<DeidClient of the in-process emulator (local), without Google>"


def test_reprs_of_clients_show_the_endpoint_only() -> None:
    shown = repr(DeidClient("secret-project", "l")) + repr(AsyncDeidClient("secret-project", "l"))
    assert shown == (
        "<DeidClient of https://healthcare.googleapis.com><AsyncDeidClient of https://healthcare.googleapis.com>"
    )
