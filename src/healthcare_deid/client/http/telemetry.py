"""OpenTelemetry spans for HTTP tries and operations, with the attributes of `ATTRIBUTES` and no others.

Spans are made only if the program has imported OpenTelemetry's tracing API: without it, nothing can collect them.
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
"""Attributes of the spans: no names, no URLs, no texts."""


class CallSpan:
    """Span of one HTTP try; does nothing without OpenTelemetry."""

    __slots__ = ("_span",)

    def __init__(self, span: Any = None) -> None:
        self._span = span

    def _set(self, key: str, value: str | int) -> None:
        if self._span is not None and key in ATTRIBUTES:
            self._span.set_attribute(key, value)

    def answered(self, status: int) -> None:
        """Record a good answer."""
        self._set("http.response.status_code", status)

    def failed(self, error: DeidError) -> None:
        """Record the type of a failure, never its text."""
        self._set("error.type", type(error).__name__)
        if isinstance(error, ApiError):
            self._set("http.response.status_code", error.status)
        trace = _api()
        if self._span is not None and trace is not None:
            self._span.set_status(trace.Status(trace.StatusCode.ERROR))


_NO_SPAN = CallSpan()


@contextmanager
def call_span(method_id: str, attempt: int) -> Generator[CallSpan]:
    """Open the span of one HTTP try."""
    trace = _api()
    if trace is None:
        yield _NO_SPAN
        return
    tracer = trace.get_tracer("healthcare_deid")
    attributes = {"healthcare_deid.method": method_id, "healthcare_deid.attempt": attempt}
    with tracer.start_as_current_span(
        method_id, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        yield CallSpan(span)


def operation_span(snapshot: OperationSnapshot, began: float | None, ended: float) -> None:
    """Record the span of an operation that has ended.

    Args:
        snapshot: Its last state.
        began: When this process first saw it, in seconds since 1970.
        ended: When it was seen to have ended.
    """
    trace = _api()
    if trace is None:
        return
    method = (snapshot.metadata.api_method_name or "").rsplit(".", 1)[-1]
    span = trace.get_tracer("healthcare_deid").start_span(
        "healthcare_deid.operation",
        start_time=int((ended if began is None else began) * 1e9),
        attributes={
            "healthcare_deid.method": method if method.lower() in LONG_RUNNING else "",
            "healthcare_deid.state": str(snapshot.state),
            "healthcare_deid.successful_units": snapshot.progress.success,
            "healthcare_deid.failed_units": snapshot.progress.failure,
        },
    )
    span.end(end_time=int(ended * 1e9))


def _api() -> Any:
    return sys.modules.get("opentelemetry.trace")
