"""`AsyncOperation`: long-running work, to be awaited."""

# ruff: noqa: ASYNC109 - timeouts are arguments with the names of the sync client

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.drivers.session import Recipe, session_for
from healthcare_deid.client.operation.base import OperationBase, T
from healthcare_deid.client.protocol.arguments import callback, patience
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, OperationState
from healthcare_deid.client.protocol.operations import cancel_operation, get_operation
from healthcare_deid.errors import DeidError, OperationLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from healthcare_deid.client.drivers.async_session import AsyncSession
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.polling import Event, Tracker
    from healthcare_deid.client.protocol.retry import RetryPolicy

logger = logging.getLogger("healthcare_deid.client")


class AsyncOperation(OperationBase[T]):
    """Long-running work at the service, in an event loop: `Operation` with ``await``.

    ``await operation`` is ``await operation.result()``. Nothing here blocks the loop.
    """

    def __init__(
        self,
        session: AsyncSession,
        snapshot: OperationSnapshot,
        *,
        context: CallContext | None = None,
        version: str = "v1",
        started: bool = False,
        kind: Any = None,
    ) -> None:
        super().__init__(context or session.context, snapshot, version=version, started=started, kind=kind)
        self._session = session
        self._calling: set[asyncio.Future[Any]] = set()

    def __await__(self) -> Generator[Any, None, T]:
        return self.result().__await__()

    async def done(self) -> bool:
        """Say whether it has ended, however; asks the service, at most once a second."""
        if not self.state.ended and not self._fresh():
            try:
                await self.refresh()
            except DeidError as error:
                logger.debug("done() could not ask: %s", type(error).__name__)
        return self.state.ended

    async def refresh(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> OperationSnapshot:
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
            snapshot = await self._session.run(get_operation(context, self._path, self._tracker.version))
        except DeidError as error:
            self._tracker.failed(error, self._clock.monotonic())
            if not self.state.ended:
                raise
        else:
            self._tracker.seen(snapshot, self._clock.monotonic())
        return self.snapshot

    async def wait(
        self, timeout: float | None = None, on_progress: Callable[[OperationSnapshot], object] | None = None
    ) -> AsyncOperation[T]:
        """Wait until it has ended, well or not.

        Args:
            timeout: Seconds to wait at most; none means as long as it takes.
            on_progress: Called in the loop with every snapshot that differs from the one before.

        Returns:
            The operation itself, for its `state` or `result`.

        Raises:
            OperationTimeout: It still runs; waiting again goes on.
            OperationLost: Its state could not be read for `PollPolicy.lost_after` seconds.
        """
        callback("on_progress", on_progress)
        told = False
        async for snapshot in self._changes(timeout):
            if on_progress is not None:
                on_progress(snapshot)
            told = True
        if not told and on_progress is not None:
            on_progress(self.snapshot)
        return self

    async def watch(self, timeout: float | None = None) -> AsyncIterator[OperationSnapshot]:
        """Yield what is known now, then every change, until it has ended.

        Raises:
            OperationTimeout: It still runs after ``timeout`` seconds.
            OperationLost: Its state could not be read for `PollPolicy.lost_after` seconds.
        """
        yield self.snapshot
        async for snapshot in self._changes(timeout):
            yield snapshot

    async def result(self, timeout: float | None = None, *, raise_on_partial: bool = False) -> T:
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
        await self.wait(timeout)
        if self.state is OperationState.PARTIAL and not raise_on_partial:
            logger.warning("operation %s ended, and some instances failed: %s", self._path.operation, self.snapshot)
        return self._outcome(raise_on_partial=raise_on_partial)

    async def exception(self, timeout: float | None = None) -> DeidError | None:
        """Wait for the end and return the error it ended with, or nothing.

        A partial failure has a result: it is told by `state`, and raised by ``result(raise_on_partial=True)``.

        Raises:
            OperationTimeout: It still runs.
            OperationLost: Its state could not be read for too long.
        """
        await self.wait(timeout)
        return self._failure()

    async def cancel(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> bool:
        """Ask the service to stop it; returns at once, and it may still end well.

        Returns:
            Whether it was asked: an operation known to have ended is not.
        """
        if self.state.ended:
            return False
        context = self._context.tuned(timeout, retry)
        await self._session.run(cancel_operation(context, self._path, self._tracker.version))
        return True

    async def cancel_and_wait(self, timeout: float | None = None) -> OperationState:
        """Ask the service to stop it, and return how it ended: cancelled, or after all as it would have.

        Raises:
            OperationTimeout: It still runs.
        """
        await self.cancel()
        return (await self.wait(timeout)).state

    def add_done_callback(self, function: Callable[[AsyncOperation[T]], object]) -> None:
        """Call ``function(operation)`` in the loop when it has ended, at once when it has already.

        The client polls until then, whoever stops waiting.
        """
        callback("function", function)
        loop = asyncio.get_running_loop()

        def hear(event: Event) -> None:
            if isinstance(event, OperationSnapshot) and event.state.ended:
                loop.call_soon(_logged, function, self)

        if self._tracker.subscribe(hear):
            self._session.poller.watch(self._tracker)
        else:
            function(self)

    def as_future(self) -> asyncio.Future[T]:
        """Return an ``asyncio.Future`` that ends with this operation; cancelling it does nothing to it."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def hear(event: Event) -> None:
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

        self._tracker.subscribe(hear)
        self.add_done_callback(end)
        return future

    async def _changes(self, timeout: float | None) -> AsyncIterator[OperationSnapshot]:
        """Yield each change until the end."""
        patience(timeout)
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
                # The alarm's own wait begins before time may move.
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
        """Show the line, and in a notebook keep it up to date: after every poll, until the end."""

        def watch(tracker: Tracker) -> None:
            self._session.poller.watch(tracker)

        self._show_line(watch=watch, call=lambda update: update())

    def __reduce__(self) -> tuple[Any, ...]:
        return _resumed, (self._session.sync.recipe, self.snapshot, self._tracker.version, self._kind)


def _logged(function: Callable[[AsyncOperation[T]], object], operation: AsyncOperation[T]) -> None:
    try:
        function(operation)
    except Exception as error:  # noqa: BLE001 - a callback's failure is its own; its text may hold anything
        logger.error("a callback of an operation raised %s", type(error).__name__)  # noqa: TRY400 - as said


def _resumed(recipe: Recipe | None, snapshot: OperationSnapshot, version: str, kind: Any) -> AsyncOperation[Any]:
    from healthcare_deid.client.drivers.async_session import AsyncSession

    return AsyncOperation(AsyncSession(session_for(recipe)), snapshot, version=version, kind=kind)
