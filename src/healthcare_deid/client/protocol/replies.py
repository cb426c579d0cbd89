"""Parsing of HTTP responses into replies and errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, cast

from healthcare_deid.client.protocol.flow import ApiReply
from healthcare_deid.client.protocol.remedies import remedy
from healthcare_deid.errors import ApiError, ReplyError, api_error_class

# Codes for error replies without a canonical code, such as a proxy's.
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
RPC_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""Names of ``google.rpc.Code`` by number. A code outside this list may contain data and is not shown."""
_REQUEST_ID_HEADERS = ("x-goog-request-id", "x-request-id", "x-cloud-trace-context")


class RawResponse(dict[str, str]):
    """Status and headers in the shape of an httplib2 response."""

    def __init__(self, headers: Mapping[str, str], status: int) -> None:
        super().__init__(headers)
        self.status = status
        self.reason = ""


def headers_of(response: Any) -> dict[str, str]:
    """Return an httplib2 response's headers with lower-case names."""
    return {str(name).lower(): str(value) for name, value in dict(response).items()}


def parsed_json(text: bytes | str) -> Any:
    """Parse JSON, or return None.

    None stands for text that is not JSON or is nested too deeply.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parse(method_id: str, response: Any, content: bytes | str | None) -> ApiReply:
    """Parse a successful response.

    Raises:
        ApiError: The response is an error.
        ReplyError: The response is a redirect, or its body is not a JSON object.
    """
    status = int(response.status)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise api_error(method_id, response, content)
    # googleapiclient's mocks return text instead of bytes.
    raw = content.encode() if isinstance(content, str) else bytes(content or b"")
    value: Any = parsed_json(raw) if raw.strip() else {}
    if not isinstance(value, Mapping):
        raise ReplyError(
            f"{method_id}: HTTP {status} with a body that is not a JSON object", method_id=method_id, accepted=True
        )
    return ApiReply(status, headers_of(response), raw, cast("Mapping[str, Any]", value))


def api_error(method_id: str, response: Any, content: bytes | str | None) -> ApiError | ReplyError:
    """Return the exception for a response of HTTP 300 or above."""
    status = int(response.status)
    if status < HTTPStatus.BAD_REQUEST:
        return ReplyError(
            f"{method_id}: HTTP {status}, a redirect. The API never sends one; check the endpoint and the proxy",
            method_id=method_id,
        )
    headers = headers_of(response)
    error = _error_object(content)
    details = error["details"] if isinstance(error.get("details"), list) else []
    word = error.get("status")
    code = word if isinstance(word, str) and word in RPC_CODES else _CODES.get(status, "")
    cls, reason, message = api_error_class(status, code), _reason(error, details), str(error.get("message") or "")
    return cls(
        status=status,
        code=code,
        reason=reason,
        message=message,
        details=details,
        request_id=next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), ""),
        retry_after=retry_after(headers),
        method_id=method_id,
        remedy=remedy(status, reason, message),
    )


def _error_object(content: bytes | str | None) -> Mapping[str, Any]:
    """Return the ``error`` object of a Google error body.

    Any other body, such as a proxy's HTML page, gives an empty object.
    """
    value = parsed_json(content or b"")
    # Some of Google's gateways wrap the error object in a list.
    if isinstance(value, list) and value:
        value = value[0]
    error: Any = cast("Mapping[str, Any]", value).get("error") if isinstance(value, Mapping) else None
    if isinstance(error, Mapping):
        return cast("Mapping[str, Any]", error)
    return {"message": error} if isinstance(error, str) else {}


def _reason(error: Mapping[str, Any], details: list[Any]) -> str:
    """Return the reason from ``ErrorInfo`` or from the legacy ``errors``."""
    legacy: Any = error.get("errors")
    for item in [*details, *(legacy if isinstance(legacy, list) else [])]:
        if isinstance(item, Mapping):
            reason: Any = cast("Mapping[str, Any]", item).get("reason")
            # A reason is an identifier. Any other text may contain patient data and must not get into str(error).
            if isinstance(reason, str) and reason.replace("_", "").isalnum():
                return reason
    return ""


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return ``Retry-After`` in seconds.

    The header holds seconds or a date (RFC 9110, 10.2.3). A date is measured from the response's own ``Date``.
    """
    value = headers.get("retry-after", "").strip()
    # str.isdigit() alone accepts "²", which float() refuses.
    if value.isascii() and value.isdigit():
        return float(value)
    then = _date(value)
    if then is None:
        return None
    # Not this machine's clock, which may be wrong: the server set both dates.
    start = _date(headers.get("date", "")) or now or datetime.now(UTC)
    return max(0.0, (then - start).total_seconds())


def server_time(headers: Mapping[str, str]) -> float | None:
    """Return the server's ``Date`` in seconds since 1970."""
    date = _date(headers.get("date", ""))
    return date.timestamp() if date else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    # parsedate_to_datetime raises each of these for some malformed date.
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) if date.year > 1970 else None
