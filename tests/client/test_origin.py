"""The access token goes only to the endpoint's own origin."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import google.oauth2.credentials
import httplib2
import pytest
from google.auth.credentials import AnonymousCredentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.http import HttpRequest

from healthcare_deid import AsyncDeidClient, DeidClient, RetryPolicy, errors
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.credentials import access_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.testing import FakeClock

TOKEN = "a-made-up-token"
ANONYMOUS: Any = AnonymousCredentials
"""google-auth's are untyped."""
GOOGLE = Origin("https", "healthcare.googleapis.com", 443)


@pytest.fixture
def stranger(server: Any) -> Iterator[Any]:
    """Return another server on loopback, which the client must not contact."""
    other = type(server)()
    other.on("GET", "", other.answer(200, b"x"))
    other.on("POST", "", other.answer(200, {}))
    yield other
    other.close()


@pytest.fixture
def bearer(server: Any, clock: FakeClock) -> Iterator[DeidClient]:
    """Return a client of the server with a token."""
    with DeidClient("p", "l", endpoint=server.url, credentials=access_token(TOKEN), clock=clock) as client:
        yield client


@pytest.mark.parametrize(
    "url",
    [
        "https://healthcare.googleapis.com/v1/x?y=1",
        "https://HEALTHCARE.googleapis.com:443/v1/x?y=1",
        "HTTPS://healthcare.googleapis.com/v1/x?y=1#fragment",
    ],
)
def test_a_url_of_the_endpoint_is_normalized(url: str) -> None:
    assert GOOGLE.own(url) == "https://healthcare.googleapis.com/v1/x?y=1"


@pytest.mark.parametrize(
    "url",
    [
        "http://healthcare.googleapis.com/v1/x",
        "https://healthcare.googleapis.com:8443/x",
        "https://healthcare.googleapis.com.evil.example/x",
        "https://healthcare.googleapis.com@evil.example/x",
        "https://evil.example\\@healthcare.googleapis.com/x",
        "https://healthcare.googleapis.com\\.evil.example/x",
        "https://user:password@healthcare.googleapis.com/x",
        "https://healthcare.googleapis.com./x",
        "https://healthcare。googleapis。com/x",
        "https://healthcare.googleapis.com:port/x",
        "https://[::1/x",
        "https:///x",
        "//healthcare.googleapis.com/x",
        "/v1/x",
        "",
        "ftp://healthcare.googleapis.com/x",
        "https://healthcare.googleapis.com/x\r\nX-Evil: 1",
        "https://healthcare.googleapis.com/a b",
        " https://healthcare.googleapis.com/x",
    ],
)
def test_any_other_url_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(errors.ForeignUrlError) as caught:
        GOOGLE.own(f"{url}?PatientName=Rivera")
    assert "Rivera" not in f"{caught.value}{caught.value!r}{caught.value.origin}"
    assert "password" not in caught.value.origin
    assert "endpoint=" in str(caught.value), "it says what to do"


def test_the_refusal_names_the_other_origin_in_an_attribute_and_can_be_pickled() -> None:
    with pytest.raises(errors.ForeignUrlError) as caught:
        GOOGLE.own("https://evil.example:8443/x?token=1")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.origin, str(again)) == ("https://evil.example:8443", str(caught.value))


ELSEWHERE = [
    "{stranger}/bulk/1?PatientName=Rivera",
    "{userinfo}/bulk/1",
    "ftp://x/1?PatientName=Rivera",
    "bulk/1?Rivera",
]


FETCHES: dict[str, Callable[[Any, str], object]] = {
    "retrieve_bulkdata": lambda web, url: web.retrieve_bulkdata(url),
    "iter_bulkdata": lambda web, url: list(web.iter_bulkdata(url)),
    "get": lambda web, url: web._session.get(url),
    "post": lambda web, url: web._session.post(url, data=b"x"),
}


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize("fetch", FETCHES)
def test_a_url_of_another_server_in_a_reply_gets_no_token(
    server: Any, stranger: Any, bearer: DeidClient, fetch: str, url: str
) -> None:
    host = server.url.removeprefix("http://")
    given = url.format(stranger=stranger.url, userinfo=f"http://{host}@{stranger.url.removeprefix('http://')}")
    with pytest.raises(errors.ForeignUrlError) as caught:
        FETCHES[fetch](bearer.dicomweb("d/s"), given)
    assert "Rivera" not in f"{caught.value}{caught.value!r}"
    assert stranger.connections == 0
    assert server.connections == 0


def test_a_bulk_data_uri_of_the_endpoint_is_fetched_with_the_token(server: Any, bearer: DeidClient) -> None:
    body = b"--b\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--b--"
    headers = {"Content-Type": 'multipart/related; boundary="b"'}
    server.on("GET", "/bulk/1", server.answer(200, body, headers=headers))
    assert bearer.dicomweb("d/s").retrieve_bulkdata(f"{server.url}/bulk/1") == [b"x"]
    assert server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_client_without_credentials_stays_at_its_endpoint_too(stranger: Any, client: DeidClient) -> None:
    with pytest.raises(errors.ForeignUrlError):
        client.dicomweb("d/s").retrieve_bulkdata(f"{stranger.url}/bulk/1")
    assert stranger.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("given", [False, True], ids=["our own transport", "a ready-made AuthorizedHttp"])
