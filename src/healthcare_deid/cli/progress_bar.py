"""Progress as a bar on a terminal, drawn by rich. Extra ``[progress]``."""

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
"""Times a second that it is drawn again."""


class Bar:
    """A bar with its counts, rate and time left; rich obeys ``NO_COLOR`` and ``TERM=dumb``.

    Args:
        stream: The terminal.
        clock: Seconds that never go back.
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
            redirect_stdout=False,  # it would go to standard error
            get_time=clock,
        )
        self._task = self._bar.add_task("", total=None)

    def begin(self) -> None:
        """Begin to draw: a bar that says that work goes on, until it is known how much."""
        self._bar.start()

    def show(self, state: ProgressState) -> None:
        """Show how far it is."""
        self._bar.update(self._task, description=state.text, completed=state.done, total=state.total)

    def end(self) -> None:
        """Leave the bar as it is; one of which nothing was known goes."""
        self._bar.update(self._task, visible=bool(self._bar.tasks[0].description))
        self._bar.stop()


class _Pace(ProgressColumn):
    """Rate and time left, of the last half minute."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        """Return what is known of them."""
        parts: list[str] = []
        if speed := task.finished_speed or task.speed:
            parts.append(per_second(speed))
        if not task.finished and task.time_remaining is not None:
            parts.append(f"{minutes(task.time_remaining)} left")
        return Text(", ".join(parts), style="progress.remaining")
