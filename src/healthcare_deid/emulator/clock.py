"""Time, as something that can be replaced."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Hold(Protocol):
    """Work in progress, during which a fake clock does not move by itself."""

    def release(self) -> None:
        """End the hold; a second call does nothing."""


class Clock(Protocol):
    """What the emulator asks of a clock: `healthcare_deid.testing.FakeClock` is one."""

    def time(self) -> float:
        """Return seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    def hold(self) -> Hold:
        """Say that an operation is at work, so that clients that wait for it do not make days pass."""
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
        """Return a hold that does nothing: real time goes on."""
        return _NoHold()


class _NoHold:
    def release(self) -> None:
        """Do nothing."""


def timestamp(seconds: float) -> str:
    """Format a time as protobuf's JSON does: RFC 3339, UTC, microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
