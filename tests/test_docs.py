"""Every ```python block of the documentation runs, page by page, or says above it why it does not.

A page runs from top to bottom in one namespace, in a folder with a few scans. ``DeidClient(project=...)``, in the pages
Google, talks to an emulator on a port. A ```text block after a block is what that prints, and a comment after
``print(...)`` is what that line prints: both are compared.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shutil
import socket
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid import DeidClient, DeidentifyConfig, presets
from healthcare_deid.emulator import Emulator
from healthcare_deid.testing import write_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
TESTING = ROOT / "docs" / "testing.md"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
_FENCE = re.compile(
    r"(?P<marker><!-- not run: .+? -->\n)? *```python\n(?P<code>.*?)\n *```\n"
    r"(?:\n```text\n(?P<output>.*?)\n```\n)?",
    re.DOTALL,
)
_PROMISE = re.compile(r"^ *print\(.*\)  # (?P<output>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One python block of a page."""

    line: int
    code: str
    output: str | None
    marked: bool


def blocks_of(page: Path) -> list[Block]:
    """Return a page's python blocks, with what the page says they print."""
    text = page.read_text()
    blocks = [
        Block(text.count("\n", 0, at.start("code")) + 1, textwrap.dedent(at["code"]), at["output"], bool(at["marker"]))
        for at in _FENCE.finditer(text)
    ]
    assert len(blocks) == len(re.findall(r"^ *```py", text, re.MULTILINE)), "a fence that this test does not read"
    return blocks


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs-scans")
    for path in write_samples(folder):
        if path.stem not in {"ct-1", "mr-1"}:
            path.unlink()
    return folder


@pytest.fixture
def folder(tmp_path: Path, scans: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "page"
    shutil.copytree(scans, folder / "scans")
    for name in ("ct.dcm", "in.dcm", "scan.dcm"):
        shutil.copy(scans / "ct-1.dcm", folder / name)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def google(tmp_path: Path, scans: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let an emulator stand in for Google, with the datasets that the pages find there."""
    with Emulator(tmp_path / "google") as emulator, emulator.server(port=0) as server:
        monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", server.url)
        with DeidClient("my-project", "us-central1") as client:
            fill(client, scans)
        yield


def fill(client: DeidClient, scans: Path) -> None:
    client.create_dataset("dataset1").result()
    client.create_dicom_store("dataset1/dicomstore1")
    assert client.upload("dataset1/dicomstore1", scans).succeeded


def assumed(page: str, folder: Path) -> dict[str, Any]:
    """Return what a page takes for granted: names that its text, not its code, introduces."""
    if page == "operations.md":
        client = DeidClient("my-project", "us-central1")
        return {"client": client, "config": presets.remove_metadata_and_all_text(), "names": ["dataset1"]}
    if page == "engine.md":
        return {"dataset": pydicom.dcmread(folder / "in.dcm")}
    if page == "index.md":
        with DeidClient.local("lab", project="p", location="eu") as client:
            fill(client, folder / "scans")
    return {}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
@pytest.mark.usefixtures("google")
def test_the_python_of_a_page_runs_and_prints_what_the_page_says(
    page: Path, folder: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace: dict[str, Any] = {"__name__": page.stem, **assumed(page.name, folder)}
    port = _free_port()
    for block in blocks_of(page):
        if block.marked:
            continue
        # Line numbers are the page's, so that a traceback points into it.
        source = "\n" * (block.line - 1) + block.code.replace("8085", port)
        code: Any = compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        outcome = eval(code, namespace)
        if inspect.iscoroutine(outcome):
            asyncio.run(outcome)
        printed = capsys.readouterr().out
        for promise in _PROMISE.finditer(block.code):
            assert promise["output"].replace("8085", port) in printed.splitlines(), f"{page.name}:{block.line}"
        if block.output is not None:
            assert printed.strip() == block.output.strip(), f"{page.name}:{block.line}"
        if page != TESTING:
            for name in re.findall(r"^def (test_\w+)", block.code, re.MULTILINE):
                _run_test(namespace, name, request, folder)
    for value in namespace.values():
        if isinstance(value, DeidClient | Emulator):
            value.close()


def test_the_page_on_testing_is_one_file_that_pytest_runs(tmp_path: Path) -> None:
    file = tmp_path / "test_job.py"
    file.write_text("\n\n".join(block.code for block in blocks_of(TESTING)) + "\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", file.name]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
    assert "failed" not in run.stdout


def test_the_yaml_configs_of_the_pages_are_configs() -> None:
    blocks = [block for page in PAGES for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)]
    configs = [block for block in blocks if re.search(r"^dicom:", block, re.MULTILINE)]
    assert configs
    for block in configs:
        assert DeidentifyConfig.from_yaml(block).checks() is not None


def _run_test(namespace: dict[str, Any], name: str, request: pytest.FixtureRequest, folder: Path) -> None:
    """Run a test that a page shows, with the plugin's fixtures, over the job it speaks of."""
    fill(request.getfixturevalue("deid_client"), folder / "scans")

    def nightly_job(client: DeidClient) -> None:
        client.deidentify_dataset("dataset1", "nightly", presets.remove_metadata_and_all_text()).result()

    namespace["nightly_job"] = nightly_job
    test: Callable[..., None] = namespace[name]
    test(**{argument: request.getfixturevalue(argument) for argument in inspect.signature(test).parameters})


def _free_port() -> str:
    """Return a port that nobody listens on, in place of the pages' 8085."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])
