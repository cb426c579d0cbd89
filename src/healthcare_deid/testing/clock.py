"""`FakeClock`: a clock that advances only when all waiters wait."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.protocol.clock import Hold

# Real seconds between two checks of the fake time.
_CHECK_INTERVAL = 0.001
# Passes of the event loop after which every task that was woken has begun its next wait.
_LOOP_PASSES = 5


class _Hold:
    __slots__ = ("_clock", "_held")

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._held = False
        self.take()

    def take(self) -> None:
        with self._clock._lock:
            if not self._held:
                self._held = True
                self._clock._holds += 1

    def release(self) -> None:
        with self._clock._lock:
            if self._held:
                self._held = False
                self._clock._holds -= 1


class FakeClock:
    """Clock for tests: waiting takes no real time.

    When nobody is working, time jumps to the earliest moment that anybody waits for. `advance` moves it explicitly. Two
    runs see the same times. Pass it to a client (``DeidClient(clock=...)``), an emulator (``Emulator(data_dir,
    clock=...)``), or both.

    Args:
        start: Initial time in seconds since 1970.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._start = start
        self._now = 0.0
        self._lock = threading.RLock()
        self._holds = 0
        self._numbers = itertools.count()
        self._waiting: dict[int, float] = {}
        self._changes = 0
        self.slept: list[float] = []
        """Pauses between retries in seconds, in order; `monotonic` also counts the waits for polls."""

    def monotonic(self) -> float:
        """Return the fake seconds since the clock was created."""
        with self._lock:
            return self._now

    def time(self) -> float:
        """Return the fake seconds since 1970."""
        with self._lock:
            return self._start + self._now

    def advance(self, seconds: float) -> None:
        """Advance the clock at once."""
        with self._lock:
            self._now += max(0.0, seconds)

    def sleep(self, seconds: float) -> None:
        """Record the sleep and advance the clock at once."""
        with self._lock:
            self.slept.append(seconds)
            self.advance(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Sleep until the clock reaches the moment.

        It does so when nobody waits for an earlier moment.
        """
        with self._lock:
            self.slept.append(seconds)
        number = self._begin(seconds)
        try:
            while True:
                # Tasks that are ready to run go first; only then may time advance.
                seen = self._changes
                for _ in range(_LOOP_PASSES):
                    await asyncio.sleep(0)
                if self._reached(number, None, seen):
                    return
                await asyncio.sleep(_CHECK_INTERVAL)
        finally:
            self._end(number)

    def wait(
        self,
        condition: threading.Condition,
        ready: Callable[[], bool],
        seconds: float | None,
        hold: Hold | None = None,
    ) -> bool:
        """Wait for the condition or the fake moment.

        See `healthcare_deid.client.protocol.clock.Clock`.
        """
        mine = hold if isinstance(hold, _Hold) else None
        number = self._begin(seconds)
        if mine is not None:
            mine.release()
        try:
            # A notification can come between two checks and be missed, so ready() decides.
            while not ready():
                if self._reached(number, mine):
                    return ready()
                condition.wait(_CHECK_INTERVAL)
            return True
        finally:
            self._end(number)
            if mine is not None:
                mine.take()

    def hold(self) -> Hold:
        """Stop the clock from advancing until the hold is released."""
        return _Hold(self)

    def _begin(self, seconds: float | None) -> int:
        with self._lock:
            number = next(self._numbers)
            self._changes += 1
            # A wait without a limit never makes time advance.
            self._waiting[number] = float("inf") if seconds is None else self._now + max(0.0, seconds)
            return number

    def _end(self, number: int) -> None:
        with self._lock:
            self._changes += 1
            del self._waiting[number]

    def _reached(self, number: int, hold: _Hold | None, seen: int | None = None) -> bool:
        """Return whether the moment has come.

        It comes when it is the next one and nobody is working.

        Args:
            number: Number of the waiter.
            hold: Hold to take when the moment has come.
            seen: Value of the change counter at the last check. Time does not advance while the waiters change.
        """
        with self._lock:
            moment = self._waiting[number]
            if self._now < moment:
                # Only the earliest waiter moves time, so that two runs see the same order.
                first = min(self._waiting.values()) == moment
                changing = seen is not None and seen != self._changes
                if self._holds or changing or not first or moment == float("inf"):
                    return False
                self._now = moment
            if hold is not None:
                hold.take()
            return True
