"""`Connection`: sends one HTTP request and says truthfully what became of it.

Nothing is tried again here or below: httplib2 sends a POST a second time when the peer hangs up before answering,
unless its connections raise an exception that it does not know (`bounded_connection`).

Every request of a client, DICOMweb's too, leaves through `Transport.request`, which sends to the endpoint's own origin
only, whatever URL a reply or a caller gave.
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

_WARM = 60.0


class Http(Protocol):
    """The seam: an object that answers requests, with the signature of ``httplib2.Http``."""

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        """Return a response (``status`` and lower-case headers) and its body."""
        ...


class Connection:
    """One endpoint, its credentials, and a transport for each thread.

    Raises:
        ConfigError: The endpoint is not a URL, or the access token would travel to it unencrypted.
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
        """Start without any connection: at first, and in a forked child, whose sockets are its parent's."""
        self._local = threading.local()
        self._lock = threading.Lock()
        self._given_lock = threading.RLock()
        self._transports: weakref.WeakSet[Transport] = weakref.WeakSet()
        self._credentials: SharedCredentials | None = None
        self.closed = threading.Event()
        """Set by `close`, which also ends the pauses between tries."""

    def __str__(self) -> str:
        """Return where requests go: the endpoint, and the transport in between."""
        return self.endpoint if self._http is None else f"{self.endpoint} through {type(self._http).__name__}"

    def __repr__(self) -> str:
        return f"<Connection to {self}>"

    @property
    def is_anonymous(self) -> bool:
        """Whether requests carry no access token of this client's."""
        return self._source is None

    @property
    def _place(self) -> str:
        """Host and port for an error's text, and the setting that names them."""
        place = str(self._origin).partition("://")[2]
        if not self._given_as:
            return place
        hint = "; is the emulator running there?" if self._source is None else ""
        return f"{place}, where {self._given_as} points{hint}"

    def warm(self) -> None:
        """Import what a request needs and find the credentials, ahead of the first request.

        Raises:
            CredentialsError: There are no credentials.
        """
        self._transport()
        if self._credentials is not None:
            self._credentials.find(Limits(_WARM))

    def close(self) -> None:
        """Close the connections of all threads.

        Requests on their way end with an error, and no other is sent.
        """
        self.closed.set()
        for transport in list(self._transports):
            transport.close()
        close = getattr(self._http, "close", None)
        if callable(close):  # HttpMockSequence has none
            close()

    def send(self, call: ApiCall) -> ApiReply:
        """Make one HTTP try.

        Raises:
            TransportError: No reply. Its ``sent`` says whether the server may have acted.
            ApiError: The service answered with an error.
            ReplyError: The reply is not JSON, or a redirect.
            CredentialsError: There are no usable credentials; nothing was sent.
        """
        http_request, json_model = _googleapiclient()
        headers, _, query, body = json_model().request(
            {"user-agent": self.user_agent}, {}, dict(call.query), None if call.body is None else dict(call.body)
        )
        uri = f"{self.endpoint}/{call.version}/{call.path}{query}"
        method_id = call.method.id
        request = (self._builder or http_request)(
            _Once(self, call),
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
        """Make one HTTP try of DICOMweb, whose bodies are not JSON, and return status, headers and body.

        Args:
            uri: Absolute URL of the endpoint's own origin.
            method: Verb.
            body: Sent as it is.
            headers: Sent as they are, with the user agent and the access token.
            method_id: For errors and logs.
            timeout: Seconds for the try, and more while data moves.
            memory: Largest body in memory.
            sink: File for the body of a good reply; the returned body is then empty.

        Raises:
            TransportError: No reply.
            ReplyError: The body cannot be read.
            CredentialsError: There are no usable credentials; nothing was sent.
            ForeignUrlError: The URL leads away from the endpoint; nothing was sent.
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
        except Exception as error:  # noqa: BLE001 - every kind is told apart, and none may carry a URL outside
            from healthcare_deid.client.http.failures import explain

            failure = explain(error, method_id, self._place)
        if self.closed.is_set():
            failure = _closed()
        # Raised outside the handler: the original, whose text holds the URL, is not even its context.
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

        # httplib2 is not thread-safe, so an object of its serves one request at a time; mocks need no lock.
        return Transport(self._http, self._origin, lock=self._given_lock if is_httplib2(self._http) else None)

    def _own(self) -> Transport:
        from healthcare_deid.client.http.transport import Transport, own_http, token_request

        with self._lock:
            if self._source is not None and self._credentials is None:
                from healthcare_deid.client.http.token_refresh import SharedCredentials

                self._credentials = SharedCredentials(self._source.find, token_request())
        return Transport(own_http(), self._origin, credentials=self._credentials, owned=True)


class _Once:
    """The ``http`` of one request, which finds a transport when the request leaves.

    A request builder that never sends, such as googleapiclient's ``RequestMockBuilder``, needs none.
    """

    __slots__ = ("_call", "_connection")

    def __init__(self, connection: Connection, call: ApiCall) -> None:
        self._connection = connection
        self._call = call

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        """Send, with httplib2's signature.

        Raises:
            ApiError: At once, for any answer of 300 and above: googleapiclient logs the bodies of some.
        """
        call = self._call
        response, content = self._connection._transport().request(
            uri, method, body, headers, Limits(call.timeout), fresh=call.method.verb == "POST"
        )
        if int(response.status) >= HTTPStatus.MULTIPLE_CHOICES:
            raise replies.api_error(call.method.id, response, content)
        return response, content


@functools.cache
def _googleapiclient() -> tuple[Any, Any]:
    """Return googleapiclient's classes for a request, imported when the first leaves: that takes 120 ms."""
    from healthcare_deid.client.http.transport import HttpRequest, JsonModel

    return HttpRequest, JsonModel


def _closed() -> DeidError:
    return DeidError("the client is closed")  # not a ConnectError, which would be tried again
