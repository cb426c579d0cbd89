"""``multipart/related`` bodies (RFC 2387), read and written without touching a byte of the parts."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING

from healthcare_deid.emulator.status import invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its body, and its headers by lower-case name."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def media_type(self) -> str:
        """Its media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def content_parameter(content_type: str, name: str) -> str | None:
    """Return a parameter of a Content-Type header."""
    message = Message()
    message["content-type"] = content_type
    value = message.get_param(name)
    return value if isinstance(value, str) else None


def parse(content_type: str, body: bytes) -> list[Part]:
    """Take a multipart body apart.

    Raises:
        ServiceError: 400: no boundary, or a body that is not made of parts.
    """
    boundary = content_parameter(content_type, "boundary")
    if not boundary:
        raise invalid("The Content-Type multipart/related needs a boundary parameter.")
    delimiter = b"\r\n--" + boundary.encode("utf-8", "replace")
    sections = (b"\r\n" + body).split(delimiter)
    if len(sections) < 2:
        raise invalid("The body does not contain the boundary its Content-Type names.")
    parts: list[Part] = []
    for section in sections[1:]:
        if section.startswith(b"--"):
            return parts
        parts.append(_part(section))
    raise invalid("The multipart body ends without its closing boundary.")


def _part(section: bytes) -> Part:
    head, separator, content = section.partition(b"\r\n\r\n")
    if not separator:
        raise invalid("A part of the multipart body has no empty line after its headers.")
    headers: dict[str, str] = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return Part(content, headers)


def build(parts: Iterable[Part], root_type: str) -> tuple[str, bytes]:
    """Put a multipart body together; return its Content-Type and the body."""
    boundary = secrets.token_hex(20)
    chunks: list[bytes] = []
    for part in parts:
        chunks.append(f"--{boundary}\r\n".encode())
        chunks.extend(f"{name.title()}: {value}\r\n".encode() for name, value in part.headers.items())
        chunks += [b"\r\n", part.body, b"\r\n"]
    chunks.append(f"--{boundary}--\r\n".encode())
    return f'multipart/related; type="{root_type}"; boundary={boundary}', b"".join(chunks)
