"""Operations: resume, list, cancel. Source: the API's ``operations`` methods."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.calls.base import AsyncMethodGroup, MethodGroup
from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.client.operation.operation import Operation
from healthcare_deid.client.protocol.operation_state import OperationSnapshot
from healthcare_deid.client.protocol.operations import cancel_operation, operations_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.names import DatasetName, OperationName


class OperationMethods(MethodGroup):
    """The methods on operations."""

    def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Operation[Any]:
        """Return an operation that this or another process started, as it stands now. Source: ``operations.get``.

        An operation the service does not know (any more) is returned too: its state is ``EXPIRED``.
        """
        path = self._context.operation_name(name)
        operation: Operation[Any] = Operation(
            self._session, OperationSnapshot(path), context=self._context, version=self._context.api_version
        )
        operation.refresh(timeout=timeout, retry=retry)
        self._context.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Iterator[Operation[Any]]:
        """Yield the operations of a dataset, all pages. Source: ``operations.list``."""
        context = self._context.tuned(timeout, retry)
        snapshots = self._pages(partial(operations_page, context, context.dataset(dataset)))
        return (
            Operation(self._session, snapshot, context=self._context, version=context.api_version)
            for snapshot in snapshots
        )

    def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation; it may still end well. Source: ``operations.cancel``."""
        context = self._context.tuned(timeout, retry)
        self._run(cancel_operation(context, context.operation_name(name)))


class AsyncOperationMethods(AsyncMethodGroup):
    """The methods on operations, to be awaited."""

    async def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncOperation[Any]:
        """Return an operation that this or another process started, as it stands now. Source: ``operations.get``.

        Arguments, result and errors are those of `DeidClient.operation`.
        """
        path = self._context.operation_name(name)
        operation: AsyncOperation[Any] = AsyncOperation(
            self._session, OperationSnapshot(path), version=self._context.api_version
        )
        await operation.refresh(timeout=timeout, retry=retry)
        self._context.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[AsyncOperation[Any]]:
        """Yield the operations of a dataset, all pages. Source: ``operations.list``."""
        context = self._context.tuned(timeout, retry)
        snapshots = self._pages(partial(operations_page, context, context.dataset(dataset)))
        return (AsyncOperation(self._session, snapshot, version=context.api_version) async for snapshot in snapshots)

    async def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation; it may still end well. Source: ``operations.cancel``."""
        context = self._context.tuned(timeout, retry)
        await self._run(cancel_operation(context, context.operation_name(name)))
