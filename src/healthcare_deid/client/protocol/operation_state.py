"""State of an operation as a value, and its reading from the service's reply.

``done`` without an error is not success: instances may have failed, and are missing in the destination then. Only the
counters tell, so that `OperationState.SUCCEEDED` requires counters without failures and without anything pending.
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

_CANCELLED = 1
_FAILURES_OF_OLD = ("failureResourceCount", "failureStoreCount")


class OperationState(StrEnum):
    """State of an operation."""

    RUNNING = "RUNNING"
    """Not done when it was last seen."""
    SUCCEEDED = "SUCCEEDED"
    """Done, and nothing failed."""
    PARTIAL = "PARTIAL"
    """Done, and some instances failed: they are missing in the destination; the logs say which."""
    FAILED = "FAILED"
    """Ended with an error."""
    CANCELLED = "CANCELLED"
    """Stopped on request; what it had written stays."""
    EXPIRED = "EXPIRED"
    """Unknown to the service, which forgets operations about 30 days after their end."""

    @property
    def ended(self) -> bool:
        """Whether this state is final."""
        return self is not OperationState.RUNNING


class Adoption(StrEnum):
    """Proof that an operation found after a lost answer is the one that the call started."""

    PROVED = "PROVED"
    """Its destination dataset did not exist before the call, exists now, and no other new operation is listed."""
    UNPROVED = "UNPROVED"
    """No other new operation is listed. Another program may have started it at the same time."""


@dataclass(frozen=True, slots=True)
class OperationSnapshot:
    """An operation at one moment.

    Its text, state and counters, is safe to log.
    """

    name: OperationName
    state: OperationState = OperationState.RUNNING
    metadata: OperationMetadata = field(default_factory=OperationMetadata, repr=False)
    response: Mapping[str, Any] | None = field(default=None, repr=False)
    error: Status | None = field(default=None, repr=False)
    adoption: Adoption | None = field(default=None, compare=False)
    """Set if the operation was found after the answer to its start was lost."""

    def adopted_as(self, adoption: Adoption | None) -> OperationSnapshot:
        """Return the snapshot with an adoption."""
        return replace(self, adoption=adoption)

    @property
    def progress(self) -> ProgressCounter:
        """The counters, all zero until the service gives any."""
        return self.metadata.counter or _counter_of_old(self.response)

    @property
    def logs_url(self) -> str | None:
        """URL of the error log in Cloud Logging."""
        return self.metadata.logs_url

    def elapsed(self, now: datetime) -> float | None:
        """Return the seconds from its start to its end or to ``now``, by the service's times."""
        try:
            start, end = self.metadata.created_at, self.metadata.ended_at
            return max(0.0, ((end or now) - start).total_seconds()) if start else None
        except (TypeError, ValueError):
            return None

    def expired(self) -> OperationSnapshot:
        """Return the snapshot of the same operation, unknown to the service."""
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
    """Return the snapshot in a reply of ``operations.get``, of a list, or of a method that starts an operation.

    Raises:
        ReplyError: It is not an operation, or another one than ``expected``.
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
    return ""


def state_of(message: messages.Operation) -> OperationState:
    """Return the state of an operation in a reply."""
    if not message.done:
        return OperationState.RUNNING
    if message.response is None or (message.error is not None and message.error.code):
        # Done with neither a result nor an error has been seen from proxies; it is an end, and no success.
        code = message.error.code if message.error is not None else 0
        return OperationState.CANCELLED if code == _CANCELLED else OperationState.FAILED
    counter = message.metadata.counter if message.metadata else None
    count = counter or _counter_of_old(message.response)
    incomplete = count.failure or count.secondary_failure or count.pending
    return OperationState.PARTIAL if incomplete else OperationState.SUCCEEDED


def _counter_of_old(response: Mapping[str, Any] | None) -> ProgressCounter:
    """Return the counters of a summary, where the API had them at first and Google's tutorial still shows them."""
    if not response:
        return ProgressCounter()
    failure = sum(_number(response.get(name)) for name in _FAILURES_OF_OLD)
    return ProgressCounter(success=_number(response.get("successResourceCount")), failure=failure)


def _number(value: Any) -> int:
    return int(value) if isinstance(value, int | str) and re.fullmatch("[0-9]{1,19}", str(value)) else 0  # an int64
