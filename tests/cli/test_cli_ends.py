"""``files`` from and to places that are not folders: DICOM stores by name and URL, object stores."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import fsspec

from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from click.testing import Result
    from tests.cli.conftest import CommandLine

DATASET = "projects/my-project/locations/us-central1/datasets/dataset1"


def test_a_dicom_store_is_named_as_everywhere_or_by_its_url(
    filled: CommandLine, tags_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.ok("dicom-stores", "create", "clean", "--dataset", "dataset1")
    url = f"{os.environ['HEALTHCARE_EMULATOR_HOST']}/v1/{DATASET}/dicomStores"
    options = ("--config", tags_only, "--quiet")
    by_name = (f"{DATASET}/dicomStores/dicomstore1", f"{DATASET}/dicomStores/clean")
    refused = filled("files", *by_name, *options)
    assert refused.exit_code == 2
    assert "--run DIR" in refused.stderr
    assert filled.ok("files", *by_name, *options, "--run", tmp_path / "run").startswith("2 de-identified")
    monkeypatch.delenv("HEALTHCARE_EMULATOR_HOST")
    by_url = (f"{url}/dicomstore1/dicomWeb", f"{url}/clean/dicomWeb")
    again = filled.ok("files", *by_url, *options, "--run", tmp_path / "run")
    assert again == "0 de-identified, 0 failed, 2 skipped\n"


def test_a_store_by_another_address_is_refused_without_its_query(
    cli: Callable[..., Result], tags_only: Path, tmp_path: Path
) -> None:
    result = cli("files", "https://host/dicom-web?token=Okonkwo", tmp_path / "clean", "--config", tags_only)
    assert result.exit_code == 2
    assert "dicomStores/S/dicomWeb" in result.stderr
    assert "Okonkwo" not in result.output


def test_an_object_store_is_given_by_its_url(cli: Callable[..., Result], tags_only: Path, tmp_path: Path) -> None:
    memory: Any = fsspec.filesystem("memory")
    for sample in sample_dicom()[:2]:
        buffer = io.BytesIO()
        sample.dataset.save_as(buffer, enforce_file_format=True)
        memory.pipe_file(f"/cli/in/{sample.name}", buffer.getvalue())
    words = ("files", "memory://cli/in", "memory://cli/out", "--config", tags_only, "--quiet")
    assert cli(*words).exit_code == 2
    result = cli(*words, "--run", tmp_path / "run")
    assert (result.exit_code, result.stdout) == (0, "2 de-identified, 0 failed, 0 skipped\n")
    assert len(memory.find("/cli/out")) == 2
    empty = cli("files", "memory://cli/nothing", tmp_path / "clean", "--config", tags_only, "--quiet")
    assert empty.exit_code == 1
    assert "holds no DICOM file" in empty.stderr


def test_a_list_of_paths_holds_no_urls(cli: Callable[..., Result], tags_only: Path, tmp_path: Path) -> None:
    listed = "memory://cli/in/Okonkwo.dcm\n"
    result = cli("files", "-", tmp_path / "clean", "--config", tags_only, "--quiet", stdin=listed)
    assert result.exit_code == 2
    assert "give one URL, without a list" in result.stderr
    assert "Okonkwo" not in result.output