def test_no_redirect_is_followed(server: Any, stranger: Any, clock: FakeClock, status: int, *, given: bool) -> None:
    location = {"Location": f"{stranger.url}/elsewhere", "Content-Location": f"{stranger.url}/elsewhere"}
    for verb in ("GET", "POST", "DELETE"):
        server.on(verb, "", server.answer(status, b"", headers=location))
    http = AuthorizedHttp(access_token(TOKEN), http=httplib2.Http())
    transport: dict[str, Any] = {"http": http} if given else {"credentials": access_token(TOKEN)}
    with DeidClient("p", "l", endpoint=server.url, clock=clock, retry=RetryPolicy.never(), **transport) as client:
        calls: list[Callable[[], object]] = [
            lambda: client.get_dataset("d"),
            lambda: client.create_dicom_store("d/s"),
            lambda: client.delete_dicom_store("d/s"),
            lambda: FETCHES["get"](client.dicomweb("d/s"), f"{server.url}/studies"),
            lambda: FETCHES["retrieve_bulkdata"](client.dicomweb("d/s"), f"{server.url}/bulk/1"),
        ]
        for call in calls:
            with pytest.raises(errors.DeidError):
                call()
    assert server.connections > 0
    assert stranger.connections == 0


@pytest.mark.parametrize("status", [303, 307, 308])
def test_a_redirect_of_the_token_server_gets_no_refresh_token(
    server: Any, stranger: Any, clock: FakeClock, status: int
) -> None:
    server.on("POST", "/token", server.answer(status, b"", headers={"Location": f"{stranger.url}/token"}))
    credentials = google.oauth2.credentials.Credentials(  # type: ignore[no-untyped-call] # google-auth's is untyped
        None, refresh_token="secret", token_uri=f"{server.url}/token", client_id="i", client_secret="s"
    )
    client = DeidClient("p", "l", endpoint=server.url, credentials=credentials, clock=clock, retry=RetryPolicy.never())
    with client, pytest.raises(errors.CredentialsError):
        client.get_dataset("d")
    assert server.count("POST", "/token") >= 1
    assert stranger.connections == 0


def test_page_tokens_and_names_in_replies_cannot_change_the_host(
    server: Any, stranger: Any, bearer: DeidClient
) -> None:
    pages = [{"datasets": [], "nextPageToken": f"{stranger.url}/next"}, {"datasets": []}]
    server.on("GET", "", *(server.answer(200, page) for page in pages))
    assert list(bearer.list_datasets()) == []
    server.on("GET", "", server.answer(200, {"operations": [{"name": f"{stranger.url}/operations/1"}]}))
    with pytest.raises(errors.DeidError):
        list(bearer.list_operations("d"))
    assert len(server.seen) == 3
    assert stranger.connections == 0


def test_a_request_builder_cannot_send_elsewhere(server: Any, stranger: Any) -> None:
    def elsewhere(http: Any, postproc: Any, uri: str, **options: Any) -> Any:
        del uri
        return HttpRequest(http, postproc, f"{stranger.url}/x", **options)

    client = DeidClient("p", "l", endpoint=server.url, credentials=access_token(TOKEN), request_builder=elsewhere)
    with client, pytest.raises(errors.ForeignUrlError):
        client.get_dataset("d")
    assert stranger.connections == 0


def test_the_async_client_keeps_its_token_too(server: Any, stranger: Any, clock: FakeClock) -> None:
    server.on("GET", "", "a redirect")

    async def ask() -> None:
        credentials = access_token(TOKEN)
        async with AsyncDeidClient("p", "l", endpoint=server.url, credentials=credentials, clock=clock) as client:
            web = await client.dicomweb("d/s")
            with pytest.raises(errors.ForeignUrlError):
                await asyncio.to_thread(web.retrieve_bulkdata, f"{stranger.url}/bulk/1")
            with pytest.raises(errors.ReplyError):
                await client.get_dataset("d")

    asyncio.run(ask())
    assert stranger.connections == 0


@pytest.mark.parametrize(
    "options",
    [
        {"credentials": access_token(TOKEN)},
        {"http": AuthorizedHttp(access_token(TOKEN), http=httplib2.Http())},
        {},
    ],
    ids=["credentials", "an AuthorizedHttp", "the application default"],
)
def test_an_http_endpoint_is_refused_with_credentials(options: dict[str, Any]) -> None:
    with pytest.raises(errors.ConfigError, match="https://"):
        assert "emulator.example" in repr(DeidClient("p", "l", endpoint="http://emulator.example:8085", **options))


def test_an_http_emulator_on_another_machine_is_refused_with_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", "http://emulator.example:8085")
    DeidClient("p", "l")
    bearers: list[dict[str, Any]] = [
        {"credentials": access_token(TOKEN)},
        {"http": AuthorizedHttp(access_token(TOKEN))},
    ]
    for options in bearers:
        with pytest.raises(errors.ConfigError, match="HEALTHCARE_EMULATOR_HOST"):
            DeidClient("p", "l", **options)


@pytest.mark.parametrize(
    "options",
    [
        {"credentials": ANONYMOUS()},
        {"http": AuthorizedHttp(ANONYMOUS())},
        {"http": httplib2.Http()},
    ],
    ids=["credentials", "an AuthorizedHttp", "an Http"],
)
def test_an_http_endpoint_is_allowed_without_credentials(options: dict[str, Any]) -> None:
    assert "emulator.example" in repr(DeidClient("p", "l", endpoint="http://emulator.example:8085", **options))


def test_anonymous_credentials_add_no_header(server: Any, clock: FakeClock) -> None:
    server.on("GET", "", server.answer(200, {}))
    with DeidClient("p", "l", endpoint=server.url, credentials=ANONYMOUS(), clock=clock) as client:
        client.get_dataset("d")
    assert "authorization" not in server.seen[0].headers
