"""Tag work beside an earlier release, installed beside this one: processor time a file, round by round in turn.

The earlier code is taken from the repository's history, and runs in a process of its own, as this one does. In a series
all but a few values of a header repeat; a row in which every file is of another patient shows the work without that.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import pydicom
from pydicom.uid import UID
from timing import Row

from healthcare_deid.testing.samples import write_samples

ROOT = Path(__file__).parent.parent
RELEASE = os.environ.get("RELEASE", "425ad52")
"""A commit, with the name of the day on which it was the newest: 2026-11-30."""
FILES = 60
ROUNDS = 15
PROFILES = (
    "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
    "MINIMAL_KEEP_LIST_PROFILE",
    "KEEP_ALL_PROFILE",
    "DEIDENTIFY_TAG_CONTENTS",
)
_WORKER = """
import pathlib, sys, time
from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
profile, source, target = sys.argv[1:]
engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}}))
files = sorted(pathlib.Path(source).iterdir())
target = pathlib.Path(target)
target.mkdir()
def work():
    for path in files:
        engine.deidentify_file(path, target / path.name)
work()
for line in sys.stdin:
    begun = time.process_time()
    work()
    print(time.process_time() - begun, flush=True)
"""


def measure() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        try:
            _unpack(base / "release")
        except (OSError, subprocess.CalledProcessError):
            return [Row(f"release {RELEASE}", float("nan"), "", "", "not measured: the commit is not in the history")]
        large = next(path for path in write_samples(base / "samples") if path.name == "ct-1.dcm")
        small = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
        for size, source in (("531 kB", large), ("39 kB", small)):
            for kind in ("a series", "another patient each"):
                originals = base / f"{size} {kind}"
                originals.mkdir()
                _write_files(source, originals, patients=kind != "a series")
                rows += [_row(base, profile, originals, f"{profile}, {size}, {kind}") for profile in PROFILES]
    return rows


def _unpack(folder: Path) -> None:
    archive = subprocess.run(["git", "archive", RELEASE, "src"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


def _row(base: Path, profile: str, originals: Path, name: str) -> Row:
    workers = [_start(base, profile, originals, path) for path in (base / "release" / "src", ROOT / "src")]
    taken: list[tuple[float, float]] = []
    try:
        for number in range(ROUNDS):
            seconds = {which: _ask(workers[which]) for which in ((0, 1) if number % 2 else (1, 0))}
            taken.append((seconds[0], seconds[1]))
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    ratios = sorted(new / old for old, new in taken)
    old = statistics.median(old for old, _ in taken) / FILES * 1e6
    new = statistics.median(new for _, new in taken) / FILES * 1e6
    note = (
        f"{new:,.0f} µs of processor time a file, then {old:,.0f}; {ROUNDS} rounds, {ratios[1]:.2f} to {ratios[-2]:.2f}"
    )
    return Row(name, statistics.median(ratios), "× the release's", "≤ 1.05", note)


def _start(base: Path, profile: str, originals: Path, source: Path) -> subprocess.Popen[str]:
    target = Path(tempfile.mkdtemp(dir=base)) / "out"
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER, profile, str(originals), str(target)],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ask(worker: subprocess.Popen[str]) -> float:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("\n")
    worker.stdin.flush()
    return float(worker.stdout.readline())


def _write_files(source: Path, folder: Path, *, patients: bool) -> None:
    dataset = pydicom.dcmread(source)
    uid = str(dataset.SOPInstanceUID)[:50]
    for number in range(1, FILES + 1):
        dataset.SOPInstanceUID = UID(f"{uid}.{number}")
        dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
        dataset.InstanceNumber = number
        dataset.ImagePositionPatient = [-158.135803, -179.035797, -75.699997 + number * 1.25]
        dataset.SliceLocation = round(-77.2 + number * 1.25, 3)
        if patients:
            dataset.PatientName = f"Rivera{number:03}^Ana{number:03}"
            dataset.PatientID = f"MRN{7741000 + number}"
            dataset.PatientBirthDate = f"19{10 + number:02}0817"
            dataset.AccessionNumber = f"A{88120000 + number}"
            dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (
                UID(f"1.2.826.77.{number}.1"),
                UID(f"1.2.826.77.{number}.2"),
            )
        dataset.save_as(folder / f"{number:03}.dcm")
