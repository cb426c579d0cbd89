"""Meaning of an HTTP answer: a reply, or one of the errors."""

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
"""Names of ``google.rpc.Code`` by number. Any other word in a code's place may hold data, and is not shown."""
_REQUEST_ID_HEADERS = ("x-goog-request-id", "x-request-id", "x-cloud-trace-context")


def headers_of(response: Any) -> dict[str, str]:
    """Return the headers of an httplib2-like response, names in lower case."""
    return {str(name).lower(): str(value) for name, value in dict(response).items()}


def parsed_json(text: bytes | str) -> Any:
    """Return the value of a JSON text.

    A text that is not JSON, or nested too deeply to be read, gives None.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parse(method_id: str, response: Any, content: bytes | str | None) -> ApiReply:
    """Return the reply that a good answer holds.

    Raises:
        ApiError: The answer is an error.
        ReplyError: It is a redirect, or its body is not a JSON object.
    """
    status = int(response.status)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise api_error(method_id, response, content)
    raw = content.encode() if isinstance(content, str) else bytes(content or b"")
    value: Any = parsed_json(raw) if raw.strip() else {}
    if not isinstance(value, Mapping):
        raise ReplyError(
            f"{method_id}: HTTP {status} with a body that is not a JSON object", method_id=method_id, accepted=True
        )
    return ApiReply(status, headers_of(response), raw, cast("Mapping[str, Any]", value))


def api_error(method_id: str, response: Any, content: bytes | str | None) -> ApiError | ReplyError:
    """Return the error for an answer of HTTP 300 and above."""
    status = int(response.status)
    if status < HTTPStatus.BAD_REQUEST:
        return ReplyError(f"{method_id}: HTTP {status}, a redirect, which the API never sends", method_id=method_id)
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
    """Return the ``error`` of Google's error body.

    Any other body, such as a proxy's HTML, gives an empty one.
    """
    value = parsed_json(content or b"")
    # The v1 format of some gateways is a list of one.
    if isinstance(value, list) and value:
        value = value[0]
    error: Any = cast("Mapping[str, Any]", value).get("error") if isinstance(value, Mapping) else None
    if isinstance(error, Mapping):
        return cast("Mapping[str, Any]", error)
    return {"message": error} if isinstance(error, str) else {}


def _reason(error: Mapping[str, Any], details: list[Any]) -> str:
    """Return the reason of ``ErrorInfo`` (format 2) or of the legacy ``errors`` (format 1)."""
    legacy: Any = error.get("errors")
    for item in [*details, *(legacy if isinstance(legacy, list) else [])]:
        if isinstance(item, Mapping):
            reason: Any = cast("Mapping[str, Any]", item).get("reason")
            if isinstance(reason, str) and reason.replace("_", "").isalnum():
                return reason
    return ""


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return the seconds of ``Retry-After``: a number, or a date relative to the reply's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():  # "²" is a digit, too
        return float(value)
    then = _date(value)
    if then is None:
        return None
    start = _date(headers.get("date", "")) or now or datetime.now(UTC)
    return max(0.0, (then - start).total_seconds())


def server_time(headers: Mapping[str, str]) -> float | None:
    """Return the server's time in seconds since 1970, from the ``Date`` of its reply."""
    date = _date(headers.get("date", ""))
    return date.timestamp() if date else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError, IndexError):  # all seen, for dates that somebody made up
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) if date.year > 1970 else None
