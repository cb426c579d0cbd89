"""Progress as lines: drawn again on a terminal, now and then in a log."""

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
"""Seconds after which a line on a terminal is drawn again, for the time that passes."""
_LOG_EVERY = 10.0
"""Seconds between two lines of a log."""


class Pace:
    """Time that has passed, rate and time left, by all that was done since the first state was seen.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._began = clock()
        self._first: tuple[float, int] | None = None
        self._state: ProgressState | None = None

    def see(self, state: ProgressState) -> None:
        """Take how far it is."""
        self._state = state
        if self._first is None:
            self._first = (self._clock(), state.done)

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    @property
    def rate(self) -> float | None:
        """How many are done in a second; None while there is nothing to tell it by."""
        if self._first is None or self._state is None:
            return None
        since, before = self._first
        seconds, done = self._clock() - since, self._state.done - before
        return done / seconds if seconds > 0 and done > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds that are left at this rate; None where that cannot be told."""
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
    """Return a rate in words."""
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def minutes(seconds: float) -> str:
    """Return a time in minutes and seconds."""
    whole, rest = divmod(int(seconds), 60)
    return f"{whole}:{rest:02d}"


def as_line(stream: TextIO) -> Write:
    """Return a function that writes a state as a line of text."""

    def write(state: ProgressState, pace: Pace) -> None:
        stream.write(f"{state.text} ({pace})\n")
        stream.flush()

    return write


def as_event(log: JsonLog) -> Write:
    """Return a function that writes a state as an object of a log in JSON."""

    def write(state: ProgressState, pace: Pace) -> None:
        numbers = {"seconds": pace.seconds, "perSecond": pace.rate, "secondsLeft": pace.left}
        told: dict[str, Any] = {name: round(number, 3) for name, number in numbers.items() if number is not None}
        log.counts = state.counts
        log.event("progress", state.text, counts=dict(state.counts), **told)

    return write


class LogLines:
    """Lines of a log: the first state, another one when ten seconds have passed, and the last one.

    Args:
        write: Writes a line.
        clock: Seconds that never go back.
    """

    def __init__(self, write: Write, clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._pace = Pace(clock)
        self._state: ProgressState | None = None
        self._told: tuple[float, str] | None = None

    def begin(self) -> None:
        """Do nothing: the first state begins the log."""

    def show(self, state: ProgressState) -> None:
        """Write the state if it is time."""
        self._state = state
        self._pace.see(state)
        if self._told is None or (state.text != self._told[1] and self._clock() - self._told[0] >= _LOG_EVERY):
            self._tell(state)

    def end(self) -> None:
        """Write the last state, unless it is written."""
        if self._state is not None and self._told is not None and self._told[1] != self._state.text:
            self._tell(self._state)

    def _tell(self, state: ProgressState) -> None:
        self._write(state, self._pace)
        self._told = (self._clock(), state.text)


class LiveLine:
    """One line on a terminal, drawn again for every state and every second.

    Args:
        stream: The terminal.
        clock: Seconds that never go back.
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
        """Begin to draw."""
        self._ticker.start()

    def show(self, state: ProgressState) -> None:
        """Draw the line of a state."""
        with self._lock:
            self._text = state.text
            self._pace.see(state)
        self.draw()

    def draw(self) -> None:
        """Draw the line again."""
        with self._lock:
            # A line that wraps could not be drawn over.
            line = f"{self._text} ({self._pace})"[: shutil.get_terminal_size().columns - 1]
            self._write(f"\r{line.ljust(len(self._drawn))}")
            self._drawn = line

    def end(self) -> None:
        """Leave the line."""
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
