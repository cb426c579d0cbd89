"""`Connection`: sends one HTTP request and reports its outcome.

Nothing is retried here or below. httplib2 would send a POST again if the peer closes the connection before replying,
unless the connection raises an exception that httplib2 does not handle (`bounded_connection`).

All requests, DICOMweb included, go through `Transport.request`. It sends only to the endpoint's own origin, whatever
URL a reply or a caller gave.
"""

from __future__ import annotations

import functools
import threading
import weakref
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from healthcare_deid.client.http.credentials import carries_credentials
from healthcare_deid.client.http.limits import JSON_BYTES, Limits
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.client.protocol import replies
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.errors import ConfigError, DeidError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthcare_deid.client.http.credentials import CredentialsSource
    from healthcare_deid.client.http.token_refresh import SharedCredentials
    from healthcare_deid.client.http.transport import Transport
    from healthcare_deid.client.protocol.flow import ApiCall, ApiReply

_WARM_TIMEOUT = 60.0


class Http(Protocol):
    """Transport interface, with the signature of ``httplib2.Http``.

    The real service, googleapiclient's mocks and the emulator all plug in here.
    """

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        """Return the response (``status``, lower-case headers) and its body."""
        ...


class Connection:
    """Endpoint, credentials, and one transport per thread.

    Raises:
        ConfigError: The endpoint is not a URL, or the access token would be sent to it unencrypted.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        credentials: CredentialsSource | None = None,
        http: Http | None = None,
        request_builder: Callable[..., Any] | None = None,
        user_agent: str,
        given_as: str = "",
    ) -> None:
        origin = Origin.of(endpoint)
        # Paths are appended to the endpoint, so a query or fragment in it would swallow them.
        if origin is None or "?" in endpoint or "#" in endpoint:
            raise ConfigError(f"{given_as.rstrip('=')}: must be of the form https://host[:port]")
        if not origin.is_confidential and (credentials is not None or carries_credentials(http)):
            raise ConfigError(f"{given_as.rstrip('=')}: http:// would send the access token unencrypted; use https://")
        self.endpoint = endpoint.rstrip("/")
        self._origin = origin
        self._given_as = given_as
        self.user_agent = user_agent
        self._http = http
        self._builder = request_builder
        self._source = credentials
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        """Drop all connections.

        Called on creation and in a forked child, whose sockets belong to its parent.
        """
        self._local = threading.local()
        self._lock = threading.Lock()
        self._given_lock = threading.RLock()
        # A transport ends with its thread; the set only lets close() find those of other threads.
        self._transports: weakref.WeakSet[Transport] = weakref.WeakSet()
        self._credentials: SharedCredentials | None = None
        self.closed = threading.Event()
        """Set by `close`. Ends pauses between attempts."""

    def __str__(self) -> str:
        """Return the endpoint and the transport in between."""
        return self.endpoint if self._http is None else f"{self.endpoint} through {type(self._http).__name__}"

    def __repr__(self) -> str:
        return f"<Connection to {self}>"

    @property
    def is_anonymous(self) -> bool:
        """Whether this client adds no access token."""
        return self._source is None

    @property
    def _place(self) -> str:
        """Host and port for error texts, with the setting they come from."""
        place = str(self._origin).partition("://")[2]
        if not self._given_as:
            return place
        hint = "; is the emulator running there?" if self._source is None else ""
        return f"{place} (set by {self._given_as.rstrip('=')}){hint}"

    def warm(self) -> None:
        """Load imports and credentials before the first request.

        Raises:
            CredentialsError: No credentials were found.
        """
        self._transport()
        if self._credentials is not None:
            self._credentials.find(Limits(_WARM_TIMEOUT))

    def close(self) -> None:
        """Close the connections of all threads.

        Requests in progress end with an error, and no further requests are sent.
        """
        self.closed.set()
        for transport in list(self._transports):
            transport.close()
        close = getattr(self._http, "close", None)
        if callable(close):  # HttpMockSequence has no close()
            close()

    def send(self, call: ApiCall) -> ApiReply:
        """Make one HTTP attempt.

        Raises:
            TransportError: No reply arrived. ``sent`` says whether the server may have executed the request.
            ApiError: The service replied with an error.
            ReplyError: The reply is not JSON, or it is a redirect.
            CredentialsError: No usable credentials; nothing was sent.
        """
        http_request, json_model = _googleapiclient()
        # googleapiclient's request classes, called directly: importing its discovery module takes 160 ms and 28 MiB.
        headers, _, query, body = json_model().request(
            {"user-agent": self.user_agent}, {}, dict(call.query), None if call.body is None else dict(call.body)
        )
        uri = f"{self.endpoint}/{call.version}/{call.path}{query}"
        method_id = call.method.id
        request = (self._builder or http_request)(
            _DeferredHttp(self, call),
            functools.partial(replies.parse, method_id),
            uri,
            method=call.method.verb,
            body=body,
            headers=headers,
            methodId=method_id,
        )
        return cast("ApiReply", self._explained(method_id, request.execute))

    def exchange(
        self,
        uri: str,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        method_id: str,
        timeout: float,
        memory: int = JSON_BYTES,
        sink: BinaryIO | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Make one DICOMweb attempt and return status, headers and body.

        Args:
            uri: Absolute URL at the endpoint's own origin.
            method: HTTP verb.
            body: Body, sent as is.
            headers: Headers to send, besides the user agent and access token.
            method_id: Method name for errors and logs.
            timeout: Seconds for the attempt. It grows while data is moving.
            memory: Largest body to hold in memory, in bytes.
            sink: File for the body of a successful reply. The returned body is then empty.

        Raises:
            TransportError: No reply arrived.
            ReplyError: The body cannot be read.
            CredentialsError: No usable credentials; nothing was sent.
            ForeignUrlError: *uri* is at another origin; nothing was sent.
        """

        def request() -> tuple[int, dict[str, str], bytes]:
            response, content = self._transport().request(
                uri,
                method,
                body,
                {**headers, "user-agent": self.user_agent},
                Limits(timeout, transfer=True, memory=memory, sink=sink),
            )
            return int(response.status), replies.headers_of(response), content or b""

        return cast("tuple[int, dict[str, str], bytes]", self._explained(method_id, request))

    def _explained(self, method_id: str, request: Callable[[], Any]) -> Any:
        failure: DeidError
        try:
            return request()
        except DeidError:
            raise
        except Exception as error:  # noqa: BLE001 - explain() sorts them; none may carry a URL to the caller
            from healthcare_deid.client.http.failures import explain

            failure = explain(error, method_id, self._place)
        # close() shuts down the sockets, so a request in progress fails with some connection error.
        if self.closed.is_set():
            failure = _closed()
        # Raised outside the except block. Otherwise the original exception, whose text holds the URL, would be its
        # __context__ and show in tracebacks.
        raise failure

    def _transport(self) -> Transport:
        if self.closed.is_set():
            raise _closed()
        transport = getattr(self._local, "transport", None)
        if transport is None:
            transport = self._given() if self._http is not None else self._own()
            self._local.transport = transport
            self._transports.add(transport)
        return cast("Transport", transport)

    def _given(self) -> Transport:
        from healthcare_deid.client.http.transport import Transport, is_httplib2

        # httplib2 is not thread-safe: of 8 threads that shared one object, 4 got another thread's reply and 7 hung.
        # Mocks need no lock.
        return Transport(self._http, self._origin, lock=self._given_lock if is_httplib2(self._http) else None)

    def _own(self) -> Transport:
        from healthcare_deid.client.http.transport import Transport, new_http, token_request

        # One set of credentials for all threads: 16 new threads would otherwise refresh the token 16 times.
        with self._lock:
            if self._source is not None and self._credentials is None:
                from healthcare_deid.client.http.token_refresh import SharedCredentials

                self._credentials = SharedCredentials(self._source.find, token_request())
        return Transport(new_http(), self._origin, credentials=self._credentials, owned=True)


