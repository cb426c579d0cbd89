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

_ASKING = 4
MAXIMUM_THREADS = _ASKING + 2


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
        self._handed_over: list[Hold] = []
        self._thread: threading.Thread | None = None
        self._askers: DaemonPool | None = None
        self._callers: DaemonPool | None = None
        self._closed = False

    def watch(self, *trackers: Tracker) -> None:
        """Poll operations until they end.

        Polling also stops when each `watch` has had its `unwatch`.
        """
        with self._changed:
            if self._closed:
                raise DeidError("the client is closed")
            for tracker in trackers:
                self._watchers[id(tracker)] = self._watchers.get(id(tracker), 0) + 1
                self._schedule.add(tracker, self._clock.monotonic())
            # A fake clock must not advance before the thread has seen the new operation.
            self._handed_over.append(self._clock.hold())
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_time, name="healthcare-deid-poll", daemon=True)
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
            if self._callers is None:
                self._callers = DaemonPool(1, "healthcare-deid-callback")
            self._callers.submit(run_callback, function)

    def close(self) -> None:
        """Stop polling and notify all waiters."""
        with self._changed:
            left = self._schedule.trackers()
            self._closed = True
            self._note_change()
            thread = self._thread
            self._dismiss()
        for tracker in left:
            tracker.abandon("the client was closed")
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=5)

    def _keep_time(self) -> None:
        hold = self._clock.hold()
        changed = self._changed
        try:
            while True:
                with changed:
                    for handed in self._handed_over:
                        handed.release()
                    self._handed_over.clear()
                    self._dirty = False
                    if self._closed or not len(self._schedule):
                        self._thread = None
                        self._dismiss()
                        return
                    now, due = self._clock.monotonic(), self._schedule.next_due()
                    if due is None or due > now:
                        self._clock.wait(changed, self._is_changed, None if due is None else due - now, hold)
                        continue
                    for job in self._schedule.take(now):
                        if self._askers is None:
                            self._askers = DaemonPool(_ASKING, "healthcare-deid-ask")
                        self._askers.submit(self._ask, job, self._clock.hold())
        finally:
            hold.release()

    def _note_change(self) -> None:
        self._dirty = True
        self._changed.notify_all()

    def _is_changed(self) -> bool:
        return self._dirty

    def _dismiss(self) -> None:
        """Let the pools' threads end after their remaining work."""
        for pool in (self._askers, self._callers):
            if pool is not None:
                pool.shutdown(wait=False)
        self._askers = self._callers = None

    def _ask(self, job: PollJob, hold: Hold) -> None:
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
            if self._thread is None:
                hold.release()
            else:
                self._handed_over.append(hold)
            self._note_change()


def run_callback(function: Callable[[], object]) -> None:
    """Run a user's callback; log the type of an exception that it raises."""
    try:
        function()
    except Exception as error:  # noqa: BLE001 - a callback may raise anything
        # Not logging.exception (TRY400): it would log the text and frames, which may contain patient data.
        logger.error("a callback of an operation raised %s", type(error).__name__)  # noqa: TRY400
