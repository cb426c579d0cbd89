"""`Operation`: long-running work as a future; `wait` and `as_completed` for many of them."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.drivers.event_queue import EventQueue
from healthcare_deid.client.drivers.session import Recipe, Session, session_for
from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.client.operation.base import OperationBase
from healthcare_deid.client.operation.wait import as_completed, wait
from healthcare_deid.client.protocol.arguments import callback, patience
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, OperationState
from healthcare_deid.client.protocol.operations import cancel_operation, get_operation
from healthcare_deid.errors import DeidError, OperationLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.polling import Event
    from healthcare_deid.client.protocol.retry import RetryPolicy

T = TypeVar("T")
logger = logging.getLogger("healthcare_deid.client")


class Operation(OperationBase[T]):
    """Long-running work at the service.

    It can be waited for from any thread, and for any time: the client polls, the waiter sleeps. A poll that fails is
    not the operation failing. Pickled, it becomes a handle that resumes in another process.
    """

    def __init__(
        self,
        session: Session,
        snapshot: OperationSnapshot,
        *,
        context: CallContext | None = None,
        version: str = "v1",
        started: bool = False,
        kind: Any = None,
    ) -> None:
        super().__init__(context or session.context, snapshot, version=version, started=started, kind=kind)
        self._session = session

    def done(self) -> bool:
        """Say whether it has ended, however; asks the service, at most once a second."""
        if not self.state.ended and not self._fresh():
            try:
                self.refresh()
            except DeidError as error:
                logger.debug("done() could not ask: %s", type(error).__name__)
        return self.state.ended

    def refresh(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> OperationSnapshot:
        """Ask the service now.

        Returns:
            What it said; the state is `OperationState.EXPIRED` when it does not know the operation any more.

        Raises:
            DeidError: It could not be asked. The operation is not touched by that.
        """
        if self.state.ended:
            return self.snapshot
        context = self._context.tuned(timeout, retry)
        try:
            snapshot = self._session.run(get_operation(context, self._path, self._tracker.version))
        except DeidError as error:
            self._tracker.failed(error, self._clock.monotonic())
            if not self.state.ended:
                raise
        else:
            self._tracker.seen(snapshot, self._clock.monotonic())
        return self.snapshot

    def wait(
        self, timeout: float | None = None, on_progress: Callable[[OperationSnapshot], object] | None = None
    ) -> Operation[T]:
        """Wait until it has ended, well or not.

        Args:
            timeout: Seconds to wait at most; none means as long as it takes.
            on_progress: Called in this thread with every snapshot that differs from the one before.

        Returns:
            The operation itself, for its `state` or `result`.

        Raises:
            OperationTimeout: It still runs; waiting again goes on.
            OperationLost: Its state could not be read for `PollPolicy.lost_after` seconds.
        """
        callback("on_progress", on_progress)
        told = False
        for snapshot in self._changes(timeout):
            if on_progress is not None:
                on_progress(snapshot)
            told = True
        if not told and on_progress is not None:
            on_progress(self.snapshot)
        return self

    def watch(self, timeout: float | None = None) -> Iterator[OperationSnapshot]:
        """Yield what is known now, then every change, until it has ended.

        Raises:
            OperationTimeout: It still runs after ``timeout`` seconds.
            OperationLost: Its state could not be read for `PollPolicy.lost_after` seconds.
        """
        yield self.snapshot
        yield from self._changes(timeout)

    def result(self, timeout: float | None = None, *, raise_on_partial: bool = False) -> T:
        """Wait for the end and return the result.

        Args:
            timeout: Seconds to wait at most; none means as long as it takes.
            raise_on_partial: Raise `PartialFailure` when some instances failed. Otherwise look at `state`.

        Raises:
            OperationFailed: It ended with an error.
            OperationCancelled: It was cancelled.
            PartialFailure: Some instances are missing in the destination.
            OperationTimeout: It still runs; the error carries the operation.
            OperationLost: Its state could not be read for too long, or the service has forgotten it.
        """
        self.wait(timeout)
        if self.state is OperationState.PARTIAL and not raise_on_partial:
            logger.warning("operation %s ended, and some instances failed: %s", self._path.operation, self.snapshot)
        return self._outcome(raise_on_partial=raise_on_partial)

    def exception(self, timeout: float | None = None) -> DeidError | None:
        """Wait for the end and return the error it ended with, or nothing.

        A partial failure has a result: it is told by `state`, and raised by ``result(raise_on_partial=True)``.

        Raises:
            OperationTimeout: It still runs.
            OperationLost: Its state could not be read for too long.
        """
        self.wait(timeout)
        return self._failure()

    def cancel(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> bool:
        """Ask the service to stop it; returns at once, and it may still end well.

        Returns:
            Whether it was asked: an operation known to have ended is not.
        """
        if self.state.ended:
            return False
        context = self._context.tuned(timeout, retry)
        self._session.run(cancel_operation(context, self._path, self._tracker.version))
        return True

    def cancel_and_wait(self, timeout: float | None = None) -> OperationState:
        """Ask the service to stop it, and return how it ended: cancelled, or after all as it would have.

        Raises:
            OperationTimeout: It still runs.
        """
        self.cancel()
        return self.wait(timeout).state

    def add_done_callback(self, function: Callable[[Operation[T]], object]) -> None:
        """Call ``function(operation)`` when it has ended, at once when it has already.

        The client polls until then, whoever stops waiting. Callbacks run one after the other on a thread of the client.
        """
        callback("function", function)
        poller = self._session.poller

        def hear(event: Event) -> None:
            if isinstance(event, OperationSnapshot) and event.state.ended:
                poller.call(lambda: function(self))

        if self._tracker.subscribe(hear):
            poller.watch(self._tracker)
        else:
            function(self)

    def as_future(self) -> Future[T]:
        """Return a ``concurrent.futures.Future`` that ends with this operation; cancelling it does nothing to it."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()

        def hear(event: Event) -> None:
            if isinstance(event, OperationLost) and not future.done():
                future.set_exception(self._lost(event))

        def end(operation: Operation[T]) -> None:
            if future.done():
                return
            try:
                result = operation._outcome(raise_on_partial=False)
            except DeidError as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        self._tracker.subscribe(hear)
        self.add_done_callback(end)
        return future

    def _changes(self, timeout: float | None) -> Iterator[OperationSnapshot]:
        """Yield each change until the end; whoever stops iterating stops listening."""
        patience(timeout)
        events: EventQueue[Event] = EventQueue(self._clock)
        if not self._tracker.subscribe(events.put):
            return
        poller = self._session.poller
        end = None if timeout is None else self._clock.monotonic() + timeout
        try:
            poller.watch(self._tracker)
            while not self.state.ended or events.waiting():
                event = events.get(end)
                if event is None:
                    raise self._timed_out(timeout)
                if isinstance(event, OperationLost):
                    raise self._lost(event)
                yield event
                if event.state.ended:
                    return
        finally:
            poller.unwatch(self._tracker)
            self._tracker.unsubscribe(events.put)

    def _ipython_display_(self) -> None:
        """Show the line, and in a notebook keep it up to date: after every poll, until the end."""
        poller = self._session.poller
        self._show_line(watch=poller.watch, call=poller.call)

    def __reduce__(self) -> tuple[Any, ...]:
        return _resumed, (self._session.recipe, self.snapshot, self._tracker.version, self._kind)


def _resumed(recipe: Recipe | None, snapshot: OperationSnapshot, version: str, kind: Any) -> Operation[Any]:
    return Operation(session_for(recipe), snapshot, version=version, kind=kind)


__all__ = ["AsyncOperation", "Operation", "OperationSnapshot", "OperationState", "as_completed", "wait"]
