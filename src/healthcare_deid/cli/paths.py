"""Failed files on stderr: counts and reasons. Paths, which may name a patient, only on request."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.log import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHOW_PATHS = "healthcare_deid.show_paths"
"""Key of the click context's ``meta``: whether paths are printed. Absent in commands that read no instances."""

_HINT = "--show-paths names"


def with_paths(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--show-paths`` to a command."""
    return click.option(
        "--show-paths",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Print the paths of files that failed; they may name a patient.",
    )(function)


def _remember(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    del parameter
    context.meta[SHOW_PATHS] = wanted


def shows_paths() -> bool:
    """Return whether the command prints paths."""
    return bool(click.get_current_context().meta.get(SHOW_PATHS))


def printable(name: str) -> str:
    """Return a name with control characters and line breaks written as escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)


def print_failures(failures: Sequence[tuple[str, str, str]]) -> None:
    """Print each failed file by its path, or the number of failures by reason.

    Args:
        failures: Outcome, path and reason of each file; the reason may be empty.
    """
    if shows_paths():
        for outcome, path, reason in failures:
            text = ": ".join(filter(None, (outcome, printable(path), reason)))
            say(text, "file", level="warning", outcome=outcome, count=1)
        return
    for (outcome, reason), count in Counter((outcome, reason) for outcome, _, reason in failures).most_common():
        text = ": ".join(filter(None, (f"{outcome} ({count} file{'s' * (count != 1)})", reason)))
        say(text, "file", level="warning", message=reason, outcome=outcome, count=count)
    if failures:
        say(f"{_HINT} {'it' if len(failures) == 1 else 'them'}")
