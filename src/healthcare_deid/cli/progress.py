"""`Progress`: how far a long command is, on standard error, in the form that whoever looks there can use.

| who looks | what is shown |
|---|---|
| a person at a terminal, with rich | a bar, rate and time left |
| a person at a terminal, without it | one line that is drawn again |
| a file or a pipe | a line now and then, and the last one |
| a machine (``--log-format json``) | an object now and then, and the last one |
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
    """Where and how it is shown."""

    def begin(self) -> None:
        """Get ready."""
        ...

    def show(self, state: ProgressState) -> None:
        """Show how far it is."""
        ...

    def end(self) -> None:
        """Leave what was shown last."""
        ...


class Progress:
    """Shows how far a command is, while it is entered.

    Args:
        quiet: Show nothing.
        stream: Where; standard error by default.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, quiet: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._display = None if quiet else _display(stream or sys.stderr, clock)

    def __enter__(self) -> Self:
        if self._display is not None:
            self._display.begin()
        return self

    def __exit__(self, *ignored: object) -> None:
        if self._display is not None:
            self._display.end()

    def show(self, progress: object, total: int | None = None) -> None:
        """Take how far it is: whatever ``on_progress=`` is told."""
        if self._display is not None:
            from healthcare_deid.client.operation.progress_state import progress_state

            self._display.show(progress_state(progress, total))

    def each(self, items: Sequence[T]) -> Iterator[T]:
        """Yield items, and show how many are done."""
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
