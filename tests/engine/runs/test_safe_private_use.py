"""Entries of ``safe_private`` that fit no element: told by what was done, whatever the workers and starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydicom.dataset import Dataset

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.report import RunReport
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path

BASIC = presets.basic_confidentiality_profile()
TOP, NESTED, MISSPELLED = "GEMS_ACQU_01,0019,02", "OUR SCANNER,0021,xx07", "GEMS_ACQ_01,0019,02"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number, sample in enumerate(sample_dicom()[:3]):
        if number == 0:
            sample.dataset.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x02, "SL", 7)
        if number == 1:
            item = Dataset()
            item.private_block(0x0021, "OUR SCANNER", create=True).add_new(0x07, "DA", "20200103")
            sample.dataset.SharedFunctionalGroupsSequence = [item]
        sample.dataset.save_as(folder / f"{number}.dcm", enforce_file_format=True)
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_an_entry_that_fits_no_element_of_any_result_is_told(scans: Path, tmp_path: Path, workers: int) -> None:
    engine = Deidentifier(BASIC, safe_private=[TOP, MISSPELLED, NESTED])
    report = engine.deidentify_tree(scans, tmp_path / "clean", workers=workers)
    assert report.unmatched == (MISSPELLED,)
    assert report.run is not None
    assert json.loads((report.run / "summary.json").read_text())["safePrivateUnmatched"] == [MISSPELLED]
    assert RunReport.of(report.run).unmatched == [MISSPELLED]
    assert f"<code>{MISSPELLED}</code>" in (report.run / "report.html").read_text()
    assert f"safe_private without an element,{json.dumps(MISSPELLED)}" in (report.run / "report.csv").read_text()


def test_what_an_earlier_start_has_done_counts_too(scans: Path, tmp_path: Path) -> None:
    engine = Deidentifier(BASIC, safe_private=[TOP, NESTED], secret=bytes(range(32)))
    later = scans / "1.dcm"
    hidden = later.rename(tmp_path / "1.dcm")
    assert engine.deidentify_tree(scans, tmp_path / "clean", workers=1).unmatched == (NESTED,)
    hidden.rename(later)
    report = engine.deidentify_tree(scans, tmp_path / "clean", workers=1)
    assert (report.succeeded, report.skipped, report.unmatched) == (1, 2, ())


def test_a_run_without_results_tells_of_no_entry(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    report = Deidentifier(BASIC, safe_private=[TOP]).deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    assert report.unmatched == ()
