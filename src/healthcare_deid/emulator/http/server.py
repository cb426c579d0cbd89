"""`Server`: the emulator on a port, served by uvicorn (extra ``[server]``)."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
import signal
import socket
import threading
from typing import IO, TYPE_CHECKING, Any, Self
from urllib.parse import quote, urlsplit

from healthcare_deid.emulator.errors import ServiceError, StatusCode
from healthcare_deid.emulator.faults import Dropped
from healthcare_deid.emulator.http.payload import MAX_IN_MEMORY, spool
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.request import Request
from healthcare_deid.errors import EmulatorError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Generator, MutableMapping
    from pathlib import Path

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LOOPBACK_NAME = re.compile(r"localhost|127(\.\d+){3}|\[?::1\]?|.*\.localhost", re.IGNORECASE)
_METHODS = "GET, POST, PATCH, PUT, DELETE, OPTIONS"
_BACKLOG = 2048


class Server:
    """Server on a port, in its own thread or in the caller's.

    There is no authentication, so any web page in a browser on this machine could read everything. A request is refused
    if its ``Origin`` is neither this machine nor in *origins*. On a loopback address, a request is also refused if its
    ``Host`` is neither this machine nor in *hosts*.

    Args:
        handle: Function that handles a request.
        host: Address to listen on. ``localhost`` and ``127.0.0.1`` also listen on the IPv6 loopback address.
        port: Port. 0 picks a free port.
        origins: Origins of web pages that may read, such as ``https://viewer.example``; ``*`` for all.
        hosts: Accepted ``Host`` names besides this machine's, such as ``healthcare.googleapis.com`` behind a local TLS
            proxy.
        allow_remote: Whether to accept an address that other machines can reach.
        scratch: Directory for large bodies, readable only by this user. None uses the system's temporary directory.

    Raises:
        EmulatorError: The address is not a loopback address, or the port is in use.
        MissingExtraError: uvicorn is not installed.
    """

    def __init__(
        self,
        handle: Callable[[Request], Reply],
        host: str = "127.0.0.1",
        port: int = 8085,
        *,
        origins: Collection[str] = (),
        hosts: Collection[str] = (),
        allow_remote: bool = False,
        scratch: Path | None = None,
    ) -> None:
        try:
            import uvicorn
        except ModuleNotFoundError:
            raise MissingExtraError("server", "the emulator's server") from None
        self._remote = not _is_loopback(host)
        if self._remote and not allow_remote:
            raise EmulatorError(
                f"{host!r} is reachable from other machines, and the emulator has no authentication: anyone could "
                "read and delete everything in it. To allow that, pass allow_remote=True (--allow-remote on the "
                "command line)"
            )
        self._handle = handle
        self._scratch = scratch
        self._origins = frozenset(origins)
        self._hosts = frozenset(name.lower() for name in hosts)
        self._sockets = _listen(host, port)
        self.port: int = self._sockets[0].getsockname()[1]
        """Port that the server listens on."""
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self.port}"
        """Base URL of the service, without a trailing slash."""
        # No access log: the URL of a search contains patient data.
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            access_log=False,
            log_level="warning",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Serve in a new thread.

        The port accepts connections when this returns.
        """
        self._thread = threading.Thread(target=self.run, name=f"emulator-{self.port}", daemon=True)
        self._thread.start()
        return self

    def run(self) -> None:
        """Serve until `stop` is called or the process is terminated."""
        try:
            with _unwinding():
                self._server.run(sockets=self._sockets)
        finally:
            for listening in self._sockets:
                listening.close()

    def stop(self) -> None:
        """Finish requests in progress and free the port."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        for listening in self._sockets:
            listening.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get("origin")
        refusal = self._refusal(headers, origin)
        if refusal is not None:
            reply = refusal
        # CORS preflight of a viewer in a browser.
        elif scope["method"] == "OPTIONS":
            asked = headers.get("access-control-request-headers", "*")
            allowed = {"access-control-allow-methods": _METHODS, "access-control-allow-headers": asked}
            reply = Reply(204, {**allowed, "access-control-max-age": "600"})
        else:
            with spool(self._scratch) as body:
                if not await _read(receive, body):
                    return  # the client disconnected before the end of its body
                request = _to_request(scope, headers, body, self.url)
                try:
                    reply = await asyncio.to_thread(self._handle, request)
                except Dropped:
                    await _drop(receive, send)
                    return
        if origin and refusal is None:
            reply = reply.with_headers(
                access_control_allow_origin=origin, access_control_expose_headers="*", vary="Origin"
            )
        try:
            await _send(reply, send, head=scope["method"] == "HEAD")
        # The announced length cannot be met. Drop the connection, so that the client notices a truncated reply.
        except ConnectionResetError:
            await _drop(receive, send)

    def _refusal(self, headers: dict[str, str], origin: str | None) -> Reply | None:
        if origin and not ({"*", origin} & self._origins or _LOOPBACK_NAME.fullmatch(_origin_host(origin))):
            message = "This origin may not use the emulator. To allow it, start the emulator with origins= (--origin)."
        # DNS rebinding: a web page can resolve its own host name to 127.0.0.1 and is then of the same origin.
        elif not self._remote and not self._is_own(_host_name(headers.get("host", "localhost"))):
            message = (
                "The Host header names another machine. To allow it, start the emulator with hosts= (--allow-host)."
            )
        else:
            return None
        return Reply.of_error(ServiceError(StatusCode.PERMISSION_DENIED, message))

    def _is_own(self, name: str) -> bool:
        return bool(_LOOPBACK_NAME.fullmatch(name)) or name.lower() in self._hosts


@contextlib.contextmanager
def _unwinding() -> Generator[None]:
    """Make SIGTERM unwind the stack as Ctrl-C does.

    Operations are then stopped and temporary directories removed. uvicorn finishes requests in progress first.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return bool(_LOOPBACK_NAME.fullmatch(host))


