"""Polling without I/O: a `Tracker` per operation and one `PollSchedule`.

Operations are grouped by dataset. A single operation is polled with ``operations.get``. Several operations of one
dataset share one ``operations.list``, unless the list has more pages than there are operations to poll.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, parse_operation
from healthcare_deid.errors import DeidError, NotFound, OperationLost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from healthcare_deid.client.protocol.retry import PollPolicy
    from healthcare_deid.names import DatasetName, OperationName

# The service may answer NOT_FOUND for an operation it has just started. Within this many seconds that is a failed poll,
# not an expired operation.
_TOO_NEW_SECONDS = 60.0
# The first poll after a suspended laptop wakes up often fails, so that one failed poll never makes an operation lost.
_MIN_FAILURES = 2


class Tracker:
    """Last known state of one operation, and its listeners.

    Thread-safe.
    """

    def __init__(
        self,
        snapshot: OperationSnapshot,
        policy: PollPolicy,
        *,
        version: str = "v1",
        started: float | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.snapshot = snapshot
        self.policy = policy
        self.timeout = timeout
        """Seconds allowed for one poll."""
        self.version = version
        self.started = started
        """Time at which this process started the operation; None if it was resumed by name."""
        self.polled: float | None = None
        """Time of the last successful poll."""
        self.error: DeidError | None = None
        """Error of the last poll, if it failed."""
        self.polls = 0
        self.due = 0.0
        self._failures = 0
        self._failing = 0.0
        self._asked = 0.0
        self._listeners: list[Callable[[Event], None]] = []
        self._beats: list[Callable[[], object]] = []
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()

    @property
    def name(self) -> OperationName:
        """Operation name."""
        return self.snapshot.name

    def begin(self, now: float) -> None:
        """Make the operation due now.

        Failures from before anyone waited are forgotten.
        """
        self.polls, self.due = 0, now
        self._failures, self._failing, self._asked = 0, 0.0, now

    def subscribe(self, listener: Callable[[Event], None]) -> bool:
        """Call *listener* with every change from now on.

        Listeners run on the polling thread and must not block.

        Returns:
            False if the operation has already ended.
        """
        with self._lock:
            if self.snapshot.state.ended:
                return False
            self._listeners.append(listener)
            return True

    def unsubscribe(self, listener: Callable[[Event], None]) -> None:
        """Stop calling *listener*."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def on_poll(self, beat: Callable[[], object]) -> bool:
        """Call *beat* after every poll until the operation ends.

        Returns:
            False if the operation has already ended.
        """
        with self._lock:
            if self.snapshot.state.ended:
                return False
            self._beats.append(beat)
            return True

    def seen(self, snapshot: OperationSnapshot, now: float) -> None:
        """Record a successful poll.

        A final state never changes again.
        """
        with self._lock:
            self.polled, self.error = now, None
            self._failures, self._failing, self._asked = 0, 0.0, now
            over = self.snapshot.state.ended
            changed = not over and snapshot != self.snapshot
            if changed:
                self.snapshot = snapshot
            listeners, beats = list(self._listeners) if changed else [], [] if over else list(self._beats)
        # Called without the lock, because a listener may subscribe, unsubscribe or poll.
        for beat in beats:
            beat()
        for listener in listeners:
            listener(snapshot)

    def failed(self, error: DeidError, now: float) -> None:
        """Record a failed poll, which says nothing about the operation itself.

        The operation is lost after `PollPolicy.lost_after` seconds of failing polls. Between two polls only their pause
        and timeout count; for any time beyond that the machine was suspended.
        """
        # The service deletes operations about 30 days after their end, so that NOT_FOUND is a final state.
        if isinstance(error, NotFound) and not self._too_new(now):
            self.seen(self.snapshot.expired(), now)
            return
        with self._lock:
            self.error = error
            # A laptop that slept through the night must not wake up with a lost operation.
            planned = max(0.0, self.due - self._asked) + self.timeout
            self._failing += min(now - self._asked, planned)
            self._failures += 1
            self._asked = now
            gone = self._failures >= _MIN_FAILURES and self._failing >= self.policy.lost_after
            listeners, beats = list(self._listeners) if gone else [], list(self._beats)
            why = f"polls have failed for {self._failing:.0f} s"
        for listener in listeners:
            listener(lost(self, why))
        for beat in beats:
            beat()

    def abandon(self, why: str) -> None:
        """Tell all listeners that polling has stopped."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(lost(self, why))

    def _too_new(self, now: float) -> bool:
        return self.started is not None and self.polled is None and now - self.started < _TOO_NEW_SECONDS


Event = OperationSnapshot | OperationLost


def lost(tracker: Tracker, why: str) -> OperationLost:
    """Return the error for an operation that cannot be polled."""
    error = OperationLost(f"operation {tracker.name.operation}: {why}; it may still be running")
    error.__cause__ = tracker.error
    return error


@dataclass(frozen=True, slots=True)
class PollJob:
    """Operations of one dataset that are due for a poll."""

    dataset: DatasetName
    trackers: tuple[Tracker, ...]
    version: str
    by_list: bool
    """Whether to send one ``operations.list`` instead of one ``operations.get`` per operation."""


class PollSchedule:
    """Operations to poll, and when.

    Not thread-safe; the caller holds a lock.
    """

    def __init__(self, draw: Callable[[float, float], float] = random.uniform) -> None:
        self._draw = draw
        self._groups: dict[tuple[DatasetName, str], dict[int, Tracker]] = {}
        self._busy: set[tuple[DatasetName, str]] = set()
        self._pages: dict[tuple[DatasetName, str], int] = {}

    def add(self, tracker: Tracker, now: float) -> None:
        """Add an operation and make it due now."""
        group = self._groups.setdefault(_key(tracker), {})
        if id(tracker) not in group:
            group[id(tracker)] = tracker
            tracker.begin(now)

    def remove(self, tracker: Tracker) -> None:
        """Stop polling an operation."""
        group = self._groups.get(_key(tracker), {})
        group.pop(id(tracker), None)
        if not group:
            self._groups.pop(_key(tracker), None)
            self._pages.pop(_key(tracker), None)

    def trackers(self) -> list[Tracker]:
        """Return all trackers."""
        return [tracker for group in self._groups.values() for tracker in group.values()]

    def __len__(self) -> int:
        return sum(len(group) for group in self._groups.values())

    def next_due(self) -> float | None:
        """Return the time of the next job.

        Returns None if every operation is being polled, or if there are no operations.
        """
        moments = [
            tracker.due for key, group in self._groups.items() if key not in self._busy for tracker in group.values()
        ]
        return min(moments, default=None)

    def take(self, now: float) -> list[PollJob]:
        """Return the jobs that are due.

        A dataset has at most one job at a time.
        """
        jobs: list[PollJob] = []
        for key, group in self._groups.items():
            # A second job of the same dataset would list the same operations again.
            if key in self._busy or min(tracker.due for tracker in group.values()) > now:
                continue
            self._busy.add(key)
            # One request per page against one per operation: the cheaper one wins.
            by_list = len(group) > max(1, self._pages.get(key, 0) - 1)
            trackers = tuple(tracker for tracker in group.values() if by_list or tracker.due <= now)
            jobs.append(PollJob(key[0], trackers, key[1], by_list))
        return jobs

    def settle(
        self, job: PollJob, outcome: Mapping[int, OperationSnapshot | DeidError], now: float, pages: int = 0
    ) -> None:
        """Record a job's results by ``id(tracker)``, and plan the next poll."""
        key = (job.dataset, job.version)
        self._busy.discard(key)
        if pages:
            # The number of list pages decides whether the next poll lists or gets.
            self._pages[key] = pages
        for tracker in job.trackers:
            result = outcome.get(id(tracker))
            if isinstance(result, OperationSnapshot):
                tracker.seen(result, now)
            elif result is not None:
                tracker.failed(result, now)
            tracker.polls += 1
            # Measured from the end of this poll: a slow service is not polled faster.
            tracker.due = now + tracker.policy.pause(tracker.polls, self._draw)
            if tracker.snapshot.state.ended:
                self.remove(tracker)


def sort_page(
    items: Sequence[Mapping[str, Any]], trackers: Sequence[Tracker]
) -> dict[int, OperationSnapshot | DeidError]:
    """Match a page of ``operations.list`` to trackers, by ``id(tracker)``."""
    wanted: dict[str, list[Tracker]] = {}
    for tracker in trackers:
        wanted.setdefault(tracker.name.operation, []).append(tracker)
    found: dict[int, OperationSnapshot | DeidError] = {}
    for item in items:
        for tracker in wanted.get(str(item.get("name", "")).rsplit("/", 1)[-1], ()):
            try:
                found[id(tracker)] = parse_operation(item, expected=tracker.name)
            except DeidError as error:
                found[id(tracker)] = error
    return found


def _key(tracker: Tracker) -> tuple[DatasetName, str]:
    return tracker.name.parent, tracker.version
