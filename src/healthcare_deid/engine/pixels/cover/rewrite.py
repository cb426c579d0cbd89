"""Writing of covered elements to the dataset, and update of the attributes that depend on pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from healthcare_deid.engine.dicom.sidedata import EXCESS, EXCESS_RULE
from healthcare_deid.engine.dicom.transfer_syntaxes import transfer_syntax
from healthcare_deid.engine.pixels.frames.codecs.encoders import NotEncodableError, why_native
from healthcare_deid.engine.pixels.frames.encapsulated import EncapsulatedFrames
from healthcare_deid.engine.pixels.frames.targets import owned_item, remove_unreadable
from healthcare_deid.engine.results import Change, ChangeAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.pixels.cover.element import Boxes, PixelElement
    from healthcare_deid.engine.pixels.frames.targets import Target

RULE = "image"
"""Rule of changes to covered pixel data."""
REWRITTEN_RULE = "rewritten-without-loss"
"""Rule of changes that follow from lossless rewriting, such as another transfer syntax."""

CONTRADICTION_RULE = "contradiction"
"""Rule of changes to attributes that contradicted the pixel data."""
WRONG_COLOR = "Photometric Interpretation did not match the length of the pixel data and was corrected"
WRONG_DEPTH = "the frames hold values beyond Bits Stored: Bits Stored and High Bit were corrected"

_TRANSFER_SYNTAX = 0x00020010
_PHOTOMETRIC = 0x00280004
_PLANAR = 0x00280006
_SMALLEST, _LARGEST = 0x00280106, 0x00280107
_LOSSY = 0x00282110
_OFFSET_TABLES = (0x7FE00001, 0x7FE00002)


class Rewriter:
    """Writes covered elements to a dataset.

    Args:
        dataset: A private copy of the instance.
        syntax: Its transfer syntax.

    Attributes:
        changes: Changes to elements so far.
        warnings: Warnings so far.
    """

    def __init__(self, dataset: Dataset, syntax: UID) -> None:
        self._dataset = dataset
        self._syntax = syntax
        self.changes: list[Change] = []
        self.warnings: list[str] = []

    def rewrite(self, elements: Sequence[tuple[PixelElement, Boxes]]) -> None:
        """Cover the boxes of every element. Elements without boxes stay, unless the transfer syntax has to change."""
        encoded = self._encoded(elements)
        native = encoded is None
        for element, boxes in elements:
            becomes_native = native and element.encapsulated
            if not boxes and not becomes_native and not element.excess and not element.corrections:
                continue
            owner = owned_item(self._dataset, element.target.steps)
            self._correct(owner, element)
            if becomes_native:
                self._make_native(owner, element, boxes)
            elif boxes or element.excess:
                for new in (encoded or {}).get(element.target.path) or element.rewritten(boxes):
                    owner[new.tag] = new
            tag, action = element.target.tag, ChangeAction.PIXELS_REDACTED
            if element.excess:
                self._record(element, tag, element.vr, action, EXCESS_RULE, element.length)
                self.warnings.append(EXCESS)
            if boxes:
                self._record(element, tag, element.vr, action, RULE, element.length)
                self._update_attributes(owner, element, boxes, native=becomes_native)
        if native:
            self._change_syntax()

    def remove(self, unreadable: Iterable[Target]) -> None:
        """Remove private pictures that cannot be decoded."""
        for target in unreadable:
            change, warning = remove_unreadable(self._dataset, target)
            self.changes.append(change)
            self.warnings.append(warning)

    def _encoded(self, elements: Sequence[tuple[PixelElement, Boxes]]) -> dict[str, list[DataElement]] | None:
        """Return the new compressed elements by path, or None if one of them cannot be encoded."""
        touched = [
            (element, boxes) for element, boxes in elements if element.encapsulated and (boxes or element.excess)
        ]
        if any(element.must_become_native and boxes for element, boxes in touched):
            return None
        try:
            return {element.target.path: element.rewritten(boxes) for element, boxes in touched}
        except NotEncodableError:
            return None

    def _correct(self, owner: Dataset, element: PixelElement) -> None:
        """Correct the attributes that contradict the pixel data."""
        for tag, value in element.corrections.items():
            self._set(owner, element, tag, "CS" if tag == _PHOTOMETRIC else "US", value, CONTRADICTION_RULE)
        if element.corrections:
            self.warnings.append(WRONG_COLOR if _PHOTOMETRIC in element.corrections else WRONG_DEPTH)

    def _make_native(self, owner: Dataset, element: PixelElement, boxes: Boxes) -> None:
        owner[element.target.tag] = element.native(boxes)
        self._set(owner, element, _PHOTOMETRIC, "CS", element.layout.photometric, REWRITTEN_RULE)
        if element.layout.samples > 1:
            self._set(owner, element, _PLANAR, "US", 0, REWRITTEN_RULE)
        for tag in _OFFSET_TABLES:
            if tag in owner:
                self._record(element, tag, "OV", ChangeAction.REMOVED, REWRITTEN_RULE, len(owner[tag].value))
                del owner[tag]

    def _update_attributes(self, owner: Dataset, element: PixelElement, boxes: Boxes, *, native: bool) -> None:
        frames = element.frames
        if isinstance(frames, EncapsulatedFrames) and frames.new_photometric and not native:
            self._set(owner, element, _PHOTOMETRIC, "CS", frames.new_photometric, REWRITTEN_RULE)
        if element.layout.samples == 1 and not element.target.is_overlay and {_SMALLEST, _LARGEST} & set(owner.keys()):
            for tag, value in zip((_SMALLEST, _LARGEST), element.extremes(boxes), strict=True):
                if tag in owner:
                    self._set(owner, element, tag, str(owner[tag].VR), value, RULE)

    def _change_syntax(self) -> None:
        known = transfer_syntax(self._syntax)
        may_be_lossy = known is None or not known.lossless
        if may_be_lossy and str(self._dataset.get("LossyImageCompression") or "") != "01":
            self._dataset[_LOSSY] = DataElement(_LOSSY, "CS", "01")
            self.changes.append(
                Change(f"{_LOSSY:08X}", "LossyImageCompression", "CS", ChangeAction.ADDED, REWRITTEN_RULE)
            )
        old: Any = getattr(self._dataset, "file_meta", None) or FileMetaDataset()
        meta = FileMetaDataset({tag: old.get_item(tag) for tag in old.keys()})  # noqa: SIM118 - it iterates elements
        meta[_TRANSFER_SYNTAX] = DataElement(_TRANSFER_SYNTAX, "UI", ExplicitVRLittleEndian)
        self._dataset.file_meta = meta
        self.changes.append(
            Change(
                f"{_TRANSFER_SYNTAX:08X}",
                "TransferSyntaxUID",
                "UI",
                ChangeAction.REPLACED,
                REWRITTEN_RULE,
                len(self._syntax),
            )
        )
        self.warnings.append(why_native(self._syntax))

    def _set(self, owner: Dataset, element: PixelElement, tag: int, vr: str, value: Any, rule: str) -> None:
        old: Any = owner[tag].value if tag in owner else None
        if old == value:
            return
        action = ChangeAction.REPLACED if tag in owner else ChangeAction.ADDED
        owner[tag] = DataElement(tag, vr, value)
        self._record(element, tag, vr, action, rule, 0 if old is None else len(str(old)))

    def _record(self, element: PixelElement, tag: int, vr: str, action: ChangeAction, rule: str, length: int) -> None:
        path = element.target.path_of(tag)
        self.changes.append(Change(path, keyword_for_tag(tag), vr, action, rule, length))
