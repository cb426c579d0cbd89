"""A notebook line that updates in place: `ProgressLine` and `show`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Line:
    """Line of text and its HTML form; the front end picks one."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def show(line: Line) -> Callable[[Line], None] | None:
    """Display a line and return a function that replaces it.

    Returns None if the front end cannot replace lines.
    """
    display: Any = _display()
    if display is None:
        print(line.text)  # noqa: T201 - showing is its purpose
        return None
    # Front ends without update_display return no handle.
    handle: Any = display(line, display_id=True)
    return None if handle is None else handle.update


def _display() -> Any:
    """Return IPython's ``display`` when running in a notebook.

    Returns None in a terminal, which cannot update a display.
    """
    # Not imported: if IPython is not loaded yet, this is not a notebook.
    ipython: Any = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    if getattr(shell, "kernel", None) is None:
        return None
    from importlib import import_module

    return import_module("IPython.display").display


class ProgressLine:
    """Callback for ``on_progress=``.

    It updates one line in a notebook, and prints a line per change elsewhere. It shows only counts. ::

        operation.wait(on_progress=ProgressLine())
        client.upload("dataset1/dicomstore1", "scans/", on_progress=ProgressLine())
    """

    def __init__(self) -> None:
        self._update: Callable[[Line], None] | None = None
        self._shown = ""

    def __call__(self, progress: object) -> None:
        """Show an `OperationSnapshot` or a `TransferReport`."""
        text = str(progress)
        if text == self._shown:
            return
        self._shown = text
        line = Line(text, escape(text))
        if self._update is None:
            self._update = show(line)
        else:
            self._update(line)
