"""What every group of methods stands on: run a flow, start an operation, page through a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.async_operation import AsyncOperation
from healthcare_deid.client.operation import Operation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from healthcare_deid.client.async_session import AsyncSession
    from healthcare_deid.client.core import Core, Started
    from healthcare_deid.client.effects import Flow
    from healthcare_deid.client.session import Session

T = TypeVar("T")


class Caller:
    """A client for threads, or a part of one."""

    _core: Core
    _session: Session

    def _run(self, flow: Flow[T]) -> T:
        return self._session.run(flow)

    def _start(self, flow: Flow[Started], kind: Any) -> Operation[Any]:
        started = self._run(flow)
        return Operation(
            self._session, started.snapshot, core=self._core, version=started.version, started=True, kind=kind
        )

    def _pages(self, page: Callable[[str], Flow[tuple[list[T], str]]]) -> Iterator[T]:
        token = ""
        while True:
            items, token = self._run(page(token))
            yield from items
            if not token:
                return


class AsyncCaller:
    """A client for an event loop, or a part of one."""

    _core: Core
    _session: AsyncSession

    async def _run(self, flow: Flow[T]) -> T:
        return await self._session.run(flow)

    async def _start(self, flow: Flow[Started], kind: Any) -> AsyncOperation[Any]:
        started = await self._run(flow)
        return AsyncOperation(
            self._session, started.snapshot, core=self._core, version=started.version, started=True, kind=kind
        )

    async def _pages(self, page: Callable[[str], Flow[tuple[list[T], str]]]) -> AsyncIterator[T]:
        token = ""
        while True:
            items, token = await self._run(page(token))
            for item in items:
                yield item
            if not token:
                return
