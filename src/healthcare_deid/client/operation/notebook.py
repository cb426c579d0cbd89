"""One line that stays in its place while something goes on: an operation in a notebook, progress anywhere."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Line:
    """A line as text and as HTML; a front end takes what it can show."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def show(line: Line) -> Callable[[Line], None] | None:
    """Show a line; returns what puts another in its place, or nothing where lines cannot be taken back."""
    display: Any = _display()
    if display is None:
        print(line.text)  # noqa: T201 - what is shown is what was asked for
        return None
    handle: Any = display(line, display_id=True)
    return None if handle is None else handle.update


def _display() -> Any:
    """Return IPython's ``display`` in a notebook; nothing in a terminal, which has no display to update."""
    ipython: Any = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    if getattr(shell, "kernel", None) is None:
        return None
    from importlib import import_module

    return import_module("IPython.display").display


class ProgressLine:
    """An ``on_progress=`` that keeps one line up to date in a notebook, and prints a line a change elsewhere.

    It shows counts and nothing else. ::

        operation.wait(on_progress=ProgressLine())
        client.upload("dataset1/dicomstore1", "scans/", on_progress=ProgressLine())
    """

    def __init__(self) -> None:
        self._update: Callable[[Line], None] | None = None
        self._shown = ""

    def __call__(self, progress: object) -> None:
        """Show what is known now."""
        text = str(progress)
        if text == self._shown:
            return
        self._shown = text
        line = Line(text, escape(text))
        if self._update is None:
            self._update = show(line)
        else:
            self._update(line)
