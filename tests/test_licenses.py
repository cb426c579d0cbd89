"""The page on licenses lists every dependency and every data file; ``nox -s licenses`` makes it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tools"))
_licenses: Any = importlib.import_module("write_licenses")
PAGE = (ROOT / "docs" / "licenses.md").read_text()


def test_every_dependency_that_an_extra_names_has_a_row_with_a_license() -> None:
    rows = {line.split("]")[0][3:]: line.split("|")[2].strip() for line in PAGE.splitlines() if line.startswith("| [")}
    missing = [name for name in _licenses.requirements() if rows.get(name, "not stated") == "not stated"]
    assert not missing, "run nox -s licenses"


def test_no_dependency_asks_to_publish_the_code_that_uses_it() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| [")]
    assert not [row for row in rows if "GPL" in row.split("|")[2]]


def test_the_table_of_word_lists_is_what_their_files_say() -> None:
    assert _licenses.data_table() in PAGE, "run nox -s licenses"
