"""Burned-in text: found, chosen and covered, in one instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.uid import UID, ImplicitVRLittleEndian

from healthcare_deid.engine.pixels.element import KEYWORDS, PixelElement
from healthcare_deid.engine.pixels.ocr import Ocr, OnnxOcr
from healthcare_deid.engine.pixels.policy import Cover, Policy, Scope
from healthcare_deid.engine.records import Change, ChangeAction, Redaction
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from healthcare_deid.config.image import ImageConfig
    from healthcare_deid.engine.text.match import TextInspector

MARGIN = 1
"""Pixels covered around what the detector gives: anti-aliased edges."""


@dataclass(frozen=True, slots=True)
class PixelReport:
    """What was done to an instance's pixels.

    Attributes:
        redactions: Every rectangle covered, in frame order.
        changes: The elements that were replaced.
        warnings: What a person should know; no values.
    """

    redactions: tuple[Redaction, ...] = ()
    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()


class PixelRedactor:
    """Covers burned-in text as an `ImageConfig` says. Its state is its arguments: it pickles, and is safe to share.

    Args:
        image: What to cover.
        ocr: What finds and reads text; by default the engine's own.
        thorough: Look for tiny, faint and rotated text too, at several times the time.
    """

    def __init__(self, image: ImageConfig, *, ocr: Ocr | None = None, thorough: bool = False) -> None:
        self._policy = Policy(image)
        self._given = ocr
        self._thorough = thorough

    def redact(self, dataset: Dataset, inspector: TextInspector | None) -> PixelReport:
        """Cover what must be covered. ``dataset`` gets new elements; the elements it had stay as they were.

        Args:
            dataset: A private copy, with its original headers.
            inspector: Finds infoTypes in what was read; needed by the modes for sensitive text.

        Raises:
            UnsupportedPixelsError: There are pixels, and they cannot be looked at or written.
            ModelNotFoundError: No text model is installed.
        """
        keyword = next((name for name in KEYWORDS if name in dataset), None)
        if self._policy.scope is Scope.NOTHING or keyword is None:
            return PixelReport()
        meta = getattr(dataset, "file_meta", None)
        syntax = UID(str(meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian) if meta else ImplicitVRLittleEndian)
        element = PixelElement(dataset, keyword, f"{dataset[keyword].tag:08X}", syntax)
        if element.encapsulated:
            raise UnsupportedPixelsError("compressed pixel data is not supported yet")
        found = {index: self._covers(element, index, inspector) for index in range(element.count)}
        boxes = {index: [cover.box for cover in covers] for index, covers in found.items() if covers}
        if not boxes:
            return PixelReport()
        old = dataset[keyword]
        dataset[keyword] = element.native_value(boxes)
        change = Change(element.path, keyword, old.VR, ChangeAction.PIXELS_REDACTED, "image", len(old.value))
        redactions = tuple(
            Redaction(index, *_rectangle(cover), cover.rule, cover.confidence, element.path)
            for index, covers in found.items()
            for cover in covers
        )
        return PixelReport(redactions, (change,))

    def _covers(self, element: PixelElement, index: int, inspector: TextInspector | None) -> list[Cover]:
        ocr = self._given or OnnxOcr(thorough=self._thorough)
        covers: list[Cover] = []
        for picture in element.pictures(element.words(index)):
            lines = ocr.find(picture, read=self._policy.reads)
            covers.extend(self._policy.select(lines, inspector))
        return [Cover(element.layout.aligned(c.box.grown(MARGIN)), c.rule, c.confidence) for c in covers]


def _rectangle(cover: Cover) -> tuple[int, int, int, int]:
    return cover.box.left, cover.box.top, cover.box.width, cover.box.height
