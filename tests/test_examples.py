"""The examples run as they stand. The quickstart has a session of its own, the nightly job is tested beside itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::Warning")  # the machinery of notebooks has deprecations of its own
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    notebook: Any = nbformat.read(EXAMPLES / "walkthrough.ipynb", as_version=4)
    runner = nbclient.NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    runner.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert any("SUCCEEDED" in str(output.get("data", {}).get("text/html")) for output in outputs)
    shown = str([output for output in outputs if "image/png" not in output.get("data", {})])
    assert "Rivera" not in shown  # nothing that the notebook prints is a value of a tag
    assert "MRN204816" not in shown


def test_no_output_is_stored_with_the_notebook() -> None:
    notebook: Any = nbformat.read(EXAMPLES / "walkthrough.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
