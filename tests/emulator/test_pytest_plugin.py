"""The pytest plugin in a user's own test file."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_USERS_TESTS = """
import pytest
from healthcare_deid.errors import PartialFailure, Unavailable

def test_a_nightly_job_survives_a_busy_service(deid_client, healthcare_emulator, fake_clock):
    healthcare_emulator.faults.fail("datasets.get", times=2, status=503)
    deid_client.create_dataset("d").result()
    assert deid_client.get_dataset("d").name.endswith("/datasets/d")
    assert sum(fake_clock.slept) > 0

def test_waiting_for_an_operation_takes_no_real_time(deid_client, healthcare_emulator, fake_clock):
    from healthcare_deid import presets
    deid_client.create_dataset("d").result()
    healthcare_emulator.faults.hold_operations(polls=20)
    before = fake_clock.time()
    operation = deid_client.deidentify_dataset("d", "clean", presets.remove_metadata_and_all_text())
    operation.result()
    assert fake_clock.time() > before

def test_each_test_has_an_emulator_of_its_own(deid_client):
    assert list(deid_client.list_datasets()) == []
"""


def test_a_users_tests_get_an_emulator_a_client_and_a_clock(tmp_path: Path) -> None:
    (tmp_path / "test_users.py").write_text(_USERS_TESTS)
    options = ["-q", "-W", "error", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "3 passed" in result.stdout


def test_the_plugin_costs_almost_nothing_if_unused() -> None:
    program = "import sys, healthcare_deid.testing.plugin; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydicom", "numpy", "pydantic", "healthcare_deid.emulator", "googleapiclient"} & set(loaded)
