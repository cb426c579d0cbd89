"""Proposals of masks, learned from the text that the OCR finds on several instances of a device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from healthcare_deid.engine.geometry import merged
from healthcare_deid.engine.pixels.cover.element import PixelElement
from healthcare_deid.engine.pixels.frames.targets import targets, transfer_syntax
from healthcare_deid.engine.pixels.masks.conditions import text_of
from healthcare_deid.engine.pixels.masks.device_masks import MANUFACTURER, MODALITY, MODEL, DeviceMask
from healthcare_deid.engine.pixels.redactor import PixelRedactor
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.find.ocr import Ocr

FEWEST = 2
"""Number of instances that must have text in the same place for it to be proposed."""
_FRAME_COLOR = (255, 64, 0)
_LINE_WIDTH = 3


class Device(NamedTuple):
    """Attributes that identify a device and the size of its images."""

    manufacturer: str
    model: str
    modality: str
    rows: int
    columns: int


@dataclass
class Proposal:
    """A proposed mask of a device, for a person to approve.

    Attributes:
        device: The device.
        instances: Number of instances searched.
        mask: The mask; None if no text was found in the same place twice.
        picture: One of the instances with the regions framed. PHI: review it only on a machine that may hold PHI.
    """

    device: Device
    instances: int
    mask: DeviceMask | None
    picture: Image.Image


@dataclass
class _Seen:
    counts: NDArray[np.uint16]
    picture: NDArray[np.uint8]
    boxes: set[Box] = field(default_factory=set["Box"])
    instances: int = 0


def propose(instances: Iterable[Dataset], *, ocr: Ocr | None = None) -> list[Proposal]:
    """Return a proposal for every device with at least two instances.

    Args:
        instances: Datasets with their original headers; those without pixels, or whose pixels cannot be decoded, are
            skipped.
        ocr: Finds the text; by default the engine's own OCR.
    """
    redactor = PixelRedactor(PixelPlan(Scope.EVERYTHING), ocr=ocr)
    seen: dict[Device, _Seen] = {}
    for dataset in instances:
        try:
            _look(dataset, redactor, seen)
        except EngineError:
            continue
    return [_proposal(device, found) for device, found in sorted(seen.items()) if found.instances >= FEWEST]


def _look(dataset: Dataset, redactor: PixelRedactor, seen: dict[Device, _Seen]) -> None:
    image = next((target for target in targets(dataset) if target.is_image), None)
    if image is None:
        return
    boxes = redactor.find(dataset)
    element = PixelElement(image, transfer_syntax(dataset))
    texts = [text_of(dataset, tag) for tag in (MANUFACTURER, MODEL, MODALITY)]
    device = Device(texts[0], texts[1], texts[2], element.layout.rows, element.layout.columns)
    if not any(texts):
        return
    if device not in seen:
        shape = (device.rows, device.columns)
        seen[device] = _Seen(np.zeros(shape, np.uint16), element.pictures(element.words(0))[0])
    found = seen[device]
    here = np.zeros(found.counts.shape, bool)
    for box in boxes:
        here[box.top : box.bottom, box.left : box.right] = True
    found.counts += here
    found.boxes.update(boxes)
    found.instances += 1


def _proposal(device: Device, found: _Seen) -> Proposal:
    again = [box for box in found.boxes if (found.counts[box.top : box.bottom, box.left : box.right] >= FEWEST).any()]
    regions = merged(again)
    picture = Image.fromarray(found.picture)
    draw = ImageDraw.Draw(picture)
    for box in regions:
        draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), outline=_FRAME_COLOR, width=_LINE_WIDTH)
    mask = DeviceMask(regions, **device._asdict()) if regions else None
    return Proposal(device, found.instances, mask, picture)
