"""Tag-only de-identification of files: beside a plain copy, and beside pydicom reading and writing without a change.

A series of instances, warm, one process; a copy of the same files is measured right before each candidate, each time.
A rival's row appears where the rival is installed.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
from pydicom.uid import UID
from tag_rivals import rivals
from timing import Row, against

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Pseudonyms
from healthcare_deid.testing.samples import write_samples

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 100
ROUNDS = 5
FOLDER_FILES = 20_000
FOLDER_ROUNDS = 3
PSEUDONYM_ROUNDS = 15
TABLE_ROWS = 100_000
BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
PROFILES = (
    BASIC,
    "MINIMAL_KEEP_LIST_PROFILE",
    "KEEP_ALL_PROFILE",
    "DEIDENTIFY_TAG_CONTENTS",
)


def measure() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        large = next(path for path in write_samples(base / "samples") if path.name == "ct-1.dcm")
        small = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
        for size, source in (("531 kB", large), ("39 kB", small)):
            rows += _rates(size, source, base)
        rows += _folder(small)
        rows += _pseudonyms(small, base)
        rows.append(_memory(base))
    return rows


def _rates(size: str, source: Path, base: Path) -> list[Row]:
    originals, results = base / f"in {size}", base / f"out {size}"
    originals.mkdir()
    _write_series(source, originals)
    paths = sorted(originals.iterdir())

    def each(work: Callable[[Path, Path], object]) -> Callable[[], None]:
        def run() -> None:
            shutil.rmtree(results, ignore_errors=True)
            results.mkdir()
            for path in paths:
                work(path, results / path.name)

        return run

    engines = {
        profile: Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}})) for profile in PROFILES
    }
    candidates = {profile: each(engine.deidentify_file) for profile, engine in engines.items()}
    candidates["pydicom, read and write"] = each(lambda old, new: pydicom.dcmread(old).save_as(new))
    candidates |= {name: each(work) for name, work in rivals(engines[BASIC].plan).items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measured = against(each(shutil.copyfile), candidates, rounds=ROUNDS)
    copies = [seconds for taken in measured.values() for seconds in taken.baseline_wall]
    copies_cpu = [seconds for taken in measured.values() for seconds in taken.baseline_cpu]
    rows = [Row(f"copy, {size}", _rate(copies), "files/s", "", f"{_rate(copies_cpu):,.0f} a second of CPU time")]
    for name, taken in measured.items():
        target = "≥ 1,500 and ≥ 0.4 of a copy" if name in PROFILES and size == "531 kB" else ""
        ratios = (
            f"of a copy right before: {1 / taken.wall_ratio:.2f} by the clock, {1 / taken.cpu_ratio:.2f} in CPU time"
        )
        note = f"{_rate(taken.cpu):,.0f} a second of CPU time; {ratios}"
        rows.append(Row(f"{name}, {size}", _rate(taken.wall), "files/s", target, note))
    return rows


def _pseudonyms(source: Path, base: Path) -> list[Row]:
    """What pseudonyms cost beside none, and a look-up in a long table beside pseudonyms from the secret."""
    originals, results, table = base / "in pseudonyms", base / "out pseudonyms", base / "table.csv"
    originals.mkdir()
    results.mkdir()
    _write_series(source, originals)
    own = [f"{pydicom.dcmread(source).PatientID},P-own"]
    table.write_text("\n".join(["old_id,new_id", *(f"MRN{n:07},P-{n:06}" for n in range(TABLE_ROWS)), *own]) + "\n")
    config = DeidentifyConfig.from_api({"dicom": {"filterProfile": BASIC}})

    def run(pseudonyms: Pseudonyms | None) -> Callable[[], None]:
        engine = Deidentifier(config, secret=b"a secret of a benchmark", pseudonyms=pseudonyms)

        def each() -> None:
            for path in originals.iterdir():
                engine.deidentify_file(path, results / path.name)

        return each

    keyed, looked_up = run(Pseudonyms.keyed()), run(Pseudonyms.from_table(table))
    cost = against(run(None), {"keyed": keyed}, rounds=PSEUDONYM_ROUNDS)["keyed"].cpu_ratio
    look_up = against(keyed, {"table": looked_up}, rounds=PSEUDONYM_ROUNDS)["table"].cpu_ratio
    note = "39 kB, CPU time, interleaved"
    return [
        Row("pseudonyms from the secret, times no pseudonyms", cost, "×", "", note),
        Row(f"a table of {TABLE_ROWS:,} rows, times pseudonyms from the secret", look_up, "×", "≤ 1.03", note),
    ]


def _rate(seconds: list[float]) -> float:
    return FILES / statistics.median(seconds)


def _write_series(source: Path, folder: Path, count: int = FILES) -> None:
    """Write instances that differ as those of a series do: in UID, number, position and times."""
    dataset = pydicom.dcmread(source)
    uid = str(dataset.SOPInstanceUID)[:50]
    for number in range(1, count + 1):
        dataset.SOPInstanceUID = UID(f"{uid}.{number}")
        dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
        dataset.InstanceNumber = number
        dataset.ImagePositionPatient = [-158.135803, -179.035797, -75.699997 + number * 1.25]
        dataset.SliceLocation = round(-77.2 + number * 1.25, 3)
        dataset.AcquisitionNumber = number
        dataset.ContentTime = f"1129{number % 60:02}.{number:03}"
        dataset.AcquisitionTime = dataset.ContentTime
        dataset.save_as(folder / f"{number:03}.dcm")


_OVER_A_FOLDER = """
import json, os, resource, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier

