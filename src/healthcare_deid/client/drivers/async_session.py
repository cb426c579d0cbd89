"""`AsyncSession`: state shared by an async client and its operations."""

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, TypeVar

from healthcare_deid.client.drivers.async_poller import AsyncPoller
from healthcare_deid.client.drivers.daemon_pool import DaemonPool
from healthcare_deid.client.drivers.run_flow import run_async
from healthcare_deid.client.protocol.after_fork import reset_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.drivers.session import Session
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow

T = TypeVar("T")

_THREADS = 8


class AsyncSession:
    """State shared by an async client and its operations.

    Clients made by ``with_options`` share it too.
    """

    def __init__(self, session: Session) -> None:
        self.sync = session
        self.context: CallContext = session.context
        self.clock = session.clock
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._executor: DaemonPool | None = None
        self._pollers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncPoller] = weakref.WeakKeyDictionary()

    @property
    def executor(self) -> DaemonPool:
        """Thread pool for requests."""
        if self._executor is None:
            self._executor = DaemonPool(_THREADS, "healthcare-deid-async")
            # Not at exit: the threads are daemons, and shutdown must not delay the end of the program.
            weakref.finalize(self, self._executor.shutdown).atexit = False
        return self._executor

    @property
    def poller(self) -> AsyncPoller:
        """Poller of the running event loop."""
        loop = asyncio.get_running_loop()
        poller = self._pollers.get(loop)
        if poller is None:
            poller = self._pollers[loop] = AsyncPoller(self.context, self.sync.connection, self.executor)
        return poller

    async def run(self, flow: Flow[T]) -> T:
        """Run a flow without blocking the event loop."""
        return await run_async(flow, self.sync.connection, self.clock, self.executor)

    async def call(self, function: Callable[[], T]) -> T:
        """Run a blocking function in the thread pool."""
        return await asyncio.get_running_loop().run_in_executor(self.executor, function)

    async def close(self) -> None:
        """Stop polling and close all connections.

        Requests in progress end with an error.
        """
        poller = self._pollers.pop(asyncio.get_running_loop(), None)
        if poller is not None:
            await poller.close()
        executor, self._executor = self._executor, None
        # In a thread, because it waits for the polling thread to end.
        await asyncio.to_thread(self.sync.close)
        if executor is not None:
            executor.shutdown(cancel_futures=True)
