"""`Transport`: sends the requests of one thread through httplib2, to one origin only."""

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

from healthcare_deid.client.http.bounded_connection import NotConnectedError, Pieces, bounded
from healthcare_deid.client.http.limits import Limits, limited
from healthcare_deid.client.http.network import connection_class, proxy_for
from healthcare_deid.client.http.origin import Origin
from healthcare_deid.client.http.reply_body import write

if TYPE_CHECKING:
    import threading

    from healthcare_deid.client.http.token_refresh import SharedCredentials

__all__ = ["HttpRequest", "JsonModel", "Transport", "drop", "is_httplib2", "own_http", "token_request"]

_REFRESH_TIMEOUT = 20.0
_WHOLE = 2**20
"""Bytes up to which a body is sent at once."""


class Transport:
    """Sends requests of one thread to one origin.

    Its sockets close when the thread is gone.

    Args:
        http: An `httplib2.Http` or a user's transport.
        origin: Origin of the endpoint.
        credentials: Credentials to add; None where the transport adds its own, or none are needed.
        lock: Held during a request, for an httplib2 object that threads share.
        owned: Whether to close the connections at the end.
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
        if owned:
            weakref.finalize(self, drop, http).atexit = False

    def close(self) -> None:
        """Close the connections; a request on its way ends with an error."""
        if not self._owned:
            return
        for connection in list(self._http.connections.values()):
            if connection.sock is not None:
                # Closing a socket does not wake a thread that reads it; shutting it down does.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        drop(self._http)

    def request(
        self, uri: str, method: str, body: Any, headers: Any, limits: Limits, *, fresh: bool = False
    ) -> tuple[Any, Any]:
        """Send one request.

        With a sink in the limits, the body of a good reply goes there.

        Args:
            uri: Absolute URL of the transport's origin.
            method: Verb.
            body: Sent as it is.
            headers: Sent as they are, with the access token.
            limits: Time and size of this try.
            fresh: Open a new connection, which cannot turn out to be a stale one.

        Raises:
            ForeignUrlError: The URL leads to another origin; nothing was sent, and no credentials were looked at.
        """
        uri = self._origin.own(uri)
        if not self._bounded:
            response, content = self._http.request(uri, method=method, body=body, headers=headers)
            if limits.sink is not None and int(response.status) == HTTPStatus.OK:
                write(limits.sink, content or b"")
                content = b""
            return response, content
        with self._lock:
            if fresh:
                drop(self._http)
            return self._authorized(uri, method, body, dict(headers or {}), limits)

    def _authorized(self, uri: str, method: str, body: Any, headers: dict[str, str], limits: Limits) -> tuple[Any, Any]:
        credentials = self._credentials
        if credentials is None:
            return self._exchange(uri, method, body, headers, limits)
        token = credentials.apply(method, uri, headers, limits)
        response, content = self._exchange(uri, method, body, headers, limits)
        # A request that is refused with 401 was not carried out: the token may have been revoked meanwhile.
        if int(response.status) == HTTPStatus.UNAUTHORIZED and credentials.renew(token, method, uri, headers, limits):
            response, content = self._exchange(uri, method, body, headers, limits)
        return response, content

    def _exchange(self, uri: str, method: str, body: Any, headers: dict[str, str], limits: Limits) -> tuple[Any, Any]:
        self._kind = self._kind or self._connection_class()
        return _exchange(self._http, self._kind, uri, method, body, headers, limits)

    def _connection_class(self) -> Any:
        if self._owned:
            return connection_class(self._origin)
        # A user's own httplib2 object has its own proxies and certificates.
        if find_spec("socks") is None and proxy_for(self._origin) is not None:
            raise NotConnectedError(
                f"{self._origin.scheme.upper()}_PROXY is set, which httplib2 ignores without PySocks: pip install "
                "pysocks, or leave http= out",
                transient=False,
            )
        kinds: dict[Any, Any] = httplib2.SCHEME_TO_CONNECTION
        return bounded(kinds[self._origin.scheme])


def is_httplib2(http: Any) -> bool:
    """Return whether an object is httplib2's or google-auth's, which take a class of connections."""
    return isinstance(http, httplib2.Http | AuthorizedHttp)


def own_http() -> httplib2.Http:
    """Return a new httplib2 object without its own ideas of proxies and redirects."""
    http = httplib2.Http(proxy_info=None)
    http.follow_redirects = False  # the API sends none, and a token must not follow one
    return http


def token_request() -> Any:
    """Return google-auth's transport for token servers, which are asked within a timeout of their own."""
    return Request(_TokenHttp())


class _TokenHttp:
    """The one method of `httplib2.Http` that google-auth's transport calls."""

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        origin = Origin.of(uri)
        if origin is None:
            raise NotConnectedError("the token server's URL is not one of http or https", transient=False)
        http = own_http()
        limits = Limits(_REFRESH_TIMEOUT)
        try:
            return _exchange(http, connection_class(origin), uri, method, body, dict(headers or {}), limits)
        finally:
            drop(http)


def _exchange(
    http: Any, kind: Any, uri: str, method: str, body: Any, headers: dict[str, str], limits: Limits
) -> tuple[Any, Any]:
    http.timeout = limits.left()
    for connection in http.connections.values():
        # httplib2 applies a timeout to connections it opens, not to those it has.
        connection.timeout = http.timeout
        if connection.sock is not None:
            connection.sock.settimeout(http.timeout)
    if isinstance(body, bytes) and len(body) > _WHOLE:
        headers["content-length"] = str(len(body))
        body = Pieces(body)
    with limited(limits):
        try:
            response, content = http.request(
                uri, method=method, body=body, headers=headers, redirections=0, connection_type=kind
            )
        except BaseException:
            drop(http)
            raise
    return response, content


def drop(http: Any) -> None:
    """Close and forget the connections of an httplib2 object, which stays usable.

    They are not shut down: in a forked child, they are the parent's, too.
    """
    connections = http.connections
    for key in list(connections):
        connection = connections.pop(key, None)
        if connection is not None:
            connection.close()
