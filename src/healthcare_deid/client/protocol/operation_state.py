"""State of an operation, and parsing of the service's reply.

``done`` without an error does not mean success: instances may have failed and be missing in the destination. Only the
counters show that, so `OperationState.SUCCEEDED` requires counters without failures or pending instances.
"""

from __future__ import annotations

import re
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

_CANCELLED = 1  # google.rpc.Code.CANCELLED
# Fields of the summaries in the first API version.
_LEGACY_FAILURE_COUNTS = ("failureResourceCount", "failureStoreCount")


class OperationState(StrEnum):
    """State of an operation."""

    RUNNING = "RUNNING"
    """Not done at the last poll."""
    SUCCEEDED = "SUCCEEDED"
    """Done without failures."""
    PARTIAL = "PARTIAL"
    """Done, but some instances failed and are missing in the destination. The logs list them."""
    FAILED = "FAILED"
    """Ended with an error."""
    CANCELLED = "CANCELLED"
    """Stopped on request. Instances already written stay in the destination."""
    EXPIRED = "EXPIRED"
    """Unknown to the service, which deletes operations about 30 days after they end."""

    @property
    def ended(self) -> bool:
        """Whether the state is final."""
        return self is not OperationState.RUNNING


class Adoption(StrEnum):
    """Evidence that an adopted operation is the one the call started.

    The operation was found in a list after the reply to the call was lost.
    """

    PROVED = "PROVED"
    """The destination dataset did not exist before the call and exists now, and this is the only new operation."""
    UNPROVED = "UNPROVED"
    """This is the only new operation, but another program may have started it at the same time."""


@dataclass(frozen=True, slots=True)
class OperationSnapshot:
    """State of an operation at one moment.

    Its ``str()`` shows the state and counters, and is safe to log.
    """

    name: OperationName
    state: OperationState = OperationState.RUNNING
    metadata: OperationMetadata = field(default_factory=OperationMetadata, repr=False)
    response: Mapping[str, Any] | None = field(default=None, repr=False)
    error: Status | None = field(default=None, repr=False)
    adoption: Adoption | None = field(default=None, compare=False)
    """Set if the operation was adopted after the reply to its start was lost."""

    def adopted_as(self, adoption: Adoption | None) -> OperationSnapshot:
        """Return a copy with *adoption*."""
        return replace(self, adoption=adoption)

    @property
    def progress(self) -> ProgressCounter:
        """Progress counters, all zero until the service reports any."""
        return self.metadata.counter or _legacy_counter(self.response)

    @property
    def logs_url(self) -> str | None:
        """URL of the error log in Cloud Logging."""
        return self.metadata.logs_url

    def elapsed(self, now: datetime) -> float | None:
        """Return the seconds from start to end, or to *now* while running.

        The service's own timestamps are used. Returns None without a start time.
        """
        try:
            start, end = self.metadata.created_at, self.metadata.ended_at
            return max(0.0, ((end or now) - start).total_seconds()) if start else None
        except (TypeError, ValueError):
            return None

    def expired(self) -> OperationSnapshot:
        """Return a copy in state `OperationState.EXPIRED`."""
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
    """Parse an operation from a reply.

    Args:
        reply: Reply of ``operations.get``, an item of ``operations.list``, or the reply of a method that starts an
            operation.
        expected: Name of the operation that was asked for.

    Raises:
        ReplyError: *reply* is not an operation, or not the expected one.
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
    # A project has an ID and a number, and the service may answer with either. Compare only dataset and operation ID.
    if expected is not None and (name.dataset, name.operation) != (expected.dataset, expected.operation):
        return "the reply is about a different operation"
    return ""


def state_of(message: messages.Operation) -> OperationState:
    """Derive the state from an operation message."""
    if not message.done:
        return OperationState.RUNNING
    if message.response is None or (message.error is not None and message.error.code):
        # Proxies have been seen to return a done operation with neither a result nor an error. Count it as failed.
        code = message.error.code if message.error is not None else 0
        return OperationState.CANCELLED if code == _CANCELLED else OperationState.FAILED
    counter = message.metadata.counter if message.metadata else None
    count = counter or _legacy_counter(message.response)
    # A done operation with pending instances has not processed them.
    incomplete = count.failure or count.secondary_failure or count.pending
    return OperationState.PARTIAL if incomplete else OperationState.SUCCEEDED


def _legacy_counter(response: Mapping[str, Any] | None) -> ProgressCounter:
    """Return the counters of a summary message.

    The first API version had them there, and Google's tutorial still shows it.
    """
    if not response:
        return ProgressCounter()
    failure = sum(int64(response.get(name)) for name in _LEGACY_FAILURE_COUNTS)
    return ProgressCounter(success=int64(response.get("successResourceCount")), failure=failure)


def int64(value: Any) -> int:
    """Return an int64 of a reply, or 0 for anything else."""
    # Protobuf's JSON writes an int64 as a string, of up to 19 digits.
    return int(value) if isinstance(value, int | str) and re.fullmatch("[0-9]{1,19}", str(value)) else 0
