"""A request and a reply as values: what the router takes and gives, whatever carried them."""

from __future__ import annotations

import io
import json
import os
from dataclasses import dataclass, field, replace
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthcare_deid.emulator.payload import Payload

JSON = "application/json; charset=UTF-8"

SYSTEM_PARAMETERS = frozenset(
    {
        "$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser",
        "uploadType", "upload_protocol", "userIp",
    }
)  # fmt: skip
"""Query parameters every Google API understands (``parameters`` of the discovery document); ``$name`` works too."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: ``GET``, ``POST`` …
        path: Percent-encoded path, without the query.
        query: The query's pairs, decoded, in order, without the system parameters.
        system: The system parameters (``alt``, ``fields``, ``xgafv`` …), without a leading ``$`` or ``$.``.
        headers: Header values by lower-case name.
        body: The body, if it is in memory.
        base_url: Where this service says it lives, without a trailing slash: the start of every URL it writes.
        stream: The body, if it is too long for memory: something that can be read and sought. `body` is empty then.
        on_port: Whether ``base_url`` leads here: whether a port serves this emulator there.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    system: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    base_url: str = "https://healthcare.googleapis.com"
    stream: IO[bytes] | None = None
    on_port: bool = False

    @classmethod
    def of(
        cls,
        method: str,
        uri: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        base_url: str = "https://healthcare.googleapis.com",
        stream: IO[bytes] | None = None,
        on_port: bool = False,
    ) -> Request:
        """Build a request from a URI (absolute or not) and headers in any case."""
        lowered = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
        method = method.upper()
        parts = urlsplit(uri)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        override = lowered.get("x-http-method-override")
        if method == "POST" and override:
            # Clients move a query that is too long for a URL into the body (googleapiclient from 2,048 characters on).
            method = override.upper()
            pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
            body = b""
        system = {name.lstrip("$."): value for name, value in pairs if _is_system(name)}
        query = tuple((name, value) for name, value in pairs if not _is_system(name))
        return cls(method, parts.path, query, system, lowered, body, base_url.rstrip("/"), stream, on_port)

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body) if self.stream is None else self.stream.seek(0, os.SEEK_END)

    def open(self) -> IO[bytes]:
        """Return the body, wherever it is, at its start."""
        if self.stream is None:
            return io.BytesIO(self.body)
        self.stream.seek(0)
        return self.stream

    def parameter(self, name: str) -> str | None:
        """Return the last value of a query parameter."""
        values = [value for key, value in self.query if key == name]
        return values[-1] if values else None

    def media_type(self) -> str:
        """Return the body's media type, without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_system(name: str) -> bool:
    return name in SYSTEM_PARAMETERS or (name.startswith("$") and name[1:] in SYSTEM_PARAMETERS)


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply.

    Attributes:
        status: HTTP status.
        headers: Header values by lower-case name; the length is not among them.
        body: The body, if it is in memory.
        payload: The body, if it may be too long for memory. `body` is empty then.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    payload: Payload | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, content_type: str = JSON) -> Reply:
        """Build a reply with a JSON body."""
        return cls(status, {"content-type": content_type}, json.dumps(value, ensure_ascii=False, indent=2).encode())

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body) if self.payload is None else self.payload.size

    def chunks(self) -> Iterator[bytes]:
        """Give the body, once.

        Raises:
            ConnectionResetError: It cannot be given to its end: what it was made of is gone.
        """
        if self.payload is None:
            yield self.body
            return
        try:
            yield from self.payload.chunks()
        finally:
            self.payload.close()

    def with_headers(self, **headers: str) -> Reply:
        """Return the reply with more headers; underscores in the names stand for hyphens."""
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **added})
