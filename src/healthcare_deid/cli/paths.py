"""Files that failed or have warnings on stderr: counts and reasons. Paths, which may name a patient, on request."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.log import counted, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
        help="Print the paths of the files that messages are about; they may name a patient.",
    )(function)


def _remember(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    del parameter
    context.meta[SHOW_PATHS] = wanted


def shows_paths() -> bool:
    """Return whether the command prints paths."""
    return bool(click.get_current_context().meta.get(SHOW_PATHS))


def _say_path(path: str, outcome: str, reason: str) -> None:
    """Print the outcome of one file, by its path."""
    name = printable(path)
    text = ": ".join(filter(None, (outcome, name, reason)))
    say(text, "file", level="warning", outcome=outcome, count=1, path=name)


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
            _say_path(path, outcome, reason)
        return
    for (outcome, reason), count in Counter((outcome, reason) for outcome, _, reason in failures).most_common():
        text = ": ".join(filter(None, (f"{outcome} ({counted(count, 'file')})", reason)))
        say(text, "file", level="warning", message=reason, outcome=outcome, count=count)
    if failures:
        say(f"{_HINT} {'it' if len(failures) == 1 else 'them'}")


def print_warned(warned: Mapping[str, Sequence[str]], most: int) -> None:
    """Print the files whose results have warnings by their paths, or that they can be printed.

    Args:
        warned: Paths by warning.
        most: Number of paths that *warned* has for a warning of more files.
    """
    if warned and not shows_paths():
        say(f"{_HINT} the files with warnings")
        return
    for warning, paths in warned.items():
        for path in paths:
            _say_path(path, "warning", warning)
    if any(len(paths) == most for paths in warned.values()):
        say(f"of a warning, {most} files at most are named")
