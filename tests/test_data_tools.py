"""The tools that make the data files run against today's package, and write what they say."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
sys.path.append(str(TOOLS))
_census: Any = importlib.import_module("make_census_names")

SURNAMES = (
    "SMITH          1.006  1.006      1\nJOHNSON        0.810  1.816      2\nAALUND         0.000 90.483  88799\n"
)
MEN = "JAMES          3.318  3.318      1\nLESLIE         0.081 65.123    211\n"
WOMEN = "MARY           2.629  2.629      1\nLESLIE         0.160 53.890    154\n"


@pytest.fixture
def census(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that the tool writes to; the Census Bureau's lists are three short ones."""
    source = tmp_path / "names"
    source.mkdir()
    (source / "__init__.py").write_text("raise ImportError('only the lists are read')")
    for name, text in (("dist.all.last", SURNAMES), ("dist.male.first", MEN), ("dist.female.first", WOMEN)):
        (source / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_census, "DATA", tmp_path)
    return tmp_path


def written(path: Path) -> list[str]:
    return [line for line in path.read_text("ascii").splitlines() if not line.startswith("#")]


def test_the_most_common_surnames_are_kept_in_their_order(census: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_census, "COMMON_SURNAMES", 2)
    _census.main()
    assert written(census / "census_surnames.txt") == ["smith johnson"]


def test_first_names_of_men_and_women_are_one_sorted_list(census: Path) -> None:
    _census.main()
    assert written(census / "census_first_names.txt") == ["james leslie mary"]


def test_each_list_says_where_it_comes_from_and_that_it_is_in_the_public_domain(census: Path) -> None:
    _census.main()
    for path in census.glob("census_*.txt"):
        head = path.read_text("ascii")
        assert "US Census Bureau" in head
        assert "public domain" in head


@pytest.mark.parametrize("tool", sorted(path.stem for path in TOOLS.glob("make_*.py")))
def test_every_tool_finds_the_modules_and_the_folder_that_it_works_with(tool: str) -> None:
    made: Any = importlib.import_module(tool)
    folders = {name: value for name, value in vars(made).items() if name in {"DATA", "TARGET", "OUTPUT"}}
    assert folders
    assert all(path.exists() for path in folders.values())
