"""`EmulatorHttp`: the emulator where an ``httplib2.Http`` is expected. No socket."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from healthcare_deid.emulator.messages import Request
from healthcare_deid.emulator.status import http_phrase
from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthcare_deid.emulator.messages import Reply


class Response(dict[str, str]):
    """A reply's headers, with the attributes that callers of ``httplib2`` read."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})
        self["status"] = str(status)
        self.status = status
        self.reason = http_phrase(status)
        self.version = 11
        self.fromcache = False
        self.previous = None


class EmulatorHttp:
    """Answers requests in process, from any thread.

    It goes wherever an ``httplib2.Http`` goes: ``googleapiclient.discovery.build("healthcare", "v1", http=...)``.

    Args:
        handle: The router, faults included.
        release: Called once, when this is closed or no longer used: the emulator need not stay open for it.
    """

    def __init__(self, handle: Callable[[Request], Reply], release: Callable[[], None]) -> None:
        self._handle = handle
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
        """Answer a request.

        Args:
            uri: Absolute URI; which host it names does not matter.
            method: HTTP method.
            body: Text, bytes, or something with ``read``.
            headers: Request headers.
            **ignored: What ``httplib2`` also takes (``redirections``, ``connection_type``).

        Returns:
            The response's status and headers, and its body.

        Raises:
            EmulatorError: It is closed.
            ConnectionResetError: A fault plan wants the connection lost, or an instance was deleted while it was read.
        """
        if not self._release.alive:
            raise EmulatorError("this transport is closed: take a new one from Emulator.http()")
        parts = urlsplit(uri)
        base = f"{parts.scheme}://{parts.netloc}" if parts.netloc else "https://healthcare.googleapis.com"
        reply = self._handle(Request.of(method, uri, headers=headers, body=_bytes(body), base_url=base))
        content = b"".join(reply.chunks())
        return Response(reply.status, {**reply.headers, "content-length": str(len(content))}), content

    def close(self) -> None:
        """Let go of the emulator, which closes when nothing else uses it. A second call does nothing."""
        self._release()

    def add_credentials(self, *_: Any, **__: Any) -> None:
        """Do nothing: nobody is asked who they are."""


def _bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)
