"""Emulator's source of time, which tests replace."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class ClockHold(Protocol):
    """Lock on a fake clock while an operation runs."""

    def release(self) -> None:
        """End the hold. Calling it again does nothing."""


class EmulatorClock(Protocol):
    """Source of time, such as `healthcare_deid.testing.FakeClock`."""

    def time(self) -> float:
        """Return seconds since 1970-01-01 UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Sleep for *seconds*."""
        ...

    def hold(self) -> ClockHold:
        """Stop a fake clock while an operation runs.

        Otherwise a client that waits for it could make days pass.
        """
        ...


class WallClock:
    """The machine's own clock."""

    def time(self) -> float:
        """Return `time.time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Sleep with `time.sleep`."""
        time.sleep(seconds)

    def hold(self) -> ClockHold:
        """Return a hold without effect."""
        return _NoClockHold()


class _NoClockHold:
    def release(self) -> None:
        """Do nothing."""


def timestamp(seconds: float) -> str:
    """Format a time as RFC 3339 in UTC with microseconds.

    This is protobuf's JSON form of a timestamp.
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
