"""`Reply`: an HTTP reply as a value."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import StatusCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthcare_deid.emulator.errors import ServiceError
    from healthcare_deid.emulator.http.payload import Payload

JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """HTTP reply.

    Attributes:
        status: HTTP status.
        headers: Header values by lower-case name, without the length.
        body: Body, if it fits into memory.
        payload: Body otherwise; `body` is then empty.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    payload: Payload | None = None

    @classmethod
    def json(cls, value: Any, status: int = 200, content_type: str = JSON) -> Reply:
        """Build a reply with a JSON body."""
        # Indented, because prettyPrint is on by default.
        return cls(status, {"content-type": content_type}, json.dumps(value, ensure_ascii=False, indent=2).encode())

    @classmethod
    def of_error(cls, error: ServiceError, error_format: str | None = None) -> Reply:
        """Build an error reply.

        Error format ``"1"`` adds the legacy ``errors`` list (fidelity F-17).
        """
        body: dict[str, Any] = {"code": error.http, "message": error.message}
        if error_format == "1":
            reason = _LEGACY_REASONS.get(error.code, "backendError")
            body["errors"] = [{"message": error.message, "domain": "global", "reason": reason}]
        body["status"] = error.code.name
        if error.details:
            body["details"] = list(error.details)
        return cls.json({"error": body}, error.http)

    @property
    def size(self) -> int:
        """Length of the body in bytes."""
        return len(self.body) if self.payload is None else self.payload.size

    def chunks(self) -> Iterator[bytes]:
        """Yield the body once.

        Raises:
            ConnectionResetError: A file of the payload was deleted before it was sent.
        """
        if self.payload is None:
            yield self.body
            return
        try:
            yield from self.payload.chunks()
        finally:
            self.payload.close()

    def with_headers(self, **headers: str) -> Reply:
        """Return the reply with more headers.

        Underscores in argument names stand for hyphens.
        """
        added = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **added})


# Reasons in error format 1 (fidelity F-17).
_LEGACY_REASONS = {
    StatusCode.INVALID_ARGUMENT: "badRequest",
    StatusCode.FAILED_PRECONDITION: "failedPrecondition",
    StatusCode.NOT_FOUND: "notFound",
    StatusCode.ALREADY_EXISTS: "alreadyExists",
    StatusCode.PERMISSION_DENIED: "forbidden",
    StatusCode.UNAUTHENTICATED: "authError",
    StatusCode.RESOURCE_EXHAUSTED: "rateLimitExceeded",
    StatusCode.UNIMPLEMENTED: "notImplemented",
}


def http_phrase(status: int) -> str:
    """Return the reason phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        # HTTPStatus has no 499, which is nginx's.
        return "Client Closed Request" if status == StatusCode.CANCELLED.http else ""
