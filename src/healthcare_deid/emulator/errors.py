"""Errors as the service writes them: one table of canonical codes, one exception, one body."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence


class Code(Enum):
    """``google.rpc.Code``: number, and the HTTP status it is sent with."""

    CANCELLED = (1, 499)
    UNKNOWN = (2, 500)
    INVALID_ARGUMENT = (3, 400)
    DEADLINE_EXCEEDED = (4, 504)
    NOT_FOUND = (5, 404)
    ALREADY_EXISTS = (6, 409)
    PERMISSION_DENIED = (7, 403)
    RESOURCE_EXHAUSTED = (8, 429)
    FAILED_PRECONDITION = (9, 400)
    ABORTED = (10, 409)
    OUT_OF_RANGE = (11, 400)
    UNIMPLEMENTED = (12, 501)
    INTERNAL = (13, 500)
    UNAVAILABLE = (14, 503)
    UNAUTHENTICATED = (16, 401)

    @property
    def number(self) -> int:
        """The code's number, as ``google.rpc.Status`` holds it."""
        return self.value[0]

    @property
    def http(self) -> int:
        """The HTTP status of a reply with this code."""
        return self.value[1]

    @classmethod
    def of_http(cls, status: int) -> Code:
        """Return the canonical code that an HTTP status usually stands for."""
        special = {408: cls.DEADLINE_EXCEEDED, 409: cls.ALREADY_EXISTS, 413: cls.INVALID_ARGUMENT, 502: cls.UNAVAILABLE}
        if status in special:
            return special[status]
        return next((code for code in cls if code.http == status), cls.UNKNOWN)


class ServiceError(Exception):
    """The request is answered with an error.

    Attributes:
        code: Canonical code.
        http: HTTP status.
        message: The text the client gets. It may name resources and fields, never a value of a DICOM instance.
        details: ``google.rpc`` detail messages.
    """

    def __init__(self, code: Code, message: str, *, http: int | None = None, details: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.http = http or code.http
        self.message = message
        self.details = tuple(details)

    def to_status(self) -> dict[str, Any]:
        """Return the error as a ``google.rpc.Status``, as an operation holds it."""
        status: dict[str, Any] = {"code": self.code.number, "message": self.message}
        return status | {"details": list(self.details)} if self.details else status

    def to_reply(self, error_format: str | None = None) -> Reply:
        """Return the error as an HTTP reply; format ``"1"`` adds the legacy ``errors`` list (fidelity F-17)."""
        body: dict[str, Any] = {"code": self.http, "message": self.message}
        if error_format == "1":
            reason = _LEGACY_REASONS.get(self.code, "backendError")
            body["errors"] = [{"message": self.message, "domain": "global", "reason": reason}]
        body["status"] = self.code.name
        if self.details:
            body["details"] = list(self.details)
        return Reply.json({"error": body}, self.http)


_LEGACY_REASONS = {
    Code.INVALID_ARGUMENT: "badRequest",
    Code.FAILED_PRECONDITION: "failedPrecondition",
    Code.NOT_FOUND: "notFound",
    Code.ALREADY_EXISTS: "alreadyExists",
    Code.PERMISSION_DENIED: "forbidden",
    Code.UNAUTHENTICATED: "authError",
    Code.RESOURCE_EXHAUSTED: "rateLimitExceeded",
    Code.UNIMPLEMENTED: "notImplemented",
}


def invalid(message: str) -> ServiceError:
    """400 INVALID_ARGUMENT."""
    return ServiceError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> ServiceError:
    """404 NOT_FOUND."""
    return ServiceError(Code.NOT_FOUND, message)


def already_exists(message: str) -> ServiceError:
    """409 ALREADY_EXISTS."""
    return ServiceError(Code.ALREADY_EXISTS, message)


def unimplemented(message: str) -> ServiceError:
    """501 UNIMPLEMENTED."""
    return ServiceError(Code.UNIMPLEMENTED, message)


def denied(permission: str, resource: str) -> ServiceError:
    """403 PERMISSION_DENIED, the answer for a dataset that does not exist as well."""
    return ServiceError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied on resource '//healthcare.googleapis.com/{resource}' (or it may not exist).",
    )


def http_phrase(status: int) -> str:
    """Return the reason phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Closed Request" if status == Code.CANCELLED.http else ""
