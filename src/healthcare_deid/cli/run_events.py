"""Audits and comparisons of a run's results, written into its run folder for its report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.cli.log import say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def note(run: Path, kind: str, counts: Mapping[str, int]) -> None:
    """Write into a run folder what was done with its results. A folder that cannot be written to is told.

    Args:
        run: The run folder.
        kind: An `EventKind`.
        counts: Numbers by what they count.
    """
    from healthcare_deid.engine.runs.events import EventKind, add_event

    try:
        add_event(run, EventKind(kind), counts)
    except OSError as error:
        text = f"the run folder cannot be written to ({type(error).__name__}): the run's report will not tell of it"
        say(text, "warning", level="warning")
