"""`Transport`: sends one thread's requests to one origin, with httplib2."""

from __future__ import annotations

import contextlib
import socket
import weakref
from http import HTTPStatus
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httplib2
from google_auth_httplib2 import AuthorizedHttp, Request
from googleapiclient.http import HttpRequest
from googleapiclient.model import JsonModel

from healthcare_deid.client.http.bounded_connection import BodyPieces, NotConnectedError, bounded
from healthcare_deid.client.http.limits import Limits, limited
from healthcare_deid.client.http.network import connection_class, proxy_for
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.client.http.reply_body import write_to_sink

if TYPE_CHECKING:
    import threading
    from collections.abc import Generator

    from healthcare_deid.client.http.token_refresh import SharedCredentials

__all__ = ["HttpRequest", "JsonModel", "Transport", "drop_connections", "is_httplib2", "new_http", "token_request"]

_REFRESH_TIMEOUT = 20.0
# Bodies up to this many bytes are sent with one sendall(); see Pieces.
_SENT_AT_ONCE = 2**20


class Transport:
    """Sends one thread's requests to one origin.

    Its sockets are closed when the thread ends.

    Args:
        http: `httplib2.Http` object or a user's transport.
        origin: Origin of the endpoint.
        credentials: Credentials to add. None if the transport adds its own, or if no token is sent.
        lock: Held during a request, for an httplib2 object shared by threads.
        owned: Whether `close` closes the connections.
    """

    def __init__(
        self,
        http: Any,
        origin: Origin,
        *,
        credentials: SharedCredentials | None = None,
        lock: threading.RLock | None = None,
        owned: bool = False,
    ) -> None:
        self._http = http
        self._origin = origin
        self._credentials = credentials
        self._lock: Any = lock or contextlib.nullcontext()
        self._owned = owned
        self._bounded = is_httplib2(http)
        self._kind: Any = None
        self._closed = self._in_request = False
        if owned:
            # Closes the sockets of a thread that has ended. Not at exit, where the system closes them.
            weakref.finalize(self, drop_connections, http).atexit = False

    def close(self) -> None:
        """Close the connections.

        A request in progress ends with an error.
        """
        if not self._owned:
            return
        self._closed = True
        for connection in list(self._http.connections.values()):
            if connection.sock is not None:
                # close() does not wake a thread that is reading from the socket; shutdown() does.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        # A connection that is being made has no socket to close yet: then the thread of the request closes it.
        if not self._in_request:
            drop_connections(self._http)

    def request(
        self, uri: str, method: str, body: Any, headers: Any, limits: Limits, *, fresh: bool = False
    ) -> tuple[Any, Any]:
        """Send one request.

        If the limits have a sink, the body of a successful reply is written to it.

        Args:
            uri: Absolute URL at the transport's origin.
            method: HTTP verb.
            body: Body, sent as is.
            headers: Headers to send, besides the access token.
            limits: Time and size limits of this attempt.
            fresh: Whether to open a new connection, which cannot be stale.

        Raises:
            ForeignUrlError: *uri* is at another origin. Nothing was sent and no credentials were looked up.
        """
        uri = self._origin.own(uri)
        if not self._bounded:
            response, content = self._http.request(uri, method=method, body=body, headers=headers)
            # A user's transport knows no sink and returns the body.
            if limits.sink is not None and int(response.status) == HTTPStatus.OK:
                write_to_sink(limits.sink, content or b"")
                content = b""
            return response, content
        with self._lock, self._requesting():
            if fresh:
                drop_connections(self._http)
            # A copy of the headers, because the access token is added to them.
            return self._authorized(uri, method, body, dict(headers or {}), limits)

    @contextlib.contextmanager
    def _requesting(self) -> Generator[None]:
        """Close the connections after a request during which `close` was called."""
        self._in_request = True
        try:
            yield
        finally:
            self._in_request = False
            if self._closed:
                drop_connections(self._http)

    def _authorized(self, uri: str, method: str, body: Any, headers: dict[str, str], limits: Limits) -> tuple[Any, Any]:
        credentials = self._credentials
        if credentials is None:
            return self._exchange(uri, method, body, headers, limits)
        token = credentials.apply(method, uri, headers, limits)
        response, content = self._exchange(uri, method, body, headers, limits)
        # 401 means that the request was not executed, so even a START may be sent again with a new token.
        if int(response.status) == HTTPStatus.UNAUTHORIZED and credentials.renew(token, method, uri, headers, limits):
            response, content = self._exchange(uri, method, body, headers, limits)
        return response, content

    def _exchange(self, uri: str, method: str, body: Any, headers: dict[str, str], limits: Limits) -> tuple[Any, Any]:
        self._kind = self._kind or self._connection_class()
        return _exchange(self._http, self._kind, uri, method, body, headers, limits)

    def _connection_class(self) -> Any:
        if self._owned:
            return connection_class(self._origin)
        # A user's httplib2 object has its own proxy and certificate settings.
        if find_spec("socks") is None and proxy_for(self._origin) is not None:
            raise NotConnectedError(
                f"{self._origin.scheme.upper()}_PROXY is set, but httplib2 ignores it without PySocks: pip install "
                "pysocks, or remove http=",
                transient=False,
            )
        kinds: dict[Any, Any] = httplib2.SCHEME_TO_CONNECTION
        return bounded(kinds[self._origin.scheme])


def is_httplib2(http: Any) -> bool:
    """Return whether *http* is an httplib2 or google-auth object."""
    return isinstance(http, httplib2.Http | AuthorizedHttp)


def new_http() -> httplib2.Http:
    """Return a new httplib2 object without proxies and redirects.

    Proxies are handled in `network`.
    """
    http = httplib2.Http(proxy_info=None)
    http.follow_redirects = False  # the API sends no redirects, and a token must not follow one
    return http


def token_request() -> Any:
    """Return google-auth's transport for token servers.

    It has its own timeout.
    """
    return Request(_TokenHttp())


class _TokenHttp:
    """The one `httplib2.Http` method that google-auth calls."""

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        origin = Origin.of(uri)
        if origin is None:
            raise NotConnectedError("the token server's URL is not an http or https URL", transient=False)
        http = new_http()
        limits = Limits(_REFRESH_TIMEOUT)
        try:
            return _exchange(http, connection_class(origin), uri, method, body, dict(headers or {}), limits)
        finally:
            drop_connections(http)


def _exchange(
    http: Any, kind: Any, uri: str, method: str, body: Any, headers: dict[str, str], limits: Limits
) -> tuple[Any, Any]:
    http.timeout = limits.left()
    for connection in http.connections.values():
        # httplib2 applies its timeout only when it opens a connection: on a kept one, a timeout of 0.3 s took 1.5 s.
        connection.timeout = http.timeout
        if connection.sock is not None:
            connection.sock.settimeout(http.timeout)
    if isinstance(body, bytes) and len(body) > _SENT_AT_ONCE:
        headers["content-length"] = str(len(body))
        body = BodyPieces(body)
    with limited(limits):
        try:
            response, content = http.request(
                uri, method=method, body=body, headers=headers, redirections=0, connection_type=kind
            )
        # The connection may be in the middle of a reply, which the next request would take for its own.
        except BaseException:
            drop_connections(http)
            raise
    return response, content


def drop_connections(http: Any) -> None:
    """Close and forget the connections of an httplib2 object.

    The object stays usable. Sockets are closed and not shut down, because in a forked child they also belong to the
    parent.
    """
    connections = http.connections
    for key in list(connections):
        connection = connections.pop(key, None)
        if connection is not None:
            connection.close()
