"""Time, which tests replace."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Hold(Protocol):
    """Work in progress; a fake clock stands still until it ends."""

    def release(self) -> None:
        """End the hold; a second call does nothing."""


class Clock(Protocol):
    """A clock, such as `healthcare_deid.testing.FakeClock`."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def hold(self) -> Hold:
        """Start a hold for a running operation, so that a waiting client does not make days pass."""
        ...


class SystemClock:
    """The machine's clock."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def hold(self) -> Hold:
        """Return a hold that does nothing."""
        return _NoHold()


class _NoHold:
    def release(self) -> None:
        """Do nothing."""


def timestamp(seconds: float) -> str:
    """Format a time as RFC 3339 in UTC with microseconds, as protobuf's JSON does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
