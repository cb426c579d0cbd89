"""One line that a notebook keeps up to date: `ProgressLine` for callbacks, `show` for operations."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Line:
    """Line as text and as HTML, of which a front end shows what it can."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def show(line: Line) -> Callable[[Line], None] | None:
    """Show a line, and return a function that replaces it.

    Where lines cannot be replaced, it is None.
    """
    display: Any = _display()
    if display is None:
        print(line.text)  # noqa: T201 - showing is its purpose
        return None
    handle: Any = display(line, display_id=True)
    return None if handle is None else handle.update


def _display() -> Any:
    """Return IPython's ``display`` in a notebook.

    A terminal has no display to update, and gives None.
    """
    ipython: Any = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if hasattr(ipython, "get_ipython") else None
    if getattr(shell, "kernel", None) is None:
        return None
    from importlib import import_module

    return import_module("IPython.display").display


class ProgressLine:
    """Callback for ``on_progress=`` that updates one line in a notebook and prints one line for each change elsewhere.

    It shows nothing but counts. ::

        operation.wait(on_progress=ProgressLine())
        client.upload("dataset1/dicomstore1", "scans/", on_progress=ProgressLine())
    """

    def __init__(self) -> None:
        self._update: Callable[[Line], None] | None = None
        self._shown = ""

    def __call__(self, progress: object) -> None:
        """Show the progress, an `OperationSnapshot` or a `TransferReport`."""
        text = str(progress)
        if text == self._shown:
            return
        self._shown = text
        line = Line(text, escape(text))
        if self._update is None:
            self._update = show(line)
        else:
            self._update(line)
