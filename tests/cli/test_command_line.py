"""The command itself: its help, its errors and the emulator, some of it run as a user does, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidClient, presets
from healthcare_deid.errors import EmulatorError
from healthcare_deid.testing import sample_dicom, write_samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    from healthcare_deid.emulator import Emulator

COMMAND = [sys.executable, "-m", "healthcare_deid.cli"]


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


def test_a_config_that_is_wrong_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"dicom": {"filterProfile": "DEIDENTIFY_TAG_CONTENT"}}')
    result = run("config", "check", "config.json", cwd=tmp_path)
    assert result.returncode == 1
    assert "did you mean DEIDENTIFY_TAG_CONTENTS?" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_lists_every_command_without_importing_any(tmp_path: Path) -> None:
    result = run("--help", cwd=tmp_path)
    assert result.returncode == 0
    for name in ("config", "datasets", "dicom-stores", "emulator", "fhir-stores", "files", "operations"):
        assert re.search(rf"^  {name} ", result.stdout, re.MULTILINE)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """Serve the emulator with the command, seeded, and return its address."""
    write_samples(tmp_path / "scans")
    process = subprocess.Popen(
        [*COMMAND, "emulator", "--port", "0", "--in-memory", "--seed", "scans"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    try:
        yield lines[2].strip().removeprefix("export HEALTHCARE_EMULATOR_HOST=")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        process.stdout.close()


def test_the_emulator_serves_the_seed_to_any_client(served: str) -> None:
    store = "projects/my-project/locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"
    with urllib.request.urlopen(f"{served}/v1/{store}/dicomWeb/instances") as reply:
        assert len(json.load(reply)) == len(sample_dicom())
    with DeidClient(project="my-project", location="us-central1", endpoint=served) as client:
        config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
        operation = client.deidentify_dataset("dataset1", "clean", config)
        operation.result(timeout=120, raise_on_partial=True)
        assert operation.progress.success == len(sample_dicom())


def test_env_init_prints_what_points_clients_at_the_emulator(cli: Callable[..., Result]) -> None:
    result = cli("emulator", "--port", "9000", "--project", "my project", "env-init")
    assert "export HEALTHCARE_EMULATOR_HOST=http://localhost:9000\n" in result.stdout
    assert "export CLOUDSDK_API_ENDPOINT_OVERRIDES_HEALTHCARE=http://localhost:9000/\n" in result.stdout
    assert "export CLOUDSDK_CORE_PROJECT='my project'\n" in result.stdout
    assert all(line.startswith("export ") for line in result.stdout.splitlines())


def test_env_init_prints_a_project_that_gcloud_takes_unless_it_is_told_another(cli: Callable[..., Result]) -> None:
    result = cli("emulator", "env-init")
    assert "export CLOUDSDK_CORE_PROJECT=my-project\n" in result.stdout
    assert result.stderr == ""
    told = cli("emulator", "--project", "MyProj", "env-init")
    assert "export CLOUDSDK_CORE_PROJECT=MyProj\n" in told.stdout
    assert "gcloud does not accept 'MyProj'" in told.stderr


def test_rebuild_index_makes_an_index_of_the_files(cli: Callable[..., Result], tmp_path: Path) -> None:
    with DeidClient.local(tmp_path / "lab", project="p", location="us-central1") as client:
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/dicomstore1")
        write_samples(tmp_path / "scans")
        uploaded = client.upload("dataset1/dicomstore1", tmp_path / "scans").succeeded
    (tmp_path / "lab" / "emulator.sqlite").write_bytes(b"")
    refused = cli("emulator", "--data-dir", str(tmp_path / "lab"), "--port", "0")
    assert refused.exit_code == 1
    assert "rebuild-index" in refused.stderr
    result = cli("emulator", "--data-dir", str(tmp_path / "lab"), "rebuild-index")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"{uploaded} instances in 1 DICOM store"
    with DeidClient.local(tmp_path / "lab", project="p", location="us-central1") as client:
        assert client.get_dicom_store_metrics("dataset1/dicomstore1").instance_count == uploaded


def test_listening_elsewhere_needs_to_be_asked_for(cli: Callable[..., Result]) -> None:
    result = cli("emulator", "--host", "0.0.0.0", "--in-memory")
    assert result.exit_code == 1
    assert "is reachable from other machines" in result.stderr


def test_storage_on_another_machine_needs_to_be_asked_for(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def emulator(*_: object, **options: Any) -> Emulator:
        given.update(options)
        raise EmulatorError("not in this test")

    monkeypatch.setattr("healthcare_deid.emulator.Emulator", emulator)
    assert cli("emulator", "--in-memory").exit_code == 1
    assert given["allow_remote_storage"] is False
    cli("emulator", "--in-memory", "--allow-remote-storage")
    assert given["allow_remote_storage"] is True


def test_a_port_that_is_none_is_one_line_and_no_traceback(cli: Callable[..., Result], tmp_path: Path) -> None:
    result = cli("emulator", "--port", "99999", "--data-dir", tmp_path)
    assert result.exit_code == 2
    assert "'--port'" in result.stderr


def test_the_command_line_runs_as_a_module_of_the_package() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "healthcare_deid", "--version"], capture_output=True, text=True, check=True
    )
    assert "version" in said.stdout


@pytest.mark.parametrize("name", ["files", "review", "audit"])
def test_the_help_of_options_is_about_the_command_line_and_not_about_python(
    cli: Callable[..., Result], name: str
) -> None:
    told = " ".join(cli(name, "--help").stdout.split())
    assert not [word for word in ("`", "DeviceMask", "=True", "16 bytes, a file") if word in told]


def test_a_mistyped_command_is_refused_with_the_nearest_name(cli: Callable[..., Result]) -> None:
    result = cli("comapre", "a", "b")
    assert result.exit_code == 2
    assert "Did you mean compare?" in result.output
    assert "Did you mean" not in cli("xyzzy").output


@pytest.mark.parametrize("name", ["audit", "compare"])
def test_the_help_of_a_command_has_examples(cli: Callable[..., Result], name: str) -> None:
    assert f"\n    healthcare-deid {name} " in cli(name, "--help").output
