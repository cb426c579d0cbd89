"""Burned-in text: how much of it is found and covered, and how much else is covered with it.

Recall counts lines of which at least 90 % of the ink is covered; ink is where a glyph is more than 40 % opaque. Area
precision is the part of the covered area that lies within half a line's height of a planted line, or on a mark that the
picture had before. In the sensitive mode
a line with a label (``DOB 01/02/1950``) counts as covered when 60 % of its ink is: the label may stay. An innocent mark
counts as covered from 30 % on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pixel_set import HARD, REPORT_SEED, LabelledImage, PlantedLine, font_count, labelled_set
from pydicom.dataset import Dataset
from timing import Row

from healthcare_deid.engine.pixels import PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray
ALL_TEXT = PixelPlan(Scope.EVERYTHING)
SENSITIVE = PixelPlan(Scope.SENSITIVE)
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
        for left, top, right, bottom in image.marks:
            near[top:bottom, left:right] = True
        for line in image.lines:
            _add(near, line)
            found = covered_part(line, mask) >= COVERED
            self.lines += 1
            self.found += found
            self.sensitive += line.sensitive
            self.sensitive_found += found and line.sensitive
        self.images += 1
        self.area += int(mask.sum())
        self.area_on_text += int((mask & near).sum())


@dataclass
class SensitiveScore:
    """Counts over a set in the mode for sensitive text."""

    planted: int = 0
    covered: int = 0
    innocent: int = 0
    touched: int = 0


def measure() -> list[Row]:
    """Return the rows of this suite."""
    return [*_quality(), *_hard(), *_sensitive()]


def covered_part(line: PlantedLine, mask: NDArray[np.bool_]) -> float:
    """Return which part of a line's ink is covered."""
    left, top, right, bottom = line.box
    return float(mask[top:bottom, left:right][line.ink].mean())


def _add(near: NDArray[np.bool_], line: PlantedLine) -> None:
    """Mark what is near a line."""
    left, top = line.box[0] - line.room, line.box[1] - line.room
    cut = line.near[max(0, -top) :, max(0, -left) :]
    place = near[max(0, top) :, max(0, left) :][: cut.shape[0], : cut.shape[1]]
    place |= cut[: place.shape[0], : place.shape[1]]


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


def score_sensitive(images: Iterable[LabelledImage]) -> SensitiveScore:
    """Redact the sensitive text of a set and count."""
    engine = TextEngine(TextPlan())
    redactor = PixelRedactor(SENSITIVE, workers=1)
    total = SensitiveScore()
    for image in images:
        mask = mask_of(image.dataset, redactor.redact(private(image.dataset), engine.bind(image.dataset)))
        for line in image.lines:
            part = covered_part(line, mask)
            if line.sensitive:
                total.planted += 1
                total.covered += part >= (LABELLED_COVERED if _has_label(line.text) else COVERED)
            else:
                total.innocent += 1
                total.touched += part > TOUCHED
    return total


def words_left(images: Iterable[LabelledImage], read: Callable[[NDArray[np.uint8]], str]) -> list[str]:
    """Redact all text of a set and return the planted words that another OCR reads afterwards.

    Args:
        images: The set.
        read: Returns what a picture says, as letters and digits in capitals. Words of fewer than four are not looked
            for: noise reads as such.
    """
    redactor = PixelRedactor(ALL_TEXT, workers=1)
    left: list[str] = []
    for image in images:
        dataset = private(image.dataset)
        redactor.redact(dataset, None)
        pixels = dataset.pixel_array
        text = read((pixels * (255 / ((1 << dataset.BitsStored) - 1))).astype(np.uint8))
        planted = {word for line in image.lines for word in re.findall(r"[^\W_]{4,}", line.text.upper())}
        left += [f"{image.name}: {word}" for word in sorted(planted) if word in text]
    return left


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
            if name and difficulty.sizes[0] >= 10 and not difficulty.turns and difficulty.contrast[1] > 0.2:
                continue  # what blur and noise take away, looking closer does not bring back
            total = score(labelled_set(REPORT_SEED, difficulty, scale=HARD_PART), redactor)
            value, goal = total.found / max(1, total.lines), f">= {difficulty.goal}" if difficulty.goal else ""
            note = f"{total.lines} lines, area precision {total.area_on_text / max(1, total.area):.3f}"
            rows.append(Row(f"hard: {difficulty.name}{name}", value, "", goal, note))
    return rows


def _sensitive() -> list[Row]:
    total = score_sensitive(labelled_set(REPORT_SEED))
    covered, touched = total.covered / total.planted, total.touched / total.innocent
    return [
        Row("sensitive text: planted PHI covered", covered, "", ">= .99", f"{total.planted} lines"),
        Row("sensitive text: innocent marks covered", touched, "", "<= .05", f"{total.innocent} marks"),
    ]


def _has_label(text: str) -> bool:
    labels = ("ID:", "MRN ", "DOB ", "Born ", "Dr. ", "Ref: ", "Acc ", "Tel ")
    return text.startswith(labels) or text.endswith(" 10:42")


__all__ = ["covered_part", "mask_of", "measure", "private", "score", "score_sensitive", "words_left"]
