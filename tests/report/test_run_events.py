"""An audit or comparison of a run's results is noted in its run folder, from Python as from the command line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.runs.events import EVENTS, events_of
from healthcare_deid.report import audit_tree, compare_tree
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

TAGS_ONLY = presets.remove_metadata_and_all_text().model_copy(update={"image": None})


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for sample in sample_dicom()[:2]:
        sample.dataset.save_as(folder / sample.name, enforce_file_format=True)
    Deidentifier(TAGS_ONLY).deidentify_tree(folder, tmp_path / "clean", workers=1)
    return folder


def test_audits_and_comparisons_of_a_run_s_results_are_noted_and_those_of_other_folders_are_not(
    scans: Path, tmp_path: Path
) -> None:
    audit_tree(tmp_path / "clean")
    audit_tree(tmp_path / "clean.run")
    compare_tree(scans, tmp_path / "clean")
    audit_tree(scans)
    events = events_of(tmp_path / "clean.run")
    assert [event.kind for event in events] == ["audit", "audit", "comparison"]
    assert [event.counts.get("audited", event.compared) for event in events] == [2, 2, 2]


def test_a_run_folder_that_cannot_be_written_to_is_a_warning_and_the_audit_is_given_all_the_same(
    scans: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del scans
    (tmp_path / "clean.run" / EVENTS).mkdir()
    with caplog.at_level(logging.WARNING):
        assert len(audit_tree(tmp_path / "clean").audits) == 2
    assert "the run folder cannot be written to (IsADirectoryError)" in caplog.text
