"""`OperationBase`: state and outcome of an operation, without I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from healthcare_deid.client.http import telemetry
from healthcare_deid.client.operation.notebook import Line, show
from healthcare_deid.client.protocol.operation_state import Adoption, OperationSnapshot, OperationState
from healthcare_deid.client.protocol.polling import Tracker
from healthcare_deid.client.protocol.replies import RPC_CODES
from healthcare_deid.config.v1 import operations as messages
from healthcare_deid.config.v1.resources import Dataset
from healthcare_deid.errors import (
    ConfigError,
    DeidError,
    OperationCancelled,
    OperationFailed,
    OperationLost,
    OperationTimeout,
    PartialFailure,
    ReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.client.protocol.context import CallContext, StartedOperation
    from healthcare_deid.config.base.message import ReplyMessage
    from healthcare_deid.config.v1.operations import OperationMetadata, ProgressCounter
    from healthcare_deid.names import OperationName

T = TypeVar("T")

_RESULTS: dict[str, type[ReplyMessage]] = {
    "deidentifydataset": messages.DeidentifySummary,
    "deidentifydicomstore": messages.DeidentifyDicomStoreSummary,
    "deidentifyfhirstore": messages.DeidentifyFhirStoreSummary,
    "createdataset": Dataset,
}


class OperationBase(Generic[T]):
    """Last known state of an operation, and its result or exception."""

    def __init__(
        self,
        context: CallContext,
        snapshot: OperationSnapshot,
        *,
        started: StartedOperation | None = None,
        kind: Any = None,
    ) -> None:
        self._context = context
        self._clock = context.clock
        self._kind = kind
        self._adoption = snapshot.adoption
        self._tracker = Tracker(
            snapshot,
            context.poll,
            version=started.version if started else context.api_version,
            started=context.clock.monotonic() if started else None,
            timeout=context.timeout,
        )
        # A partial of a function, not a bound method: a bound method would make a reference cycle with the tracker.
        self._tracker.subscribe(partial(_record_end, context.clock, context.clock.time()))

    @property
    def name(self) -> str:
        """Full resource name.

        ``client.operation(name)`` resumes it in another process.
        """
        return str(self._tracker.name)

    @property
    def snapshot(self) -> OperationSnapshot:
        """Last known state, metadata, response and error in one value."""
        return self._tracker.snapshot

    @property
    def state(self) -> OperationState:
        """Last known state."""
        return self.snapshot.state

    @property
    def metadata(self) -> OperationMetadata:
        """Last known metadata."""
        return self.snapshot.metadata

    @property
    def progress(self) -> ProgressCounter:
        """Last known counters; a missing counter is 0."""
        return self.snapshot.progress

    @property
    def logs_url(self) -> str | None:
        """URL of the operation's log in Cloud Logging.

        Only this log lists the failed instances.
        """
        return self.snapshot.logs_url

    @property
    def poll_error(self) -> DeidError | None:
        """Error of the last poll, if it failed.

        A failed poll says nothing about the operation itself.
        """
        return self._tracker.error

    @property
    def adopted(self) -> bool:
        """Whether it was adopted after the reply to its start was lost.

        See `adoption_proved`.
        """
        return self._adoption is not None

    @property
    def adoption_proved(self) -> bool:
        """Whether an adopted operation is certainly the one that was started.

        It is if the destination dataset did not exist before the call and exists now. Otherwise another program may
        have started this operation at the same time.
        """
        return self._adoption is Adoption.PROVED

    def cancelled(self) -> bool:
        """Return whether the last known state is cancelled."""
        return self.state is OperationState.CANCELLED

    @property
    def _for_pickle(self) -> OperationSnapshot:
        # Snapshots from later polls carry no adoption.
        return self.snapshot.adopted_as(self._adoption)

    @property
    def _path(self) -> OperationName:
        return self._tracker.name

    def _fresh(self) -> bool:
        """Return whether the last poll is too recent to poll again."""
        polled = self._tracker.polled
        return polled is not None and self._clock.monotonic() - polled < self._tracker.policy.initial

    def _outcome(self, *, raise_on_partial: bool) -> T:
        error = self._failure()
        if error is None and raise_on_partial and self.state is OperationState.PARTIAL:
            error = self._partial()
        if error is not None:
            raise error
        return self._parsed()

    def _failure(self) -> DeidError | None:
        """Return the exception for its final state, or None.

        A partial failure has a result, so it gives None.
        """
        snapshot, number = self.snapshot, self._path.operation
        status = snapshot.error
        details: dict[str, Any] = {"operation": self}
        if status is not None:
            details |= {"code": status.code, "message": status.message or "", "details": status.details}
        if snapshot.state is OperationState.CANCELLED:
            return OperationCancelled(
                f"operation {number} was cancelled; instances already written stay in the destination", **details
            )
        if snapshot.state is OperationState.FAILED:
            code = status.code if status is not None else 2  # google.rpc.Code.UNKNOWN
            word = RPC_CODES[code] if 0 <= code < len(RPC_CODES) else f"code {code}"
            return OperationFailed(f"operation {number} failed: {word} (see .message for the server's text)", **details)
        if snapshot.state is OperationState.EXPIRED:
            return OperationLost(
                f"the service does not know operation {number}: it never existed, or ended more than about 30 days ago",
                operation=self,
            )
        return None

    def _partial(self) -> PartialFailure:
        count = self.progress
        missing = count.failure or count.secondary_failure or count.pending
        return PartialFailure(
            f"operation {self._path.operation} failed for {missing} of {count.success + missing} instances; they are "
            "missing in the destination. See .operation.logs_url for the reasons",
            operation=self,
        )

    def _parsed(self) -> T:
        # "@type" marks the type of a protobuf Any and is not a field of the message.
        response = {key: value for key, value in (self.snapshot.response or {}).items() if key != "@type"}
        method = (self.metadata.api_method_name or "").rsplit(".", 1)[-1].lower()
        kind: type[ReplyMessage] = self._kind or _RESULTS.get(method, messages.Empty)
        try:
            return kind.from_api(response)  # type: ignore[return-value] # the method decides T
        except ConfigError:
            pass
        raise ReplyError(f"operation {self._path.operation}: its result is not a {kind.__name__}", accepted=True)

    def _timed_out(self, timeout: float | None) -> OperationTimeout:
        error = OperationTimeout(
            f"operation {self._path.operation} is still running after {timeout:g} s; wait again with .operation",
            operation=self,
        )
        # The last poll's error explains a timeout that is really a connection problem.
        error.__cause__ = self._tracker.error
        return error

    def _lost(self, error: OperationLost) -> OperationLost:
        error.operation = self
        return error

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path.operation} {self.snapshot}>"

    def _parts(self) -> list[str]:
        """Return the parts of the notebook line."""
        elapsed = self.snapshot.elapsed(datetime.fromtimestamp(self._clock.time(), UTC))
        problem = self.poll_error
        parts = [str(self.snapshot)]
        if elapsed is not None:
            parts.append(f"{int(elapsed) // 60}:{int(elapsed) % 60:02d}")
        if problem is not None and not self.state.ended:
            parts.append(f"last poll: {type(problem).__name__}")
        return parts

    def _repr_html_(self) -> str:
        parts = [f"<b>{escape(self._path.operation)}</b>", *map(escape, self._parts())]
        # The URL comes from the server: a "javascript:" link must not get into the notebook.
        if self.logs_url and self.logs_url.startswith("https://"):
            parts.append(f'<a href="{escape(self.logs_url, quote=True)}" target="_blank" rel="noopener">logs</a>')
        return " · ".join(parts)

    def _show_line(self, *, watch: Callable[[Tracker], object], call: Callable[[Callable[[], object]], object]) -> None:
        """Display the notebook line and update it after every poll.

        A front end that cannot update a line shows it once.
        """

        def line() -> Line:
            return Line(" · ".join([self._path.operation, *self._parts()]), self._repr_html_())

        update = show(line())
        if update is not None and self._tracker.on_poll(lambda: call(partial(update, line()))):
            watch(self._tracker)


def _record_end(clock: Clock, began: float, event: object) -> None:
    if isinstance(event, OperationSnapshot) and event.state.ended:
        telemetry.operation_span(event, began, clock.time())
