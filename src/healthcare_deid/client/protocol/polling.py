"""Polling without I/O: a `Tracker` for each operation, and the `PollSchedule` that says what to ask for next.

Operations are grouped by dataset. One alone is asked for with ``operations.get``, several of one dataset with one
``operations.list``, unless that list has more pages than there are operations to wait for.
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

_NEW = 60.0
"""Seconds after its start in which an operation that is not found is too new, not expired."""
_FAILURES = 2
"""Polls in a row that have to fail before an operation is lost: after a night asleep, the first poll often does."""


class Tracker:
    """Last known state of one operation, and its listeners. Thread-safe."""

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
        """Seconds one poll may take."""
        self.version = version
        self.started = started
        """When this process started the operation; None if it was resumed by name."""
        self.polled: float | None = None
        """When a poll last succeeded; None before that."""
        self.error: DeidError | None = None
        """Error of the last poll, if that failed."""
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
        """Name of the operation."""
        return self.snapshot.name

    def begin(self, now: float) -> None:
        """Make the operation due at once.

        What failed before somebody waited does not count.
        """
        self.polls, self.due = 0, now
        self._failures, self._failing, self._asked = 0, 0.0, now

    def subscribe(self, listener: Callable[[Event], None]) -> bool:
        """Call ``listener`` with every change from now on.

        Returns False if the operation has ended.

        Listeners are called by the thread that polled and must not block.
        """
        with self._lock:
            if self.snapshot.state.ended:
                return False
            self._listeners.append(listener)
            return True

    def unsubscribe(self, listener: Callable[[Event], None]) -> None:
        """Stop calling a listener."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def on_poll(self, beat: Callable[[], object]) -> bool:
        """Call ``beat`` after every poll until the end.

        Returns False if the operation has ended.
        """
        with self._lock:
            if self.snapshot.state.ended:
                return False
            self._beats.append(beat)
            return True

    def seen(self, snapshot: OperationSnapshot, now: float) -> None:
        """Take the result of a good poll.

        An ended operation stays as it ended.
        """
        with self._lock:
            self.polled, self.error = now, None
            self._failures, self._failing, self._asked = 0, 0.0, now
            over = self.snapshot.state.ended
            changed = not over and snapshot != self.snapshot
            if changed:
                self.snapshot = snapshot
            listeners, beats = list(self._listeners) if changed else [], [] if over else list(self._beats)
        for beat in beats:
            beat()
        for listener in listeners:
            listener(snapshot)

    def failed(self, error: DeidError, now: float) -> None:
        """Take the error of a failed poll, which says nothing about the operation itself.

        The operation is lost after `PollPolicy.lost_after` seconds of failing polls. Of the time between two polls, no
        more counts than their pause and their timeout: the rest, the machine was suspended.
        """
        if isinstance(error, NotFound) and not self._too_new(now):
            self.seen(self.snapshot.expired(), now)
            return
        with self._lock:
            self.error = error
            planned = max(0.0, self.due - self._asked) + self.timeout
            self._failing += min(now - self._asked, planned)
            self._failures += 1
            self._asked = now
            gone = self._failures >= _FAILURES and self._failing >= self.policy.lost_after
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
        return self.started is not None and self.polled is None and now - self.started < _NEW


Event = OperationSnapshot | OperationLost


def lost(tracker: Tracker, why: str) -> OperationLost:
    """Return the error for an operation whose state cannot be read, caused by that of the last poll."""
    error = OperationLost(f"operation {tracker.name.operation}: {why}; it may still run")
    error.__cause__ = tracker.error
    return error


@dataclass(frozen=True, slots=True)
class PollJob:
    """Operations of one dataset to ask for now."""

    dataset: DatasetName
    trackers: tuple[Tracker, ...]
    version: str
    by_list: bool
    """Whether to send one ``operations.list`` instead of an ``operations.get`` each."""


class PollSchedule:
    """Operations that somebody waits for. Not thread-safe: its user has a lock."""

    def __init__(self, draw: Callable[[float, float], float] = random.uniform) -> None:
        self._draw = draw
        self._groups: dict[tuple[DatasetName, str], dict[int, Tracker]] = {}
        self._busy: set[tuple[DatasetName, str]] = set()
        self._pages: dict[tuple[DatasetName, str], int] = {}

    def add(self, tracker: Tracker, now: float) -> None:
        """Begin to ask for an operation, at once."""
        group = self._groups.setdefault(_key(tracker), {})
        if id(tracker) not in group:
            group[id(tracker)] = tracker
            tracker.begin(now)

    def remove(self, tracker: Tracker) -> None:
        """Stop asking for an operation."""
        group = self._groups.get(_key(tracker), {})
        group.pop(id(tracker), None)
        if not group:
            self._groups.pop(_key(tracker), None)
            self._pages.pop(_key(tracker), None)

    def trackers(self) -> list[Tracker]:
        """Return the trackers of all operations."""
        return [tracker for group in self._groups.values() for tracker in group.values()]

    def __len__(self) -> int:
        return sum(len(group) for group in self._groups.values())

    def next_due(self) -> float | None:
        """Return when the next job is due.

        It is None if all operations are being asked for, or there are none.
        """
        moments = [
            tracker.due for key, group in self._groups.items() if key not in self._busy for tracker in group.values()
        ]
        return min(moments, default=None)

    def take(self, now: float) -> list[PollJob]:
        """Return the jobs that are due.

        Each dataset has one job at a time.
        """
        jobs: list[PollJob] = []
        for key, group in self._groups.items():
            if key in self._busy or min(tracker.due for tracker in group.values()) > now:
                continue
            self._busy.add(key)
            by_list = len(group) > max(1, self._pages.get(key, 0) - 1)
            trackers = tuple(tracker for tracker in group.values() if by_list or tracker.due <= now)
            jobs.append(PollJob(key[0], trackers, key[1], by_list))
        return jobs

    def settle(
        self, job: PollJob, outcome: Mapping[int, OperationSnapshot | DeidError], now: float, pages: int = 0
    ) -> None:
        """Take the outcome of a job, by ``id(tracker)``, and plan the next poll."""
        key = (job.dataset, job.version)
        self._busy.discard(key)
        if pages:
            self._pages[key] = pages
        for tracker in job.trackers:
            result = outcome.get(id(tracker))
            if isinstance(result, OperationSnapshot):
                tracker.seen(result, now)
            elif result is not None:
                tracker.failed(result, now)
            tracker.polls += 1
            tracker.due = now + tracker.policy.pause(tracker.polls, self._draw)
            if tracker.snapshot.state.ended:
                self.remove(tracker)


def sort_page(
    items: Sequence[Mapping[str, Any]], trackers: Sequence[Tracker]
) -> dict[int, OperationSnapshot | DeidError]:
    """Return the state of each operation on a page of a list, by ``id(tracker)``."""
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
