"""The connection: endpoint, credentials, and replaceable transports."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httplib2
import pytest
from google.auth import credentials as google_credentials
from googleapiclient.http import HttpMock, HttpMockSequence, RequestMockBuilder

from healthcare_deid import DeidClient, DeidentifyConfig, PollPolicy, RetryPolicy, errors
from healthcare_deid import credentials as ours
from healthcare_deid.client.http.limits import Limits
from healthcare_deid.client.http.token_refresh import SharedCredentials
from healthcare_deid.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path


NAME = "projects/p/locations/l/datasets/d"


class Tokens(google_credentials.Credentials):
    """Credentials whose tokens are numbered."""

    def __init__(self, *, fail: Exception | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth's is untyped
        self.refreshed = 0
        self.fail = fail
        self.gate = threading.Event()
        self.gate.set()

    def refresh(self, request: Any) -> None:
        del request
        self.gate.wait(5)
        self.refreshed += 1
        if self.fail is not None:
            raise self.fail
        self.token = f"token-{self.refreshed}"


def test_googleapiclients_own_mocks_plug_in(config: DeidentifyConfig) -> None:
    http = HttpMockSequence([({"status": "200"}, json.dumps({"name": f"{NAME}/operations/1"}))])
    operation = DeidClient("p", "l", http=http).deidentify_dataset("d", "e", config)
    assert operation.name == f"{NAME}/operations/1"
    uri, method, body, headers = http.request_sequence[0]
    assert (uri, method) == (f"https://healthcare.googleapis.com/v1/{NAME}:deidentify?alt=json", "POST")
    assert json.loads(body) == {
        "destinationDataset": "projects/p/locations/l/datasets/e",
        "config": config.to_api(),
    }
    assert headers["user-agent"].startswith("healthcare-deid/")


def test_a_mock_file_plugs_in(tmp_path: Path) -> None:
    (tmp_path / "reply.json").write_text(json.dumps({"name": NAME}))
    http = HttpMock(str(tmp_path / "reply.json"), {"status": "200"})
    assert DeidClient("p", "l", http=http).get_dataset("d").name == NAME


def test_a_request_mock_builder_plugs_in() -> None:
    method = "healthcare.projects.locations.datasets.get"
    builder = RequestMockBuilder({method: (None, json.dumps({"name": NAME}))}, check_unexpected=True)
    for http in (HttpMock(), None):
        client = DeidClient("p", "l", http=http, request_builder=builder)
        assert client.get_dataset("d").name == NAME, "and needs neither a transport nor credentials"


def test_a_mocked_error_raises_this_packages_exception() -> None:
    response = httplib2.Response({"status": "404"})
    method = "healthcare.projects.locations.datasets.get"
    builder = RequestMockBuilder({method: (response, b'{"error": {"code": 404, "message": "gone"}}')})
    with pytest.raises(errors.NotFound) as caught:
        DeidClient("p", "l", http=HttpMock(), request_builder=builder).get_dataset("d")
    assert caught.value.message == "gone"


def test_a_users_httplib2_http_sends_one_post_too(server: Any, clock: FakeClock, config: DeidentifyConfig) -> None:
    server.on("POST", "", "drop")
    server.on("GET", r"datasets/e\?", server.answer(200, {}))
    server.on("GET", "operations", server.answer(200, {"operations": [server.operation("4")]}))
    client = DeidClient("p", "l", http=httplib2.Http(), endpoint=server.url, clock=clock)
    with client:
        assert client.deidentify_dataset("d", "e", config).name.endswith("/4")
    assert server.count("POST") == 1


def test_a_users_httplib2_http_serves_one_thread_at_a_time(server: Any) -> None:
    def reply(request: Any) -> Any:
        return server.answer(200, {"name": request.path.split("/")[-1].split("?")[0]})

    server.on("GET", "", reply)
    client = DeidClient("p", "l", http=httplib2.Http(), endpoint=server.url)
    wrong: list[str] = []

    def read(number: int) -> None:
        wrong.extend(f"d{number}" for _ in range(50) if client.get_dataset(f"d{number}").name != f"d{number}")

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    client.close()
    assert wrong == []


def test_the_emulator_variable_is_used_without_credentials(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", server.url)
    server.on("GET", "", server.answer(200, {"name": NAME}))
    with DeidClient("p", "l") as client:
        assert client.get_dataset("d").name == NAME
    assert "authorization" not in server.seen[0].headers


def test_the_universe_domain_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog")
    http = HttpMockSequence([({"status": "200"}, "{}")])
    DeidClient("p", "l", http=http).get_dataset("d")
    assert http.request_sequence[0][0].startswith("https://healthcare.example.goog/v1/")


def test_credentials_of_another_universe_are_refused(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", "example.goog")
    client = DeidClient("p", "l", endpoint=server.url, credentials=Tokens())
    with client, pytest.raises(errors.CredentialsError, match="universe"):
        client.get_dataset("d")
    assert server.seen == []


@pytest.mark.parametrize("endpoint", ["http://example.com", "ftp://x", "https://user:pw@host", "https://h/?a=b"])
def test_an_endpoint_that_would_leak_a_token_is_refused(endpoint: str) -> None:
    with pytest.raises(errors.ConfigError):
        DeidClient("p", "l", endpoint=endpoint)


def test_the_user_agent_names_the_program(server: Any) -> None:
    server.on("GET", "", server.answer(200, {}))
    with DeidClient("p", "l", endpoint=server.url, app_info="nightly/1.2") as client:
        client.get_dataset("d")
    assert " nightly/1.2 " in server.seen[0].headers["user-agent"]
    with pytest.raises(errors.ConfigError):
        DeidClient(app_info="a\r\nX-Evil: 1")


def test_sixteen_cold_threads_cause_one_refresh(server: Any) -> None:
    server.on("GET", "", server.answer(200, {"name": NAME}))
    tokens = Tokens()
    tokens.gate.clear()
    with DeidClient("p", "l", endpoint=server.url, credentials=tokens) as client:
        threads = [threading.Thread(target=client.get_dataset, args=("d",)) for _ in range(16)]
        for thread in threads:
            thread.start()
        tokens.gate.set()
        for thread in threads:
            thread.join(10)
    assert tokens.refreshed == 1
    assert {item.headers["authorization"] for item in server.seen} == {"Bearer token-1"}


def test_a_token_that_expires_during_a_call_is_renewed_once(server: Any) -> None:
    def reply(request: Any) -> Any:
        return server.error(401) if request.headers["authorization"] == "Bearer token-1" else server.answer(200, {})

    server.on("GET", "", reply)
    tokens = Tokens()
    with DeidClient("p", "l", endpoint=server.url, credentials=tokens) as client:
        client.get_dataset("d")
        client.get_dataset("d")
    assert tokens.refreshed == 2


def test_a_token_renewed_by_another_thread_is_not_renewed_again() -> None:
    tokens = Tokens()
    shared = SharedCredentials(lambda: tokens, None)
    headers: dict[str, str] = {}
    token = shared.apply("GET", "u", headers, Limits(10))
    renewed = [
        threading.Thread(target=shared.renew, args=(token, "GET", "u", dict(headers), Limits(10))) for _ in range(4)
    ]
    for thread in renewed:
        thread.start()
        thread.join()
    assert tokens.refreshed == 2, "the first token, and one renewal for all threads"


def test_an_unreachable_token_server_is_retried(server: Any, clock: FakeClock) -> None:
    tokens = Tokens(fail=ConnectionRefusedError("https://token.example/secret"))
    client = DeidClient("p", "l", endpoint=server.url, credentials=tokens, clock=clock, retry=RetryPolicy(tries=3))
    with client, pytest.raises(errors.CredentialsError) as caught:
        client.get_dataset("d")
    assert "secret" not in str(caught.value)
    assert tokens.refreshed == 3
    assert server.seen == []


def test_missing_application_default_credentials_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "absent.json"))
    with pytest.raises(errors.CredentialsError, match="gcloud auth application-default login"):
        DeidClient("p", "l").warm()


def test_an_invalid_service_account_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text('{"private_key": "SECRET"}')
    with pytest.raises(errors.CredentialsError) as caught:
        ours.from_service_account(path)
    assert "SECRET" not in str(caught.value)


def test_an_access_token_and_a_quota_project_are_sent_as_headers(server: Any) -> None:
    server.on("GET", "", server.answer(200, {}))
    token = ours.with_quota_project(ours.access_token("abc"), "billing-project")
    with DeidClient("p", "l", endpoint=server.url, credentials=token) as client:
        client.get_dataset("d")
    assert server.seen[0].headers["authorization"] == "Bearer abc"
    assert server.seen[0].headers["x-goog-user-project"] == "billing-project"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_an_unreachable_server_is_named_with_the_setting_that_names_it(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.ConnectError) as by_argument:
        DeidClient("p", "l", endpoint="http://127.0.0.1:9", clock=clock).get_dataset("d")
    assert "127.0.0.1:9 (set by endpoint)" in str(by_argument.value)
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "localhost:9")
    with pytest.raises(errors.ConnectError) as by_variable:
        DeidClient("p", "l", clock=clock).get_dataset("d")
    assert "localhost:9 (set by HEALTHCARE_EMULATOR_HOST)" in str(by_variable.value)
    assert "is the emulator running there?" in str(by_variable.value)


def test_impersonation_requests_a_token_for_the_other_account() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def token_server(url: str, method: str, body: bytes, headers: dict[str, str], **_: Any) -> Any:
        asked.append((f"{method} {url}", {**json.loads(body), "by": headers["authorization"]}))
        answer = {"accessToken": "theirs", "expireTime": "2099-01-01T00:00:00Z"}
        return SimpleNamespace(status=200, data=json.dumps(answer).encode(), headers={})

    account = "deid@my-project.iam.gserviceaccount.com"
    other: Any = ours.impersonated(account, source=Tokens(), lifetime=600)
    other.refresh(token_server)
    assert other.token == "theirs"
    (call, body), *rest = [item for item in asked if "generateAccessToken" in item[0]]
    assert rest == []
    assert call.startswith("POST https://iamcredentials.")
    assert account in call
    assert (body["lifetime"], body["by"]) == ("600s", "Bearer token-1")


def test_a_closed_client_says_so(server: Any) -> None:
    clock = FakeClock()
    client = DeidClient("p", "l", endpoint=server.url, clock=clock)
    client.close()
    with pytest.raises(errors.DeidError, match="closed"):
        client.get_dataset("d")
    assert clock.slept == []  # it is not tried again


def test_invalid_credentials_are_refused_at_once() -> None:
    with pytest.raises(errors.ConfigError, match=r"^credentials: .* not bytes$"):
        DeidClient("p", "l", credentials=b"token")


@pytest.mark.parametrize("options", [{"api_version": "v2"}, {"timeout": 0}, {"timeout": -1.0}])
def test_invalid_options_are_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigError, match=next(iter(options))):
        DeidClient("p", "l", http=HttpMockSequence([]), **options)


def test_an_invalid_emulator_address_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "localhost::8085")
    with pytest.raises(errors.ConfigError, match=r"^HEALTHCARE_EMULATOR_HOST: "):
        DeidClient("p", "l")


@pytest.mark.parametrize("name", [None, 5, DeidentifyConfig()])
def test_an_invalid_name_is_refused(name: Any) -> None:
    client = DeidClient("p", "l", http=HttpMockSequence([]))
    with pytest.raises(errors.ResourceNameError, match=f"not {type(name).__name__}"):
        client.get_dataset(name)


def test_a_copy_with_other_options_shares_the_connection(server: Any) -> None:
    server.on("GET", "", server.answer(200, {}))
    with DeidClient("p", "l", endpoint=server.url) as client:
        client.get_dataset("d")
        client.with_options(project="q", timeout=5).get_dataset("d")
    assert server.connections == 1
    assert server.seen[1].path.startswith("/v1/projects/q/")


def test_other_options_apply_to_operations_too(server: Any) -> None:
    server.on("GET", "operations", server.answer(200, server.operation("1")), "stall")
    clock = FakeClock()
    with DeidClient("p", "l", endpoint=server.url, clock=clock) as client:
        quick = client.with_options(timeout=0.1, retry=RetryPolicy.never(), poll=PollPolicy(initial=300, maximum=300))
        operation = quick.operation("d/1")
        with pytest.raises(errors.RequestTimeout):
            operation.refresh()
        with pytest.raises(errors.OperationTimeout):
            operation.wait(timeout=200)
    assert server.count("GET") == 3, "one poll in 200 s, given up after 0.1 s"


def test_loopback_is_reached_without_a_proxy(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    server.on("GET", "", server.answer(200, {"name": NAME}))
    with DeidClient("p", "l", endpoint=server.url) as client:
        assert client.get_dataset("d").name == NAME


def test_names_that_would_become_another_request_are_refused(server: Any, client: DeidClient) -> None:
    for name in ("a?x=1", "a#b", "a/b/c", "..", "a%2f", ""):
        with pytest.raises(errors.ResourceNameError):
            client.get_dataset(name)
    assert server.seen == []
