"""Burned-in text: how much of it is found and covered, how much else is covered with it, and at what speed.

Recall counts lines of which at least 90 % of the ink is covered; ink is where a glyph is more than 40 % opaque. Area
precision is the part of the covered area that lies within half a line's height of a planted line. In the sensitive mode
a line with a label (``DOB 01/02/1950``) counts as covered when 60 % of its ink is: the label may stay. An innocent mark
counts as covered from 30 % on.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pixel_set import HARD, REPORT_SEED, Difficulty, LabelledImage, PlantedLine, font_count, labelled_set
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from timing import Row

from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.config.image import ImageConfig, TextRedactionMode
from healthcare_deid.engine.pixels import OnnxOcr, PixelRedactor
from healthcare_deid.engine.text.engine import TextEngine

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
ALL_TEXT = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_ALL_TEXT)
SENSITIVE = ImageConfig(text_redaction_mode=TextRedactionMode.REDACT_SENSITIVE_TEXT)
COVERED, LABELLED_COVERED, TOUCHED = 0.9, 0.6, 0.3
HARD_PART = 0.25
"""Part of the ordinary number of images that each hard set has."""


@dataclass
class Score:
    """Counts over a set."""

    images: int = 0
    lines: int = 0
    found: int = 0
    sensitive: int = 0
    sensitive_found: int = 0
    area: int = 0
    area_on_text: int = 0

    def add(self, image: LabelledImage, mask: NDArray[np.bool_]) -> None:
        """Count one image in the mode for all text."""
        near = np.zeros(mask.shape, bool)
        for line in image.lines:
            left, top, right, bottom = line.box
            room = max(4, min(right - left, bottom - top) // 2)
            near[max(0, top - room) : bottom + room, max(0, left - room) : right + room] = True
            found = covered_part(line, mask) >= COVERED
            self.lines += 1
            self.found += found
            self.sensitive += line.sensitive
            self.sensitive_found += found and line.sensitive
        self.images += 1
        self.area += int(mask.sum())
        self.area_on_text += int((mask & near).sum())


def measure() -> list[Row]:
    """Return the rows of this suite."""
    return [*_quality(), *_hard(), *_sensitive(), *_speed(), *_memory()]


def covered_part(line: PlantedLine, mask: NDArray[np.bool_]) -> float:
    """Return which part of a line's ink is covered."""
    left, top, right, bottom = line.box
    return float(mask[top:bottom, left:right][line.ink].mean())


def mask_of(dataset: Dataset, report: Any) -> NDArray[np.bool_]:
    """Return where the first frame was covered."""
    mask = np.zeros((dataset.Rows, dataset.Columns), bool)
    for item in report.redactions:
        if item.frame == 0:
            mask[item.y : item.y + item.height, item.x : item.x + item.width] = True
    return mask


def score(images: Iterable[LabelledImage], redactor: PixelRedactor) -> Score:
    """Redact all text of a set and count."""
    total = Score()
    for image in images:
        total.add(image, mask_of(image.dataset, redactor.redact(private(image.dataset), None)))
    return total


def private(dataset: Dataset) -> Dataset:
    """Return a dataset whose elements can be replaced; a shallow copy would share its table of elements."""
    result = Dataset({tag: dataset.get_item(tag) for tag in dataset.keys()})  # noqa: SIM118 - a Dataset iterates elements
    result.file_meta = dataset.file_meta
    result.set_original_encoding(False, True, "iso8859")
    return result


def _quality() -> list[Row]:
    total = score(labelled_set(REPORT_SEED), PixelRedactor(ALL_TEXT, workers=1))
    note = f"{total.images} images, {total.lines} lines, {font_count()} fonts"
    return [
        Row("all text: lines covered", total.found / total.lines, "", ">= .998", note),
        Row("all text: lines with PHI covered", total.sensitive_found / total.sensitive, "", "1", f"{total.sensitive}"),
        Row("all text: area precision", total.area_on_text / total.area, "", ">= .95", "within half a line's height"),
    ]


