"""OpenTelemetry spans for HTTP attempts and operations.

Spans have the attributes in `ATTRIBUTES` and no others. They are made only if the program has imported OpenTelemetry's
tracing API; otherwise nothing could collect them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol.methods import LONG_RUNNING
from healthcare_deid.errors import ApiError, DeidError

if TYPE_CHECKING:
    from collections.abc import Generator

    from healthcare_deid.client.protocol.operation_state import OperationSnapshot

ATTRIBUTES = frozenset(
    {
        "error.type",
        "healthcare_deid.attempt",
        "healthcare_deid.failed_units",
        "healthcare_deid.method",
        "healthcare_deid.state",
        "healthcare_deid.successful_units",
        "http.response.status_code",
    }
)
"""Span attributes: no resource names, no URLs, no free text."""


class CallSpan:
    """Span of one HTTP attempt; has no effect without OpenTelemetry."""

    __slots__ = ("_span",)

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def _set(self, key: str, value: str | int) -> None:
        # The allow-list is enforced here, whatever callers pass.
        if self._span is not None and key in ATTRIBUTES:
            self._span.set_attribute(key, value)

    def answered(self, status: int) -> None:
        """Record the status of a successful reply."""
        self._set("http.response.status_code", status)

    def failed(self, error: DeidError) -> None:
        """Record the type of a failure.

        The exception's text is never recorded.
        """
        self._set("error.type", type(error).__name__)
        if isinstance(error, ApiError):
            self._set("http.response.status_code", error.status)
        trace = _api()
        if self._span is not None and trace is not None:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR))


_NO_SPAN = CallSpan()


@contextmanager
def call_span(method_id: str, attempt: int) -> Generator[CallSpan]:
    """Open the span of one HTTP attempt."""
    trace = _api()
    if trace is None:
        yield _NO_SPAN
        return
    tracer = trace.get_tracer("healthcare_deid")
    attributes = {"healthcare_deid.method": method_id, "healthcare_deid.attempt": attempt}
    # Both options would copy the text of an exception, which may hold patient data, into the span.
    with tracer.start_as_current_span(
        method_id, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        yield CallSpan(span)


def operation_span(snapshot: OperationSnapshot, began: float | None, ended: float) -> None:
    """Record the span of an operation that has ended.

    Args:
        snapshot: Final state.
        began: Time at which this process first saw it, in seconds since 1970.
        ended: Time at which it was seen to have ended, in seconds since 1970.
    """
    trace = _api()
    if trace is None:
        return
    method = (snapshot.metadata.api_method_name or "").rsplit(".", 1)[-1]
    span = trace.get_tracer("healthcare_deid").start_span(
        "healthcare_deid.operation",
        # OpenTelemetry counts nanoseconds.
        start_time=int((ended if began is None else began) * 1e9),
        attributes={
            # apiMethodName is the server's text, so only known names get into a span.
            "healthcare_deid.method": method if method.lower() in LONG_RUNNING else "",
            "healthcare_deid.state": str(snapshot.state),
            "healthcare_deid.successful_units": snapshot.progress.success,
            "healthcare_deid.failed_units": snapshot.progress.failure,
        },
    )
    span.end(end_time=int(ended * 1e9))


def _api() -> Any:
    return sys.modules.get("opentelemetry.trace")