class _DeferredHttp:
    """``http`` argument of one request, which opens a transport late.

    A request builder that never sends, such as googleapiclient's ``RequestMockBuilder``, then needs no transport.
    """

    __slots__ = ("_call", "_connection")

    def __init__(self, connection: Connection, call: ApiCall) -> None:
        self._connection = connection
        self._call = call

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        """Send the request, with httplib2's signature.

        Raises:
            ApiError: The status is 300 or above. Raised here because googleapiclient logs some error bodies.
        """
        call = self._call
        # A POST gets a new connection: a kept one may turn out to be stale only after the request was sent.
        response, content = self._connection._transport().request(
            uri, method, body, headers, Limits(call.timeout), fresh=call.method.verb == "POST"
        )
        if int(response.status) >= HTTPStatus.MULTIPLE_CHOICES:
            raise replies.api_error(call.method.id, response, content)
        return response, content


@functools.cache
def _googleapiclient() -> tuple[Any, Any]:
    """Return googleapiclient's request classes.

    Imported on the first request, because the import takes 120 ms.
    """
    from healthcare_deid.client.http.transport import HttpRequest, JsonModel

    return HttpRequest, JsonModel


def _closed() -> DeidError:
    return DeidError("the client is closed: create a new one")  # not a ConnectError, which would be retried
