"""`Operation`: a long-running operation as a future."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.drivers.event_queue import EventQueue
from healthcare_deid.client.drivers.session import Recipe, Session, session_for
from healthcare_deid.client.operation.base import T
from healthcare_deid.client.operation.sync_methods import OperationWaiting
from healthcare_deid.client.protocol.arguments import check_callback, check_wait_timeout
from healthcare_deid.client.protocol.operation_state import OperationSnapshot
from healthcare_deid.errors import DeidError, OperationLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.protocol.context import CallContext, StartedOperation
    from healthcare_deid.client.protocol.polling import Event


class Operation(OperationWaiting[T]):
    """Long-running operation of the service.

    Any number of threads can wait for it. The client polls on a thread of its own. A failed poll does not mean that the
    operation failed. A pickled operation can be resumed in another process.
    """

    def __init__(
        self,
        session: Session,
        context: CallContext,
        snapshot: OperationSnapshot,
        *,
        started: StartedOperation | None = None,
        kind: Any = None,
    ) -> None:
        super().__init__(context, snapshot, started=started, kind=kind)
        self._session = session

    def add_done_callback(self, function: Callable[[Operation[T]], object]) -> None:
        """Call ``function(operation)`` when the operation ends.

        It is called at once if the operation has already ended. The client keeps polling even if nobody waits.
        Callbacks run one after the other on one of the client's threads.
        """
        check_callback("function", function)
        poller = self._session.poller

        def on_event(event: Event) -> None:
            if isinstance(event, OperationSnapshot) and event.state.ended:
                # On the callback thread: listeners run on the polling thread, and a user's code may block.
                poller.call(lambda: function(self))

        if self._tracker.subscribe(on_event):
            poller.watch(self._tracker)
        else:
            function(self)

    def as_future(self) -> Future[T]:
        """Return a ``concurrent.futures.Future`` for the result.

        Cancelling the future does not cancel the operation.
        """
        future: Future[T] = Future()
        # A running future refuses cancel(), which would otherwise look as if the operation were cancelled.
        future.set_running_or_notify_cancel()

        def on_event(event: Event) -> None:
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

        self._tracker.subscribe(on_event)
        self.add_done_callback(end)
        return future

    def _changes(self, timeout: float | None) -> Iterator[OperationSnapshot]:
        check_wait_timeout(timeout)
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
        """Display a line that a notebook updates until the end."""
        poller = self._session.poller
        self._show_line(watch=poller.watch, call=poller.call)

    def __reduce__(self) -> tuple[Any, ...]:
        return _resumed, (self._session.recipe, self._for_pickle, self._tracker.version, self._kind)


def _resumed(recipe: Recipe, snapshot: OperationSnapshot, version: str, kind: Any) -> Operation[Any]:
    session = session_for(recipe)
    return Operation(session, session.context.of_version(version), snapshot, kind=kind)
