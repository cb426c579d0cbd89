"""Redaction of burned-in text in one instance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset

from healthcare_deid._border import border
from healthcare_deid.engine.dicom.long_values import storage_of
from healthcare_deid.engine.pixels.cover.element import Boxes, PixelElement
from healthcare_deid.engine.pixels.cover.rewrite import Rewriter
from healthcare_deid.engine.pixels.find.cine import Look, in_every_frame
from healthcare_deid.engine.pixels.find.lookalikes import LookalikeInspector, lookalike_names
from healthcare_deid.engine.pixels.find.machine_codes import finds_codes
from healthcare_deid.engine.pixels.find.models import CPU
from healthcare_deid.engine.pixels.find.mosaic import Mosaic, view_of
from healthcare_deid.engine.pixels.find.ocr import OnnxOcr
from healthcare_deid.engine.pixels.find.policy import UNREADABLE, Cover, Policy
from healthcare_deid.engine.pixels.frames.limits import beyond_service_limits
from healthcare_deid.engine.pixels.frames.targets import (
    Target,
    refuse_what_cannot_be_seen,
    targets,
    transfer_syntax,
)
from healthcare_deid.engine.pixels.frames.windows import Windows
from healthcare_deid.engine.pixels.masks.device_masks import masked, ultrasound_regions
from healthcare_deid.engine.pixels.parallel import default_workers
from healthcare_deid.engine.plan.pixels import Scope
from healthcare_deid.engine.results import PictureLook, PixelReport, ReadText, Redaction
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import ConfigError, UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.find.ocr import Ocr
    from healthcare_deid.engine.pixels.masks.device_masks import Mask, Masked
    from healthcare_deid.engine.plan.pixels import PixelPlan
    from healthcare_deid.engine.results import PictureState
    from healthcare_deid.engine.text.match import TextInspector

MARGIN = 1
"""Margin around detected boxes, in pixels: it covers anti-aliased edges."""
ICON_OF_REDACTED = "icon-of-redacted"
"""Rule of boxes in an icon that repeat the boxes of the image."""
UNREADABLE_WARNING = (
    "burned-in text could not be read (unknown script, or faint or distorted letters): whole lines were covered"
)
MASK = "mask"
"""Rule of regions covered by a mask of the device."""
MASK_WARNING = "burned-in text was not searched for: only the mask regions of a known device were covered"
OUTSIDE_WARNING = "the mask of this device covered nothing: none of its regions lies in the picture"
CODES_WARNING = "QR codes and bar codes in the pixels were not searched for: pip install zxing-cpp"


class PixelRedactor:
    """Covers burned-in text by a plan. Holds only its arguments: picklable, and safe to share among threads.

    Args:
        plan: What to cover.
        ocr: Finds and reads text; by default the engine's own OCR.
        thorough: Also find tiny, faint and rotated text, in several times the time.
        scout: Run a smaller detector first, as `OnnxOcr` does.
        every_frame: Cover the findings of any frame in all frames, for text that fades or flickers.
        workers: Threads that search the frames of a multi-frame instance; by default one per core, or one in a child
            process, whose siblings use the other cores.
        keep_text: For debugging: return the text that was read in `PixelReport.texts`. PHI: never log or store it.
        service_limits: Refuse instances that are too large for the service, instead of adding a warning.
        max_frame_pixels: Refuse frames of more pixels than this.
        masks: Regions to cover by device, in any mode.
        unmasked_only: Search for text only on devices without a mask.

    Raises:
        ConfigError: ``thorough`` or ``scout`` is given with an ``ocr``.
    """

    def __init__(
        self,
        plan: PixelPlan,
        *,
        ocr: Ocr | None = None,
        thorough: bool = False,
        scout: bool = False,
        every_frame: bool = False,
        workers: int | None = None,
        keep_text: bool = False,
        service_limits: bool = False,
        max_frame_pixels: int = 100_000_000,
        masks: Sequence[Mask] = (),
        unmasked_only: bool = False,
    ) -> None:
        self._masks = tuple(masks)
        self._unmasked_only = unmasked_only
        self._plan = plan
        self._policy = Policy(plan)
        self._ocr = ocr
        if ocr is not None and (thorough or scout):
            raise ConfigError("thorough and scout are for the engine's own OCR: leave them out, or leave ocr out")
        self._thorough = thorough
        self._scout = scout
        self._every_frame = every_frame
        self._workers = workers
        self._keep_text = keep_text
        self._service_limits = service_limits
        self.max_frame_pixels = max_frame_pixels

    @border
    def redact(
        self,
        dataset: Dataset,
        inspector: TextInspector | None,
        *,
        removed: Callable[[int], bool] = lambda _: False,
        folder: Path | None = None,
    ) -> PixelReport:
        """Cover the text in a dataset. Elements of *dataset* are replaced, never modified in place.

        A stream value (`io.BufferedIOBase`, which pydicom accepts for large values) is never read as a whole. It is
        replaced by a stream over an unnamed temporary file, and only a few frames are in memory at a time.

        Args:
            dataset: A private copy, with its original header.
            inspector: Finds infoTypes in the text; required by the modes for sensitive text.
            removed: Returns True for top-level tags whose values will not be in the result and need no search.
            folder: Folder of temporary files for streams; by default the system's.

        Raises:
            TypeError: *dataset* is not a pydicom Dataset.
            ValueError: The mode is for sensitive text and *inspector* is None, so next to nothing would be covered.
            UnsupportedPixelsError: The pixels cannot be decoded or written, or exceed the service's limits with
                ``service_limits``.
            ModelNotFoundError: No text model is installed.
        """
        _check_dataset(dataset)
        if inspector is None and self._plan.needs_inspector:
            raise ValueError(
                "this mode covers sensitive text: give the inspector that finds it, TextEngine(...).bind(...)"
            )
        return guarded(lambda: self._redact(dataset, inspector, removed, folder))

    def _redact(
        self,
        dataset: Dataset,
        inspector: TextInspector | None,
        removed: Callable[[int], bool],
        folder: Path | None,
    ) -> PixelReport:
        if not self._plan.looks and not self._masks:
            return PixelReport()
        mask = masked(self._masks, dataset, never=self._unmasked_only)
        if self._plan.looks:
            refuse_what_cannot_be_seen(dataset, removed)
            found = list(targets(dataset, removed))
        else:
            found = [one for one in targets(dataset, removed) if one.is_image or one.is_icon] if mask.known else []
            if not mask.boxes and any(one.is_image for one in found):
                return PixelReport(warnings=(OUTSIDE_WARNING,))
        if not found:
            return PixelReport()
        longest = max(map(_size, found))
        limit = beyond_service_limits(dataset, longest)
        if limit is not None and self._service_limits:
            raise UnsupportedPixelsError(limit, reason="too-large")
        report = _Run(self, dataset, inspector, folder, mask).redact(found)
        return report if limit is None else replace(report, warnings=(*report.warnings, limit))

    @border
    def find(self, dataset: Dataset) -> list[Box]:
        """Return the boxes of text in the first frame of an instance's own image, without covering them.

        Raises:
            TypeError: *dataset* is not a pydicom Dataset.
            UnsupportedPixelsError: The pixels cannot be decoded.
            ModelNotFoundError: No text model is installed.
        """
        _check_dataset(dataset)

        def found() -> list[Box]:
            for target in targets(dataset):
                if target.is_image:
                    element = PixelElement(target, transfer_syntax(dataset), max_pixels=self.max_frame_pixels)
                    windows = Windows(element.layout, dataset)
                    lines = self.look().first_frame(element, windows)
                    return [box.grown(MARGIN).intersection(element.whole) for line in lines for box in line.boxes]
            return []

        return guarded(found)

    def __repr__(self) -> str:
        return f"PixelRedactor({self._plan.scope.name})"

    @property
    def policy(self) -> Policy:
        """Choice of the boxes to cover."""
        return self._policy

    def look(self) -> Look:
        """Return the search settings; the OCR is created at the first call."""
        if self._ocr is None:
            self._ocr = OnnxOcr(thorough=self._thorough, scout=self._scout)
        return Look(self._ocr, self._plan.reads or self._keep_text, self.workers)

    @property
    def workers(self) -> int:
        """Threads that search the frames of an instance."""
        return self._workers or default_workers()

    @property
    def other_provider(self) -> str:
        """Execution provider of the engine's own OCR if it is not the CPU; otherwise empty."""
        providers = self._ocr.providers if isinstance(self._ocr, OnnxOcr) else CPU
        return "" if providers == CPU else providers[0]

    @property
    def looks(self) -> bool:
        """Whether text is searched for."""
        return self._plan.looks

    @property
    def every_frame(self) -> bool:
        """Whether boxes of one frame are covered in all frames."""
        return self._every_frame

    @property
    def keep_text(self) -> bool:
        """Whether the text that was read is returned."""
        return self._keep_text


