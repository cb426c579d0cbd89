"""`AsyncOperationWaiting`: poll, wait for and cancel an operation in an event loop."""

# ruff: noqa: ASYNC109 - timeout= means the same as in the other client

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from healthcare_deid.client.operation.base import OperationBase, T
from healthcare_deid.client.protocol.arguments import check_callback
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, OperationState
from healthcare_deid.client.protocol.operations import cancel_operation, get_operation
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from healthcare_deid.client.drivers.async_session import AsyncSession
    from healthcare_deid.client.protocol.retry import RetryPolicy

logger = logging.getLogger("healthcare_deid.client")


class AsyncOperationWaiting(OperationBase[T]):
    """Operation methods that call the service."""

    _session: AsyncSession

    async def done(self) -> bool:
        """Return whether the operation has ended, successfully or not.

        Polls the service at most once a second.
        """
        # A loop over done() must not send a request each time.
        if not self.state.ended and not self._fresh():
            try:
                await self.refresh()
            except DeidError as error:
                logger.debug("done() could not poll: %s", type(error).__name__)
        return self.state.ended

    async def refresh(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> OperationSnapshot:
        """Fetch the current state from the service.

        Returns:
            The current state. It is `OperationState.EXPIRED` if the service no longer knows the operation.

        Raises:
            DeidError: The request failed. The operation itself is not affected.
        """
        # A final state never changes, and the service deletes ended operations after a while.
        if self.state.ended:
            return self.snapshot
        context = self._context.for_call(timeout, retry)
        try:
            snapshot = await self._session.run(get_operation(context, self._path, self._tracker.version))
        except DeidError as error:
            self._tracker.failed(error, self._clock.monotonic())
            # failed() takes NOT_FOUND for the final state EXPIRED. Then there is nothing to raise.
            if not self.state.ended:
                raise
        else:
            self._tracker.seen(snapshot, self._clock.monotonic())
        return self.snapshot

    async def wait(
        self, timeout: float | None = None, on_progress: Callable[[OperationSnapshot], object] | None = None
    ) -> Self:
        """Wait until the operation ends, successfully or not.

        Args:
            timeout: Seconds to wait. None waits without limit.
            on_progress: Called in the loop with every snapshot that differs from the last.

        Returns:
            The operation itself, for its `state` or `result`.

        Raises:
            OperationTimeout: The operation is still running. Call `wait` again to continue.
            OperationLost: Polls have failed for `PollPolicy.lost_after` seconds.
        """
        check_callback("on_progress", on_progress)
        notified = False
        async for snapshot in self._changes(timeout):
            if on_progress is not None:
                on_progress(snapshot)
            notified = True
        if not notified and on_progress is not None:
            on_progress(self.snapshot)
        return self

    async def watch(self, timeout: float | None = None) -> AsyncIterator[OperationSnapshot]:
        """Yield the last known state, then every change until the end.

        Raises:
            OperationTimeout: The operation is still running after *timeout* seconds.
            OperationLost: Polls have failed for `PollPolicy.lost_after` seconds.
        """
        yield self.snapshot
        async for snapshot in self._changes(timeout):
            yield snapshot

    async def result(self, timeout: float | None = None, *, raise_on_partial: bool = False) -> T:
        """Wait for the end and return the result.

        Args:
            timeout: Seconds to wait. None waits without limit.
            raise_on_partial: Raise `PartialFailure` if some instances failed. If False, check `state`.

        Raises:
            OperationFailed: The operation ended with an error.
            OperationCancelled: The operation was cancelled.
            PartialFailure: Some instances are missing in the destination.
            OperationTimeout: The operation is still running. The exception carries the operation.
            OperationLost: Polls failed for too long, or the service no longer knows the operation.
        """
        await self.wait(timeout)
        if self.state is OperationState.PARTIAL and not raise_on_partial:
            logger.warning("operation %s ended with failed instances: %s", self._path.operation, self.snapshot)
        return self._outcome(raise_on_partial=raise_on_partial)

    async def exception(self, timeout: float | None = None) -> DeidError | None:
        """Wait for the end and return the exception, or None.

        A partial failure has a result, not an exception. `state` shows it and ``result(raise_on_partial=True)`` raises
        it.

        Raises:
            OperationTimeout: The operation is still running.
            OperationLost: Polls have failed for too long.
        """
        await self.wait(timeout)
        return self._failure()

    async def cancel(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> bool:
        """Request cancellation and return at once.

        The operation may still succeed.

        Returns:
            False if the operation had already ended; no request is sent.
        """
        if self.state.ended:
            return False
        context = self._context.for_call(timeout, retry)
        await self._session.run(cancel_operation(context, self._path, self._tracker.version))
        return True

    async def cancel_and_wait(self, timeout: float | None = None) -> OperationState:
        """Request cancellation, wait for the end, and return the final state.

        The state can be other than cancelled.

        Raises:
            OperationTimeout: The operation is still running.
        """
        await self.cancel()
        return (await self.wait(timeout)).state

    async def _changes(self, timeout: float | None) -> AsyncIterator[OperationSnapshot]:
        """Yield every change until the end."""
        raise NotImplementedError(timeout)
        yield self.snapshot  # makes this a generator
