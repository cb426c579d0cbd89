"""Notebook display of operations and progress: one safe line, updated in place."""

from __future__ import annotations

import sys
import threading
import types
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import errors
from healthcare_deid.client.operation.notebook import ProgressLine
from healthcare_deid.client.transfers.report import TransferReport
from healthcare_deid.testing import ScriptedOperation, Step, failed, running, succeeded, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_line_has_state_counters_elapsed_time_and_the_logs() -> None:
    url = 'https://console.cloud.google.com/logs?q="x"'
    step = Step({"metadata": {"logsUrl": url, "counter": {"success": "2"}, "createTime": "2023-11-14T22:12:15Z"}})
    operation = ScriptedOperation(step)
    operation.refresh()
    html = operation._repr_html_()
    assert "RUNNING: 2 done" in html
    assert "1:05" in html
    assert 'q=&quot;x&quot;"' in html


def test_an_invalid_link_is_not_shown() -> None:
    operation = ScriptedOperation(Step({"metadata": {"logsUrl": "javascript:alert(1)"}}))
    operation.refresh()
    assert "javascript" not in operation._repr_html_()


def test_a_failed_poll_is_shown_apart_from_the_state() -> None:
    operation = ScriptedOperation(unreachable())
    with pytest.raises(errors.Unavailable):
        operation.refresh()
    assert operation._repr_html_().endswith("RUNNING: 0 done · last poll: Unavailable")


class Notebook:
    """IPython display of a front end with a kernel; records what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.handles = 0
        self.changed = threading.Condition()

    def display(self, line: Any, *, display_id: bool) -> Any:
        assert display_id
        self.handles += 1
        self.update(line)
        return types.SimpleNamespace(update=self.update)

    def update(self, line: Any) -> None:
        with self.changed:
            self.shown.append(line._repr_html_())
            self.changed.notify_all()

    def wait_for(self, ready: Callable[[], bool]) -> bool:
        with self.changed:
            return self.changed.wait_for(ready, 10)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Replace IPython with a recording notebook."""
    notebook = Notebook()
    shell = types.SimpleNamespace(kernel=object())
    package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    vars(package).update(get_ipython=lambda: shell)
    vars(module).update(display=notebook.display)
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return notebook


def test_the_line_is_updated_after_every_poll_until_the_end(notebook: Notebook) -> None:
    same = running(success=1, pending=1)
    ScriptedOperation(running(pending=2), same, same, unreachable(), succeeded(success=2))._ipython_display_()
    assert notebook.wait_for(lambda: "SUCCEEDED" in notebook.shown[-1])
    assert notebook.handles == 1, "one line, updated in its place"
    assert "RUNNING: 0 done" in notebook.shown[0]
    assert any("last poll: Unavailable" in line for line in notebook.shown)
    assert len(notebook.shown) == 6, "one at first, and one a poll"


def test_progress_in_a_notebook_updates_one_line(notebook: Notebook) -> None:
    operation = ScriptedOperation(running(pending=2), running(success=1, pending=1), succeeded(success=2))
    operation.wait(on_progress=ProgressLine())
    assert notebook.handles == 1
    assert notebook.shown == ["RUNNING: 0 done, 2 to do", "RUNNING: 1 done, 1 to do", "SUCCEEDED: 2 done"]


def test_progress_outside_a_notebook_prints_one_line_per_change(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    for done in (1, 1, 2):
        line(TransferReport(succeeded=done))
    assert capsys.readouterr().out.splitlines() == ["1 transferred", "2 transferred"]


def test_no_line_shows_the_servers_text(notebook: Notebook) -> None:
    operation = ScriptedOperation(running(), failed(13, "PHI-CANARY"))
    operation.wait(on_progress=ProgressLine())
    operation._ipython_display_()
    assert "FAILED" in notebook.shown[-1]
    assert "PHI-CANARY" not in "".join(notebook.shown)


CELLS = [
    """
import threading
from healthcare_deid.client.operation.notebook import ProgressLine
from healthcare_deid.testing import ScriptedOperation, running, succeeded
operation = ScriptedOperation(running(pending=2), running(success=1, pending=1), succeeded(success=2))
operation
""",
    "done = threading.Event()\noperation.add_done_callback(lambda _: done.set())\nassert done.wait(20)",
    "ScriptedOperation(running(pending=1), succeeded(success=1)).wait(on_progress=ProgressLine());",
]


@pytest.mark.slow
def test_a_real_kernel_updates_the_line_in_its_own_cell() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120).execute()
    shown = [output["data"]["text/html"] for cell in notebook.cells for output in cell.outputs]
    assert shown == ["<b>1</b> · SUCCEEDED: 2 done", "SUCCEEDED: 1 done"]