def _origin_host(origin: str) -> str:
    """Return the host of an ``Origin`` header.

    Returns an empty string if it is not a URL.
    """
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _host_name(host: str) -> str:
    return host.rpartition(":")[0] if re.search(r":\d+$", host) and not host.endswith("::1") else host


def _listen(host: str, port: int) -> list[socket.socket]:
    """Bind and listen at once.

    A client that connects before the event loop runs then waits instead of failing.
    """
    first = "127.0.0.1" if host == "localhost" else host
    try:
        family = socket.getaddrinfo(first, port, type=socket.SOCK_STREAM)[0][0]
        sockets = [_bound(family, first, port)]
    except OSError as error:
        raise EmulatorError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    if first == "127.0.0.1":
        with contextlib.suppress(OSError):  # clients try IPv6 first for "localhost"
            sockets.append(_bound(socket.AF_INET6, "::1", sockets[0].getsockname()[1]))
    return sockets


def _bound(family: int, host: str, port: int) -> socket.socket:
    # asyncio disables Nagle's algorithm only if the protocol is given explicitly. With Nagle, every reply on a kept
    # connection takes 40 ms longer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Otherwise the IPv6 socket would also claim the IPv4 port, which is already bound.
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def _to_request(scope: Scope, headers: dict[str, str], body: IO[bytes], url: str) -> Request:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    path = raw.decode("latin-1").partition("?")[0]
    uri = f"{path}?{scope['query_string'].decode('latin-1')}"
    large = body.tell() > MAX_IN_MEMORY
    body.seek(0)
    return Request.of(
        scope["method"],
        uri,
        headers=headers,
        body=b"" if large else body.read(),
        base_url=url,
        stream=body if large else None,
        on_port=True,
    )


async def _read(receive: Receive, body: IO[bytes]) -> bool:
    """Read the body of a request, into a file if it is too large for memory.

    Returns:
        Whether the body was complete.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        chunk = message.get("body", b"")
        if body.tell() + len(chunk) > MAX_IN_MEMORY:
            await asyncio.to_thread(body.write, chunk)  # writing to a slow disk would block the event loop
        else:
            body.write(chunk)
        if not message.get("more_body"):
            return True


async def _send(reply: Reply, send: Send, *, head: bool) -> None:
    headers = {**reply.headers}
    # A 204 reply must not have a Content-Length (RFC 9110, 8.6).
    if reply.status != 204:
        headers["content-length"] = str(reply.size)
    encoded = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    if reply.payload is not None and not head:
        chunks = reply.chunks()
        # In a thread, because reading a file would block the event loop.
        while chunk := await asyncio.to_thread(next, chunks, b""):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"" if head else reply.body})


async def _drop(receive: Receive, send: Send) -> None:
    """Close the connection without a reply."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
        await asyncio.sleep(0)  # let uvicorn see the closed transport
        return
    # Without access to the transport: a server closes the connection after a reply shorter than announced.
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
