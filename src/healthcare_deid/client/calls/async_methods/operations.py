"""Methods on operations: resume, list, cancel. Source: the API's ``operations`` methods."""

# ruff: noqa: ASYNC109 - timeout= bounds one HTTP try, as in the other client; asyncio.timeout() bounds a whole call

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.calls.async_base import AsyncMethodGroup
from healthcare_deid.client.protocol.operation_state import OperationSnapshot
from healthcare_deid.client.protocol.operations import cancel_operation, operations_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.names import DatasetName, OperationName


class AsyncOperationMethods(AsyncMethodGroup):
    """Methods on operations."""

    async def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncOperation[Any]:
        """Return the current state of an operation, whichever process started it. Source: ``operations.get``.

        An operation that the service does not know, or no longer knows, has the state ``EXPIRED``.
        """
        path = self._context.operation_name(name)
        operation = self._operation(OperationSnapshot(path))
        await operation.refresh(timeout=timeout, retry=retry)
        self._context.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[AsyncOperation[Any]]:
        """Yield the operations of a dataset. Source: ``operations.list``, all pages."""
        context = self._context.tuned(timeout, retry)
        snapshots = self._pages(partial(operations_page, context, context.dataset(dataset)))
        return (self._operation(snapshot) async for snapshot in snapshots)

    async def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation, which may still succeed. Source: ``operations.cancel``."""
        context = self._context.tuned(timeout, retry)
        await self._run(cancel_operation(context, context.operation_name(name)))
