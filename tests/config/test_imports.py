"""Modules that importing and using the config loads: pydantic, and nothing heavier."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"yaml", "pydicom", "google", "googleapiclient", "httplib2", "numpy", "asyncio", "email", "jsonschema"}


def loaded_by(program: str) -> set[str]:
    code = f"import sys\n{program}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "program",
    [
        "from healthcare_deid import DeidentifyConfig",
        "import healthcare_deid.config.v1.deidentify",
        "from healthcare_deid.config.v1 import requests, resources",
        "from healthcare_deid import presets, v1beta1; presets.remove_metadata_and_all_text().checks()",
        "from healthcare_deid import DeidentifyConfig; DeidentifyConfig.from_json('{}').to_v1beta1()",
    ],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    assert not loaded_by(program) & (HEAVY - {"email", "asyncio"})


def test_importing_the_config_does_not_load_what_only_some_methods_need() -> None:
    loaded = loaded_by("from healthcare_deid import DeidentifyConfig")
    extra = {
        "base.problems",
        "base.lenient_spellings",
        "dialects.json_text",
        "tags",
        "checks",
        "convert",
        "diff",
        "parts",
        "summary",
        "v1.builder",
    }
    extra |= {
        f"dialects.{name}" for name in ("curl", "gcloud", "json_schema", "shell_words", "v1_to_v1beta1", "yaml_text")
    }
    assert not {name for name in extra if f"healthcare_deid.config.{name}" in loaded}
    assert "healthcare_deid.config.v1beta1" not in loaded
    assert "healthcare_deid.config.infotypes" not in loaded
