"""An HTTP request as a value."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qsl

from healthcare_deid.emulator.http.field_masks import camel

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORIGIN = re.compile(r"\A[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
SERVICE = "https://healthcare.googleapis.com"

SYSTEM_PARAMETERS = frozenset(
    {
        "$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser",
        "uploadType", "upload_protocol", "userIp",
    }
)  # fmt: skip
"""Query parameters of every Google API (``parameters`` in the discovery document); ``$name`` equals ``name``."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: HTTP method in upper case.
        path: Percent-encoded path, without the query.
        query: Decoded pairs of the query in order, without the system parameters.
        system: System parameters (``alt``, ``fields``, ``xgafv`` …), without a leading ``$`` or ``$.``.
        headers: Header values by lower-case name.
        body: The body, if it fits into memory.
        base_url: Scheme and host that start every URL in a reply, without a trailing slash.
        stream: The body otherwise, as a seekable file; `body` is then empty.
        on_port: Whether a port serves this emulator at ``base_url``.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    system: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    base_url: str = SERVICE
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
        base_url: str = SERVICE,
        stream: IO[bytes] | None = None,
        on_port: bool = False,
    ) -> Request:
        """Build a request from a URI (absolute or not) and headers in any case."""
        lowered = {str(name).lower(): str(value) for name, value in (headers or {}).items()}
        method = method.upper()
        # Not urlsplit: it raises for a path that starts with "//[".
        path, _, query = uri.partition("#")[0].partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        override = lowered.get("x-http-method-override")
        if method == "POST" and override:
            # googleapiclient moves a query of more than 2,048 characters into the body.
            method = override.upper()
            pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
            body = b""
        system = {name.lstrip("$."): value for name, value in pairs if _is_system(name)}
        rest = tuple((name, value) for name, value in pairs if not _is_system(name))
        path = _ORIGIN.sub("", path)
        return cls(method, path, rest, system, lowered, body, base_url.rstrip("/"), stream, on_port)

    @property
    def size(self) -> int:
        """Length of the body in bytes."""
        return len(self.body) if self.stream is None else self.stream.seek(0, os.SEEK_END)

    def open(self) -> IO[bytes]:
        """Return the body as a file at its start."""
        if self.stream is None:
            return io.BytesIO(self.body)
        self.stream.seek(0)
        return self.stream

    def parameter(self, name: str) -> str | None:
        """Return the last value of a query parameter, given in camelCase or snake_case."""
        values = [value for key, value in self.query if camel(key) == name]
        return values[-1] if values else None

    def media_type(self) -> str:
        """Return the media type of the body in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_system(name: str) -> bool:
    return name in SYSTEM_PARAMETERS or (name.startswith("$") and name[1:] in SYSTEM_PARAMETERS)
