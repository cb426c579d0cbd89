"""A mix-in for ``http.client`` connections: one request is one request, and a time limit holds for all of it.

- A peer that hangs up before it answers raises `DroppedBeforeAnswerError`. ``http.client`` raises ``BadStatusLine``,
  which httplib2 takes for a stale connection and answers by sending again, whatever the verb.
- A failure while connecting raises `NotConnectedError`: the request surely did not leave.
- Sockets time out a read, not a reply: a server that sends a byte now and then holds a thread for ever. `limit` bounds
  the whole reply.
"""

from __future__ import annotations

import functools
import http.client
import io
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator


class DroppedBeforeAnswerError(ConnectionResetError):
    """The peer closed the connection without a status line: it may have acted."""


class NotConnectedError(OSError):
    """No connection came about: nothing was sent."""


class _Limit(threading.local):
    end: float | None = None


_limit = _Limit()


@contextmanager
def _limited(seconds: float) -> Generator[None]:
    _limit.end = time.monotonic() + seconds
    try:
        yield
    finally:
        _limit.end = None


class _LimitedReader(io.RawIOBase):
    """Reads a socket until the thread's limit."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if _limit.end is not None:
            left = _limit.end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            usual = self._sock.gettimeout()
            self._sock.settimeout(left if usual is None else min(usual, left))
            try:
                return self._raw.readinto(buffer)
            finally:
                self._sock.settimeout(usual)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Reading:
    """The one thing ``HTTPResponse`` asks of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(_LimitedReader(self._sock))


def _response(sock: socket.socket, *args: Any, **kwargs: Any) -> http.client.HTTPResponse:
    return http.client.HTTPResponse(cast("socket.socket", _Reading(sock)), *args, **kwargs)


@functools.cache
def guarded(base: Any) -> Any:
    """Return ``base``, a class of ``http.client.HTTPConnection``, with the guards of this module."""

    class Guarded(base):  # type: ignore[misc]
        limit = staticmethod(_limited)
        response_class = staticmethod(_response)

        def connect(self) -> None:
            try:
                super().connect()
            except Exception:  # noqa: BLE001 - whatever it is, nothing left
                self.close()
                failed = True
            else:
                failed = False
            if failed:
                raise NotConnectedError("no connection")

        def getresponse(self) -> Any:
            try:
                return super().getresponse()
            except (http.client.BadStatusLine, http.client.ResponseNotReady):
                self.close()
            raise DroppedBeforeAnswerError("no status line")

    return Guarded
