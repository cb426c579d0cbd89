"""`AsyncPoller`: polls a client's operations in one task per event loop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from healthcare_deid.client.drivers.run_flow import run_async
from healthcare_deid.client.protocol.operations import poll
from healthcare_deid.client.protocol.polling import PollSchedule
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from healthcare_deid.client.http.connection import Connection
    from healthcare_deid.client.protocol.clock import Hold
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.polling import PollJob, Tracker

logger = logging.getLogger("healthcare_deid.client")


class AsyncPoller:
    """Polls watched operations and updates their trackers."""

    def __init__(self, context: CallContext, connection: Connection, executor: Executor) -> None:
        self._context = context
        self._connection = connection
        self._executor = executor
        self._clock = context.clock
        self._schedule = PollSchedule()
        self._watchers: dict[int, int] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._pending_holds: list[Hold] = []
        self._closed = False

    def watch(self, *trackers: Tracker) -> None:
        """Poll operations until they end.

        Polling also stops when each `watch` has had its `unwatch`.
        """
        if self._closed:
            raise DeidError("the client is closed: create a new one")
        for tracker in trackers:
            # Counted, because several tasks may wait for the same operation.
            self._watchers[id(tracker)] = self._watchers.get(id(tracker), 0) + 1
            self._schedule.add(tracker, self._clock.monotonic())
        self._pending_holds.append(self._clock.hold())
        self._changed.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run_schedule())

    def unwatch(self, tracker: Tracker) -> None:
        """Undo one `watch`."""
        left = self._watchers.get(id(tracker), 0) - 1
        if left > 0:
            self._watchers[id(tracker)] = left
            return
        self._watchers.pop(id(tracker), None)
        self._schedule.remove(tracker)
        self._changed.set()

    async def close(self) -> None:
        """Stop polling and notify all waiters."""
        self._closed = True
        for tracker in self._schedule.trackers():
            tracker.abandon("the client was closed")
        tasks = [task for task in (self._task, *self._jobs) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_schedule(self) -> None:
        try:
            while len(self._schedule):
                self._changed.clear()
                now, due = self._clock.monotonic(), self._schedule.next_due()
                if due is not None and due <= now:
                    for job in self._schedule.take(now):
                        task = asyncio.create_task(self._poll(job, self._clock.hold()))
                        self._jobs.add(task)
                        task.add_done_callback(self._jobs.discard)
                    continue
                await self._until(None if due is None else due - now)
        finally:
            self._task = None
            self._release()

    async def _until(self, seconds: float | None) -> None:
        """Wait for a change or for *seconds*.

        A fake clock may advance once both waits have started.
        """
        change = asyncio.create_task(self._changed.wait())
        pause = None if seconds is None else asyncio.create_task(self._clock.sleep_async(seconds))
        await asyncio.sleep(0)  # lets both tasks start
        self._release()
        try:
            await asyncio.wait({task for task in (change, pause) if task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (change, pause):
                if task is not None:
                    task.cancel()

    def _release(self) -> None:
        for hold in self._pending_holds:
            hold.release()
        self._pending_holds.clear()

    async def _poll(self, job: PollJob, hold: Hold) -> None:
        pages = 0
        try:
            outcome, pages = await run_async(poll(self._context, job), self._connection, self._clock, self._executor)
        except asyncio.CancelledError:
            hold.release()
            raise
        except Exception as error:  # noqa: BLE001 - a failed poll must end neither the task nor the waiting
            logger.warning("a poll failed with %s", type(error).__name__)
            problem = (
                error if isinstance(error, DeidError) else DeidError(f"the poll failed with {type(error).__name__}")
            )
            outcome = {id(tracker): problem for tracker in job.trackers}
        self._schedule.settle(job, outcome, self._clock.monotonic(), pages)
        for tracker in job.trackers:
            if tracker.snapshot.state.ended:
                self._watchers.pop(id(tracker), None)
        self._pending_holds.append(hold)
        self._changed.set()
        if self._task is None:
            self._release()
