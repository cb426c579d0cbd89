"""Progress in a notebook: `ProgressLine` for callbacks, `show` for operations."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.operation.progress_state import progress_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.operation.progress_state import ProgressState


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
    return import_module("IPython.display").display


class ProgressLine:
    """Callback for any ``on_progress=``: a progress bar in a notebook, a line per change elsewhere.

    The bar, with rate and time left, is tqdm's (extra ``[notebook]``). Without tqdm, a notebook shows one line that
    updates in place. Only counts are shown. ::

        operation.wait(on_progress=ProgressLine())
        client.upload("dataset1/dicomstore1", "scans/", on_progress=ProgressLine())
        Deidentifier(config).deidentify_tree("scans/", "clean/", on_progress=ProgressLine())
    """

    def __init__(self) -> None:
        self._update: Callable[[Line], None] | None = None
        self._shown = ""
        self._new_bar = _bar_class()
        self._bar: Any = None

    def __call__(self, progress: object, total: int | None = None) -> None:
        """Show a new state.

        Args:
            progress: An `OperationSnapshot`, a `TransferReport`, a `TreeProgress`, or the number of files done.
            total: Number of all files, if *progress* is a number.
        """
        state = progress_state(progress, total)
        if self._new_bar is not None:
            self._draw(state)
        elif state.text != self._shown:
            self._shown = state.text
            line = Line(state.text, escape(state.text))
            if self._update is None:
                self._update = show(line)
            else:
                self._update(line)

    def _draw(self, state: ProgressState) -> None:
        if self._bar is None:  # bool(bar) raises TypeError if the total is unknown
            self._bar = self._new_bar(total=state.total, unit=" files")
        bar = self._bar
        if state.total != bar.total:
            began = bar.start_t  # reset() restarts the clock
            bar.reset(state.total)
            bar.start_t = began
        bar.set_description_str(state.text, refresh=False)
        bar.update(state.done - bar.n)
        if state.ended:
            bar.refresh()
            bar.close()
            self._bar = None


def _bar_class() -> Any:
    """Return tqdm's notebook bar, or None outside a notebook or without tqdm and ipywidgets."""
    if _display() is None:
        return None
    try:
        import_module("ipywidgets")
        return import_module("tqdm.notebook").tqdm
    except ImportError:
        return None
