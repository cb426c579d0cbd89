"""An encapsulated document is replaced, and what describes it says what is there then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid import presets
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier

if TYPE_CHECKING:
    from pathlib import Path

BASIC = DeidentifyConfig.from_api({"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}})


@pytest.mark.parametrize("config", [BASIC, presets.basic_confidentiality_profile()], ids=["tags", "with pixels"])
@pytest.mark.parametrize("size", [40, 200_000])
def test_a_document_is_replaced_by_bytes_of_no_type(
    config: DeidentifyConfig, size: int, planted: Any, write: Any, tmp_path: Path
) -> None:
    dataset = planted.dataset
    dataset.EncapsulatedDocument = b"%PDF-1.4 (Roe, Jane)".ljust(size)
    dataset.EncapsulatedDocumentLength, dataset.MIMETypeOfEncapsulatedDocument = size, "application/pdf"
    deidentifier = Deidentifier(config)
    deidentifier.deidentify_file(write(planted.file()), tmp_path / "out.dcm")
    for new in (pydicom.dcmread(tmp_path / "out.dcm"), deidentifier.deidentify(dataset).dataset):
        assert new.EncapsulatedDocument == b"\0\0"
        assert new.MIMETypeOfEncapsulatedDocument == "application/octet-stream"
        assert "EncapsulatedDocumentLength" not in new
