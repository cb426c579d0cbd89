"""`BoundedResponse`: reads a reply within the thread's `Limits`.

It decompresses the body, and streams it to a file if asked to.
"""

from __future__ import annotations

import http.client
import io
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from healthcare_deid.client.http.limits import INSTANCE_BYTES, Limits, current_limits

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

_PIECE = 64 * 1024
_GZIP_OR_ZLIB, _RAW_DEFLATE = 47, -15  # zlib's wbits


class UnreadableBodyError(http.client.HTTPException):
    """The body cannot be read.

    The text gives the reason and contains no data.
    """


class BoundedResponse(http.client.HTTPResponse):
    """Response that enforces the limits of the thread.

    httplib2 calls ``read()`` once, and all limits apply there.
    """

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(cast("socket.socket", _TimedSocket(sock)), *args, **kwargs)

    def read(self, amt: int | None = None) -> bytes:
        """Read the body.

        If the limits have a sink, a successful reply is written to it and nothing is returned.

        Raises:
            UnreadableBodyError: The body is too large, is corrupt, or has no length although it is streamed.
            http.client.IncompleteRead: The connection was lost.
        """
        limits = current_limits()
        if amt is not None or limits is None:
            return super().read(amt)
        try:
            return self._whole(limits)
        except BaseException:
            self.close()  # the socket stays open until the response is closed
            raise

    def _whole(self, limits: Limits) -> bytes:
        streamed = limits.sink is not None and self.status == http.HTTPStatus.OK
        if streamed and self.length is None and not self.chunked:
            # Only the end of the connection ends such a body, so a truncated instance would look complete.
            raise UnreadableBodyError("the reply has no Content-Length, so a truncated instance would go unnoticed")
        # An error reply goes to memory even if a sink is given, because its text is needed for the exception.
        sink, most = (cast("Any", limits.sink), INSTANCE_BYTES) if streamed else (io.BytesIO(), limits.memory)
        size = 0
        for piece in self._decoded():
            size += len(piece)
            if size > most:
                raise UnreadableBodyError(f"the body is larger than {most // 2**20} MiB")
            write_to_sink(sink, piece)
        if self._decodes():
            # Otherwise httplib2 would decompress the body a second time.
            del self.headers["content-encoding"]
            del self.headers["content-length"]
            self.headers["content-length"] = str(size)
        return b"" if streamed else sink.getvalue()

    def _raw(self) -> Iterator[bytes]:
        while piece := super().read(_PIECE):
            yield piece
        # http.client raises IncompleteRead only from read() without a size.
        if self.length:
            raise http.client.IncompleteRead(b"", self.length)

    def _decodes(self) -> bool:
        return self.headers.get("content-encoding", "").strip().lower() in {"gzip", "x-gzip", "deflate", "zlib"}

    def _decoded(self) -> Iterator[bytes]:
        """Yield the decompressed body in pieces of bounded size."""
        if not self._decodes():
            yield from self._raw()
            return
        decoder: Any = None
        for data in self._raw():
            rest = data
            while rest:
                decoder = decoder or _decoder_for(rest)
                try:
                    piece = decoder.decompress(rest, _PIECE)
                except zlib.error:
                    piece = None
                if piece is None:
                    raise UnreadableBodyError("the body cannot be decompressed")
                yield piece
                rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
                if decoder.eof:
                    decoder = None  # a gzip stream can have several members (RFC 1952, 2.2)
        while decoder is not None and not decoder.eof:
            piece = decoder.decompress(b"", _PIECE)
            if not piece:
                raise UnreadableBodyError("the compressed body ends too early")
            yield piece


def write_to_sink(sink: BinaryIO, data: bytes) -> None:
    """Write to a sink.

    A full disk must not look like a lost connection, which would be retried.

    Raises:
        UnreadableBodyError: Writing failed.
    """
    try:
        sink.write(data)
    except OSError as error:
        problem = f"the body cannot be written ({type(error).__name__})"
    else:
        return
    raise UnreadableBodyError(problem)


def _decoder_for(data: bytes) -> Any:
    """Return a decoder chosen by the first bytes of the body.

    Some servers send raw deflate data as ``deflate``, where RFC 9110 (8.4.1.2) requires the zlib format.
    """
    # The gzip signature, or a zlib header: method 8, and both bytes together a multiple of 31 (RFC 1950, 2.2).
    wrapped = data[:2] == b"\x1f\x8b" or (data[0] & 0x0F == 8 and int.from_bytes(data[:2].ljust(2), "big") % 31 == 0)
    return zlib.decompressobj(_GZIP_OR_ZLIB if wrapped else _RAW_DEFLATE)


class _TimedSocket:
    """The one socket method that `http.client.HTTPResponse` calls."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode
        return io.BufferedReader(_TimedReader(self._sock), _PIECE)


class _TimedReader(io.RawIOBase):
    """Reader that stops at the limits of the thread.

    A socket's timeout applies to one read, not to a whole reply. A server that sends a byte now and then would block
    its thread forever.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        limits = current_limits()
        if limits is None:
            return self._raw.readinto(buffer)
        return self._timed(buffer, limits)

    def _timed(self, buffer: Any, limits: Limits) -> int | None:
        # Shortened for this read only: the socket may be kept for the next request.
        usual, left = self._sock.gettimeout(), limits.left()
        self._sock.settimeout(left if usual is None else min(usual, left))
        try:
            count = self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(usual)
        limits.moved += count or 0
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
