"""The command line in this process, over an emulator on a port that stands in for Google."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from healthcare_deid import DeidClient, presets
from healthcare_deid.cli.main import main
from healthcare_deid.emulator import Emulator
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result


_RUNNER: Any = CliRunner
_APART = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
"""click 8.1 must be told to keep stdout and stderr apart; later ones do."""


def run(*words: object, stdin: str | None = None) -> Result:
    result: Result = _RUNNER(**_APART).invoke(main, list(map(str, words)), input=stdin, catch_exceptions=False)
    return result


@dataclass
class CommandLine:
    """Runs commands; `emulator` is where they go."""

    emulator: Emulator

    def __call__(self, *words: object, stdin: str | None = None) -> Result:
        return run(*words, stdin=stdin)

    def ok(self, *words: object) -> str:
        """Run a command that must succeed and return its stdout."""
        result = self(*words)
        assert result.exit_code == 0, result.stderr
        return result.stdout


@pytest.fixture
def cli() -> Callable[..., Result]:
    """Return the command line, with nothing at the other end."""
    return run


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder with two instances of one patient."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for sample in sample_dicom()[:2]:
        sample.dataset.save_as(folder / sample.name, enforce_file_format=True)
    return folder


@pytest.fixture
def tags_only(tmp_path: Path) -> Path:
    """Return a config that leaves pixels alone, which is quick."""
    path = tmp_path / "tags-only.json"
    path.write_text(presets.remove_metadata_and_all_text().model_copy(update={"image": None}).to_json())
    return path


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLine]:
    """Return the command line of a user who has told the shell where an empty emulator is, as for gcloud."""
    monkeypatch.setenv("CLOUDSDK_CORE_PROJECT", "my-project")
    monkeypatch.setenv("CLOUDSDK_HEALTHCARE_LOCATION", "us-central1")
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    monkeypatch.delenv("HEALTHCARE_DEID_CRYPTO_KEY", raising=False)
    (tmp_path / "bucket").mkdir()
    with (
        Emulator(tmp_path / "google", gcs={"bucket": tmp_path / "bucket"}) as emulator,
        emulator.server(port=0) as server,
    ):
        monkeypatch.setenv("HEALTHCARE_EMULATOR_HOST", server.url)
        yield CommandLine(emulator)


@pytest.fixture
def filled(command_line: CommandLine, scans: Path) -> CommandLine:
    """Return the command line, with the scans in the tutorial's store."""
    with DeidClient("my-project", "us-central1") as client:
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/dicomstore1")
        assert client.upload("dataset1/dicomstore1", scans).succeeded == 2
    return command_line
