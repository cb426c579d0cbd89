"""`Progress`: where a long run stands, on stderr: a line that is drawn again, or now and then a line in a log."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

_TICK = 1.0
_LOG_EVERY = 10.0


class Progress:
    """Shows the latest text and the time that has passed. On a terminal the line is drawn again every second.

    Anywhere else a changed text is a line of its own, ten seconds after the last one at the earliest; the last text is
    always there.

    Args:
        quiet: Show nothing.
        stream: Where; stderr by default.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._clock = clock
        self._began = clock()
        self._live = not quiet and self._stream.isatty()
        self._text = ""
        self._drawn = ""
        self._logged: tuple[float, str] | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="healthcare-deid-progress", daemon=True)

    def __enter__(self) -> Self:
        if self._live:
            self._ticker.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        self._ended.set()
        if self._live:
            self._ticker.join()
            if self._drawn:
                self._write("\n")
        elif self._logged is not None and self._logged[1] != self._text:
            self._log()

    def show(self, text: object) -> None:
        """Take what is to be shown from now on."""
        self._text = str(text)
        if self._live:
            self.draw()
        elif self._logged is None or (self._text != self._logged[1] and self._clock() - self._logged[0] >= _LOG_EVERY):
            self._log()

    def draw(self) -> None:
        """Draw the line again."""
        with self._lock:
            line = self._line()
            self._write(f"\r{line.ljust(len(self._drawn))}")
            self._drawn = line

    def _line(self) -> str:
        seconds = int(self._clock() - self._began)
        return f"{self._text} ({seconds // 60}:{seconds % 60:02d})"

    def _log(self) -> None:
        if not self._quiet:
            self._write(f"{self._line()}\n")
        self._logged = (self._clock(), self._text)

    def _tick(self) -> None:
        while not self._ended.wait(_TICK):
            if self._text:
                self.draw()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
