"""`PollSchedule`: which operations are asked for next, when, and in which request. No I/O, no thread.

Operations are kept by dataset. One alone is asked for with ``operations.get``; several of one dataset with one
``operations.list``, unless that dataset's list has more pages than operations are waited for.
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
"""Seconds after its start in which an operation that is not found is too new rather than too old."""


class Tracker:
    """What is known of one operation, and who wants to hear of it. Thread-safe."""

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
        """When this process started the operation; nothing when it was resumed by name."""
        self.polled: float | None = None
        """When a poll last succeeded."""
        self.error: DeidError | None = None
        """Why the last poll failed, if it did."""
        self.polls = 0
        self.due = 0.0
        self.waiting_since: float | None = None
        self._listeners: list[Callable[[Event], None]] = []
        self._beats: list[Callable[[], object]] = []
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()

    @property
    def name(self) -> OperationName:
        """The operation's name."""
        return self.snapshot.name

    def subscribe(self, listener: Callable[[Event], None]) -> bool:
        """Tell ``listener`` of what changes from now on; ``False`` when nothing can any more.

        Listeners are called by whoever polled, and must not block.
        """
        with self._lock:
            if self.snapshot.state.ended:
                return False
            self._listeners.append(listener)
            return True

    def unsubscribe(self, listener: Callable[[Event], None]) -> None:
        """Tell it no longer."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def on_poll(self, beat: Callable[[], object]) -> bool:
        """Call ``beat`` after every poll until the end, whatever it brought; ``False`` when none will come."""
        with self._lock:
            if self.snapshot.state.ended:
                return False
            self._beats.append(beat)
            return True

    def seen(self, snapshot: OperationSnapshot, now: float) -> None:
        """Take a good poll; an ended operation stays as it ended."""
        with self._lock:
            self.polled, self.error = now, None
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
        """Take a poll that failed: that the state is unknown says nothing about the operation."""
        if isinstance(error, NotFound) and not self._too_new(now):
            self.seen(self.snapshot.expired(), now)
            return
        with self._lock:
            self.error = error
            known = max(moment for moment in (self.polled, self.waiting_since, self.started, 0.0) if moment is not None)
            listeners = list(self._listeners) if now - known >= self.policy.lost_after else []
            beats = list(self._beats)
        for listener in listeners:
            listener(lost(self, f"no good poll for {now - known:.0f} s"))
        for beat in beats:
            beat()

    def abandon(self, why: str) -> None:
        """Tell everybody that nobody asks any more."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(lost(self, why))

    def _too_new(self, now: float) -> bool:
        return self.started is not None and self.polled is None and now - self.started < _NEW


Event = OperationSnapshot | OperationLost


def lost(tracker: Tracker, why: str) -> OperationLost:
    """Return the error for an operation whose state cannot be read; what the last poll met is its cause."""
    error = OperationLost(f"operation {tracker.name.operation}: {why}; it may well go on")
    error.__cause__ = tracker.error
    return error


@dataclass(frozen=True, slots=True)
class PollJob:
    """What to ask of one dataset now."""

    dataset: DatasetName
    trackers: tuple[Tracker, ...]
    version: str
    by_list: bool
    """One ``operations.list``, rather than an ``operations.get`` each."""


class PollSchedule:
    """The operations somebody waits for. Not thread-safe: its user has a lock."""

    def __init__(self, draw: Callable[[float, float], float] = random.uniform) -> None:
        self._draw = draw
        self._groups: dict[tuple[DatasetName, str], dict[int, Tracker]] = {}
        self._busy: set[tuple[DatasetName, str]] = set()
        self._pages: dict[tuple[DatasetName, str], int] = {}

    def add(self, tracker: Tracker, now: float) -> None:
        """Ask for an operation from now on, at once."""
        group = self._groups.setdefault(_key(tracker), {})
        if id(tracker) not in group:
            group[id(tracker)] = tracker
            tracker.polls, tracker.due, tracker.waiting_since = 0, now, now

    def remove(self, tracker: Tracker) -> None:
        """Ask for it no longer."""
        group = self._groups.get(_key(tracker), {})
        group.pop(id(tracker), None)
        if not group:
            self._groups.pop(_key(tracker), None)
            self._pages.pop(_key(tracker), None)

    def trackers(self) -> list[Tracker]:
        """Return the operations that are asked for."""
        return [tracker for group in self._groups.values() for tracker in group.values()]

    def __len__(self) -> int:
        return sum(len(group) for group in self._groups.values())

    def next_due(self) -> float | None:
        """Return when the next job is due; nothing when none is, or all that are due are being asked for."""
        moments = [
            tracker.due for key, group in self._groups.items() if key not in self._busy for tracker in group.values()
        ]
        return min(moments, default=None)

    def take(self, now: float) -> list[PollJob]:
        """Return what is due, once: each dataset is asked for by one job at a time."""
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
        """Take what a job learned, by ``id(tracker)``, and plan the next asking."""
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
    """Return, by ``id(tracker)``, what one page of a list says of the operations asked for."""
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
