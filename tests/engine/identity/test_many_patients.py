"""Many patients with three studies each, over processes and machines: their pseudonyms differ and reveal nobody.

CI takes five hundred; ``HEALTHCARE_DEID_PATIENTS=10000`` takes as many, and some twenty minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pydicom
import pytest

from healthcare_deid.engine.identity.pseudonyms import check_pseudonym

from .conftest import SECRET, instance

if TYPE_CHECKING:
    from pathlib import Path

PATIENTS, STUDIES = int(os.environ.get("HEALTHCARE_DEID_PATIENTS", "500")), 3
_MACHINE = """
import sys
from healthcare_deid import presets
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms

config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
deidentifier = Deidentifier(
    config, secret=bytes.fromhex(sys.argv[1]), pseudonyms=Pseudonyms.keyed("T-"), dates=Dates(),
    options=["clean_descriptors"],
)
report = deidentifier.deidentify_tree(sys.argv[2], sys.argv[3], workers=2)
sys.exit(report.failed)
"""


def first_study(patient: int) -> date:
    return date(2011, 1, 1) + timedelta(patient % 3000)


def write(folder: Path, patient: int, study: int) -> None:
    """Write an instance whose original values have letters that no pseudonym has."""
    day = first_study(patient) + timedelta(17 * study)
    dataset = instance(
        PatientID=f"ILOU{7_000_000 + patient}",
        PatientName=f"Zqxfamily{patient:05}^Zqxgiven{patient:05}",
        AccessionNumber=f"ULIO{8_000_000 + 3 * patient + study}",
        StudyID=f"OLI{patient}{study}",
        StudyDate=f"{day:%Y%m%d}",
        AcquisitionDateTime=None,
        PatientBirthDate=f"19{patient % 80 + 10}0203",
        StudyInstanceUID=f"1.2.3.{patient}.{study}",
        SeriesInstanceUID=f"1.2.3.{patient}.{study}.1",
        SOPInstanceUID=f"1.2.3.{patient}.{study}.1.1",
        StudyDescription=f"Zqxfamily{patient:05} ILOU{7_000_000 + patient} {day:%Y-%m-%d}",
        ImageComments=f"study {study}",
    )
    pydicom.dcmwrite(folder / f"{patient}-{study}.dcm", dataset, enforce_file_format=True)


@pytest.mark.slow
def test_ten_thousand_patients_keep_apart_over_processes_and_machines(tmp_path: Path) -> None:
    for machine in ("one", "two"):
        (tmp_path / machine).mkdir()
    for patient in range(PATIENTS):
        for study in range(STUDIES):
            write(tmp_path / ("two" if study == STUDIES - 1 else "one"), patient, study)
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", _MACHINE, SECRET.hex(), str(tmp_path / name), str(tmp_path / f"clean-{name}")]
        )
        for name in ("one", "two")
    ]
    assert [machine.wait(1800) for machine in machines] == [0, 0]

    days: dict[str, list[date]] = defaultdict(list)
    accessions: set[str] = set()
    for path in (path for name in ("one", "two") for path in (tmp_path / f"clean-{name}").rglob("*.dcm")):
        data = path.read_bytes()
        assert not [text for text in (b"ILOU", b"ULIO", b"Zqx", b"OLI", b"1.2.3.") if text in data], path.name
        dataset = pydicom.dcmread(path)
        assert check_pseudonym(dataset.PatientID, "T-")
        assert dataset.StudyDescription.startswith(f"{dataset.PatientID} ")
        shifted = dataset.StudyDate
        day = date(int(shifted[:4]), int(shifted[4:6]), int(shifted[6:]))
        assert dataset.StudyDescription.endswith(f"{day:%Y-%m-%d}")
        days[dataset.PatientID].append(day)
        accessions.add(dataset.AccessionNumber)
    assert len(days) == PATIENTS  # the two machines gave one pseudonym, and no two patients share one
    assert len(accessions) == PATIENTS * STUDIES
    for found in days.values():
        first = min(found)
        assert sorted((day - first).days for day in found) == [0, 17, 34]
