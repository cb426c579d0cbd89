"""`Progress`: display of a long command's progress on standard error.

| standard error is | shown |
|---|---|
| a terminal, and rich is installed | bar with rate and time left |
| a terminal | one line, redrawn in place |
| a file or a pipe | a line every ten seconds at most, and the last one |
| a JSON log (``--log-format json``) | an object every ten seconds at most, and the last one |

A JSON log's last line has the counts of the last state, also if no progress is shown.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol, Self, TextIO, TypeVar

from healthcare_deid.cli.log import JsonLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from healthcare_deid.client.operation.progress_state import ProgressState

T = TypeVar("T")


class Display(Protocol):
    """One way to show progress."""

    def begin(self) -> None:
        """Start the display."""
        ...

    def show(self, state: ProgressState) -> None:
        """Show a new state."""
        ...

    def end(self) -> None:
        """End the display and leave the last state visible."""
        ...


class Progress:
    """Context manager that displays progress.

    Args:
        quiet: Show nothing.
        stream: Stream to write to; standard error by default.
        clock: Monotonic clock, in seconds.
    """

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        shown: TextIO = stream or sys.stderr
        self._log = shown if isinstance(shown, JsonLog) else None
        self._display = None if quiet else _display(shown, clock)

    def __enter__(self) -> Self:
        if self._display is not None:
            self._display.begin()
        return self

    def __exit__(self, *ignored: object) -> None:
        if self._display is not None:
            self._display.end()

    def show(self, progress: object, total: int | None = None) -> None:
        """Show a new state. Takes the arguments of any ``on_progress=`` callback."""
        if self._display is None and self._log is None:
            return
        from healthcare_deid.client.operation.progress_state import progress_state

        state = progress_state(progress, total)
        if self._log is not None:
            self._log.counts = state.counts
        if self._display is not None:
            self._display.show(state)

    def each(self, items: Sequence[T]) -> Iterator[T]:
        """Yield items and show how many are done."""
        for done, item in enumerate(items):
            self.show(done, len(items))
            yield item
        self.show(len(items), len(items))


def _display(stream: TextIO, clock: Callable[[], float]) -> Display:
    from healthcare_deid.cli.progress_lines import LiveLine, LogLines, as_event, as_line

    if isinstance(stream, JsonLog):
        return LogLines(as_event(stream), clock)
    if not stream.isatty():
        return LogLines(as_line(stream), clock)
    if find_spec("rich") is None:
        return LiveLine(stream, clock)
    from healthcare_deid.cli.progress_bar import Bar

    return Bar(stream, clock)
