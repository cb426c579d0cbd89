"""Recipes for other engines give the results of a run over the folder."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from healthcare_deid import DeidentifyConfig

EXAMPLES = Path(__file__).parents[2] / "examples" / "engines"
NEEDS = {"process_pool": "json", "dask_bag": "dask"}


def test_every_recipe_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(NEEDS)


@pytest.mark.parametrize("recipe", NEEDS)
def test_a_recipe_gives_what_a_run_over_the_folder_gives(
    recipe: str, basic: DeidentifyConfig, tmp_path: Path, instance: Any, files_of: Any
) -> None:
    if importlib.util.find_spec(NEEDS[recipe]) is None:
        pytest.skip(f"{NEEDS[recipe]} has an environment of its own: nox -s engines")
    (tmp_path / "config.json").write_text(basic.to_json())
    (tmp_path / "in").mkdir()
    for number in range(12):
        (tmp_path / "in" / f"{number}.dcm").write_bytes(instance(number))
    (tmp_path / "in" / "broken.dcm").write_bytes(instance(13)[:1501])

    command = [sys.executable, str(EXAMPLES / f"{recipe}.py"), "config.json", "in", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()[-2000:]
    Deidentifier(basic).deidentify_tree(tmp_path / "in", tmp_path / "tree", workers=1)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "tree")
