"""Every public name stands in an example of the documentation, and docstring examples run."""

from __future__ import annotations

import doctest
import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import healthcare_deid
from tests.test_docs import PAGES, blocks_of

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))
_reference = importlib.import_module("write_reference")
PACKAGES: dict[str, str] = _reference.PACKAGES
public_names: Callable[[str], list[str]] = _reference.public_names
CODE = "\n".join(block.code for page in PAGES for block in blocks_of(page) if not block.marked)
SOURCE = Path(healthcare_deid.__file__).parent
WITH_EXAMPLES = sorted(path for path in SOURCE.rglob("*.py") if re.search(r"^ +>>> ", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_in_an_example_that_runs(package: str) -> None:
    missing = [name for name in public_names(package) if not re.search(rf"\b{name}\b", CODE)]
    assert not missing, f"add an example to docs/reference/{package.rpartition('.')[2]}.md"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_page_is_what_the_tool_writes(package: str) -> None:
    page = ROOT / "docs" / "reference" / f"{package.rpartition('.')[2]}.md"
    assert page.read_text() == _reference.page(package, page.read_text()), "run tools/write_reference.py"


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_the_examples_of_docstrings_print_what_they_say(path: Path) -> None:
    module = importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    names = {name: getattr(healthcare_deid, name) for name in healthcare_deid.__all__}
    for test in doctest.DocTestFinder().find(module, globs={**vars(module), **names}):
        if test.examples:
            runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0
