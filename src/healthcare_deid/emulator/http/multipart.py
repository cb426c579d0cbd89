"""Streaming reader and writer of ``multipart/related`` bodies (RFC 2387)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from email.message import Message
from typing import IO, TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.http.payload import CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthcare_deid.emulator.http.payload import Payload

_MAX_HEADER_BYTES = 16 * 1024
# RFC 2046 allows white space between a boundary and its line end. Limited to 64 characters, so that the reader knows
# how many bytes it needs to decide.
_AFTER_BOUNDARY = re.compile(rb"--|[ \t]{0,64}\r\n")
_LONGEST_AFTER = 66


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a body.

    Attributes:
        headers: Header values by lower-case name.
        chunks: Content, which must be read before the next part.
    """

    headers: Mapping[str, str]
    chunks: Iterator[bytes]

    @property
    def media_type(self) -> str:
        """Media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def content_parameter(content_type: str, name: str) -> str | None:
    """Return a parameter of a Content-Type header, or None."""
    message = Message()
    message["content-type"] = content_type
    value = message.get_param(name)
    return value if isinstance(value, str) else None


def read(content_type: str, stream: IO[bytes]) -> Iterator[Part]:
    """Yield the parts of a body.

    Raises:
        ServiceError: 400: the boundary is missing, or the body does not end with it.
    """
    boundary = content_parameter(content_type, "boundary")
    if not boundary:
        raise invalid("The Content-Type multipart/related requires a boundary parameter.")
    sections = _Sections(stream, b"\r\n--" + boundary.encode("utf-8", "replace"))
    for _ in sections.content("The body does not contain the boundary given in its Content-Type."):
        pass  # the preamble is ignored (RFC 2046, 5.1.1)
    while not sections.closed:
        headers = sections.headers()
        chunks = sections.content("The multipart body ends without its closing boundary.")
        yield Part(headers, chunks)
        for _ in chunks:
            pass


class _Sections:
    """Reader of the content between boundaries."""

    def __init__(self, stream: IO[bytes], delimiter: bytes) -> None:
        self._stream = stream
        self._delimiter = delimiter
        self._buffer = b"\r\n"  # the delimiter starts with CRLF, but a body may start with the boundary itself
        self._at = 0
        self.closed = False

    def content(self, unended: str) -> Iterator[bytes]:
        """Yield the bytes up to the next boundary and skip the boundary."""
        look = self._at
        while True:
            found = self._buffer.find(self._delimiter, look)
            after = found + len(self._delimiter)
            end = _AFTER_BOUNDARY.match(self._buffer, after) if found >= 0 else None
            if end is not None:
                if found > self._at:
                    yield self._buffer[self._at : found]
                self.closed = end.group() == b"--"
                # Keep the CRLF: in a part without headers it is the first half of the empty line before the content.
                self._at = end.end() if self.closed else end.end() - 2
                return
            # With fewer bytes after it, the line may still turn out to be the boundary.
            if found >= 0 and len(self._buffer) >= after + _LONGEST_AFTER:
                look = found + 1  # a longer line that only starts like the boundary
                continue
            # The last bytes are kept, because a boundary may be split between two chunks.
            last = found if found >= 0 else max(self._at, len(self._buffer) - len(self._delimiter) + 1)
            if last > self._at:
                yield self._buffer[self._at : last]
                self._at = last
            self._more(unended)
            look = 0

    def headers(self) -> dict[str, str]:
        """Read the headers of a part."""
        missing = "A part of the multipart body has no empty line after its headers."
        while (end := self._buffer.find(b"\r\n\r\n", self._at, self._at + _MAX_HEADER_BYTES)) < 0:
            if len(self._buffer) - self._at > _MAX_HEADER_BYTES:
                raise invalid(missing)
            self._more(missing)
        head, self._at = self._buffer[self._at : end], end + 4
        headers: dict[str, str] = {}
        for line in head.decode("latin-1").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        return headers

    def _more(self, unended: str) -> None:
        chunk = self._stream.read(CHUNK)
        if not chunk:
            raise invalid(unended)
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0


class Writer:
    """Writer of a multipart body.

    Args:
        payload: Destination.
        root_type: Media type of the parts.
    """

    def __init__(self, payload: Payload, root_type: str) -> None:
        self._payload = payload
        self._boundary = secrets.token_hex(20)
        self._start = ""
        self.content_type = f'multipart/related; type="{root_type}"; boundary={self._boundary}'

    def begin(self, content_type: str) -> None:
        """Start a part.

        Its content is then written to the payload.
        """
        self._payload.write(f"{self._start}--{self._boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode())
        self._start = "\r\n"

    def end(self) -> None:
        """End the last part and the body."""
        self._payload.write(f"\r\n--{self._boundary}--\r\n".encode())
