"""`Connection`: sends one request over googleapiclient's ``HttpRequest`` and tells truthfully what became of it.

The only module that knows googleapiclient and httplib2, and it imports them when the first request leaves. No retry
happens here and none below: httplib2 sends a POST a second time when the peer hangs up before answering, unless the
connection says so with an exception it does not know, which is what `guard` is for.

Every request of a client, DICOMweb's too, leaves through `_Transport.request`, and that one sends to the endpoint's own
origin only, whatever URL a reply or a caller gave.
"""

from __future__ import annotations

import functools
import threading
import weakref
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, cast

from healthcare_deid.client.http.bounded_connection import DroppedBeforeAnswerError, NotConnectedError, guarded
from healthcare_deid.client.http.credentials import carries_credentials
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.client.protocol import replies
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.errors import (
    ConfigError,
    ConnectError,
    ConnectionDropped,
    DeidError,
    ReplyError,
    RequestTimeout,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthcare_deid.client.http.credentials import CredentialsSource, SharedCredentials
    from healthcare_deid.client.protocol.flow import ApiCall, ApiReply

_REFRESH_TIMEOUT = 20.0


class Http(Protocol):
    """The seam: whatever can answer a request, in the shape of ``httplib2.Http``."""

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        """Return a response (``status`` and lower-case headers) and its body."""
        ...


class Connection:
    """One endpoint, its credentials, and a transport a thread.

    Raises:
        ConfigError: The endpoint is no URL, or the access token would travel to it unencrypted.
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
            raise ConfigError(f"{given_as.rstrip('=')}: of the form https://host[:port] is needed")
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
        self._transports: weakref.WeakSet[_Transport] = weakref.WeakSet()
        self._credentials: SharedCredentials | None = None
        self._refresher: Any = None
        self._closed = False

    def __str__(self) -> str:
        """Say where requests go: a transport that was given may answer for the endpoint itself."""
        return self.endpoint if self._http is None else f"{self.endpoint} through {type(self._http).__name__}"

    def __repr__(self) -> str:
        return f"<Connection to {self}>"

    @property
    def is_anonymous(self) -> bool:
        """Whether requests carry no access token of this client's."""
        return self._source is None

    @property
    def _place(self) -> str:
        """Say what nobody answers at, and who said to ask there."""
        place = str(self._origin).partition("://")[2]
        if not self._given_as:
            return place
        hint = "; is the emulator running there?" if self._source is None else ""
        return f"{place}, where {self._given_as} points{hint}"

    def warm(self) -> None:
        """Import what a request needs and find the credentials, ahead of the first request.

        Raises:
            CredentialsError: There are none.
        """
        _googleapiclient()
        self._transport()

    def close(self) -> None:
        """Close every thread's connections. A later request raises."""
        self._closed = True
        for transport in list(self._transports):
            transport.close()
        if self._refresher is not None:
            _drop(self._refresher)
        close = getattr(self._http, "close", None)
        if callable(close):  # HttpMockSequence has none
            close()

    def send(self, call: ApiCall) -> ApiReply:
        """Make one HTTP try.

        Raises:
            TransportError: No reply; its ``sent`` says whether the server may have acted.
            ApiError: The service answered with an error.
            ReplyError: A reply that is not JSON, or a redirect.
            CredentialsError: No usable credentials; nothing was sent.
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
        failure: DeidError
        try:
            return cast("ApiReply", request.execute())
        except DeidError:
            raise
        except Exception as error:  # noqa: BLE001 - every kind is told apart, and none may carry a URL outside
            failure = _explain(error, method_id, self._place)
        # Raised outside the handler: the original, whose text holds the URL, is not even its context.
        raise failure

    def exchange(
        self,
        uri: str,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        method_id: str,
        timeout: float,
        total: float,
    ) -> tuple[int, dict[str, str], bytes]:
        """Make one HTTP try for something that is not JSON: DICOMweb. Returns status, headers and body as they are.

        Args:
            uri: Absolute, and of the endpoint's own origin.
            method: Verb.
            body: As sent.
            headers: As sent; the user agent and the access token are added.
            method_id: For errors and logs.
            timeout: Seconds of silence.
            total: Seconds for the whole try.

        Raises:
            TransportError: No reply.
            CredentialsError: No usable credentials; nothing was sent.
            ForeignUrlError: The URI leads away from the endpoint; nothing was sent.
        """
        transport = self._transport()
        http = transport.for_call(timeout, fresh=False, total=total)
        failure: DeidError
        try:
            response, content = http.request(
                uri, method=method, body=body, headers={**headers, "user-agent": self.user_agent}
            )
            return int(response.status), replies.headers_of(response), content or b""
        except DeidError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            failure = _explain(error, method_id, self._place)
        raise failure

    def _transport(self) -> _Transport:
        if self._closed:
            raise DeidError("the client is closed")  # no ConnectError, which would be tried again
        transport = getattr(self._local, "transport", None)
        if transport is None:
            transport = self._given() if self._http is not None else self._own()
            self._local.transport = transport
            self._transports.add(transport)
        return cast("_Transport", transport)

    def _given(self) -> _Transport:
        import httplib2
        from google_auth_httplib2 import AuthorizedHttp

        # httplib2 is not thread-safe, so a ready-made one serves one request at a time; ours and mocks need no lock.
        plain = isinstance(self._http, httplib2.Http | AuthorizedHttp)
        lock = self._given_lock if plain else None
        return _Transport(self._http, self._origin, owned=False, httplib2_like=plain, lock=lock)

    def _own(self) -> _Transport:
        import httplib2
        from google_auth_httplib2 import AuthorizedHttp
        from googleapiclient.http import build_http

        http = build_http()
        http.follow_redirects = False  # the API sends none, and a token must not follow one
        if self._origin.is_loopback:
            http.proxy_info = None  # no proxy reaches this machine's loopback, and none must see what goes there
        if self._source is None:
            return _Transport(http, self._origin, owned=True, httplib2_like=True)
        with self._lock:
            if self._credentials is None:
                from google_auth_httplib2 import Request

                # Refreshing has its own transport and timeout, whatever the call's are.
                self._refresher = httplib2.Http(timeout=_REFRESH_TIMEOUT)
                self._refresher.follow_redirects = False  # httplib2 would take the refresh token along
                self._credentials = self._source.shared(Request(self._refresher))
        authorized = AuthorizedHttp(self._credentials, http=http)
        return _Transport(authorized, self._origin, owned=True, httplib2_like=True)


class _Once:
    """The ``http`` of one request: it finds credentials and a transport when the request leaves, not before.

    A request builder that never sends, such as googleapiclient's ``RequestMockBuilder``, needs neither.
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
        transport = self._connection._transport()
        http = transport.for_call(call.timeout, fresh=call.method.verb == "POST")
        response, content = http.request(uri, method, body, headers)
        if int(response.status) >= HTTPStatus.MULTIPLE_CHOICES:
            raise replies.api_error(call.method.id, response, content)
        return response, content


class _Transport:
    """Connection of one thread, to one origin only; closes its sockets when the thread is gone."""

    def __init__(
        self, http: Any, origin: Origin, *, owned: bool, httplib2_like: bool, lock: threading.RLock | None = None
    ) -> None:
        self._http = http
        self._origin = origin
        self._guarded = httplib2_like
        self._lock = lock
        self._timeout = 60.0
        self._total = 60.0
        self._fresh = False
        if owned:
            weakref.finalize(self, _drop, http).atexit = False
        self._owned = owned

    def for_call(self, timeout: float, *, fresh: bool, total: float | None = None) -> _Transport:
        """Set what holds for the next request; a transport belongs to one thread."""
        self._timeout, self._total, self._fresh = timeout, total or timeout, fresh
        return self

    def close(self) -> None:
        if self._owned:
            _drop(self._http)

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        """Send, with httplib2's signature.

        Raises:
            ForeignUrlError: The URI leads away from the endpoint; nothing was sent, and no credentials were looked at.
        """
        uri = self._origin.own(uri)
        if not self._guarded:
            return self._http.request(uri, method=method, body=body, headers=headers)
        if self._lock is None:
            return self._send(uri, method, body, headers)
        with self._lock:
            return self._send(uri, method, body, headers)

    def _send(self, uri: str, method: str, body: Any, headers: Any) -> Any:
        http = self._http
        if self._fresh:
            _drop(http)  # a new connection cannot turn out to be a stale one
        http.timeout = self._timeout
        for connection in http.connections.values():
            # httplib2 applies a timeout to connections it opens, not to those it has.
            connection.timeout = self._timeout
            if connection.sock is not None:
                connection.sock.settimeout(self._timeout)
        kind = guarded(_connection_class(uri))
        with kind.limit(self._total):
            try:
                return http.request(
                    uri, method=method, body=body, headers=headers, redirections=0, connection_type=kind
                )
            except BaseException:
                _drop(http)
                raise


@functools.cache
def _googleapiclient() -> tuple[Any, Any]:
    """Import what one request needs: not the discovery module, which is most of googleapiclient's cost."""
    from googleapiclient.http import HttpRequest
    from googleapiclient.model import JsonModel

    return HttpRequest, JsonModel


def _connection_class(uri: str) -> Any:
    from httplib2 import SCHEME_TO_CONNECTION

    return SCHEME_TO_CONNECTION["https" if uri.startswith("https:") else "http"]


def _drop(http: Any) -> None:
    """Close and forget the connections of an ``httplib2.Http`` or ``AuthorizedHttp``, keeping it usable."""
    connections = http.connections
    for key in list(connections):
        connection = connections.pop(key, None)
        if connection is not None:
            connection.close()


def _explain(error: Exception, method_id: str, place: str) -> DeidError:
    """Turn whatever the transport raised into an error of ours, without its text."""
    import http.client

    import httplib2
    from googleapiclient.errors import HttpError

    from healthcare_deid.client.http.credentials import credentials_error

    if isinstance(error, HttpError):
        return replies.api_error(method_id, error.resp, error.content)
    refused = credentials_error(error)
    if refused is not None:
        return refused
    if isinstance(error, NotConnectedError | httplib2.ServerNotFoundError | ConnectionRefusedError):
        return ConnectError(f"{method_id}: no connection to {place}", method_id=method_id)
    if isinstance(error, TimeoutError):
        return RequestTimeout(f"{method_id}: no answer within the timeout", method_id=method_id)
    if isinstance(error, DroppedBeforeAnswerError):
        return ConnectionDropped(f"{method_id}: the server hung up before it answered", method_id=method_id)
    if isinstance(error, OSError | http.client.HTTPException):
        return ConnectionDropped(f"{method_id}: the connection broke off", method_id=method_id)
    if isinstance(error, httplib2.HttpLib2Error):
        return ReplyError(f"{method_id}: a reply that cannot be read", method_id=method_id, accepted=True)
    # A mock's or a user's own transport failing is neither ours to hide nor to retry.
    raise error
