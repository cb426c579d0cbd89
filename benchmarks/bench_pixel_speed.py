"""What covering costs besides the OCR, what following a cine saves, what a second core gives, and the peak of memory.

Times are CPU seconds of the process, which other work on the machine lengthens less than the time on the clock. What a
second core gives is seen on the clock only: it means something on an idle machine, and its note says how idle it was.
``HEALTHCARE_DEID_FULL_BENCHMARK=1`` measures memory on files of 1 GB instead of 200 MB.
"""

from __future__ import annotations

import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bench_pixels import ALL_TEXT, private
from pixel_set import REPORT_SEED, Difficulty, LabelledImage, labelled_set
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from timing import Row

from healthcare_deid import presets
from healthcare_deid.engine import Deidentifier
from healthcare_deid.engine.pixels import OnnxOcr, PixelRedactor
from healthcare_deid.engine.pixels.frames.codecs.jpeg_lossless import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydicom.dataset import Dataset

FULL = os.environ.get("HEALTHCARE_DEID_FULL_BENCHMARK") == "1"
FRAMES = 64
ROUNDS = 3
FILES = 96
COMPRESSED = {
    "RLE": RLELossless,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "JPEG Lossless": JPEGLosslessSV1,
}


def measure() -> list[Row]:
    """Return the rows of this suite."""
    (image,) = labelled_set(REPORT_SEED, Difficulty(kinds=("US",)), scale=0.05)
    return [*_beside_the_ocr(image), *_cine(image), *_cores(image), *_memory(image)]


def _beside_the_ocr(image: LabelledImage) -> list[Row]:
    ocr = OnnxOcr()
    picture = np.frombuffer(image.dataset.PixelData, np.uint8).reshape(image.dataset.Rows, image.dataset.Columns, 3)
    redactor = PixelRedactor(ALL_TEXT, workers=1)
    datasets = {"native": image.dataset} | {name: compressed(image.dataset, uid) for name, uid in COMPRESSED.items()}
    taken: dict[str, list[float]] = {name: [] for name in ("", *datasets)}
    for _ in range(ROUNDS):
        taken[""].append(_cpu(lambda: ocr.find(picture, read=False)))
        for name, dataset in datasets.items():
            taken[name].append(_cpu(lambda dataset=dataset: redactor.redact(private(dataset), None)))  # type: ignore[misc]
    median = {name: statistics.median(seconds) for name, seconds in taken.items()}
    size = f"{image.dataset.Columns}x{image.dataset.Rows}, CPU, median of {ROUNDS}"
    rows = [Row("OCR alone", median.pop("") * 1000, "ms/frame", "", size)]
    alone = rows[0].value / 1000
    return rows + [
        Row(f"redaction, {name}", seconds / alone, "x the OCR", "<= 1.2", f"{seconds * 1000:.0f} ms/frame")
        for name, seconds in median.items()
    ]


def _cine(image: LabelledImage) -> list[Row]:
    redactor = PixelRedactor(ALL_TEXT, workers=1)
    each = _cpu(lambda: redactor.redact(cine(image, 8, moving=1.0), None)) / 8
    rows: list[Row] = []
    for name, moving in (("still", 0.0), ("a moving part of 15 %", 0.15)):
        dataset = cine(image, FRAMES, moving=moving)
        taken = _cpu(lambda dataset=dataset: redactor.redact(dataset, None)) / FRAMES  # type: ignore[misc]
        rows.append(Row(f"cine, {name}", each / taken, "x faster than frame by frame", ">= 5", f"{FRAMES} frames, CPU"))
    return rows


def _cores(image: LabelledImage) -> list[Row]:
    changing = cine(image, 16, moving=1.0)
    clock: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for workers, taken in clock.items():
            taken.append(_clock(lambda workers=workers: _threads(changing, workers)))  # type: ignore[misc]
    threads = statistics.median(one / two for one, two in zip(clock[1], clock[2], strict=True))
    with tempfile.TemporaryDirectory() as folder:
        for index in range(FILES):
            (Path(folder) / "in").mkdir(exist_ok=True)
            written(cine(image, 1, moving=0.0), Path(folder) / "in" / f"{index}.dcm", f"2.25.{index}")
        engine = Deidentifier(presets.remove_metadata_and_all_text())
        trees = {
            workers: _clock(
                lambda: engine.deidentify_tree(Path(folder, "in"), Path(folder, f"out{workers}"), workers=workers)  # noqa: B023
            )
            for workers in (1, 2)
        }
    note = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; of use on an idle machine only"
    return [
        Row("frames in two threads", threads, "x one", ">= 1.6", note),
        Row("files in two processes", trees[1] / trees[2], "x one", "", f"{FILES} files, start included; {note}"),
    ]


