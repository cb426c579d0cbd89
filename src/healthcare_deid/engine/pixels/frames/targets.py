"""Elements of an instance that hold pictures: pixel data and overlay planes, also in sequence items."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from struct import pack
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import UID, ImplicitVRLittleEndian
from pydicom.values import convert_SQ

from healthcare_deid.engine.results import Change, ChangeAction
from healthcare_deid.errors import UnsupportedPixelsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from healthcare_deid.engine.results import PictureKind

_ENCAPSULATED_DOCUMENT = 0x00420011
_PIXEL_DATA_PROVIDER_URL = 0x00287FE0
PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = (PIXEL_DATA, 0x7FE00008, 0x7FE00009)
"""Pixel Data, Float Pixel Data, Double Float Pixel Data (PS3.3 C.7.6.3, C.7.6.24, C.7.6.25)."""
OVERLAY_TAGS = tuple((group << 16) | 0x3000 for group in range(0x6000, 0x6020, 2))
"""Overlay Data of the sixteen overlay planes (PS3.3 C.9.2)."""
_ITEM = b"\xfe\xff\x00\xe0"
_PICTURES = tuple(pack("<HH", tag >> 16, tag & 0xFFFF) for tag in (*PIXEL_TAGS, *OVERLAY_TAGS))
"""Tags of pictures as encoded in a sequence of unknown VR: Implicit VR Little Endian (PS3.5 section 6.2.2)."""
UNREADABLE_RULE = "unreadable-picture"
"""Rule of a change that removes a private picture that cannot be decoded."""
ICON_SEQUENCE = BaseTag(0x00880200)

Step = tuple[BaseTag, int]
"""Tag of a sequence, and the index of an item in it."""


@dataclass(frozen=True, slots=True)
class Target:
    """One element that holds a picture.

    Attributes:
        dataset: Dataset or sequence item with the element.
        tag: Tag of the element.
        steps: Path from the instance to that dataset.
        readable: False for an element of unknown VR that seems to hold pictures but cannot be parsed.
    """

    dataset: Dataset
    tag: int
    steps: tuple[Step, ...] = ()
    readable: bool = True

    @property
    def path(self) -> str:
        """Path of the element, as in `healthcare_deid.engine.results.Change`."""
        return self.path_of(self.tag)

    def path_of(self, tag: int) -> str:
        """Return the path of an element of the same dataset."""
        return "".join(f"{step:08X}[{index}]/" for step, index in self.steps) + f"{tag:08X}"

    @property
    def is_overlay(self) -> bool:
        """Whether the element is an overlay plane."""
        return self.tag in OVERLAY_TAGS

    @property
    def is_image(self) -> bool:
        """Whether the element is the instance's own image."""
        return not self.steps and not self.is_overlay

    @property
    def is_private(self) -> bool:
        """Whether the element or a sequence around it is private: the image can be displayed without it."""
        return bool(self.tag >> 16 & 1) or any(step.is_private for step, _ in self.steps)

    @property
    def kind(self) -> PictureKind:
        """Kind of picture."""
        if self.is_private:
            return "private"
        if self.is_icon:
            return "icon"
        if self.is_overlay:
            return "overlay"
        return "nested" if self.steps else "image"

    @property
    def is_icon(self) -> bool:
        """Whether the element is an icon of the instance's own image."""
        return len(self.steps) == 1 and self.steps[0][0] == ICON_SEQUENCE


def targets(
    dataset: Dataset, skipped: Callable[[int], bool] = lambda _: False, steps: tuple[Step, ...] = ()
) -> Iterator[Target]:
    """Yield every element that holds a picture, outermost first.

    Args:
        dataset: The instance.
        skipped: Returns True for top-level tags that will be removed and need no search.
        steps: Path from the instance to *dataset*.
    """
    tags = sorted(tag for tag in dataset.keys() if not skipped(int(tag)))  # noqa: SIM118 - a Dataset iterates elements
    for tag in tags:
        if (int(tag) in PIXEL_TAGS or int(tag) in OVERLAY_TAGS) and not _is_empty(dataset.get_item(tag)):
            yield Target(dataset, int(tag), steps)
    for tag in tags:
        try:
            items = _items(dataset, tag)
        except UnsupportedPixelsError:
            unreadable = Target(dataset, int(tag), steps, readable=False)
            if not unreadable.is_private:
                raise
            yield unreadable
            continue
        for index, item in enumerate(items):
            yield from targets(item, steps=(*steps, (tag, index)))


def refuse_what_cannot_be_seen(dataset: Dataset, removed: Callable[[int], bool]) -> None:
    """Raise unless all pictures and pages that stay in the instance can be searched.

    Raises:
        UnsupportedPixelsError: The instance holds an encapsulated document, or its pixel data is elsewhere.
    """
    if _ENCAPSULATED_DOCUMENT in dataset and not removed(_ENCAPSULATED_DOCUMENT):
        raise UnsupportedPixelsError(
            "the instance holds a document (0042,0011) whose pages cannot be searched for text",
            reason="encapsulated-document",
        )
    if _PIXEL_DATA_PROVIDER_URL in dataset and not removed(_PIXEL_DATA_PROVIDER_URL):
        raise UnsupportedPixelsError("the pixel data is elsewhere (0028,7FE0) and cannot be searched for text")


def transfer_syntax(dataset: Dataset) -> UID:
    """Return an instance's transfer syntax; without file meta, the one that matches its original encoding."""
    meta: Any = getattr(dataset, "file_meta", None)
    named = meta.get("TransferSyntaxUID") if meta is not None else None
    if named:
        return UID(str(named))
    implicit, little = dataset.original_encoding
    if implicit is False:
        return UID("1.2.840.10008.1.2.1") if little is not False else UID("1.2.840.10008.1.2.2")
    return ImplicitVRLittleEndian


def remove_unreadable(root: Dataset, target: Target) -> tuple[Change, str]:
    """Remove a private picture that cannot be decoded; return the change and a warning."""
    owner = owned_item(root, target.steps)
    value: object = owner.get_item(target.tag).value
    vr, length = str(owner.get_item(target.tag).VR or "UN"), len(value) if isinstance(value, Sized) else 0
    del owner[target.tag]
    keyword = keyword_for_tag(target.tag)
    change = Change(target.path, keyword, vr, ChangeAction.REMOVED, UNREADABLE_RULE, length)
    return change, f"a private picture that could not be decoded was removed: {target.path}"


def owned_item(root: Dataset, steps: tuple[Step, ...]) -> Dataset:
    """Return a writable dataset at a path: sequences on the way are copied, and their items copied shallowly."""
    dataset = root
    for tag, index in steps:
        items = [_shallow(item) for item in _items(dataset, tag)]
        new = DataElement(tag, "SQ", Sequence(items), already_converted=True)
        new.is_undefined_length = dataset[tag].is_undefined_length
        dataset[tag] = new
        dataset = new.value[index]
    return dataset


def _shallow(item: Dataset) -> Dataset:
    copied = Dataset({tag: item.get_item(tag) for tag in item.keys()})  # noqa: SIM118 - see above
    implicit, little = item.original_encoding
    copied.set_original_encoding(implicit, little, item.original_character_set)
    copied.is_undefined_length_sequence_item = getattr(item, "is_undefined_length_sequence_item", False)
    return copied


def _is_empty(element: DataElement | RawDataElement) -> bool:
    if isinstance(element, RawDataElement):
        return element.length == 0
    return element.is_empty


def _items(dataset: Dataset, tag: BaseTag) -> Iterable[Dataset]:
    """Return the items of a sequence, also if only its value shows that it is one."""
    element = dataset.get_item(tag)
    if _may_be_sequence(element):
        return (dataset[tag].value or ()) if dataset[tag].VR == "SQ" else ()
    if element.VR not in (None, "UN") or not isinstance(element.value, bytes):
        return ()
    if not element.value.startswith(_ITEM) or not any(picture in element.value for picture in _PICTURES):
        return ()
    if dataset.original_encoding[1] is False:
        raise UnsupportedPixelsError("pictures in an element of unknown VR cannot be read in big endian")
    try:
        return convert_SQ(element.value, is_implicit_VR=True, is_little_endian=True)
    except Exception:  # noqa: BLE001 - a broken value raises anything, with its bytes in the text
        raise UnsupportedPixelsError("an element of unknown VR seems to hold pictures and cannot be read") from None


def _may_be_sequence(element: DataElement | RawDataElement) -> bool:
    if element.VR == "SQ":
        return True
    if not isinstance(element, RawDataElement) or element.VR not in (None, "UN"):
        return False
    if element.tag.is_private:
        return element.length in (0xFFFFFFFF, None)
    try:
        return dictionary_VR(element.tag) == "SQ"
    except KeyError:
        return element.length in (0xFFFFFFFF, None)
