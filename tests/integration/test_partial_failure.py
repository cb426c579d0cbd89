"""What cannot be de-identified is counted, named, and never reported as a success."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pydicom
import pytest

from healthcare_deid import DeidClient, presets
from healthcare_deid.errors import PartialFailure
from healthcare_deid.testing import sample_dicom

if TYPE_CHECKING:
    from pathlib import Path


def test_an_instance_whose_pixels_cannot_be_decoded_makes_the_operation_partial(tmp_path: Path) -> None:
    good, broken, *_ = sample_dicom()
    broken.dataset.Rows = 4096  # far more than PixelData holds
    scans = tmp_path / "scans"
    scans.mkdir()
    good.dataset.save_as(scans / good.name, enforce_file_format=True)
    broken.dataset.save_as(scans / broken.name, enforce_file_format=True)

    with DeidClient.local(tmp_path / "lab", project="MyProj", location="us-central1") as client:
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/dicomstore1")
        assert client.upload("dataset1/dicomstore1", scans).succeeded == 2

        operation = client.deidentify_dataset("dataset1", "clean", presets.remove_metadata_and_all_text())
        operation.wait(timeout=60)

        assert operation.state.value == "PARTIAL"
        assert (operation.progress.success, operation.progress.failure) == (1, 1)
        with pytest.raises(PartialFailure) as caught:
            operation.result(raise_on_partial=True)
        assert good.person.patient_id not in str(caught.value)

        client.download("clean/dicomstore1", tmp_path / "clean")
        (written,) = (tmp_path / "clean").rglob("*.dcm")
        assert pydicom.dcmread(written).Rows == good.dataset.Rows


def test_a_file_that_is_not_dicom_is_a_counted_failure_of_the_upload(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "notes.dcm").write_text("Ana Rivera called about her appointment")
    sample_dicom()[0].dataset.save_as(scans / "ct.dcm", enforce_file_format=True)

    with DeidClient.local(tmp_path / "lab", project="MyProj", location="us-central1") as client:
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/dicomstore1")
        report = client.upload("dataset1/dicomstore1", scans)

    assert (report.succeeded, report.invalid) == (1, 1)
    assert not report.complete
    (failure,) = report.failures
    assert "notes.dcm" in failure.item
    assert failure.kind == "invalid"
    assert failure.reason
    assert "Rivera" not in repr(failure)
