"""`FakeClock`: time that passes when everybody waits for it, and only then."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.protocol.clock import Hold

_LOOK_AGAIN = 0.001
"""Real seconds between looks at a fake time."""
_TURNS = 5
"""Turns of an event loop in which whoever was woken says what it waits for next."""


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
    """A clock for tests: waiting takes no real time, and two runs see the same times.

    Time moves to the earliest moment anybody waits for, once nobody is at work; or by `advance`. Give it to a client
    (``DeidClient(clock=...)``), an emulator (``Emulator(data_dir, clock=...)``), or both.

    Args:
        start: Seconds since 1970 to start at.
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
        """Every pause that was asked for by sleeping, in order."""

    def monotonic(self) -> float:
        """Return the fake seconds since the clock was made."""
        with self._lock:
            return self._now

    def time(self) -> float:
        """Return the fake seconds since 1970."""
        with self._lock:
            return self._start + self._now

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        with self._lock:
            self._now += max(0.0, seconds)

    def sleep(self, seconds: float) -> None:
        """Note the pause and let it pass at once."""
        with self._lock:
            self.slept.append(seconds)
            self.advance(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Let the pause pass when nobody in the program waits for an earlier moment."""
        with self._lock:
            self.slept.append(seconds)
        number = self._begin(seconds)
        try:
            while True:
                # Everybody who is ready to run comes before time does.
                seen = self._changes
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                if self._reached(number, None, seen):
                    return
                await asyncio.sleep(_LOOK_AGAIN)
        finally:
            self._end(number)

    def wait(
        self,
        condition: threading.Condition,
        ready: Callable[[], bool],
        seconds: float | None,
        hold: Hold | None = None,
    ) -> bool:
        """Wait for the condition or the fake moment; see `healthcare_deid.client.protocol.clock.Clock`."""
        mine = hold if isinstance(hold, _Hold) else None
        number = self._begin(seconds)
        if mine is not None:
            mine.release()
        try:
            # A notification can fall between two looks: what counts is whether it is ready.
            while not ready():
                if self._reached(number, mine):
                    return ready()
                condition.wait(_LOOK_AGAIN)
            return True
        finally:
            self._end(number)
            if mine is not None:
                mine.take()

    def hold(self) -> Hold:
        """Keep time from moving by itself until the hold is released."""
        return _Hold(self)

    def _begin(self, seconds: float | None) -> int:
        with self._lock:
            number = next(self._numbers)
            self._changes += 1
            self._waiting[number] = float("inf") if seconds is None else self._now + max(0.0, seconds)
            return number

    def _end(self, number: int) -> None:
        with self._lock:
            self._changes += 1
            del self._waiting[number]

    def _reached(self, number: int, hold: _Hold | None, seen: int | None = None) -> bool:
        """Whether the moment has come, which it does when it is the next one and nobody is at work.

        Args:
            number: Who asks.
            hold: To take, when it has come.
            seen: How often the waiting had changed when it was last looked at; time stands still while it changes.
        """
        with self._lock:
            moment = self._waiting[number]
            if self._now < moment:
                first = min(self._waiting.values()) == moment
                changing = seen is not None and seen != self._changes
                if self._holds or changing or not first or moment == float("inf"):
                    return False
                self._now = moment
            if hold is not None:
                hold.take()
            return True
