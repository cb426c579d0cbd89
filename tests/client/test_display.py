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
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # without the extra [notebook]
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


def test_the_line_takes_a_number_of_files(notebook: Notebook) -> None:
    line = ProgressLine()
    for done in (1, 2):
        line(done, 2)
    assert notebook.shown == ["1 of 2 files", "2 of 2 files"]


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
    """
steps = running(), running(pending=2), running(success=1, pending=1), succeeded(success=2)
ScriptedOperation(*steps).wait(on_progress=ProgressLine());
""",
    """
bar = ProgressLine()
bar(1, 3), bar(3, 3);
""",
]


@pytest.mark.slow
def test_a_real_kernel_updates_the_line_and_the_bars_of_the_cells_that_showed_them() -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = nbclient.NotebookClient(notebook, kernel_name="python3", timeout=120)
    client.execute()
    outputs = [output["data"] for cell in notebook.cells for output in cell.outputs]
    assert outputs[0]["text/html"] == "<b>1</b> · SUCCEEDED: 2 done"
    assert ["application/vnd.jupyter.widget-view+json" in output for output in outputs[1:]] == [True, True]
    widgets = client.widget_state.values()
    bars = [(widget["value"], widget["max"], widget["bar_style"]) for widget in widgets if "bar_style" in widget]
    assert bars == [(2, 2, "success"), (3, 3, "success")]
    texts = [widget["value"].replace("\u2007", " ") for widget in widgets if widget["_model_name"] == "HTMLModel"]
    assert texts[0] == "SUCCEEDED: 2 done: 100%"
    assert texts[1].startswith(" 2/2 [")
    assert texts[2] == "3 of 3 files: 100%"