def _threads(dataset: Dataset, workers: int) -> None:
    PixelRedactor(ALL_TEXT, workers=workers).redact(private(dataset), None)


def _memory(image: LabelledImage) -> list[Row]:
    """Redact a large file in a process of its own, and ask for its peak."""
    size = 1_000_000_000 if FULL else 200_000_000
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, uid in (("native", None), ("RLE", RLELossless)):
            source = Path(folder) / "large.dcm"
            one = cine(image, 1, moving=0.0)
            dataset = compressed(one, uid) if uid else one
            streams = list(generate_frames(dataset.PixelData, number_of_frames=1)) if uid else [dataset.PixelData]
            count = size // len(streams[0])
            dataset["NumberOfFrames"] = DataElement("NumberOfFrames", "IS", count)
            value = encapsulate(streams * count) if uid else streams[0] * count
            dataset["PixelData"] = DataElement("PixelData", "OB", value)
            dataset["PixelData"].is_undefined_length = uid is not None
            written(dataset, source)
            program = "import sys; sys.path.insert(0, sys.argv[1]); import bench_pixel_speed as b; b.large(sys.argv[2])"
            command = [sys.executable, "-c", program, str(Path(__file__).parent), str(source)]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            note = f"{count} frames, {source.stat().st_size // 1_000_000} MB"
            rows.append(Row(f"peak memory of deidentify_file, {name}", float(output), "MB", "<= 1000 for 1 GB", note))
    return rows


def large(source: str) -> None:
    """De-identify a file and print this process' peak memory in MB."""
    Deidentifier(presets.remove_metadata_and_all_text()).deidentify_file(source, f"{source}.out")
    # Not ru_maxrss: a child process starts with its parent's.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(line.split()[1]) * 1024 / 1_000_000)


def compressed(dataset: Dataset, uid: str) -> Dataset:
    """Return a native single-frame instance in another transfer syntax, without loss."""
    result = copy.deepcopy(private(dataset))  # compressing changes elements
    if uid == JPEGLosslessSV1:
        words = np.frombuffer(dataset.PixelData, np.uint8).reshape(dataset.Rows, dataset.Columns, 3)
        result["PixelData"] = DataElement("PixelData", "OB", encapsulate([encode(words, 8, rgb=True)]))
        result["PixelData"].is_undefined_length = True
        result.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    else:
        result.compress(uid, encoding_plugin="")
    return result


def cine(image: LabelledImage, frames: int, *, moving: float, side: int = 512) -> Dataset:
    """Return a loop of an image: its overlay stands still while noise moves in a part of the height."""
    dataset = private(image.dataset)
    rows = columns = min(side, dataset.Rows, dataset.Columns)
    base = np.frombuffer(dataset.PixelData, np.uint8).reshape(dataset.Rows, dataset.Columns, 3)[:rows, :columns]
    noise = np.random.default_rng(7)
    height = round(rows * moving)
    top = (rows - height) // 2
    loop = np.repeat(base[np.newaxis], frames, axis=0)
    if height:
        change = noise.integers(0, 40, (frames, height, columns, 1)).astype(np.uint8)
        loop[:, top : top + height] = np.minimum(255, loop[:, top : top + height].astype(np.uint16) + change)
    dataset["Rows"], dataset["Columns"] = DataElement("Rows", "US", rows), DataElement("Columns", "US", columns)
    dataset["NumberOfFrames"] = DataElement("NumberOfFrames", "IS", frames)
    dataset["PixelData"] = DataElement("PixelData", "OB", loop.tobytes())
    return dataset


def written(dataset: Dataset, path: Path, uid: str = "2.25.1") -> None:
    """Write an instance that has no UIDs yet."""
    syntax = dataset.file_meta.TransferSyntaxUID if "TransferSyntaxUID" in dataset.file_meta else ExplicitVRLittleEndian
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    for tag, value in ((0x00080016, "1.2.840.10008.5.1.4.1.1.3.1"), (0x00080018, uid)):
        dataset[tag] = DataElement(tag, "UI", value)
    dataset.save_as(path, enforce_file_format=True)


def _cpu(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def _clock(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun
