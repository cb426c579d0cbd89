"""The page on architecture is true: every path it names is there, and every folder of the tree is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import healthcare_deid

SOURCE = Path(healthcare_deid.__file__).parent
PAGE = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text()
PATHS = sorted(
    {
        path
        for path in re.findall(r"`([a-z][\w./]*)`", PAGE)
        if "/" in path and not path.startswith(("tests/", "docs/", "tools/", "src/"))
    }
)
PARTS = ("config", "client", "engine")


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path not in {"find/", "frames/", "cover/", "apply/", "fast/", "masks/"}]
)
def test_a_path_on_the_page_is_in_the_tree(path: str) -> None:
    there = SOURCE / path
    assert there.is_dir() if path.endswith("/") else there.is_file()


@pytest.mark.parametrize("part", PARTS)
def test_every_folder_below_the_big_ones_is_on_the_page(part: str) -> None:
    folders = {f"{part}/{path.name}/" for path in (SOURCE / part).iterdir() if (path / "__init__.py").is_file()}
    assert {folder for folder in folders if folder not in PATHS} == set()


def test_the_page_says_where_ten_things_are_changed() -> None:
    rows = PAGE.partition("## Where do I change")[2].split("|---|---|\n")[1].strip().splitlines()
    assert len(rows) >= 10


def test_the_test_that_the_page_names_is_there() -> None:
    for path in re.findall(r"`(tests/[\w./]+)`", PAGE):
        assert (Path(__file__).parents[1] / path).is_file()
