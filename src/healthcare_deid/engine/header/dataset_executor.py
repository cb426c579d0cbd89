"""Executor for pydicom datasets.

It builds a new dataset and leaves the input unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.filebase import DicomBytesIO
from pydicom.fileutil import buffer_length
from pydicom.filewriter import correct_ambiguous_vr_element, write_data_element
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

from healthcare_deid.engine.dicom.charsets import encodings_of
from healthcare_deid.engine.dicom.datasets import rebuilt, shared, value_bytes
from healthcare_deid.engine.dicom.elements import creator_tag, effective_vr, is_private, is_private_creator, keyword
from healthcare_deid.engine.dicom.encoding import ITEM, MAX_DEPTH, holds_items, truncated
from healthcare_deid.engine.header.actions import action_of
from healthcare_deid.engine.plan.rules import DATE_VRS, DROPPING, GOING, Inside, Op, Rule, enters, inside
from healthcare_deid.engine.results import Change
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence as Values_

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.header.fast.run_follower import Noted
    from healthcare_deid.engine.header.values import NewElementValue, Values
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

SPECIFIC_CHARACTER_SET = BaseTag(0x00080005)

_UNDEFINED = 0xFFFFFFFF
_DELIMITERS = 0xFFFE
_PIXELS = 0x7FE0
_VRS = frozenset(str(vr) for vr in VR)


class ElementPlace(NamedTuple):
    """Position of an element in the dataset.

    Attributes:
        source: The dataset around the element: the instance or an item.
        path: Path of that dataset; empty for the instance.
        encodings: Python encodings of its SpecificCharacterSet.
        depth: Number of sequences around it.
        around: Strictest kind of sequence around it.
    """

    source: Dataset
    path: str
    encodings: Values_[str]
    depth: int
    around: Inside


class DatasetExecutor:
    """Applies a plan to one dataset.

    Args:
        values: Source of new values for this instance.
        noted: Tags whose original values are collected.

    Attributes:
        changes: Changes made.
        kept: Number of unchanged elements, including nested ones.
        stayed: Tags of unchanged elements that have a value.
        noted: Elements with the given tags, and dates that the plan does not remove.
        private_kept: Number of private elements kept, not counting private creators.
        creators: Tags and private creators of all levels, as encoded.
    """

    def __init__(self, values: Values, noted: frozenset[int] = frozenset()) -> None:
        self._values = values
        self._plan = values.plan
        self._wanted = noted
        self.changes: list[Change] = []
        self.kept = 0
        self.stayed: list[int] = []
        self.noted: list[Noted] = []
        self.private_kept = 0
        self.creators: set[tuple[int, bytes]] = set()

    def apply(self, source: Dataset) -> Dataset:
        """Return the de-identified copy of a dataset, without its file meta.

        Raises:
            InvalidDicomError: Sequences are nested too deeply, or an element cannot be read.
        """
        return self._dataset(ElementPlace(source, "", ("iso8859",), 0, Inside.TOP))

    def _dataset(self, place: ElementPlace) -> Dataset:
        if place.depth > MAX_DEPTH:
            raise InvalidDicomError(f"sequences are nested more than {MAX_DEPTH} levels deep", reason="too-deep")
        source, parent = place.source, place.encodings
        if SPECIFIC_CHARACTER_SET in source:
            place = place._replace(encodings=encodings_of(value_bytes(source.get_item(SPECIFIC_CHARACTER_SET))))
        self.creators |= creators_in(source)
        elements: dict[BaseTag, DataElement | RawDataElement] = {}
        for tag in sorted(source.keys()):
            new = self._element(source.get_item(tag), place)
            if new is not None:
                elements[tag] = new
        self._drop_empty_blocks(elements, place)
        return rebuilt(source, elements, parent)

    def _drop_empty_blocks(self, elements: dict[BaseTag, DataElement | RawDataElement], place: ElementPlace) -> None:
        """Remove the private creators of blocks that have no element in the new dataset."""
        blocks = {creator_tag(tag) for tag in elements if is_private(tag) and not is_private_creator(tag)}
        for tag in [
            tag for tag in elements if is_private_creator(tag) and tag not in blocks and self._plan.weighs_creator(tag)
        ]:
            rule = self._plan.empty_block(tag, place.around)
            original = place.source.get_item(tag)
            if rule is None or original.VR not in (None, "LO", "UN"):
                continue
            del elements[tag]
            self._forget(f"{place.path}{tag:08X}", tag, has_value=_length(original) > 0)
            self._record(rule, place, tag, "LO", _length(original))

    def _forget(self, path: str, tag: int, *, has_value: bool) -> None:
        """Take back what was counted for an element."""
        change = next((one for one in reversed(self.changes) if one.path == path), None)
        if change is not None:
            self.changes.remove(change)
            return
        self.kept -= 1
        if has_value:
            last = len(self.stayed) - 1 - self.stayed[::-1].index(int(tag))
            del self.stayed[last]

    def _element(
        self, element: DataElement | RawDataElement, place: ElementPlace
    ) -> DataElement | RawDataElement | None:
        _refuse_broken(element)
        element = _with_vr(place.source, element, place.encodings)
        tag = element.tag
        creator = creator_in(place.source, tag) if is_private(tag) else ""
        vr = effective_vr(tag, element.VR, lambda: creator)
        rule = self._plan.rule(tag, vr, creator, place.around)
        if tag in self._wanted or (vr in DATE_VRS and rule.op not in GOING):
            self.noted.append((int(tag), rule.op, value_bytes(element, place.encodings), tuple(place.encodings)))
        if is_private(tag) and not is_private_creator(tag) and rule.op not in DROPPING:
            self.private_kept += 1
        if rule.op == Op.REWRITE and rule.beneath is not None:
            old = value_bytes(element, place.encodings)
            rewritten = self._values.rewritten(rule, int(tag), vr, old, place.encodings)
            if rewritten is not None:
                return self._changed(element, vr, rule, place, rewritten if rewritten.value != old else None)
            rule = rule.beneath
        if rule.op == Op.DELETE:
            self._record(rule, place, tag, vr, _length(element))
            return None
        if vr == "SQ":
            return self._sequence(element, rule, place)
        if vr == "UN" and rule.op == Op.KEEP and (value := value_bytes(element)).startswith(ITEM):
            if holds_items(value):
                return self._hidden(element, self._plan.rule(tag, "SQ", creator, place.around), place)
            return self._changed(element, vr, rule, place, self._values.malformed())
        if tag.group == _PIXELS and rule.op == Op.KEEP:
            return self._kept(element)
        old = value_bytes(element, place.encodings)
        return self._changed(element, vr, rule, place, self._values.new_value(rule, int(tag), vr, old, place.encodings))

    def _changed(
        self,
        element: DataElement | RawDataElement,
        vr: str,
        rule: Rule,
        place: ElementPlace,
        new: NewElementValue | None,
    ) -> DataElement | RawDataElement:
        """Return an element with its new value, or unchanged if *new* is None."""
        if new is None:
            return self._kept(element)
        self._record(rule._replace(reason=new.reason), place, element.tag, vr, _length(element))
        return _raw(element.tag, vr, new.value, place.source)

    def _sequence(
        self, element: DataElement | RawDataElement, rule: Rule, place: ElementPlace
    ) -> DataElement | RawDataElement | None:
        tag = element.tag
        if rule.op != Op.EMPTY and not _is_understood(element, place.source):
            self._record(Rule(Op.EMPTY, self._values.malformed().reason), place, tag, "SQ", _length(element))
            return DataElement(tag, "SQ", Sequence())
        if enters(rule.op):
            return self._entered(element, rule, place)
        if rule.op == Op.KEEP or (rule.op == Op.EMPTY and not _length(element)):
            return self._kept(element)
        self._record(rule, place, tag, "SQ", _length(element))
        return None if rule.op == Op.DELETE else DataElement(tag, "SQ", Sequence())

    def _entered(
        self, element: DataElement | RawDataElement, rule: Rule, place: ElementPlace
    ) -> DataElement | RawDataElement:
        """Apply the plan to the items of a sequence."""
        before = len(self.changes)
        parsed = (
            convert_raw_data_element(element, encoding=list(place.encodings), ds=place.source)
            if isinstance(element, RawDataElement)
            else element
        )
        items = cast("Sequence", parsed.value) if parsed.value is not None else Sequence()
        around = inside(place.around, rule.op)
        done = [
            self._dataset(
                ElementPlace(item, f"{place.path}{element.tag:08X}[{index}]/", place.encodings, place.depth + 1, around)
            )
            for index, item in enumerate(items)
        ]
        unchanged = len(self.changes) == before
        self._count(element.tag, has_value=bool(done) and unchanged)
        # An unchanged raw sequence is written as it was, which keeps its encoding exactly.
        little = place.source.original_encoding[1] is not False
        if unchanged and isinstance(element, RawDataElement) and little:
            return element
        new = DataElement(element.tag, "SQ", Sequence(done))
        new.is_undefined_length = parsed.is_undefined_length
        return new

    def _hidden(
        self, element: DataElement | RawDataElement, rule: Rule, place: ElementPlace
    ) -> DataElement | RawDataElement | None:
        """Treat a sequence hidden in an element of VR UN.

        Its VR and length encoding stay.
        """
        old = value_bytes(element)
        before = len(self.changes)
        raw = RawDataElement(element.tag, "SQ", len(old), old, 0, is_implicit_VR=True, is_little_endian=True)
        new = self._sequence(raw, rule, place)
        if new is None or len(self.changes) == before:
            return None if new is None else shared(element)
        file = DicomBytesIO()
        file.is_little_endian = file.is_implicit_VR = True
        write_data_element(file, cast("DataElement", new), list(place.encodings))
        return _raw(element.tag, "UN", file.getvalue()[8:], place.source)

    def _kept(self, element: DataElement | RawDataElement) -> DataElement | RawDataElement:
        """Return an element unchanged, and count it."""
        self._count(element.tag, has_value=_length(element) > 0)
        return shared(element)

    def _count(self, tag: int, *, has_value: bool) -> None:
        self.kept += 1
        if has_value:
            self.stayed.append(int(tag))

    def _record(self, rule: Rule, place: ElementPlace, tag: int, vr: str, length: int) -> None:
        path = f"{place.path}{tag:08X}"
        self.changes.append(Change(path, keyword(tag), vr, action_of(rule.op, rule.reason), rule.reason, length))


def _is_understood(element: DataElement | RawDataElement, source: Dataset) -> bool:
    """Return whether a raw sequence consists of complete items."""
    if not isinstance(element, RawDataElement) or not element.value or source.original_encoding[1] is False:
        return True
    return holds_items(element.value, explicit=not element.is_implicit_VR)


def removes(plan: TagPlan, dataset: Dataset, tag: int) -> bool:
    """Return whether a top-level element's value is absent from the result.

    It is deleted, emptied or replaced by a placeholder.
    """
    creator = creator_in(dataset, tag) if is_private(tag) else ""
    vr = effective_vr(tag, dataset.get_item(BaseTag(tag)).VR, lambda: creator)
    # A sequence with op DUMMY keeps items, but no pictures in them: binary values get placeholders.
    return plan.rule(tag, vr, creator).op in (Op.DELETE, Op.EMPTY, Op.DUMMY)


def _refuse_broken(element: DataElement | RawDataElement) -> None:
    """Raise InvalidDicomError for damage that pydicom accepts.

    This means values cut off by the end of the file, stray delimiters and unknown VRs.
    """
    if element.tag.group == _DELIMITERS:
        raise InvalidDicomError("an item delimiter stands where an element should", reason="broken")
    if isinstance(element, RawDataElement) and element.VR is not None and element.VR not in _VRS:
        raise InvalidDicomError("an element has a VR that does not exist", reason="broken")
    if isinstance(element, RawDataElement) and element.value is not None:
        whole = element.length in (_UNDEFINED, len(element.value))
        if not whole:
            raise truncated()


def _with_vr(
    source: Dataset, element: DataElement | RawDataElement, encodings: Values_[str]
) -> DataElement | RawDataElement:
    """Convert an implicit VR element in explicit VR data.

    It cannot be written as it is.
    """
    if not isinstance(element, RawDataElement) or source.original_encoding[0] is not False:
        return element
    if element.is_implicit_VR or element.VR is None:
        converted = convert_raw_data_element(element, encoding=list(encodings), ds=source)
        return correct_ambiguous_vr_element(converted, source, bool(source.original_encoding[1]))
    return element


def _raw(tag: int, vr: str, value: bytes, source: Dataset) -> RawDataElement:
    implicit, little = source.original_encoding
    return RawDataElement(BaseTag(tag), vr, len(value), value, 0, bool(implicit), little is not False)


def creator_in(source: Dataset, tag: int) -> str:
    """Return the private creator of an element's block, or an empty string.

    For a private creator element this is its own value.
    """
    element = tag & 0xFFFF
    owner = tag if element < 0x100 else creator_tag(tag)
    if owner not in source:
        return ""
    found = source.get_item(owner)
    if found.VR not in (None, "LO", "UN"):
        return ""  # a private creator has VR LO (PS3.5 section 7.8.1)
    value = value_bytes(found)
    return value.strip(b" \0").decode("latin-1")


def creators_in(source: Dataset) -> set[tuple[int, bytes]]:
    """Return tags and private creators of a dataset's own level, as encoded."""
    creators = (int(tag) for tag in source.keys() if is_private_creator(int(tag)))  # noqa: SIM118 - iterating gives elements
    return {(tag, creator_in(source, tag).encode("latin-1")) for tag in creators}


def _length(element: DataElement | RawDataElement) -> int:
    if isinstance(element, RawDataElement):
        return len(element.value) if element.value is not None else element.length
    if element.VR == "SQ":
        return len(element.value) if element.value is not None else 0
    return buffer_length(element.value) if element.is_buffered else len(value_bytes(element))
