"""Search for burned-in text in every frame, with the engine's own detector and recognizer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.dicom.datasets import private_copy
from healthcare_deid.engine.pixels.find.policy import UNREADABLE
from healthcare_deid.engine.pixels.redactor import PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import UnsupportedPixelsError
from healthcare_deid.report.audit.findings import Place, Residual, Residue, shape_of
from healthcare_deid.report.audit.text_look import reading_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from healthcare_deid.report.audit.originals import Search

_SURE = 0.6
"""Minimum confidence of text; noise reads as single letters with less."""


def pixel_residues(dataset: Dataset, search: Search | None) -> Iterator[Residual]:
    """Yield boxes with identifying text, and with any other text as a warning.

    Args:
        dataset: The instance.
        search: Terms of the original.
    """
    try:
        report = _redactor().redact(private_copy(dataset), reading_engine().bind(dataset))
    except UnsupportedPixelsError as error:
        yield Residual(Severity.WARNING, Residue.PIXELS, "PixelData", "PixelData", "", f"not looked at: {error}")
        return
    sensitive: list[Place] = []
    for item in report.redactions:
        place = Place(item.frame, item.x, item.y, item.width, item.height)
        sensitive.append(place)
        # Unreadable text may be anatomy: a person has to look.
        severity = Severity.WARNING if item.rule == UNREADABLE else Severity.ERROR
        why = f"burned-in: {item.rule.removeprefix('infoType:')}"
        yield Residual(severity, Residue.PIXELS, "PixelData", "PixelData", "", why, place)
    for text in report.texts:
        box = text.box
        place = Place(text.frame, box.left, box.top, box.width, box.height)
        if text.confidence < _SURE or len(text.text.strip()) < 2 or any(_overlap(place, other) for other in sensitive):
            continue
        own = search is not None and search.terms.find(text.text)
        severity = Severity.ERROR if own else Severity.WARNING
        why = (
            "burned-in name, number or date of the original" if own else "burned-in text; nothing in it was recognized"
        )
        yield Residual(severity, Residue.PIXELS, "PixelData", "PixelData", shape_of(text.text), why, place)


def _overlap(one: Place, other: Place) -> bool:
    return (
        one.frame == other.frame
        and one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@cache
def _redactor() -> PixelRedactor:
    return PixelRedactor(PixelPlan(Scope.SENSITIVE), keep_text=True)
