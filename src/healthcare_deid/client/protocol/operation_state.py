"""What an operation's reply means: its state, as a value. No I/O.

``done`` without an error is not success: instances may have failed, and are then missing in the destination. Only the
counters tell, so `OperationState.SUCCEEDED` is said when they name no failure and nothing left to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.v1 import operations as messages
from healthcare_deid.config.v1.operations import OperationMetadata, ProgressCounter, Status
from healthcare_deid.errors import ConfigError, ReplyError, ResourceNameError
from healthcare_deid.names import OperationName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_CANCELLED = 1
_FAILURES_OF_OLD = ("failureResourceCount", "failureStoreCount")


class OperationState(StrEnum):
    """Where an operation stands."""

    RUNNING = "RUNNING"
    """Not done, as far as was last seen."""
    SUCCEEDED = "SUCCEEDED"
    """Done, and nothing failed."""
    PARTIAL = "PARTIAL"
    """Done, and some instances failed: they are missing in the destination; the logs say which."""
    FAILED = "FAILED"
    """Ended with an error."""
    CANCELLED = "CANCELLED"
    """Stopped on request; what it had written stays."""
    EXPIRED = "EXPIRED"
    """No longer known to the service, which forgets operations about 30 days after they end."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self is not OperationState.RUNNING


@dataclass(frozen=True, slots=True)
class OperationSnapshot:
    """An operation at one moment. Its text is safe to log: the state and the counters."""

    name: OperationName
    state: OperationState = OperationState.RUNNING
    metadata: OperationMetadata = field(default_factory=OperationMetadata, repr=False)
    response: Mapping[str, Any] | None = field(default=None, repr=False)
    error: Status | None = field(default=None, repr=False)

    @property
    def progress(self) -> ProgressCounter:
        """The counters; all zero until the service tells any."""
        return self.metadata.counter or _counter_of_old(self.response)

    @property
    def logs_url(self) -> str | None:
        """Where the error log is: Cloud Logging."""
        return self.metadata.logs_url

    def elapsed(self, now: datetime) -> float | None:
        """Return the seconds since the start, until the end when it has ended, by the service's own times."""
        try:
            start, end = self.metadata.created_at, self.metadata.ended_at
            return max(0.0, ((end or now) - start).total_seconds()) if start else None
        except (TypeError, ValueError):
            return None

    def expired(self) -> OperationSnapshot:
        """Return the snapshot of the same operation, forgotten by the service."""
        return replace(self, state=OperationState.EXPIRED)

    def __str__(self) -> str:
        count = self.progress
        parts = [f"{count.success} done"]
        if count.failure:
            parts.append(f"{count.failure} failed")
        if count.pending:
            parts.append(f"{count.pending} to do")
        return f"{self.state}: {', '.join(parts)}"


def parse_operation(reply: Mapping[str, Any], *, expected: OperationName | None = None) -> OperationSnapshot:
    """Return the snapshot that a reply of ``operations.get``, of a list, or of a starting method holds.

    Raises:
        ReplyError: It is no operation, another operation than ``expected``, or done with neither result nor error.
    """
    problem = "not an operation"
    snapshot: OperationSnapshot | None = None
    try:
        message = messages.Operation.from_api(reply)
        name = OperationName.parse(message.name or "", lenient=True)
    except (ConfigError, ResourceNameError):
        pass
    else:
        problem = _problem(message, name, expected)
        snapshot = OperationSnapshot(
            name, state_of(message), message.metadata or OperationMetadata(), message.response, message.error
        )
    if snapshot is None or problem:
        raise ReplyError(f"operation: {problem}", accepted=True)
    return snapshot


def _problem(message: messages.Operation, name: OperationName, expected: OperationName | None) -> str:
    # Projects have an ID and a number; the service may answer with the other one. The operation's own ID decides.
    if expected is not None and (name.dataset, name.operation) != (expected.dataset, expected.operation):
        return "another operation than the one asked for"
    if message.done and message.error is None and message.response is None:
        return "done, with neither a result nor an error"
    return ""


def state_of(message: messages.Operation) -> OperationState:
    """Return the state that a reply tells."""
    if not message.done:
        return OperationState.RUNNING
    if message.error is not None and (message.error.code or message.response is None):
        return OperationState.CANCELLED if message.error.code == _CANCELLED else OperationState.FAILED
    counter = message.metadata.counter if message.metadata else None
    count = counter or _counter_of_old(message.response)
    incomplete = count.failure or count.secondary_failure or count.pending
    return OperationState.PARTIAL if incomplete else OperationState.SUCCEEDED


def _counter_of_old(response: Mapping[str, Any] | None) -> ProgressCounter:
    """Read the counters that summaries had before operations had them (Google's tutorial still prints them)."""
    if not response:
        return ProgressCounter()
    failure = sum(_number(response.get(name)) for name in _FAILURES_OF_OLD)
    return ProgressCounter(success=_number(response.get("successResourceCount")), failure=failure)


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0
