"""Connections of ``http.client`` that send a request exactly once and say whether it left.

- A peer that hangs up before it answers raises `DroppedBeforeAnswerError`. ``http.client`` raises ``BadStatusLine``,
  which httplib2 takes for a stale connection and answers by sending again, whatever the verb.
- A failure while connecting raises `NotConnectedError`: the request surely did not leave.
- Replies are read by `BoundedResponse`.
"""

from __future__ import annotations

import functools
import http.client
import re
import ssl
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.http.limits import current
from healthcare_deid.client.http.reply_body import BoundedResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")
_PIECE = 64 * 1024


class DroppedBeforeAnswerError(ConnectionResetError):
    """The peer closed the connection without a status line: it may have acted."""


class NotConnectedError(OSError):
    """No connection was made: nothing was sent.

    Attributes:
        problem: The reason, if it is more than that nobody answered.
        transient: Whether another try may succeed.
        cause: Error that says more, if its text is safe to show.
    """

    def __init__(self, problem: str = "", *, transient: bool = True, cause: Exception | None = None) -> None:
        super().__init__(problem or "no connection")
        self.problem = problem
        self.transient = transient
        self.cause = cause


class Pieces:
    """Body of a request that is sent in pieces.

    ``sendall`` holds a whole body to the socket's timeout, within which 500 MB would have to leave. Each piece has its
    own.
    """

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)

    def __iter__(self) -> Iterator[memoryview]:
        for start in range(0, len(self._body), _PIECE):
            piece = self._body[start : start + _PIECE]
            yield piece
            limits = current()
            if limits is not None:
                limits.moved += len(piece)
                limits.left()


@functools.cache
def bounded(base: Any) -> Any:
    """Return ``base``, a class of ``http.client.HTTPConnection``, with the guarantees of this module."""

    class BoundedConnection(base):  # type: ignore[misc]
        response_class = BoundedResponse
        route = ""
        """Proxy on the way, for the error's text."""

        def connect(self) -> None:
            try:
                super().connect()
            except NotConnectedError:
                self.close()
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing left
                self.close()
                failure = _not_connected(error, self.route)
            else:
                return
            raise failure

        def getresponse(self) -> Any:
            try:
                return super().getresponse()
            except (http.client.BadStatusLine, http.client.ResponseNotReady):
                self.close()
            raise DroppedBeforeAnswerError("no status line")

    return BoundedConnection


def _not_connected(error: Exception, route: str) -> NotConnectedError:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or "it cannot be verified"
        return NotConnectedError(
            f"the server's certificate is refused: {reason}. If a proxy of your organization signs certificates, let "
            "SSL_CERT_FILE or REQUESTS_CA_BUNDLE name the file with its authority",
            transient=False,
            cause=error,
        )
    if isinstance(error, ssl.SSLError):
        # A peer that hangs up during the handshake may be back soon; one that does not speak TLS will not learn it.
        passing = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        reason = (error.reason or type(error).__name__).replace("_", " ").lower()
        return NotConnectedError(f"no TLS connection: {reason}", transient=passing)
    refused = _TUNNEL_REFUSED.match(str(error)) if isinstance(error, OSError) else None
    if refused is not None:
        status = int(refused[1])
        remedy = (
            "it asks for a user and a password: HTTPS_PROXY=http://user:password@host:port"
            if status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
            else "it may not allow this host"
        )
        return NotConnectedError(
            f"{route or 'the proxy'} refused the connection with HTTP {status}; {remedy}",
            transient=status >= http.HTTPStatus.INTERNAL_SERVER_ERROR,
        )
    return NotConnectedError(f"no connection through {route}" if route else "")
