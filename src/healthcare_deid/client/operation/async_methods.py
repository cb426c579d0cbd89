"""`AsyncOperationWaiting`: ask for an operation, wait for it, cancel it, in an event loop."""

# ruff: noqa: ASYNC109 - timeout= has the name and meaning it has in the other client

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Self

from healthcare_deid.client.operation.base import OperationBase, T
from healthcare_deid.client.protocol.arguments import callback
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, OperationState
from healthcare_deid.client.protocol.operations import cancel_operation, get_operation
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from healthcare_deid.client.drivers.async_session import AsyncSession
    from healthcare_deid.client.protocol.retry import RetryPolicy

logger = logging.getLogger("healthcare_deid.client")


class AsyncOperationWaiting(OperationBase[T]):
    """Methods of an operation that ask the service."""

    _session: AsyncSession

    async def done(self) -> bool:
        """Return whether it has ended, successfully or not; asks the service at most once a second."""
        if not self.state.ended and not self._fresh():
            try:
                await self.refresh()
            except DeidError as error:
                logger.debug("done() could not ask: %s", type(error).__name__)
        return self.state.ended

    async def refresh(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> OperationSnapshot:
        """Ask the service for the current state.

        Returns:
            The current state; `OperationState.EXPIRED` if the service no longer knows the operation.

        Raises:
            DeidError: The service could not be asked. The operation itself goes on.
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
    ) -> Self:
        """Wait until it has ended, successfully or not.

        Args:
            timeout: Seconds to wait; None waits as long as it takes.
            on_progress: Called in the loop with every snapshot that differs from the one before.

        Returns:
            The operation itself, for its `state` or `result`.

        Raises:
            OperationTimeout: It still runs. Call `wait` again to go on.
            OperationLost: Polls have failed for `PollPolicy.lost_after` seconds.
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
        """Yield the last known state, then every change until the end.

        Raises:
            OperationTimeout: It still runs after ``timeout`` seconds.
            OperationLost: Polls have failed for `PollPolicy.lost_after` seconds.
        """
        yield self.snapshot
        async for snapshot in self._changes(timeout):
            yield snapshot

    async def result(self, timeout: float | None = None, *, raise_on_partial: bool = False) -> T:
        """Wait for the end and return the result.

        Args:
            timeout: Seconds to wait; None waits as long as it takes.
            raise_on_partial: Raise `PartialFailure` if some instances failed. Without it, check `state`.

        Raises:
            OperationFailed: It ended with an error.
            OperationCancelled: It was cancelled.
            PartialFailure: Some instances are missing in the destination.
            OperationTimeout: It still runs; the error carries the operation.
            OperationLost: Polls failed for too long, or the service no longer knows the operation.
        """
        await self.wait(timeout)
        if self.state is OperationState.PARTIAL and not raise_on_partial:
            logger.warning("operation %s ended, and some instances failed: %s", self._path.operation, self.snapshot)
        return self._outcome(raise_on_partial=raise_on_partial)

    async def exception(self, timeout: float | None = None) -> DeidError | None:
        """Wait for the end and return its error, or None.

        A partial failure has a result and no error: `state` shows it, and ``result(raise_on_partial=True)`` raises it.

        Raises:
            OperationTimeout: It still runs.
            OperationLost: Polls have failed for too long.
        """
        await self.wait(timeout)
        return self._failure()

    async def cancel(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> bool:
        """Ask the service to stop it, and return at once; it may still succeed.

        Returns:
            False if it is known to have ended, and the service was not asked.
        """
        if self.state.ended:
            return False
        context = self._context.tuned(timeout, retry)
        await self._session.run(cancel_operation(context, self._path, self._tracker.version))
        return True

    async def cancel_and_wait(self, timeout: float | None = None) -> OperationState:
        """Ask the service to stop it, wait, and return its last state, cancelled or not.

        Raises:
            OperationTimeout: It still runs.
        """
        await self.cancel()
        return (await self.wait(timeout)).state

    async def _changes(self, timeout: float | None) -> AsyncIterator[OperationSnapshot]:
        """Yield every change until the end."""
        raise NotImplementedError(timeout)
        yield self.snapshot