def _hard() -> list[Row]:
    rows: list[Row] = []
    for difficulty in HARD:
        for name, redactor in (
            ("", PixelRedactor(ALL_TEXT, workers=1)),
            (", thorough", PixelRedactor(ALL_TEXT, thorough=True, workers=1)),
        ):
            if name and difficulty.sizes[0] >= 10 and not difficulty.turned and difficulty.contrast[1] > 0.2:
                continue  # what blur and noise take away, looking closer does not bring back
            total = score(labelled_set(REPORT_SEED, difficulty, scale=HARD_PART), redactor)
            value = total.found / max(1, total.lines)
            rows.append(Row(f"hard: {difficulty.name}{name}", value, "", "", f"{total.lines} lines"))
    return rows


def _sensitive() -> list[Row]:
    engine = TextEngine(DeidentifyConfig(image=SENSITIVE))
    redactor = PixelRedactor(SENSITIVE, workers=1)
    planted = covered = innocent = touched = 0
    for image in labelled_set(REPORT_SEED):
        mask = mask_of(image.dataset, redactor.redact(private(image.dataset), engine.bind(image.dataset)))
        for line in image.lines:
            part = covered_part(line, mask)
            if line.sensitive:
                planted += 1
                covered += part >= (LABELLED_COVERED if _has_label(line.text) else COVERED)
            else:
                innocent += 1
                touched += part > TOUCHED
    return [
        Row("sensitive text: planted PHI covered", covered / planted, "", ">= .99", f"{planted} lines"),
        Row("sensitive text: innocent marks covered", touched / innocent, "", "<= .05", f"{innocent} marks"),
    ]


def _has_label(text: str) -> bool:
    labels = ("ID:", "MRN ", "DOB ", "Born ", "Dr. ", "Ref: ", "Acc ", "Tel ")
    return text.startswith(labels) or text.endswith(" 10:42")


def _speed() -> list[Row]:
    (image,) = labelled_set(REPORT_SEED, Difficulty(kinds=("US",)), scale=0.05)
    ocr = OnnxOcr()
    picture = np.frombuffer(image.dataset.PixelData, np.uint8).reshape(image.dataset.Rows, image.dataset.Columns, 3)
    redactor = PixelRedactor(ALL_TEXT, workers=1)
    alone = redacting = float("inf")
    for _ in range(5):
        alone = min(alone, _seconds(lambda: ocr.find(picture, read=False)))
        redacting = min(redacting, _seconds(lambda: redactor.redact(private(image.dataset), None)))
    size = f"{image.dataset.Columns}x{image.dataset.Rows}"
    rows = [
        Row(f"OCR alone, {size}", alone * 1000, "ms/frame", "", "best of 5"),
        Row(f"redaction, {size}", redacting * 1000, "ms/frame", "<= 1.2x the OCR", f"{redacting / alone:.2f}x"),
    ]
    still = cine(image, 64, moving=0.0)
    loop = cine(image, 64, moving=0.15)
    changing = cine(image, 64, moving=1.0)
    each = _seconds(lambda: redactor.redact(private(changing), None))
    for name, dataset in (("still", still), ("a moving part of 15 %", loop)):
        taken = _seconds(lambda dataset=dataset: redactor.redact(private(dataset), None))  # type: ignore[misc]
        rows.append(Row(f"cine, {name}", each / taken, "x faster than frame by frame", ">= 5", "64 frames"))
    many = PixelRedactor(ALL_TEXT, workers=os.cpu_count())
    taken = _seconds(lambda: many.redact(private(changing), None))
    note = f"{os.cpu_count()} cores; means something on an idle machine only"
    rows.append(Row("frames in threads", each / taken, "x one thread", ">= 1.6 on two cores", note))
    return rows


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


def _memory() -> list[Row]:
    """Redact a large multi-frame instance in a process of its own, and ask for its peak."""
    program = (
        f"import sys; sys.path.insert(0, {str(os.path.dirname(__file__))!r}); import bench_pixels; bench_pixels.large()"  # noqa: PTH120
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    return [Row("peak memory over the pixel data's size", float(output[0]), "x", "", f"{output[1]} MB of pixel data")]


def large() -> None:
    """Print the peak memory of redacting a large instance, as a multiple of its pixel data, and that in MB."""
    (image,) = labelled_set(REPORT_SEED, Difficulty(kinds=("US",)), scale=0.05)
    dataset = cine(image, 400, moving=0.0)
    size = len(dataset.PixelData)
    PixelRedactor(ALL_TEXT, workers=1).redact(dataset, None)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / size, size // 1_000_000)


def _seconds(call: Any) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


__all__ = ["cine", "covered_part", "large", "mask_of", "measure", "score"]
