"""`Clock`: where the client takes time from, so that a test can own it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


class Hold(Protocol):
    """Work in progress, during which a clock that is not the system's must not move on by itself."""

    def release(self) -> None:
        """End the hold; a second call does nothing."""


class Clock(Protocol):
    """What the client needs of time. `SystemClock` is the real one, `healthcare_deid.testing.FakeClock` a test's."""

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean something."""
        ...

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def sleep_async(self, seconds: float) -> None:
        """Let time pass, leaving the event loop to others."""

    def wait(
        self,
        condition: threading.Condition,
        ready: Callable[[], bool],
        seconds: float | None,
        hold: Hold | None = None,
    ) -> bool:
        """Wait until ``ready()``, or until ``seconds`` have passed, and return ``ready()``.

        The caller has the condition's lock, and whoever makes it ready notifies. ``hold`` is set aside meanwhile.
        """
        ...

    def hold(self) -> Hold:
        """Say that work is going on which decides what happens next."""
        ...


class _NoHold:
    __slots__ = ()

    def release(self) -> None:
        """Real time cannot be held."""


_NO_HOLD = _NoHold()


class SystemClock:
    """The machine's time."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Return `time.monotonic`."""
        return time.monotonic()

    def time(self) -> float:
        """Return `time.time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(max(0.0, seconds))

    async def sleep_async(self, seconds: float) -> None:
        """Sleep in the event loop."""
        await asyncio.sleep(max(0.0, seconds))

    def wait(
        self,
        condition: threading.Condition,
        ready: Callable[[], bool],
        seconds: float | None,
        hold: Hold | None = None,
    ) -> bool:
        """Wait on the condition."""
        del hold
        return condition.wait_for(ready, None if seconds is None else max(0.0, seconds))

    def hold(self) -> Hold:
        """Return a hold that does nothing."""
        return _NO_HOLD
