"""Progress as lines of text: redrawn in place in a terminal, one after another in a log."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from healthcare_deid.cli.log import JsonLog
    from healthcare_deid.client.operation.progress_state import ProgressState

    Write = Callable[[ProgressState, "Pace"], None]

_TICK = 1.0
"""Seconds between redraws in a terminal, which keep the elapsed time current."""
_LOG_EVERY = 10.0
"""Minimum seconds between two lines of a log."""


class Pace:
    """Elapsed time, mean rate and estimated time left.

    The rate counts from the first state on, because a resumed transfer may begin with files already done.

    Args:
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._first: tuple[float, int] | None = None
        self._state: ProgressState | None = None

    def see(self, state: ProgressState) -> None:
        """Take a new state into account."""
        self._state = state
        if self._first is None:
            self._first = (self._clock(), state.done)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    @property
    def rate(self) -> float | None:
        """Files per second, or None before there is anything to measure."""
        if self._first is None or self._state is None:
            return None
        since, before = self._first
        seconds, done = self._clock() - since, self._state.done - before
        return done / seconds if seconds > 0 and done > 0 else None

    @property
    def left(self) -> float | None:
        """Estimated seconds left, or None if the rate or the total is unknown."""
        if self._state is None or self._state.total is None or (rate := self.rate) is None:
            return None
        return max(0, self._state.total - self._state.done) / rate

    def __str__(self) -> str:
        parts = [minutes(self.seconds)]
        if (rate := self.rate) is not None:
            parts.append(per_second(rate))
        if (left := self.left) is not None and self._state is not None and not self._state.ended:
            parts.append(f"{minutes(left)} left")
        return ", ".join(parts)


def per_second(rate: float) -> str:
    """Format a rate."""
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def minutes(seconds: float) -> str:
    """Format a duration as minutes and seconds."""
    whole, rest = divmod(int(seconds), 60)
    return f"{whole}:{rest:02d}"


def as_line(stream: TextIO) -> Write:
    """Return a function that writes a state to *stream* as a line of text."""

    def write(state: ProgressState, pace: Pace) -> None:
        stream.write(f"{state.text} ({pace})\n")
        stream.flush()

    return write


def as_event(log: JsonLog) -> Write:
    """Return a function that writes a state to a JSON log."""

    def write(state: ProgressState, pace: Pace) -> None:
        numbers = {"seconds": pace.seconds, "perSecond": pace.rate, "secondsLeft": pace.left}
        told: dict[str, Any] = {name: round(number, 3) for name, number in numbers.items() if number is not None}
        log.event("progress", state.text, counts=dict(state.counts), **told)

    return write


class LogLines:
    """Log of the first state, the last one, and one every ten seconds between.

    Args:
        write: Function that writes a line.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, write: Write, clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._pace = Pace(clock)
        self._state: ProgressState | None = None
        self._told: tuple[float, str] | None = None

    def begin(self) -> None:
        """Do nothing; the first state starts the log."""

    def show(self, state: ProgressState) -> None:
        """Write the state if a line is due."""
        self._state = state
        self._pace.see(state)
        if self._told is None or (state.text != self._told[1] and self._clock() - self._told[0] >= _LOG_EVERY):
            self._tell(state)

    def end(self) -> None:
        """Write the last state, unless it has been written."""
        if self._state is not None and self._told is not None and self._told[1] != self._state.text:
            self._tell(self._state)

    def _tell(self, state: ProgressState) -> None:
        self._write(state, self._pace)
        self._told = (self._clock(), state.text)


class LiveLine:
    """Line in a terminal, redrawn for every state and once a second.

    Args:
        stream: Terminal to write to.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._pace = Pace(clock)
        self._text = ""
        self._drawn = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="healthcare-deid-progress", daemon=True)

    def begin(self) -> None:
        """Start redrawing."""
        self._ticker.start()

    def show(self, state: ProgressState) -> None:
        """Redraw the line with a new state."""
        with self._lock:
            self._text = state.text
            self._pace.see(state)
        self.draw()

    def draw(self) -> None:
        """Redraw the line."""
        with self._lock:
            # A wrapped line could not be overwritten.
            line = f"{self._text} ({self._pace})"[: shutil.get_terminal_size().columns - 1]
            self._write(f"\r{line.ljust(len(self._drawn))}")
            self._drawn = line

    def end(self) -> None:
        """Stop redrawing and keep the line."""
        self._ended.set()
        self._ticker.join()
        if self._drawn:
            self._write("\n")

    def _tick(self) -> None:
        while not self._ended.wait(_TICK):
            if self._text:
                self.draw()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
