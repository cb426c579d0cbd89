"""``http.client`` connections that send a request exactly once.

- A peer that closes the connection before it replies raises `DroppedBeforeAnswerError`. ``http.client`` itself raises
  ``BadStatusLine``, which httplib2 takes for a stale connection: it sends the request again, even a POST.
- A failure to connect raises `NotConnectedError`: the request certainly was not sent.
- Replies are read by `BoundedResponse`.
"""

from __future__ import annotations

import functools
import http.client
import re
import ssl
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.http.limits import current_limits
from healthcare_deid.client.http.reply_body import BoundedResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")
_PIECE = 64 * 1024


class DroppedBeforeAnswerError(ConnectionResetError):
    """The peer closed the connection without a status line.

    The server may have executed the request.
    """


class NotConnectedError(OSError):
    """No connection was made, so nothing was sent.

    Attributes:
        problem: Reason, if it is more than "no answer".
        transient: Whether another attempt may succeed.
        cause: Underlying exception, if its text is safe to show.
    """

    def __init__(self, problem: str = "", *, transient: bool = True, cause: Exception | None = None) -> None:
        super().__init__(problem or "no connection")
        self.problem = problem
        self.transient = transient
        self.cause = cause


class BodyPieces:
    """Request body that is sent in pieces.

    ``sendall`` must send the whole body within one socket timeout, which 500 MB would exceed. Each piece has a timeout
    of its own.
    """

    def __init__(self, body: bytes) -> None:
        self._body = memoryview(body)

    def __iter__(self) -> Iterator[memoryview]:
        for start in range(0, len(self._body), _PIECE):
            piece = self._body[start : start + _PIECE]
            yield piece
            limits = current_limits()
            if limits is not None:
                # Data that has moved extends the time limit of a transfer.
                limits.moved += len(piece)
                limits.left()


@functools.cache
def bounded(base: Any) -> Any:
    """Return a subclass of *base* with the guarantees of this module."""

    class BoundedConnection(base):  # type: ignore[misc]
        response_class = BoundedResponse
        route = ""
        """Proxy in between, for error texts."""

        def connect(self) -> None:
            try:
                super().connect()
            except NotConnectedError:
                self.close()
                raise
            except Exception as error:  # noqa: BLE001 - nothing was sent, whatever it is
                self.close()
                failure = _not_connected(error, self.route)
            else:
                return
            raise failure

        def getresponse(self) -> Any:
            try:
                return super().getresponse()
            # Includes RemoteDisconnected, a subclass of BadStatusLine.
            except (http.client.BadStatusLine, http.client.ResponseNotReady):
                self.close()
            raise DroppedBeforeAnswerError("no status line")

    return BoundedConnection


def _not_connected(error: Exception, route: str) -> NotConnectedError:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or "it cannot be verified"
        return NotConnectedError(
            f"the server's certificate was rejected: {reason}. If your organization's proxy signs certificates, set "
            "SSL_CERT_FILE or REQUESTS_CA_BUNDLE to the file with its CA certificate",
            transient=False,
            cause=error,
        )
    if isinstance(error, ssl.SSLError):
        # A peer that closes during the handshake may be restarting. Any other TLS error stays the same on a retry.
        passing = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
        reason = (error.reason or type(error).__name__).replace("_", " ").lower()
        return NotConnectedError(f"no TLS connection: {reason}", transient=passing)
    refused = _TUNNEL_REFUSED.match(str(error)) if isinstance(error, OSError) else None
    if refused is not None:
        status = int(refused[1])
        remedy = (
            "it requires a user name and password: set HTTPS_PROXY=http://user:password@host:port"
            if status == http.HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
            else "it may block this host"
        )
        return NotConnectedError(
            f"{route or 'the proxy'} refused the connection with HTTP {status}; {remedy}",
            transient=status >= http.HTTPStatus.INTERNAL_SERVER_ERROR,
        )
    return NotConnectedError(f"no connection through {route}" if route else "")
