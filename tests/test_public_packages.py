"""Docs, README and examples import public packages only, and the reference shows all that these export."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))
_reference = importlib.import_module("write_reference")
PACKAGES: dict[str, str] = _reference.PACKAGES
public_names: Callable[[str], list[str]] = _reference.public_names
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted([*(ROOT / "examples").rglob("*.py"), *(ROOT / "examples").rglob("*.ipynb")])
_BLOCK = re.compile(r"^( *)```python\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


def code_of(path: Path) -> list[str]:
    if path.suffix == ".ipynb":
        return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    if path.suffix == ".md":
        return [textwrap.dedent(found[2]) for found in _BLOCK.finditer(path.read_text())]
    return [path.read_text()]


def imported(code: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}:{alias.name}" for alias in node.names)
    return {name for name in found if name.split(".")[0].split(":")[0] == "healthcare_deid"}


def is_public(name: str) -> bool:
    module, _, imported_name = name.partition(":")
    if not imported_name:
        return module in PACKAGES
    if module in PACKAGES:
        return True
    return module.startswith("healthcare_deid.pipelines.")  # one module a framework: each needs its own extra


@pytest.mark.parametrize("path", [*PAGES, *EXAMPLES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_reader_copies_imports_public_packages_only(path: Path) -> None:
    private = {name for code in code_of(path) for name in imported(code) if not is_public(name)}
    assert not private


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_every_name_that_a_package_exports_and_no_other(package: str) -> None:
    page = (ROOT / "docs" / "reference" / f"{package.rpartition('.')[2]}.md").read_text()
    shown = re.findall(r"^::: ([\w.]+)$", page, re.MULTILINE)
    assert shown == [f"{package}.{name}" for name in public_names(package)], "run tools/write_reference.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_loads_and_has_a_docstring(package: str) -> None:
    module = importlib.import_module(package)
    for name in public_names(package):
        value = getattr(module, name)
        if isinstance(value, type) or inspect.isfunction(value):
            assert value.__doc__, f"{package}.{name} has no docstring"


@pytest.mark.parametrize("name", ["UidMapper", "WordsDetector", "PatternDetector", "Deidentifier", "EngineOptions"])
def test_the_engine_exports_what_users_need(name: str) -> None:
    assert hasattr(importlib.import_module("healthcare_deid.engine"), name)


@pytest.mark.parametrize("name", ["PriceTable", "ProgressLine", "DeidClient", "Operation"])
def test_the_package_itself_exports_what_users_need(name: str) -> None:
    assert hasattr(importlib.import_module("healthcare_deid"), name)
