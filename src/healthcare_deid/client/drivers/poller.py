"""`Poller`: polls a client's operations.

One thread keeps the schedule and a few send requests. There are at most `MAXIMUM_THREADS` threads for any number of
operations, and none while nobody waits. Users' callbacks run on a separate thread, so a slow callback delays no poll.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from healthcare_deid.client.drivers.daemon_pool import DaemonPool
from healthcare_deid.client.drivers.run_flow import run
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.client.protocol.operations import poll
from healthcare_deid.client.protocol.polling import PollSchedule
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.http.connection import Connection
    from healthcare_deid.client.protocol.clock import Clock, Hold
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.polling import PollJob, Tracker

logger = logging.getLogger("healthcare_deid.client")

_POLL_THREADS = 4
MAXIMUM_THREADS = _POLL_THREADS + 2


class Poller:
    """Polls watched operations and updates their trackers."""

    def __init__(self, context: CallContext, connection: Connection, clock: Clock) -> None:
        self._context = context
        self._connection = connection
        self._clock = clock
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        """Start without operations and threads.

        Called on creation and in a forked child, which has none of its parent's threads.
        """
        self._changed = threading.Condition()
        self._schedule = PollSchedule()
        self._watchers: dict[int, int] = {}
        self._dirty = False
        self._pending_holds: list[Hold] = []
        self._thread: threading.Thread | None = None
        self._poll_pool: DaemonPool | None = None
        self._callback_pool: DaemonPool | None = None
        self._closed = False

    def watch(self, *trackers: Tracker) -> None:
        """Poll operations until they end.

        Polling also stops when each `watch` has had its `unwatch`.
        """
        with self._changed:
            if self._closed:
                raise DeidError("the client is closed: create a new one")
            for tracker in trackers:
                # Counted, because several threads may wait for the same operation.
                self._watchers[id(tracker)] = self._watchers.get(id(tracker), 0) + 1
                self._schedule.add(tracker, self._clock.monotonic())
            # A fake clock must not advance before the thread has seen the new operation.
            self._pending_holds.append(self._clock.hold())
            if self._thread is None:
                self._thread = threading.Thread(target=self._run_schedule, name="healthcare-deid-poll", daemon=True)
                self._thread.start()
            self._note_change()

    def unwatch(self, tracker: Tracker) -> None:
        """Undo one `watch`."""
        with self._changed:
            left = self._watchers.get(id(tracker), 0) - 1
            if left > 0:
                self._watchers[id(tracker)] = left
                return
            self._watchers.pop(id(tracker), None)
            self._schedule.remove(tracker)
            self._note_change()

    def call(self, function: Callable[[], object]) -> None:
        """Run a user's callback on the callback thread."""
        with self._changed:
            if self._callback_pool is None:
                self._callback_pool = DaemonPool(1, "healthcare-deid-callback")
            self._callback_pool.submit(run_callback, function)

    def close(self) -> None:
        """Stop polling and notify all waiters."""
        with self._changed:
            left = self._schedule.trackers()
            self._closed = True
            self._note_change()
            thread = self._thread
            self._shut_down_pools()
        for tracker in left:
            tracker.abandon("the client was closed")
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def _run_schedule(self) -> None:
        hold = self._clock.hold()
        changed = self._changed
        try:
            while True:
                with changed:
                    for handed in self._pending_holds:
                        handed.release()
                    self._pending_holds.clear()
                    self._dirty = False
                    if self._closed or not len(self._schedule):
                        self._thread = None
                        self._shut_down_pools()
                        return
                    now, due = self._clock.monotonic(), self._schedule.next_due()
                    if due is None or due > now:
                        self._clock.wait(changed, self._is_changed, None if due is None else due - now, hold)
                        continue
                    for job in self._schedule.take(now):
                        if self._poll_pool is None:
                            self._poll_pool = DaemonPool(_POLL_THREADS, "healthcare-deid-ask")
                        self._poll_pool.submit(self._poll, job, self._clock.hold())
        finally:
            hold.release()

    def _note_change(self) -> None:
        self._dirty = True
        self._changed.notify_all()

    def _is_changed(self) -> bool:
        return self._dirty

    def _shut_down_pools(self) -> None:
        """Let the pools' threads end after their remaining work."""
        for pool in (self._poll_pool, self._callback_pool):
            if pool is not None:
                pool.shutdown(wait=False)
        self._poll_pool = self._callback_pool = None

    def _poll(self, job: PollJob, hold: Hold) -> None:
        pages = 0
        try:
            outcome, pages = run(poll(self._context, job), self._connection, self._clock)
        except Exception as error:  # noqa: BLE001 - a failed poll must end neither the thread nor the waiting
            logger.warning("a poll failed with %s", type(error).__name__)
            problem = (
                error if isinstance(error, DeidError) else DeidError(f"the poll failed with {type(error).__name__}")
            )
            outcome = {id(tracker): problem for tracker in job.trackers}
        with self._changed:
            self._schedule.settle(job, outcome, self._clock.monotonic(), pages)
            for tracker in job.trackers:
                if tracker.snapshot.state.ended:
                    self._watchers.pop(id(tracker), None)
            # If the schedule has ended meanwhile, nobody else would release the hold.
            if self._thread is None:
                hold.release()
            else:
                self._pending_holds.append(hold)
            self._note_change()


def run_callback(function: Callable[[], object]) -> None:
    """Run a user's callback; log the type of an exception that it raises."""
    try:
        function()
    except Exception as error:  # noqa: BLE001 - a callback may raise anything
        # Not logging.exception (TRY400): it would log the text and frames, which may contain patient data.
        logger.error("a callback of an operation raised %s", type(error).__name__)  # noqa: TRY400