benchmarks, way, profile = sys.argv[1:4]
workers, source, target = int(sys.argv[4]), Path(sys.argv[5]), Path(sys.argv[6])
sys.path.insert(0, benchmarks)
engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}}))
if way == "dcmanon":
    from tag_rivals import rivals
    work = rivals(engine.plan)["dcmanon"]

def one(name):
    work(source / name, target / name)

def cpu():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)

begun, used = time.perf_counter(), cpu()
if way == "deidentify_tree":
    engine.deidentify_tree(source, target, workers=workers)
else:
    target.mkdir()
    if workers == 1:
        for name in os.listdir(source):
            one(name)
    else:
        with ProcessPoolExecutor(workers) as pool:
            for _ in pool.map(one, os.listdir(source), chunksize=32):
                pass
print(json.dumps({"wall": time.perf_counter() - begun, "cpu": cpu() - used}))
"""


def _folder(source: Path) -> list[Row]:
    """Measure a run over a folder, with all that makes it one, beside a plain loop over the quickest rival.

    In memory, where there is such a file system: one on a disk takes longer for files the more were just deleted.
    """
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        return _beside_rival(source, Path(name))


def _beside_rival(source: Path, base: Path) -> list[Row]:
    ways = ["deidentify_tree", *(["dcmanon"] if find_spec("dcmanon") else [])]
    originals, results = base / "folder", base / "folder-out"
    originals.mkdir()
    _write_series(source, originals, FOLDER_FILES)
    taken: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(FOLDER_ROUNDS):
        for workers in (1, 2):
            for way in ways:
                words = [str(Path(__file__).parent), way, BASIC, str(workers), str(originals), str(results)]
                command = [sys.executable, "-c", _OVER_A_FOLDER, *words]
                told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                taken.setdefault((way, workers), []).append(json.loads(told))
                for path in base.glob("folder-out*"):
                    shutil.rmtree(path)
    rows: list[Row] = []
    for (way, workers), runs in taken.items():
        rate = FOLDER_FILES / statistics.median(run["wall"] for run in runs)
        each = statistics.median(run["cpu"] for run in runs) / FOLDER_FILES * 1e6
        target = "≥ dcmanon" if way == "deidentify_tree" else ""
        rows.append(
            Row(f"{way}, {FOLDER_FILES:,} files, {workers}", rate, "files/s", target, f"{each:,.0f} µs of CPU each")
        )
    return rows


_ONE_BIG_FILE = """
import resource, sys
from pathlib import Path
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, Pseudonyms
message = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
engine = Deidentifier(DeidentifyConfig.from_api(message))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
engine.deidentify_file(Path(sys.argv[1]), Path(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def _memory(base: Path) -> Row:
    """How much one instance of 2 GB of pixels adds to the memory of a process."""
    source = base / "big.dcm"
    dataset = pydicom.dcmread(Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm")
    del dataset.PixelData, dataset.DataSetTrailingPadding
    dataset.save_as(source)
    length = 2_000_000_000
    with source.open("ab") as file:
        file.write(b"\xe0\x7f\x10\x00OW\0\0" + length.to_bytes(4, "little"))
        file.truncate(file.tell() + length)
    told = subprocess.run(
        [sys.executable, "-c", _ONE_BIG_FILE, str(source), str(base / "big-out.dcm")],
        capture_output=True,
        text=True,
        check=True,
    )
    grown = int(told.stdout) / (1 if sys.platform == "darwin" else 1024) / (2**20 if sys.platform == "darwin" else 1)
    written = (base / "big-out.dcm").stat().st_size
    return Row("memory for one file of 2 GB", grown, "MiB", "flat", f"{written / 1e9:.2f} GB written; page cache aside")
