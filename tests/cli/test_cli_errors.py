"""Whatever a service answers, a command ends with one line and an exit code, and repeats nothing of what it said."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from healthcare_deid import DeidClient, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.cli.conftest import CommandLine

SECRET = "Ana Rivera, MRN204816"
STORE = "dataset1/dicomstore1"

COMMANDS = [
    "datasets create new",
    "datasets describe dataset1",
    "datasets list",
    "datasets delete dataset1 -q",
    "datasets deidentify dataset1 --destination-dataset out --config-file {config}",
    f"dicom-stores create {STORE}2",
    f"dicom-stores describe {STORE}",
    "dicom-stores list --dataset dataset1",
    f"dicom-stores delete {STORE} -q",
    f"dicom-stores metrics {STORE}",
    f"dicom-stores deidentify {STORE} --destination-store dataset1/out --config-file {{config}}",
    f"dicom-stores import gcs {STORE} --gcs-uri gs://bucket/*",
    f"dicom-stores export gcs {STORE} --gcs-uri-prefix gs://bucket/out",
    f"dicom-stores download {STORE} {{folder}}",
    "fhir-stores deidentify dataset1/fhir1 --destination-store dataset1/fhir2 --default-fhir-config",
    "operations describe dataset1/1",
    "operations list --dataset dataset1",
    "operations wait dataset1/1",
    "operations cancel dataset1/1 -q",
]


@pytest.mark.parametrize("status", [400, 403, 409])
def test_a_refusal_is_one_line_without_the_services_words(
    command_line: CommandLine, tags_only: Path, tmp_path: Path, status: int
) -> None:
    command_line.emulator.faults.fail("*", times=None, status=status, message=SECRET)
    for line in COMMANDS:
        words = [word.format(config=tags_only, folder=tmp_path / "out") for word in line.split()]
        result = command_line(*words)
        assert result.exit_code == 1, line
        assert f"Error: HTTP {status} " in result.stderr or "Error: the store refuses" in result.stderr, line
        assert SECRET not in result.output, line
        assert ".message" not in result.stderr, line
        assert SECRET in command_line(*words, "--server-text").stderr, line


def test_a_start_of_which_nobody_knows_whether_it_began_is_no_plain_failure(
    filled: CommandLine, tags_only: Path
) -> None:
    filled.emulator.faults.fail("datasets.deidentify", status=501, message=SECRET)
    filled.emulator.faults.fail("operations.list", times=None, status=400, message=SECRET)
    words = ("datasets", "deidentify", "dataset1", "--destination-dataset", "out", "--config-file", tags_only)
    result = filled(*words)
    assert result.exit_code == 7
    assert SECRET not in result.output


def test_a_service_that_is_not_there_is_one_line(cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = inspect.unwrap(DeidClient.__init__).__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "retry", RetryPolicy.never())
    words = ("datasets", "describe", "projects/p/locations/l/datasets/d", "--endpoint", "http://127.0.0.1:9")
    result = cli(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["datasets", "describe", "projects/p/datasets/d"], "the name must have the form projects/{project}"),
        (["datasets", "describe", "a?b", "--project", "p", "--location", "l"], "is not allowed in an ID"),
        (["operations", "describe", "1", "--project", "p", "--location", "l"], "--dataset is needed"),
        (["datasets", "list", "--project", "p"], "--location is needed"),
        (["datasets", "list", "--endpoint", "http://example.com", "--project", "p", "--location", "l"], "unencrypted"),
    ],
)
def test_a_name_or_address_that_cannot_be_right_says_so_before_anything_is_sent(
    cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    for name in ("CLOUDSDK_CORE_PROJECT", "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_HEALTHCARE_LOCATION"):
        monkeypatch.delenv(name, raising=False)
    result = cli(*words)
    assert result.exit_code in {1, 2}
    assert said in result.stderr
