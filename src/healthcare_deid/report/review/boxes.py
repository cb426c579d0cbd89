"""Boxes chosen by a person: covering more in a result, or exactly these in an original."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import UID

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.cover.element import PixelElement
from healthcare_deid.engine.pixels.cover.rewrite import Rewriter
from healthcare_deid.engine.pixels.find.mosaic import view_of
from healthcare_deid.engine.pixels.find.policy import UNREADABLE
from healthcare_deid.engine.pixels.frames.targets import targets, transfer_syntax
from healthcare_deid.engine.pixels.redactor import ICON_OF_REDACTED, UNREADABLE_WARNING, PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan
from healthcare_deid.engine.results import PixelReport, Redaction
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.cover.element import Boxes
    from healthcare_deid.engine.pixels.frames.targets import Target
    from healthcare_deid.engine.results import Change, PictureLook
    from healthcare_deid.engine.text.match import TextInspector

Rectangle = tuple[int, int, int, int, int]
"""A box: frame from 0, left column, top row, width and height."""
REVIEWER = "reviewer"
"""Rule of boxes that a person added in a review."""
CHOSEN_WARNING = "a person uncovered parts of the picture in a review, and text in them was not looked for again"


class NotPossibleError(ValueError):
    """A reviewer's request that cannot be carried out. Its text quotes no data."""


class ChosenBoxes(PixelRedactor):
    """Redactor that covers given boxes and looks for no text.

    Args:
        boxes: Boxes to cover, in elements of the original.
        looks: Outcome for every picture when text was looked for.
        workers: Threads that encode the frames of an instance.
        max_frame_pixels: Refuse frames of more pixels than this.
    """

    def __init__(
        self,
        boxes: Sequence[Redaction],
        looks: Sequence[PictureLook],
        *,
        workers: int | None = None,
        max_frame_pixels: int = 100_000_000,
    ) -> None:
        super().__init__(PixelPlan(), workers=workers, max_frame_pixels=max_frame_pixels)
        self._boxes = tuple(boxes)
        self._looks = {look.path: look for look in looks}

    def _redact(
        self, dataset: Dataset, inspector: TextInspector | None, removed: Callable[[int], bool], folder: Path | None
    ) -> PixelReport:
        """Cover the boxes (see `redact`).

        Raises:
            EngineError: A box is in a picture that the instance does not have.
            UnsupportedPixelsError: The pixels cannot be decoded or written.
        """
        opened: list[tuple[PixelElement, Boxes]] = []
        unreadable: list[Target] = []
        wanted = {box.path for box in self._boxes}
        for target in targets(dataset, removed):
            look = self._looks.get(target.path)
            if look is not None and look.state == "removed":
                unreadable.append(target)
            elif look is not None or target.path in wanted:
                element = PixelElement(
                    target,
                    transfer_syntax(dataset),
                    workers=self.workers,
                    folder=folder,
                    max_pixels=self.max_frame_pixels,
                )
                opened.append((element, self._boxes_of(element)))
        if wanted - {element.target.path for element, _ in opened}:
            raise EngineError("a recorded box is in a picture that the original does not have")
        rewriter = Rewriter(dataset, transfer_syntax(dataset))
        rewriter.rewrite(opened)
        rewriter.remove(unreadable)
        warnings = [*rewriter.warnings, CHOSEN_WARNING]
        if any(box.rule == UNREADABLE for box in self._boxes):
            warnings.append(UNREADABLE_WARNING)
        looks = tuple(self._looks.values())
        return PixelReport(
            self._boxes,
            tuple(rewriter.changes),
            tuple(warnings),
            pictures=sum(1 for look in looks if look.state == "looked"),
            masks_alone=any(look.kind == "image" and look.state == "masked" for look in looks),
            looks=looks,
        )

    def _boxes_of(self, element: PixelElement) -> Boxes:
        boxes: Boxes = {}
        for one in self._boxes:
            if one.path == element.target.path:
                if not 0 <= one.frame < element.count:
                    raise EngineError("a recorded box is in a frame that the original does not have")
                place = element.aligned(Box(one.x, one.y, one.x + one.width, one.y + one.height))
                boxes.setdefault(one.frame, []).append(place)
        return boxes


def cover(dataset: Dataset, rectangles: Sequence[Rectangle]) -> tuple[list[Redaction], list[Change]]:
    """Cover rectangles in an instance's own image and in its icon. Nothing outside them changes.

    Args:
        dataset: Private copy of the result.
        rectangles: Rectangles to cover.

    Returns:
        Redactions, and changes to elements.

    Raises:
        NotPossibleError: There is no image, or a rectangle is not in it.
        UnsupportedPixelsError: The pixels cannot be decoded or written.
    """
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    found = [target for target in targets(dataset) if target.is_image or target.is_icon]
    image = next((PixelElement(target, syntax) for target in found if target.is_image), None)
    if image is None:
        raise NotPossibleError("the result has no image")
    boxes: Boxes = {}
    for frame, x, y, width, height in rectangles:
        box = Box(x, y, x + width, y + height).clipped(image.layout.columns, image.layout.rows)
        if not 0 <= frame < image.count or not box.area:
            raise NotPossibleError("the rectangle is not in the picture")
        boxes.setdefault(frame, []).append(image.aligned(box))
    opened = [(image, boxes)]
    view = view_of(image, dataset)
    places = [view.in_whole(frame, box) for frame, of_frame in boxes.items() for box in of_frame]
    for target in found:
        if target.is_icon:
            icon = PixelElement(target, syntax)
            across, down = icon.layout.columns / view.whole.width, icon.layout.rows / view.whole.height
            inside = [icon.aligned(box.scaled(across, down)) for box in places]
            opened.append((icon, dict.fromkeys(range(icon.count), inside)))
    rewriter = Rewriter(dataset, syntax)
    rewriter.rewrite(opened)
    redactions = [
        Redaction(
            frame,
            box.left,
            box.top,
            box.width,
            box.height,
            REVIEWER if element is image else ICON_OF_REDACTED,
            1.0,
            element.target.path,
        )
        for element, of_element in opened
        for frame, of_frame in of_element.items()
        for box in of_frame
    ]
    return redactions, rewriter.changes
