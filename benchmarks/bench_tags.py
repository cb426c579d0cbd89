"""Tag-only de-identification of files: beside a plain copy, and beside pydicom reading and writing without a change.

The same file many times over, warm, one process. A peer's row appears where the peer is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
from timing import Row, interleaved

from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
from healthcare_deid.testing.samples import write_samples

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = 100
PROFILES = (
    "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE",
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
        rows.append(_memory(base))
    return rows


def _rates(size: str, source: Path, base: Path) -> list[Row]:
    originals, results = base / f"in {size}", base / f"out {size}"
    originals.mkdir()
    for number in range(FILES):
        shutil.copy(source, originals / f"{number}.dcm")
    paths = sorted(originals.iterdir())

    def each(work: Callable[[Path, Path], object]) -> Callable[[], None]:
        def run() -> None:
            shutil.rmtree(results, ignore_errors=True)
            results.mkdir()
            for path in paths:
                work(path, results / path.name)

        return run

    candidates: dict[str, Callable[[], object]] = {"copy": each(shutil.copyfile)}
    for profile in PROFILES:
        engine = Deidentifier(DeidentifyConfig.from_api({"dicom": {"filterProfile": profile}}))
        candidates[profile] = each(engine.deidentify_file)
    candidates["pydicom, read and write"] = each(lambda old, new: pydicom.dcmread(old).save_as(new))
    candidates |= {name: each(work) for name, work in _peers().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seconds = interleaved(candidates, rounds=5)
    copied = seconds["copy"]
    return [
        Row(
            f"{name}, {size}",
            FILES / taken,
            "files/s",
            "≥ 1,500 and ≥ 0.4 of a copy" if name in PROFILES[:3] and size == "531 kB" else "",
            f"{copied / taken:.2f} of a copy in the same run",
        )
        for name, taken in seconds.items()
    ]


def _peers() -> dict[str, Callable[[Path, Path], object]]:
    found: dict[str, Callable[[Path, Path], object]] = {}
    if find_spec("dicomanonymizer"):
        from dicomanonymizer import anonymize_dicom_file

        found["dicom-anonymizer"] = lambda old, new: anonymize_dicom_file(str(old), str(new), {})
    if find_spec("dicognito"):
        from dicognito.anonymizer import Anonymizer

        anonymizer = Anonymizer()

        def dicognito(old: Path, new: Path) -> None:
            dataset = pydicom.dcmread(old)
            anonymizer.anonymize(dataset)
            dataset.save_as(new)

        found["dicognito"] = dicognito
    return found


_ONE_BIG_FILE = """
import resource, sys
from pathlib import Path
from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
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
