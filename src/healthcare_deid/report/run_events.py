"""Audits and comparisons of a run's results, written into its run folder for its report."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from healthcare_deid.engine.runs.events import EventKind, add_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)


def note(run: Path, kind: EventKind, counts: Mapping[str, int]) -> None:
    """Write into a run folder what was done with its results. A folder that cannot be written to is a warning.

    Args:
        run: The run folder.
        kind: Kind of the event.
        counts: Numbers by what they count.
    """
    try:
        add_event(run, kind, counts)
    except OSError as error:
        _log.warning(
            "the run folder cannot be written to (%s): the run's report will not tell of it", type(error).__name__
        )
