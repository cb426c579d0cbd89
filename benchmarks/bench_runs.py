"""Runs over folders: what memory very many files take, and what the record costs.

Every file has another patient and study, so that no cache helps.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from timing import Row

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.runs.record import EntryMaker, RecordFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
TINY_FILES = 100_000
RECORDED_FILES = 300
ROUNDS = 9


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        return [*_record(base), *_memory(base)]


_TREE = """
import sys, time
import psutil
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": sys.argv[3]}}))
process = psutil.Process()
memory = {}
def told(progress):
    for mark in (1_000, progress.total // 2, progress.total):
        if mark not in memory and progress.done >= mark:
            workers = sum(child.memory_info().rss for child in process.children(recursive=True))
            memory[mark] = process.memory_info().rss + workers
begun = time.perf_counter()
report = engine.deidentify_tree(sys.argv[1], sys.argv[2], workers=int(sys.argv[4]), on_progress=told)
seconds = time.perf_counter() - begun
print(report.succeeded, report.skipped, report.failed, *memory.values(), seconds)
"""


def _memory(base: Path) -> Iterator[Row]:
    """Measure the memory of a run over very many files: its caches fill in the first half, and stay in the second."""
    source = base / "tiny"
    template = _tiny()
    for number in range(TINY_FILES):
        folder = source / f"{number // 1000:03}"
        folder.mkdir(parents=True, exist_ok=True)
        content = template.replace(b"1000000", b"%d" % (1_000_000 + number))
        (folder / f"{number % 1000:03}.dcm").write_bytes(content)
    for name, workers, begin in (("", 1, True), (", gone on with", 1, False), (", two workers", 2, True)):
        if begin:
            for folder in (base / "tiny-out", base / "tiny-out.run"):
                shutil.rmtree(folder, ignore_errors=True)
        words = [sys.executable, "-c", _TREE, str(source), str(base / "tiny-out"), BASIC, str(workers)]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
        written, skipped, failed, first, half, last, seconds = map(float, told)
        note = f"{written:,.0f} written, {skipped:,.0f} skipped, {failed:.0f} failed; {first / 2**20:.0f} MiB at 1,000"
        yield Row(f"memory, files 1,000 to 50,000{name}", (half - first) / 2**20, "MiB", "bounded", note)
        yield Row(f"memory, files 50,000 to 100,000{name}", (last - half) / 2**20, "MiB", "flat", note)
        yield Row(f"deidentify_tree, files of 1 kB{name}", TINY_FILES / seconds, "files/s")


def _tiny() -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.SOPInstanceUID, dataset.StudyInstanceUID = "1.2.3.1000000", "1.2.4.1000000"
    dataset.SeriesInstanceUID = "1.2.5.1000000"
    dataset.PatientName, dataset.PatientID, dataset.Modality = "Rivera^A1000000", "MRN-1000000", "OT"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _record(base: Path) -> Iterator[Row]:
    """Measure the CPU time that the record adds to a run over tags, both in the same runs."""
    originals = base / "recorded"
    originals.mkdir()
    dataset = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm")
    for number in range(RECORDED_FILES):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{number}")
        dataset.PatientID, dataset.PatientName = f"MRN-{number}", f"Rivera^A{number}"
        dataset.save_as(originals / f"{number:03}.dcm")
    engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": BASIC}}))
    taken: list[tuple[float, float]] = []
    for number in range(ROUNDS + 1):
        with _timed((EntryMaker, "entry"), *((RecordFile, name) for name in ("learn", "add", "flush"))) as spent:
            begun = time.thread_time()
            engine.deidentify_tree(originals, base / f"recorded-{number}", workers=1)
            taken.append((time.thread_time() - begun, sum(spent)))
    del taken[0]  # it warms up
    size = (base / "recorded-0.run" / "record.jsonl").stat().st_size / RECORDED_FILES
    share = statistics.median(record / (run - record) for run, record in taken)
    run, record = (statistics.median(seconds) / RECORDED_FILES * 1e6 for seconds in zip(*taken, strict=True))
    note = f"{record:,.0f} of {run:,.0f} µs of CPU time a file of 39 kB; {size:,.0f} bytes a file"
    yield Row("the record, of the rest of a run over tags", share * 100, "%", "≤ 15", note)


@contextlib.contextmanager
def _timed(*methods: tuple[type, str]) -> Iterator[list[float]]:
    """Give a list that takes the CPU time of every call of some methods."""
    spent: list[float] = []

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            begun = time.thread_time()
            try:
                return method(*arguments)
            finally:
                spent.append(time.thread_time() - begun)

        return call

    with contextlib.ExitStack() as patched:
        for owner, name in methods:
            patched.enter_context(mock.patch.object(owner, name, timed(getattr(owner, name))))
        yield spent
