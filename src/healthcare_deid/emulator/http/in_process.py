"""`EmulatorHttp`: the emulator as ``httplib2.Http``, without a socket."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from healthcare_deid.emulator.http.reply import http_phrase
from healthcare_deid.emulator.http.request import Request
from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthcare_deid.emulator.http.reply import Reply


class Response(dict[str, str]):
    """Reply headers, with the attributes of ``httplib2.Response``."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})
        self["status"] = str(status)
        self.status = status
        self.reason = http_phrase(status)
        self.version = 11
        self.fromcache = False
        self.previous = None


class EmulatorHttp:
    """In-process transport for the emulator.

    Thread-safe. Use it wherever an ``httplib2.Http`` is expected:
    ``googleapiclient.discovery.build("healthcare", "v1", http=emulator.http())``.

    Args:
        handle: Function that handles a request.
        release: Called once when the transport is closed or garbage-collected.
    """

    def __init__(self, handle: Callable[[Request], Reply], release: Callable[[], None]) -> None:
        self._handle = handle
        # Also runs when the transport is garbage-collected, because users of httplib2 rarely close one.
        self._release = weakref.finalize(self, release)
        self.timeout: float | None = None
        self.redirect_codes: frozenset[int] = frozenset()
        self.follow_redirects = False

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **ignored: Any,
    ) -> tuple[Response, bytes]:
        """Handle a request.

        Args:
            uri: Absolute URI. Its host is ignored.
            method: HTTP method.
            body: Text, bytes, or a file object.
            headers: Request headers.
            **ignored: Other arguments of ``httplib2`` (``redirections``, ``connection_type``).

        Returns:
            Status and headers of the reply, and its body.

        Raises:
            EmulatorError: The transport is closed.
            ConnectionResetError: The fault plan drops the connection, or an instance was deleted while being read.
        """
        if not self._release.alive:
            raise EmulatorError("this transport is closed: get a new one from Emulator.http()")
        parts = urlsplit(uri)
        # URLs in replies start with the address that the client used.
        base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "https://healthcare.googleapis.com"
        reply = self._handle(Request.of(method, uri, headers=headers, body=_encoded_body(body), base_url=base))
        content = b"".join(reply.chunks())
        return Response(reply.status, {**reply.headers, "content-length": str(len(content))}), content

    def close(self) -> None:
        """Release the emulator.

        Its last user closes it. Calling it again does nothing.
        """
        self._release()

    def add_credentials(self, *_: Any, **__: Any) -> None:
        """Do nothing; the emulator has no authentication."""


def _encoded_body(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)
