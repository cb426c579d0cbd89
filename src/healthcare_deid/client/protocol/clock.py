"""`Clock`: the client's source of time, which a test can replace."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


class Hold(Protocol):
    """Work in progress, during which a fake clock must not move by itself."""

    def release(self) -> None:
        """End the hold; further calls do nothing."""


class Clock(Protocol):
    """Source of time: `SystemClock`, or `healthcare_deid.testing.FakeClock` in a test."""

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences have a meaning."""
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
        """Wait until ``ready()`` or for ``seconds``, and return ``ready()``.

        The caller holds the condition's lock; the thread that makes it ready notifies. ``hold`` is released meanwhile.
        """
        ...

    def hold(self) -> Hold:
        """Keep a fake clock from moving until the hold is released."""
        ...


class _NoHold:
    __slots__ = ()

    def release(self) -> None:
        """Do nothing: real time cannot be held."""


_NO_HOLD = _NoHold()


class SystemClock:
    """Time of the machine."""

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
