"""Masks: rectangles, and the devices on whose images they are covered."""

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
"""A region that is as large as any picture."""
MANUFACTURER, _STATION, MODALITY, _IMAGE_TYPE, MODEL = 0x00080070, 0x00081010, 0x00080060, 0x00080008, 0x00081090
_ROWS, _COLUMNS = 0x00280010, 0x00280011
_ULTRASOUND_REGIONS = "SequenceOfUltrasoundRegions"
_REGION_ENDS = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")


@dataclass(frozen=True, slots=True)
class Mask:
    """Regions, and the condition under which they are covered.

    Attributes:
        condition: Of which instances.
        regions: What is covered.
        kept: What is left all the same: it is cut out of the regions.
        keeps_ultrasound_regions: Whether the instance's own ultrasound regions (0018,6011) are left too.
        covers_ultrasound_regions: Whether they are covered.
        ocr: ``"also"`` looks for text besides; ``"never"`` covers the regions alone, at no cost.
    """

    condition: Condition
    regions: tuple[Box, ...]
    kept: tuple[Box, ...] = ()
    keeps_ultrasound_regions: bool = False
    covers_ultrasound_regions: bool = False
    ocr: Ocr = "also"

    def boxes(self, dataset: Dataset) -> list[Box]:
        """Return what is covered of an instance that the condition is true of."""
        own = ultrasound_regions(dataset)
        kept = [*self.kept, *(own if self.keeps_ultrasound_regions else ())]
        regions = [*self.regions, *(own if self.covers_ultrasound_regions else ())]
        for hole in kept:
            regions = [part for region in regions for part in _without(region, hole)]
        return regions


@dataclass(frozen=True, slots=True)
class DeviceMask:
    """Regions of the images of a device: every attribute that is given has to be the instance's.

    Texts are compared without regard to capitals and to spaces at their ends.

    Attributes:
        regions: What is covered.
        manufacturer: Manufacturer (0008,0070).
        model: Manufacturer's Model Name (0008,1090).
        station: Station Name (0008,1010).
        modality: Modality (0008,0060).
        rows: Rows (0028,0010).
        columns: Columns (0028,0011).
        image_type: Values that are among those of Image Type (0008,0008).
        ocr: ``"also"`` looks for text besides; ``"never"`` covers the regions alone, at no cost. A picture that none of
            them lies in is looked at all the same.

    Raises:
        ConfigError: There is no region, nothing says of which device, or something is of another type.
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
            raise ConfigError("masks: a mask needs regions, each with a size, inside the picture")
        if isinstance(self.image_type, str):
            raise ConfigError("masks: image_type is a list of texts")
        given: list[Any] = [self.manufacturer, self.model, self.station, self.modality]
        texts = [text for text in given if text != ""] + list(self.image_type)
        # A blank text would be equal to what an instance does not say.
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ConfigError("masks: what a device is told by are texts, and none of spaces alone")
        if not all(size is None or type(size) is int for size in (self.rows, self.columns)):
            raise ConfigError("masks: rows and columns are whole numbers")
        if self.ocr not in get_args(Ocr):
            raise ConfigError('masks: ocr is "also" or "never"')
        if not self._tests():
            raise ConfigError("masks: a mask has to say of which device it is")

    @property
    def mask(self) -> Mask:
        """The same, as a condition on the header."""
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
        boxes: What is covered in its image.
        known: Whether a mask is of its device.
        looks: Whether text is looked for in it besides.
    """

    boxes: tuple[Box, ...] = ()
    known: bool = False
    looks: bool = True


def masked(masks: Iterable[Mask], dataset: Dataset, *, never: bool = False) -> Masked:
    """Return what masks say of an instance: the regions of all that are of its device.

    Args:
        masks: The masks.
        dataset: The instance.
        never: Whether no text is looked for on any known device.
    """
    mine = [mask for mask in masks if mask.condition.holds(dataset)]
    boxes = dict.fromkeys(box for mask in mine for box in mask.boxes(dataset))
    looks = not mine or not (never or all(mask.ocr == "never" for mask in mine))
    return Masked(tuple(boxes), bool(mine), looks)


def ultrasound_regions(dataset: Dataset) -> list[Box]:
    """Return where the image is in an ultrasound machine's picture (PS3.3 C.8.5.5); empty where it does not say."""
    boxes = map(_region, _items(dataset))
    return [box for box in boxes if box is not None and box.area]


def _is_region(given: Sequence[int]) -> bool:
    """Say whether a region is four whole numbers, none negative, and holds something."""
    numbers = tuple(given)
    return len(numbers) == 4 and all(type(one) is int and one >= 0 for one in numbers) and Box(*numbers).area > 0


def _region(item: Any) -> Box | None:
    try:
        left, top, right, bottom = (int(item[name].value) for name in _REGION_ENDS)
    except Exception:  # noqa: BLE001 - an item without its attributes, or with broken ones, says nothing
        return None
    return Box(left, top, right + 1, bottom + 1)  # both ends are in the region


def _items(dataset: Dataset) -> Iterable[Any]:
    try:
        return dataset.get(_ULTRASOUND_REGIONS) or ()
    except Exception:  # noqa: BLE001 - see above
        return ()


def _without(box: Box, hole: Box) -> Iterator[Box]:
    """Yield boxes that hold all of a box but what another one takes."""
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
