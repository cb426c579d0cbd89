"""Operation methods: get, list, cancel.

Source: the API's ``operations`` methods.
"""

# ruff: noqa: ASYNC109 - timeout= limits one HTTP attempt, as in the other client; asyncio.timeout() limits a whole call

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
    """Operation methods."""

    async def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncOperation[Any]:
        """Return an operation by name, whichever process started it.

        Its state is ``EXPIRED`` if the service does not know it or no longer does. Source: ``operations.get``.
        """
        path = self._context.operation_name(name)
        operation = self._operation(OperationSnapshot(path))
        await operation.refresh(timeout=timeout, retry=retry)
        # A known operation is never adopted by a later start whose reply is lost.
        self._context.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[AsyncOperation[Any]]:
        """Yield the operations of a dataset.

        Source: ``operations.list``, all pages.
        """
        context = self._context.for_call(timeout, retry)
        snapshots = self._pages(partial(operations_page, context, context.dataset(dataset)))
        return (self._operation(snapshot) async for snapshot in snapshots)

    async def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Request cancellation of an operation.

        The operation may still succeed. Source: ``operations.cancel``.
        """
        context = self._context.for_call(timeout, retry)
        await self._run(cancel_operation(context, context.operation_name(name)))
