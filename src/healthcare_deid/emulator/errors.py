"""Error codes of the service, and the exception for an error reply."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class StatusCode(Enum):
    """``google.rpc.Code`` with its number and HTTP status."""

    # Numbers and HTTP statuses as in google/rpc/code.proto.
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
        """Number in a ``google.rpc.Status``."""
        return self.value[0]

    @property
    def http(self) -> int:
        """HTTP status of the reply."""
        return self.value[1]

    @classmethod
    def of_number(cls, number: int) -> StatusCode:
        """Return the code with a number.

        Raises:
            ValueError: No error has the number.
        """
        known = {code.number: code for code in cls}
        if number not in known:
            raise ValueError(f"code must be a number of google.rpc.Code for an error: {', '.join(map(str, known))}")
        return known[number]

    @classmethod
    def of_http(cls, status: int) -> StatusCode:
        """Return the code for an HTTP status."""
        # Statuses that several codes share, or that none has.
        special = {408: cls.DEADLINE_EXCEEDED, 409: cls.ALREADY_EXISTS, 413: cls.INVALID_ARGUMENT, 502: cls.UNAVAILABLE}
        if status in special:
            return special[status]
        return next((code for code in cls if code.http == status), cls.UNKNOWN)


class ServiceError(Exception):
    """Error reply of the service.

    Attributes:
        code: Canonical code.
        http: HTTP status.
        message: Text for the client. It may name resources and fields, but never contains a value of an instance.
        details: ``google.rpc`` detail messages.
    """

    def __init__(self, code: StatusCode, message: str, *, http: int | None = None, details: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.http = http or code.http
        self.message = message
        self.details = tuple(details)

    def to_status(self) -> dict[str, Any]:
        """Return the error as ``google.rpc.Status`` for an operation."""
        status: dict[str, Any] = {"code": self.code.number, "message": self.message}
        return status | {"details": list(self.details)} if self.details else status


def invalid(message: str) -> ServiceError:
    """Return a 400 INVALID_ARGUMENT error."""
    return ServiceError(StatusCode.INVALID_ARGUMENT, message)


def invalid_field(path: str, message: str) -> ServiceError:
    """Return a 400 INVALID_ARGUMENT error for a field of the request, with ``google.rpc.BadRequest`` in its details.

    Args:
        path: Path of the field in JSON names, or empty for the request itself.
        message: Text for the client.
    """
    return invalid_fields(message, [(path, message)])


def invalid_fields(message: str, violations: Sequence[tuple[str, str]]) -> ServiceError:
    """Return a 400 INVALID_ARGUMENT error for several fields.

    Args:
        message: Text for the client.
        violations: Path and description of each field.
    """
    listed = [{"field": path, "description": text} if path else {"description": text} for path, text in violations]
    details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": listed}]
    return ServiceError(StatusCode.INVALID_ARGUMENT, message, details=details)


def not_found(message: str) -> ServiceError:
    """Return a 404 NOT_FOUND error."""
    return ServiceError(StatusCode.NOT_FOUND, message)


def already_exists(message: str) -> ServiceError:
    """Return a 409 ALREADY_EXISTS error."""
    return ServiceError(StatusCode.ALREADY_EXISTS, message)


def not_acceptable(message: str) -> ServiceError:
    """Return a 406 error: no acceptable form of the reply is available."""
    return ServiceError(StatusCode.INVALID_ARGUMENT, message, http=406)


def unimplemented(message: str) -> ServiceError:
    """Return a 501 UNIMPLEMENTED error."""
    return ServiceError(StatusCode.UNIMPLEMENTED, message)


def denied(permission: str, resource: str) -> ServiceError:
    """Return a 403 PERMISSION_DENIED error.

    The service also sends it for a dataset that does not exist.
    """
    return ServiceError(
        StatusCode.PERMISSION_DENIED,
        f"Permission '{permission}' denied on resource '//healthcare.googleapis.com/{resource}' (or it may not exist).",
    )
