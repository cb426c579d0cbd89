"""Operations: resume, list, cancel. Source: the API's ``operations`` methods."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.asking import cancel_operation, operations_page
from healthcare_deid.client.async_operation import AsyncOperation
from healthcare_deid.client.calls.caller import AsyncCaller, Caller
from healthcare_deid.client.operation import Operation
from healthcare_deid.client.state import OperationSnapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from healthcare_deid.client.retry import RetryPolicy
    from healthcare_deid.names import DatasetName, OperationName


class Operations(Caller):
    """The methods on operations."""

    def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Operation[Any]:
        """Return an operation that this or another process started, as it stands now. Source: ``operations.get``.

        An operation the service does not know (any more) is returned too: its state is ``EXPIRED``.
        """
        path = self._core.operation_name(name)
        operation: Operation[Any] = Operation(
            self._session, OperationSnapshot(path), core=self._core, version=self._core.api_version
        )
        operation.refresh(timeout=timeout, retry=retry)
        self._core.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Iterator[Operation[Any]]:
        """Yield the operations of a dataset, all pages. Source: ``operations.list``."""
        core = self._core.tuned(timeout, retry)
        snapshots = self._pages(partial(operations_page, core, core.dataset(dataset)))
        return (Operation(self._session, snapshot, core=self._core, version=core.api_version) for snapshot in snapshots)

    def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation; it may still end well. Source: ``operations.cancel``."""
        core = self._core.tuned(timeout, retry)
        self._run(cancel_operation(core, core.operation_name(name)))


class AsyncOperations(AsyncCaller):
    """The methods on operations, to be awaited."""

    async def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncOperation[Any]:
        """Return an operation that this or another process started, as it stands now. Source: ``operations.get``.

        Arguments, result and errors are those of `DeidClient.operation`.
        """
        path = self._core.operation_name(name)
        operation: AsyncOperation[Any] = AsyncOperation(
            self._session, OperationSnapshot(path), version=self._core.api_version
        )
        await operation.refresh(timeout=timeout, retry=retry)
        self._core.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[AsyncOperation[Any]]:
        """Yield the operations of a dataset, all pages. Source: ``operations.list``."""
        core = self._core.tuned(timeout, retry)
        snapshots = self._pages(partial(operations_page, core, core.dataset(dataset)))
        return (AsyncOperation(self._session, snapshot, version=core.api_version) async for snapshot in snapshots)

    async def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation; it may still end well. Source: ``operations.cancel``."""
        core = self._core.tuned(timeout, retry)
        await self._run(cancel_operation(core, core.operation_name(name)))
