"""Progress bar in a terminal, drawn by rich. Extra ``[progress]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from healthcare_deid.cli.progress_lines import minutes, per_second

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rich.progress import Task

    from healthcare_deid.client.operation.progress_state import ProgressState

_REDRAWN = 4
"""Redraws per second."""


class Bar:
    """Bar with counts, rate and time left. rich honors ``NO_COLOR`` and ``TERM=dumb``.

    Args:
        stream: Terminal to write to.
        clock: Monotonic clock, in seconds.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            _Pace(),
            TimeElapsedColumn(),
            console=Console(file=stream),
            refresh_per_second=_REDRAWN,
            redirect_stdout=False,  # rich would send it to standard error
            get_time=clock,
        )
        self._task = self._bar.add_task("", total=None)

    def begin(self) -> None:
        """Start drawing; the bar pulses until a total is known."""
        self._bar.start()

    def show(self, state: ProgressState) -> None:
        """Redraw the bar with a new state."""
        self._bar.update(self._task, description=state.text, completed=state.done, total=state.total)

    def end(self) -> None:
        """Stop drawing and keep the bar, unless it never showed a state."""
        self._bar.update(self._task, visible=bool(self._bar.tasks[0].description))
        self._bar.stop()


class _Pace(ProgressColumn):
    """Rate of the last half minute, and time left."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return the rate and the time left, as far as they are known."""
        parts: list[str] = []
        if speed := task.finished_speed or task.speed:
            parts.append(per_second(speed))
        if not task.finished and task.time_remaining is not None:
            parts.append(f"{minutes(task.time_remaining)} left")
        return Text(", ".join(parts), style="progress.remaining")
