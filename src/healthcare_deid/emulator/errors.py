"""Errors of the service: the canonical codes, and the exception that handlers raise."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class Code(Enum):
    """A ``google.rpc.Code``: its number, and the HTTP status it is sent with."""

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
        """Number of the code in a ``google.rpc.Status``."""
        return self.value[0]

    @property
    def http(self) -> int:
        """HTTP status of a reply with this code."""
        return self.value[1]

    @classmethod
    def of_http(cls, status: int) -> Code:
        """Return the code that an HTTP status usually stands for."""
        special = {408: cls.DEADLINE_EXCEEDED, 409: cls.ALREADY_EXISTS, 413: cls.INVALID_ARGUMENT, 502: cls.UNAVAILABLE}
        if status in special:
            return special[status]
        return next((code for code in cls if code.http == status), cls.UNKNOWN)


class ServiceError(Exception):
    """An error reply of the service.

    Attributes:
        code: Canonical code.
        http: HTTP status.
        message: Text for the client. It may name resources and fields, never a value of a DICOM instance.
        details: ``google.rpc`` detail messages.
    """

    def __init__(self, code: Code, message: str, *, http: int | None = None, details: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.http = http or code.http
        self.message = message
        self.details = tuple(details)

    def to_status(self) -> dict[str, Any]:
        """Return the error as the ``google.rpc.Status`` of an operation."""
        status: dict[str, Any] = {"code": self.code.number, "message": self.message}
        return status | {"details": list(self.details)} if self.details else status


def invalid(message: str) -> ServiceError:
    """400 INVALID_ARGUMENT."""
    return ServiceError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> ServiceError:
    """404 NOT_FOUND."""
    return ServiceError(Code.NOT_FOUND, message)


def already_exists(message: str) -> ServiceError:
    """409 ALREADY_EXISTS."""
    return ServiceError(Code.ALREADY_EXISTS, message)


def not_acceptable(message: str) -> ServiceError:
    """406: the reply cannot be made in any form that the client accepts."""
    return ServiceError(Code.INVALID_ARGUMENT, message, http=406)


def unimplemented(message: str) -> ServiceError:
    """501 UNIMPLEMENTED."""
    return ServiceError(Code.UNIMPLEMENTED, message)


def denied(permission: str, resource: str) -> ServiceError:
    """403 PERMISSION_DENIED; the service also sends it for a dataset that does not exist."""
    return ServiceError(
        Code.PERMISSION_DENIED,
        f"Permission '{permission}' denied on resource '//healthcare.googleapis.com/{resource}' (or it may not exist).",
    )
