"""What every group of methods stands on: run a flow, start an operation, page through a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.client.operation.operation import Operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from healthcare_deid.client.drivers.async_session import AsyncSession
    from healthcare_deid.client.drivers.session import Session
    from healthcare_deid.client.protocol.context import CallContext, Started
    from healthcare_deid.client.protocol.flow import Flow

T = TypeVar("T")


class MethodGroup:
    """A client for threads, or a part of one."""

    _context: CallContext
    _session: Session

    def _run(self, flow: Flow[T]) -> T:
        return self._session.run(flow)

    def _start(self, flow: Flow[Started], kind: Any) -> Operation[Any]:
        started = self._run(flow)
        return Operation(
            self._session, started.snapshot, context=self._context, version=started.version, started=True, kind=kind
        )

    def _pages(self, page: Callable[[str], Flow[tuple[list[T], str]]]) -> Iterator[T]:
        token = ""
        while True:
            items, token = self._run(page(token))
            yield from items
            if not token:
                return


class AsyncMethodGroup:
    """A client for an event loop, or a part of one."""

    _context: CallContext
    _session: AsyncSession

    async def _run(self, flow: Flow[T]) -> T:
        return await self._session.run(flow)

    async def _start(self, flow: Flow[Started], kind: Any) -> AsyncOperation[Any]:
        started = await self._run(flow)
        return AsyncOperation(
            self._session, started.snapshot, context=self._context, version=started.version, started=True, kind=kind
        )

    async def _pages(self, page: Callable[[str], Flow[tuple[list[T], str]]]) -> AsyncIterator[T]:
        token = ""
        while True:
            items, token = await self._run(page(token))
            for item in items:
                yield item
            if not token:
                return