class _Run:
    """Redaction of one instance."""

    def __init__(
        self,
        redactor: PixelRedactor,
        dataset: Dataset,
        inspector: TextInspector | None,
        folder: Path | None,
        mask: Masked,
    ) -> None:
        self._folder = folder
        self._mask = mask
        self._redactor = redactor
        self._dataset = dataset
        names = lookalike_names(dataset) if inspector is not None else None
        self._inspector = LookalikeInspector(inspector, names) if inspector is not None and names else inspector
        self._syntax = transfer_syntax(dataset)
        self._redactions: list[Redaction] = []
        self._texts: list[ReadText] = []
        self._looks: list[PictureLook] = []

    def redact(self, found: Iterable[Target]) -> PixelReport:
        looked = 0
        opened: list[tuple[PixelElement, Boxes]] = []
        image: tuple[PixelElement | Mosaic, Boxes] | None = None
        unreadable: list[Target] = []
        for target in found:
            try:
                element = PixelElement(
                    target,
                    self._syntax,
                    workers=self._redactor.workers,
                    folder=self._folder,
                    max_pixels=self._redactor.max_frame_pixels,
                )
                view = element if self._redactor.every_frame else view_of(element, self._dataset)
                boxes = self._mask_boxes(element) if target.is_image else {}
                looks = self._redactor.looks and (self._mask.looks or not boxes)  # boxes are only those of masks here
                lines = self._look(element, view, boxes) if looks else 0
                looked += looks
                state: PictureState = "looked" if looks else "masked"
                self._looks.append(PictureLook(target.path, target.kind, state, element.count, lines))
            except UnsupportedPixelsError:
                if not target.is_private:
                    raise
                unreadable.append(target)
                self._looks.append(PictureLook(target.path, target.kind, "removed", 0))
                continue
            if target.is_icon and image is not None:
                self._repeat_in_icon(image, element, boxes)
            opened.append((element, boxes))
            if target.is_image:
                image = view, boxes
        rewriter = Rewriter(self._dataset, self._syntax)
        rewriter.rewrite(opened)
        rewriter.remove(unreadable)
        warnings = list(rewriter.warnings)
        if any(redaction.rule == UNREADABLE for redaction in self._redactions):
            warnings.append(UNREADABLE_WARNING)
        if looked and not finds_codes():
            warnings.append(CODES_WARNING)
        provider = self._redactor.other_provider
        if looked and provider:
            warnings.append(f"burned-in text was searched for on {provider}, which rounds differently from the CPU")
        covered = any(redaction.rule == MASK for redaction in self._redactions)
        masks_alone = covered and self._redactor.looks and not self._mask.looks
        if masks_alone:
            warnings.append(MASK_WARNING)
        if self._mask.known and not covered:
            warnings.append(OUTSIDE_WARNING)
        return PixelReport(
            tuple(self._redactions),
            tuple(rewriter.changes),
            tuple(warnings),
            tuple(self._texts),
            self._redactor.policy.plan.scope is Scope.EVERYTHING and finds_codes() and not masks_alone,
            looked,
            masks_alone,
            tuple(self._looks),
        )

    def _mask_boxes(self, element: PixelElement) -> Boxes:
        """Return the boxes of masks for every frame."""
        boxes: Boxes = {}
        for region in self._mask.boxes:
            inside = element.aligned(region)
            if inside.width > 0 < inside.height:
                for frame in range(element.count):
                    self._record(element, boxes, frame, Cover(inside, MASK, 1.0))
        return boxes

    def _look(self, element: PixelElement, view: PixelElement | Mosaic, boxes: Boxes) -> int:
        """Add the boxes of text to cover in an element; return the number of lines found."""
        target, look = element.target, self._redactor.look()
        windows = None if target.is_overlay else Windows(element.layout, target.dataset)
        lines = look.frames(view, windows)
        found = sum(map(len, lines))
        if self._redactor.keep_text:
            self._texts.extend(
                ReadText(element.target.path, frame, box, line.text or "", line.text_confidence)
                for index, of_frame in enumerate(lines)
                for line in of_frame
                for frame, box in view.places(index, line.box)
            )
        if self._redactor.every_frame:
            lines = in_every_frame(lines)
        shown = ultrasound_regions(self._dataset) if target.is_image else []
        for index, of_frame in enumerate(lines):
            for cover in self._redactor.policy.select(of_frame, self._inspector, shown):
                for frame, place in view.places(index, cover.box.grown(MARGIN)):
                    box = element.aligned(place)
                    if box.area:
                        self._record(element, boxes, frame, Cover(box, cover.rule, cover.confidence))
        return found

    def _repeat_in_icon(self, image: tuple[PixelElement | Mosaic, Boxes], icon: PixelElement, boxes: Boxes) -> None:
        """Cover in the icon what was covered in the image: its text is too small to be found, but may be legible."""
        view, covered = image
        across, down = icon.layout.columns / view.whole.width, icon.layout.rows / view.whole.height
        for box in sorted({view.in_whole(frame, box) for frame, of_frame in covered.items() for box in of_frame}):
            inside = icon.aligned(box.scaled(across, down))
            if inside.area:
                for index in range(icon.count):
                    self._record(icon, boxes, index, Cover(inside, ICON_OF_REDACTED, 1.0))

    def _record(self, element: PixelElement, boxes: Boxes, index: int, cover: Cover) -> None:
        box = cover.box
        boxes.setdefault(index, []).append(box)
        self._redactions.append(
            Redaction(
                index, box.left, box.top, box.width, box.height, cover.rule, cover.confidence, element.target.path
            )
        )


def _check_dataset(given: object) -> None:
    if not isinstance(given, Dataset):
        raise TypeError(f"expected a pydicom Dataset, not {type(given).__name__}")


def _size(target: Target) -> int:
    try:
        return len(storage_of(target.dataset[target.tag].value))
    except UnsupportedPixelsError:  # raised again when the element is opened
        return 0
