"""`AsyncMethodGroup`: base class of the async client's methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.errors import ReplyError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from healthcare_deid.client.drivers.async_session import AsyncSession
    from healthcare_deid.client.protocol.context import CallContext, StartedOperation
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.operation_state import OperationSnapshot

T = TypeVar("T")


class AsyncMethodGroup:
    """Base class of the parts of `AsyncDeidClient`."""

    _context: CallContext
    _session: AsyncSession

    async def _run(self, flow: Flow[T]) -> T:
        return await self._session.run(flow)

    async def _start(self, flow: Flow[StartedOperation], kind: Any) -> AsyncOperation[Any]:
        started = await self._run(flow)
        return AsyncOperation(self._session, self._context, started.snapshot, started=started, kind=kind)

    def _operation(self, snapshot: OperationSnapshot) -> AsyncOperation[Any]:
        return AsyncOperation(self._session, self._context, snapshot)

    async def _pages(self, page: Callable[[str], Flow[tuple[list[T], str]]]) -> AsyncIterator[T]:
        token, seen = "", {""}
        while True:
            items, token = await self._run(page(token))
            for item in items:
                yield item
            if not token:
                return
            # A server that cycles through the same pages would otherwise never end the loop.
            if token in seen:
                raise ReplyError("the list does not end, its page token repeats")
            seen.add(token)
