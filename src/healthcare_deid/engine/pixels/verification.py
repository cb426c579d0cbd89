"""Verification of a result by a second OCR, which counts the lines that are still legible but keeps no text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.engine.pixels.cover.element import PixelElement
from healthcare_deid.engine.pixels.find.cine import Look
from healthcare_deid.engine.pixels.find.mosaic import view_of
from healthcare_deid.engine.pixels.find.policy import UNREADABLE, Policy
from healthcare_deid.engine.pixels.frames.targets import targets, transfer_syntax
from healthcare_deid.engine.pixels.frames.windows import Windows
from healthcare_deid.engine.pixels.parallel import default_workers
from healthcare_deid.engine.plan.pixels import Scope

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.find.ocr import Ocr
    from healthcare_deid.engine.pixels.lines import TextLine
    from healthcare_deid.engine.plan.pixels import PixelPlan
    from healthcare_deid.engine.results import PixelReport
    from healthcare_deid.engine.text.match import TextInspector

STILL_READ = "a second OCR still reads text in the pixels of the result: review it before you release it"
SURE = 0.7
"""Least confidence of a line that counts as read."""
_WORD = re.compile(r"[^\W_]{3}")
"""Three consecutive letters or digits, which a line needs to count as read: noise and anatomy read as fewer."""


class Verification:
    """Counts the lines to cover by a plan that another OCR still reads in results. Picklable and thread-safe.

    Args:
        plan: What should have been covered.
        ocr: The second OCR.
        workers: Threads that share the frames of an instance; None for the default.
        max_frame_pixels: Refuse frames of more pixels than this.
    """

    def __init__(self, plan: PixelPlan, ocr: Ocr, workers: int | None, max_frame_pixels: int) -> None:
        self._policy = Policy(plan)
        self._ocr = ocr
        self._workers = workers
        self._max_frame_pixels = max_frame_pixels

    def of(
        self, dataset: Dataset, report: PixelReport, inspector: TextInspector | None
    ) -> tuple[PixelReport, tuple[str, ...]]:
        """Return a report with the counts of lines still read, and warnings.

        Args:
            dataset: The result, with its file meta.
            report: Report of the redaction.
            inspector: Finds infoTypes in the text, bound to the original header.

        Raises:
            UnsupportedPixelsError: Pixels of the result cannot be decoded.
            EngineError: The second OCR failed.
        """
        counts: dict[str, int] = {}
        for target in targets(dataset):
            element = PixelElement(
                target, transfer_syntax(dataset), workers=self._threads, max_pixels=self._max_frame_pixels
            )
            windows = None if target.is_overlay else Windows(element.layout, target.dataset)
            lines = Look(self._ocr, read=True, workers=self._threads).frames(view_of(element, dataset), windows)
            counts[target.path] = sum(self._still_read(of_frame, inspector) for of_frame in lines)
        looks = tuple(replace(look, still_read=counts.get(look.path)) for look in report.looks)
        if not any(counts.values()):
            return replace(report, looks=looks), ()
        return replace(report, looks=looks, all_text_covered=False), (STILL_READ,)

    @property
    def _threads(self) -> int:
        return self._workers or default_workers()

    def _still_read(self, lines: list[TextLine], inspector: TextInspector | None) -> int:
        read = [line for line in lines if line.is_code or _is_read(line)]
        if self._policy.plan.scope is Scope.EVERYTHING:
            return len(read)
        parts = [cover.box for cover in self._policy.select(read, inspector) if cover.rule != UNREADABLE]
        return sum(any(line.box.overlaps(part) for part in parts) for line in read)


def _is_read(line: TextLine) -> bool:
    return line.text_confidence >= SURE and _WORD.search(line.text or "") is not None
