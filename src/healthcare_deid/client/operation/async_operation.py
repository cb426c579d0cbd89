"""`AsyncOperation`: an awaitable long-running operation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.drivers.async_session import AsyncSession
from healthcare_deid.client.drivers.poller import run_callback
from healthcare_deid.client.drivers.session import Recipe, session_for
from healthcare_deid.client.operation.async_methods import AsyncOperationWaiting
from healthcare_deid.client.operation.base import T
from healthcare_deid.client.protocol.arguments import check_callback, check_wait_timeout
from healthcare_deid.client.protocol.operation_state import OperationSnapshot
from healthcare_deid.errors import DeidError, OperationLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from healthcare_deid.client.protocol.context import CallContext, StartedOperation
    from healthcare_deid.client.protocol.polling import Event


class AsyncOperation(AsyncOperationWaiting[T]):
    """Awaitable long-running operation.

    ``await operation`` is short for ``await operation.result()``. No method blocks the event loop.
    """

    def __init__(
        self,
        session: AsyncSession,
        context: CallContext,
        snapshot: OperationSnapshot,
        *,
        started: StartedOperation | None = None,
        kind: Any = None,
    ) -> None:
        super().__init__(context, snapshot, started=started, kind=kind)
        self._session = session

    def __await__(self) -> Generator[Any, None, T]:
        return self.result().__await__()

    def add_done_callback(self, function: Callable[[AsyncOperation[T]], object]) -> None:
        """Call ``function(operation)`` in the loop when the operation ends.

        It is called at once if the operation has already ended. The client keeps polling even if nobody waits.
        """
        check_callback("function", function)
        loop = asyncio.get_running_loop()

        def on_event(event: Event) -> None:
            if isinstance(event, OperationSnapshot) and event.state.ended:
                # Scheduled, not called: listeners run inside the poller and must not run a user's code.
                loop.call_soon(run_callback, lambda: function(self))

        if self._tracker.subscribe(on_event):
            self._session.poller.watch(self._tracker)
        else:
            function(self)

    def as_future(self) -> asyncio.Future[T]:
        """Return an ``asyncio.Future`` for the result.

        Cancelling the future does not cancel the operation.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def on_event(event: Event) -> None:
            if isinstance(event, OperationLost) and not future.done():
                future.set_exception(self._lost(event))

        def end(operation: AsyncOperation[T]) -> None:
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

    async def _changes(self, timeout: float | None) -> AsyncIterator[OperationSnapshot]:  # noqa: ASYNC109 - as in wait
        check_wait_timeout(timeout)
        # None in the queue marks the timeout.
        events: asyncio.Queue[Event | None] = asyncio.Queue()
        if not self._tracker.subscribe(events.put_nowait):
            return
        poller = self._session.poller
        alarm: asyncio.Task[None] | None = None
        hold = self._clock.hold()
        try:
            poller.watch(self._tracker)
            if timeout is not None:
                alarm = asyncio.create_task(self._ring(events, timeout))
                # Let the timer start. Otherwise a fake clock could advance before anything waits for it.
                await asyncio.sleep(0)
            hold.release()
            while not self.state.ended or not events.empty():
                event = await events.get()
                if event is None:
                    raise self._timed_out(timeout)
                if isinstance(event, OperationLost):
                    raise self._lost(event)
                yield event
                if event.state.ended:
                    return
        finally:
            hold.release()
            if alarm is not None:
                alarm.cancel()
            poller.unwatch(self._tracker)
            self._tracker.unsubscribe(events.put_nowait)

    async def _ring(self, events: asyncio.Queue[Event | None], seconds: float) -> None:
        await self._clock.sleep_async(seconds)
        events.put_nowait(None)

    def _ipython_display_(self) -> None:
        """Display a line that a notebook updates until the end."""
        self._show_line(watch=self._session.poller.watch, call=lambda update: update())

    def __reduce__(self) -> tuple[Any, ...]:
        return _resumed, (self._session.sync.recipe, self._for_pickle, self._tracker.version, self._kind)


def _resumed(recipe: Recipe, snapshot: OperationSnapshot, version: str, kind: Any) -> AsyncOperation[Any]:
    session = session_for(recipe)
    return AsyncOperation(AsyncSession(session), session.context.of_version(version), snapshot, kind=kind)
