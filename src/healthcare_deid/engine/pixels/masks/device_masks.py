"""Masks: rectangles to cover, and the devices to whose images they apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.masks.conditions import AllOf, Condition, Relation, Test
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataset import Dataset

Ocr = Literal["also", "never"]
WHOLE_PICTURE = Box(0, 0, 1 << 30, 1 << 30)
"""A region larger than any picture."""
MANUFACTURER, _STATION, MODALITY, _IMAGE_TYPE, MODEL = 0x00080070, 0x00081010, 0x00080060, 0x00080008, 0x00081090
_ROWS, _COLUMNS = 0x00280010, 0x00280011
_ULTRASOUND_REGIONS = "SequenceOfUltrasoundRegions"
_REGION_ENDS = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


@dataclass(frozen=True, slots=True)
class Mask:
    """Regions, and the condition under which they are covered.

    Attributes:
        condition: Selects the instances.
        regions: Regions to cover.
        kept: Regions to keep, which are cut out of the covered ones.
        keeps_ultrasound_regions: Whether the instance's own ultrasound regions (0018,6011) are kept too.
        covers_ultrasound_regions: Whether the instance's own ultrasound regions are covered.
        ocr: ``"also"`` searches for text as well; ``"never"`` only covers the regions, at no cost.
    """

    condition: Condition
    regions: tuple[Box, ...]
    kept: tuple[Box, ...] = ()
    keeps_ultrasound_regions: bool = False
    covers_ultrasound_regions: bool = False
    ocr: Ocr = "also"

    def boxes(self, dataset: Dataset) -> list[Box]:
        """Return the boxes to cover in an instance for which the condition holds."""
        own = ultrasound_regions(dataset)
        kept = [*self.kept, *(own if self.keeps_ultrasound_regions else ())]
        regions = [*self.regions, *(own if self.covers_ultrasound_regions else ())]
        for hole in kept:
            regions = [part for region in regions for part in _without(region, hole)]
        return regions


@dataclass(frozen=True, slots=True)
class DeviceMask:
    """Regions to cover in the images of a device. An instance has to match every given attribute.

    Texts are compared without case, and without spaces at their ends.

    Attributes:
        regions: Regions to cover, in pixels: left, top, right and bottom (exclusive).
        manufacturer: Manufacturer (0008,0070).
        model: Manufacturer's Model Name (0008,1090).
        station: Station Name (0008,1010).
        modality: Modality (0008,0060).
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        image_type: Values that Image Type (0008,0008) must contain.
        ocr: ``"also"`` searches for text as well; ``"never"`` only covers the regions, at no cost. A picture in which
            none of them lies is searched anyway.

    Raises:
        ConfigError: A region or an attribute that names the device is missing, or a value has the wrong type.
    """

    regions: Sequence[Box]
    manufacturer: str = ""
    model: str = ""
    station: str = ""
    modality: str = ""
    rows: int | None = None
    columns: int | None = None
    image_type: Sequence[str] = field(default=())
    ocr: Ocr = "also"

    def __post_init__(self) -> None:
        if not self.regions or not all(map(_is_region, self.regions)):
            raise ConfigError(
                "masks: a mask needs regions, each a box of four whole numbers, none negative, and not empty"
            )
        if isinstance(self.image_type, str):
            raise ConfigError("masks: image_type must be a list of strings")
        given: list[Any] = [self.manufacturer, self.model, self.station, self.modality]
        texts = [text for text in given if text != ""] + list(self.image_type)
        # A blank text would match every instance without that attribute.
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ConfigError(
                "masks: manufacturer, model, station, modality and image_type must be strings that are not blank"
            )
        if not all(size is None or type(size) is int for size in (self.rows, self.columns)):
            raise ConfigError("masks: rows and columns must be whole numbers")
        if self.ocr not in get_args(Ocr):
            raise ConfigError('masks: ocr must be "also" or "never"')
        if not self._tests():
            raise ConfigError("masks: a mask needs at least one attribute that names its device, such as manufacturer")

    @property
    def mask(self) -> Mask:
        """The mask with its attributes as a condition on the header."""
        return Mask(AllOf(tuple(self._tests())), tuple(Box(*region) for region in self.regions), ocr=self.ocr)

    def _tests(self) -> list[Test]:
        given: list[tuple[int, str | int | None]] = [
            (MANUFACTURER, self.manufacturer),
            (MODEL, self.model),
            (_STATION, self.station),
            (MODALITY, self.modality),
            (_ROWS, self.rows),
            (_COLUMNS, self.columns),
            *((_IMAGE_TYPE, value) for value in self.image_type),
        ]
        return [
            Test(tag, Relation.EQUALS, str(value), each=tag == _IMAGE_TYPE)
            for tag, value in given
            if value not in ("", None)
        ]


@dataclass(frozen=True, slots=True)
class Masked:
    """Outcome of the masks for one instance.

    Attributes:
        boxes: Boxes to cover in its image.
        known: Whether a mask matches its device.
        looks: Whether text is searched for as well.
    """

    boxes: tuple[Box, ...] = ()
    known: bool = False
    looks: bool = True


def masked(masks: Iterable[Mask], dataset: Dataset, *, never: bool = False) -> Masked:
    """Return the combined regions of all masks that match an instance.

    Args:
        masks: The masks.
        dataset: The instance.
        never: Do not search for text on any known device, whatever its masks say.
    """
    mine = [mask for mask in masks if mask.condition.holds(dataset)]
    boxes = dict.fromkeys(box for mask in mine for box in mask.boxes(dataset))
    looks = not mine or not (never or all(mask.ocr == "never" for mask in mine))
    return Masked(tuple(boxes), bool(mine), looks)


def ultrasound_regions(dataset: Dataset) -> list[Box]:
    """Return the ultrasound regions (0018,6011) of an instance (PS3.3 C.8.5.5); empty if it has none."""
    boxes = map(_region, _items(dataset))
    return [box for box in boxes if box is not None and box.area]


def _is_region(given: Sequence[int]) -> bool:
    """Return True if a region is four whole numbers, none negative, and not empty."""
    numbers = tuple(given)
    return len(numbers) == 4 and all(type(one) is int and one >= 0 for one in numbers) and Box(*numbers).area > 0


def _region(item: Any) -> Box | None:
    try:
        left, top, right, bottom = (int(item[name].value) for name in _REGION_ENDS)
    except Exception:  # noqa: BLE001 - an item with missing or broken attributes is ignored
        return None
    return Box(left, top, right + 1, bottom + 1)  # PS3.3 C.8.5.5: both corners belong to the region


def _items(dataset: Dataset) -> Iterable[Any]:
    try:
        return dataset.get(_ULTRASOUND_REGIONS) or ()
    except Exception:  # noqa: BLE001 - see above
        return ()


def _without(box: Box, hole: Box) -> Iterator[Box]:
    """Yield boxes that together hold a box without a hole."""
    inner = box.intersection(hole)
    if not inner.area:
        yield box
        return
    for part in (
        box._replace(bottom=inner.top),
        box._replace(top=inner.bottom),
        Box(box.left, inner.top, inner.left, inner.bottom),
        Box(inner.right, inner.top, box.right, inner.bottom),
    ):
        if part.area:
            yield part
