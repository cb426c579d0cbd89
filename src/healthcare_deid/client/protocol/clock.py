"""`Clock`: the client's replaceable source of time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable


class Hold(Protocol):
    """Lock on a fake clock while work is in progress.

    A fake clock must not advance by itself before the work is waiting.
    """

    def release(self) -> None:
        """End the hold. Calling it again does nothing."""


class Clock(Protocol):
    """Source of time: `SystemClock`, or `healthcare_deid.testing.FakeClock` in a test."""

    def monotonic(self) -> float:
        """Return monotonic seconds. Only differences are meaningful."""
        ...

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Sleep for *seconds*."""

    async def sleep_async(self, seconds: float) -> None:
        """Sleep for *seconds* without blocking the event loop."""

    def wait(
        self,
        condition: threading.Condition,
        ready: Callable[[], bool],
        seconds: float | None,
        hold: Hold | None = None,
    ) -> bool:
        """Wait until ``ready()`` is true or *seconds* have passed, and return ``ready()``.

        The caller holds the lock of *condition*. A thread that makes ``ready()`` true notifies the condition. *hold* is
        released while waiting.
        """
        ...

    def hold(self) -> Hold:
        """Stop a fake clock from advancing until the hold is released."""
        ...


class _NoHold:
    __slots__ = ()

    def release(self) -> None:
        """Do nothing; real time cannot be stopped."""


_NO_HOLD = _NoHold()


class SystemClock:
    """The machine's own clock."""

    __slots__ = ()

    def monotonic(self) -> float:
        """Return `time.monotonic`."""
        return time.monotonic()

    def time(self) -> float:
        """Return `time.time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep with `time.sleep`."""
        # A deadline may have passed meanwhile, and time.sleep refuses negative numbers.
        time.sleep(max(0.0, seconds))

    async def sleep_async(self, seconds: float) -> None:
        """Sleep with `asyncio.sleep`."""
        await asyncio.sleep(max(0.0, seconds))

    def wait(
        self,
        condition: threading.Condition,
        ready: Callable[[], bool],
        seconds: float | None,
        hold: Hold | None = None,
    ) -> bool:
        """Wait on the condition in real time."""
        del hold
        return condition.wait_for(ready, None if seconds is None else max(0.0, seconds))

    def hold(self) -> Hold:
        """Return a hold without effect."""
        return _NO_HOLD
