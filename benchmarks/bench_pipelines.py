"""Beam against a run over the same folder: CPU an instance, scaling with workers, and memory.

Needs Beam: ``nox -s perf -- pipelines``.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import Row

TAGS, PIXELS = 10_000, 60
_RUN = """
import json, resource, sys, time
from pathlib import Path
from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Deidentifier

way, kind, workers, source, target = sys.argv[1:]
basic = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()
config = basic if kind == "tags" else presets.remove_metadata_and_all_text()
if __name__ == "__main__":
    if way == "beam":
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
        from healthcare_deid.pipelines.beam import DeidentifyFiles

        mode = "in_memory" if workers == "1" else "multi_processing"
        flags = ["--runner=DirectRunner", f"--direct_running_mode={mode}", f"--direct_num_workers={workers}"]
        begin = time.perf_counter()
        with beam.Pipeline(options=PipelineOptions(flags)) as pipeline:
            pipeline | DeidentifyFiles(source, target, config, records=False)
    else:
        begin = time.perf_counter()
        Deidentifier(config).deidentify_tree(source, target, workers=int(workers))
    wall = time.perf_counter() - begin
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": max(one.ru_maxrss for one in used) / 1024}))
"""


def measure() -> list[Row]:
    if importlib.util.find_spec("apache_beam") is None:
        return []
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, count, target in (("tags", TAGS, "≤ 1.5"), ("pixels", PIXELS, "≤ 1.1")):
            source = _made(folder / kind, count, pixels=kind == "pixels")
            tenth = _made(folder / f"tenth of {kind}", count // 10, pixels=kind == "pixels")
            alone = {workers: _run(folder, "tree", kind, workers, source) for workers in (1, 2)}
            beam = {workers: _run(folder, "beam", kind, workers, source) for workers in (1, 2)}
            few = {way: _run(folder, way, kind, 1, tenth) for way in ("tree", "beam")}
            few_by_two = {way: _run(folder, way, kind, 2, tenth) for way in ("tree", "beam")}
            # What starting takes is in both, and goes out of the difference.
            each = {
                way: (all_["cpu"] - few[way]["cpu"]) / (count - count // 10)
                for way, all_ in (("tree", alone[1]), ("beam", beam[1]))
            }
            start = beam[1]["cpu"] - count * each["beam"]
            note = f"{1e3 * each['beam']:.2f} and {1e3 * each['tree']:.2f} ms each; {start:.1f} s to start Beam"
            ratio = each["beam"] / each["tree"]
            rows.append(Row(f"CPU an instance on Beam / of deidentify_tree, {kind}", ratio, "", target, note))
            own, theirs = (
                (all_[1]["wall"] - few[way]["wall"]) / (all_[2]["wall"] - few_by_two[way]["wall"])
                for way, all_ in (("tree", alone), ("beam", beam))
            )
            rows.append(Row(f"scaling to 2 workers / own, {kind}", theirs / own, "", "≥ 0.9", f"own {own:.2f}"))
            if kind == "tags":
                less = few["beam"]["memory"]
                grown = beam[1]["memory"] - less
                rows.append(
                    Row(f"memory, {count:,} over {count // 10:,} instances", grown, "MB", "flat", f"{less:.0f} MB")
                )
    return rows


def _made(folder: Path, count: int, *, pixels: bool) -> Path:
    """Write instances of one kind, each with a UID of its own."""
    from healthcare_deid.testing import sample_dicom

    dataset = sample_dicom()[0].dataset
    if not pixels:
        dataset.Rows = dataset.Columns = 128
        dataset.PixelData = bytes(128 * 128 * dataset.SamplesPerPixel * dataset.BitsAllocated // 8)
    folder.mkdir()
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.00000"
    dataset.save_as(folder / "first.dcm", enforce_file_format=True)
    first = (folder / "first.dcm").read_bytes()
    (folder / "first.dcm").unlink()
    for number in range(count):
        (folder / f"{number}.dcm").write_bytes(first.replace(b"1.2.3.00000", f"1.2.3.{number + 10000}".encode()))
    return folder


def _run(folder: Path, way: str, kind: str, workers: int, source: Path) -> dict[str, float]:
    """Run one way in a process of its own; return seconds and megabytes."""
    target = folder / "out"
    script = folder / "run.py"
    script.write_text(_RUN)
    command = [sys.executable, str(script), way, kind, str(workers), str(source), str(target)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for path in folder.glob("out*"):
        shutil.rmtree(path)
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found
