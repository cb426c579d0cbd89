"""Recipes for other engines give the results of a run over the folder."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from healthcare_deid import DeidentifyConfig

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "engines"
NEEDS = {
    "process_pool": "json",
    "dask_bag": "dask",
    "ray_data": "ray",
    "spark_map_in_pandas": "pyspark",
    "dagster_asset": "dagster",
}
# Ray and Dagster send statistics about their use otherwise, and Spark's workers take the first python3 of the path.
SETTINGS = {"RAY_USAGE_STATS_ENABLED": "0", "DAGSTER_DISABLE_TELEMETRY": "1", "PYSPARK_PYTHON": sys.executable}


def test_every_recipe_is_tested_and_shown() -> None:
    page = (ROOT / "docs" / "pipelines.md").read_text()
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(NEEDS)
    for recipe in NEEDS:
        assert f"<!-- example engines/{recipe}.py -->" in page


@pytest.mark.parametrize("recipe", NEEDS)
def test_a_recipe_gives_what_a_run_over_the_folder_gives(
    recipe: str, basic: DeidentifyConfig, tmp_path: Path, instance: Any, files_of: Any
) -> None:
    if importlib.util.find_spec(NEEDS[recipe]) is None:
        pytest.skip(f"{NEEDS[recipe]} has an environment of its own: nox -s recipes")
    (tmp_path / "config.json").write_text(basic.to_json())
    (tmp_path / "in" / "folder").mkdir(parents=True)
    for number in range(12):
        (tmp_path / "in" / "folder" / f"{number}.dcm").write_bytes(instance(number))
    (tmp_path / "in" / "broken.dcm").write_bytes(instance(13)[:1501])

    command = [sys.executable, str(EXAMPLES / f"{recipe}.py"), "config.json", "in", "out"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | SETTINGS, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-2000:]
    assert ast.literal_eval(done.stdout.splitlines()[-1]) == {"succeeded": 12, "failed": 1}
    Deidentifier(basic).deidentify_tree(tmp_path / "in", tmp_path / "tree", workers=1)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "tree")
