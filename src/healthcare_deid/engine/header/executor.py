"""The executor for pydicom datasets. Builds a new dataset; the input, and every element in it, stays as it is."""

from __future__ import annotations

import copy
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any, cast

from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.fileutil import buffer_length
from pydicom.filewriter import correct_ambiguous_vr_element, write_data_element
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from healthcare_deid.engine.dicom.elements import MAX_DEPTH, creator_tag, effective_vr, is_private, keyword
from healthcare_deid.engine.dicom.unknown import UNREAD, holds_items
from healthcare_deid.engine.header.actions import ACTIONS
from healthcare_deid.engine.header.fast.level import ITEM
from healthcare_deid.engine.header.values import Values, encodings_of
from healthcare_deid.engine.identity.uids import uid_text
from healthcare_deid.engine.plan.tags import Inside, Op, inside
from healthcare_deid.engine.records import Change
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence as Values_

    from healthcare_deid.engine.plan.tags import Rule, TagPlan

SPECIFIC_CHARACTER_SET = BaseTag(0x00080005)

_UNDEFINED = 0xFFFFFFFF
_DELIMITERS = 0xFFFE
_VRS = frozenset(str(vr) for vr in VR)


class DatasetExecutor:
    """Applies a plan to one dataset.

    Args:
        values: New values, for this instance.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._plan = values.plan
        self.changes: list[Change] = []
        self.kept = 0

    def apply(self, source: Dataset) -> Dataset:
        """Return the de-identified copy of a dataset, without its file meta.

        Raises:
            InvalidDicomError: Sequences are nested too deep, or an element cannot be read.
        """
        return self._dataset(source, "", ("iso8859",), 0, Inside.TOP)

    def _dataset(self, source: Dataset, path: str, encodings: Values_[str], depth: int, around: Inside) -> Dataset:
        if depth > MAX_DEPTH:
            raise InvalidDicomError(f"sequences are nested more than {MAX_DEPTH} deep", reason="too-deep")
        parent = encodings
        if SPECIFIC_CHARACTER_SET in source:
            encodings = encodings_of(value_bytes(source.get_item(SPECIFIC_CHARACTER_SET)))
        elements: dict[BaseTag, DataElement | RawDataElement] = {}
        for tag in sorted(source.keys()):
            new = self._element(source, source.get_item(tag), path, encodings, depth, around)
            if new is not None:
                elements[tag] = new
        return rebuilt(source, elements, parent)

    def _element(
        self,
        source: Dataset,
        element: DataElement | RawDataElement,
        path: str,
        encodings: Values_[str],
        depth: int,
        around: Inside,
    ) -> DataElement | RawDataElement | None:
        _refuse_broken(element)
        element = _with_vr(source, element, encodings)
        tag = element.tag
        creator = _creator(source, tag) if is_private(tag) else ""
        vr = effective_vr(tag, element.VR, lambda: creator)
        rule = self._plan.rule(tag, vr, creator, around)
        if rule.op == Op.KEEP and vr == "UN" and (value := value_bytes(element)).startswith(ITEM):
            if holds_items(value):
                sequence = self._plan.rule(tag, "SQ", creator, around)
                return self._hidden(source, element, sequence, path, encodings, depth, around)
            self._values.warn(UNREAD)
        op = rule.op
        if op == Op.KEEP:
            self.kept += 1
            return shared(element)
        if op == Op.DELETE:
            self._record(rule, path, tag, vr, _length(element))
            return None
        if vr == "SQ":
            return self._sequence(source, element, rule, path, encodings, depth, around)
        old = value_bytes(element, encodings)
        new = self._values.new_value(rule, int(tag), vr, old, encodings)
        if new is None:
            self.kept += 1
            return shared(element)
        self._record(rule._replace(reason=new.reason), path, tag, vr, len(old))
        return _raw(tag, vr, new.value, source)

    def _sequence(
        self,
        source: Dataset,
        element: DataElement | RawDataElement,
        rule: Rule,
        path: str,
        encodings: Values_[str],
        depth: int,
        around: Inside,
    ) -> DataElement | RawDataElement:
        tag = element.tag
        if rule.op == Op.EMPTY:
            if not _length(element):
                self.kept += 1
                return shared(element)
            self._record(rule, path, tag, "SQ", _length(element))
            return DataElement(tag, "SQ", Sequence())
        before = len(self.changes)
        within = inside(around, rule.op)
        parsed = (
            convert_raw_data_element(element, encoding=list(encodings), ds=source)
            if isinstance(element, RawDataElement)
            else element
        )
        items = cast("Sequence", parsed.value) if parsed.value is not None else Sequence()
        done: list[Dataset] = []
        for index, item in enumerate(items):
            place = f"{path}{tag:08X}[{index}]/"
            done.append(self._dataset(item, place, encodings, depth + 1, within))
        self.kept += 1
        if len(self.changes) == before and isinstance(element, RawDataElement):
            return element
        new = DataElement(tag, "SQ", Sequence(done))
        new.is_undefined_length = parsed.is_undefined_length
        return new

    def _hidden(
        self,
        source: Dataset,
        element: DataElement | RawDataElement,
        rule: Rule,
        path: str,
        encodings: Values_[str],
        depth: int,
        around: Inside,
    ) -> DataElement | RawDataElement | None:
        """Do with a sequence of unknown VR what is done with one; its VR and its form of length stay."""
        old = value_bytes(element)
        if rule.op == Op.DELETE:
            self._record(rule, path, element.tag, "SQ", len(old))
            return None
        if rule.op == Op.KEEP:
            self.kept += 1
            return shared(element)
        before = len(self.changes)
        raw = RawDataElement(element.tag, "SQ", len(old), old, 0, is_implicit_VR=True, is_little_endian=True)
        new = self._sequence(source, raw, rule, path, encodings, depth, around)
        if len(self.changes) == before:
            return shared(element)
        file = DicomBytesIO()
        file.is_little_endian = file.is_implicit_VR = True
        write_data_element(file, cast("DataElement", new), list(encodings))
        return _raw(element.tag, "UN", file.getvalue()[8:], source)

    def _record(self, rule: Rule, path: str, tag: int, vr: str, length: int) -> None:
        self.changes.append(Change(f"{path}{tag:08X}", keyword(tag), vr, ACTIONS[rule.op], rule.reason, length))


def removes(plan: TagPlan, dataset: Dataset, tag: int) -> bool:
    """Return whether a plan deletes an element of the top level, as it is written there."""
    creator = _creator(dataset, tag) if is_private(tag) else ""
    vr = effective_vr(tag, dataset.get_item(BaseTag(tag)).VR, lambda: creator)
    return plan.rule(tag, vr, creator).op is Op.DELETE


def _refuse_broken(element: DataElement | RawDataElement) -> None:
    """Notice what pydicom lets pass: values cut off by the end of the file, stray delimiters, unheard-of VRs."""
    if element.tag.group == _DELIMITERS:
        raise InvalidDicomError("an item delimiter stands where an element should", reason="broken")
    if isinstance(element, RawDataElement) and element.VR is not None and element.VR not in _VRS:
        raise InvalidDicomError("an element has a VR that does not exist", reason="broken")
    if isinstance(element, RawDataElement) and element.value is not None:
        whole = element.length in (_UNDEFINED, len(element.value))
        if not whole:
            raise InvalidDicomError("the data ends inside an element", reason="truncated")


def _with_vr(
    source: Dataset, element: DataElement | RawDataElement, encodings: Values_[str]
) -> DataElement | RawDataElement:
    """Convert an element that is implicit in data said to be explicit: it cannot be written as it is."""
    if isinstance(element, RawDataElement) and element.is_implicit_VR and source.original_encoding[0] is False:
        converted = convert_raw_data_element(element, encoding=list(encodings), ds=source)
        return correct_ambiguous_vr_element(converted, source, bool(source.original_encoding[1]))
    return element


def rebuilt(
    source: Dataset,
    elements: dict[BaseTag, DataElement | RawDataElement],
    parent_encodings: Values_[str] = ("iso8859",),
) -> Dataset:
    """Return a dataset of these elements that pydicom will write as it would the source.

    Setting items one by one would convert private elements, and a changed character set would re-encode every text.
    """
    target = Dataset(elements, parent_encoding=list(parent_encodings))
    implicit, little = source.original_encoding
    target.set_original_encoding(implicit, little, target._character_set)
    if hasattr(source, "is_undefined_length_sequence_item"):
        target.is_undefined_length_sequence_item = source.is_undefined_length_sequence_item
    return target


def shared(element: DataElement | RawDataElement) -> DataElement | RawDataElement:
    """Return an element for another dataset: raw ones are immutable; of others, all that can be changed is copied."""
    if isinstance(element, RawDataElement):
        return element
    if element.VR == "SQ" or isinstance(element.value, MutableSequence):
        return copy.deepcopy(element)
    copied = DataElement(element.tag, element.VR, element.value, already_converted=True)
    copied.is_undefined_length = element.is_undefined_length
    return copied


def _raw(tag: int, vr: str, value: bytes, source: Dataset) -> RawDataElement:
    implicit, little = source.original_encoding
    return RawDataElement(BaseTag(tag), vr, len(value), value, 0, bool(implicit), little is not False)


def _creator(source: Dataset, tag: int) -> str:
    element = tag & 0xFFFF
    owner = tag if element < 0x100 else creator_tag(tag)
    if owner not in source:
        return ""
    value = value_bytes(source.get_item(owner))
    return value.strip(b" \0").decode("latin-1")


def _length(element: DataElement | RawDataElement) -> int:
    if isinstance(element, RawDataElement):
        return len(element.value) if element.value is not None else element.length
    if element.VR == "SQ":
        return len(element.value) if element.value is not None else 0
    return buffer_length(element.value) if element.is_buffered else len(value_bytes(element))


def value_bytes(element: DataElement | RawDataElement, encodings: Values_[str] = (default_encoding,)) -> bytes:
    """Return an element's value as it is, or would be, written in little endian."""
    if isinstance(element, RawDataElement):
        return element.value or b""
    if isinstance(element.value, bytes):
        return element.value
    file = DicomBytesIO()
    file.is_little_endian = True
    file.is_implicit_VR = False
    write_data_element(file, element, list(encodings))
    return file.getvalue()[12 if element.VR in EXPLICIT_VR_LENGTH_32 else 8 :]


def items(dataset: Dataset) -> list[tuple[BaseTag, Any]]:
    """Return the elements in tag order, raw ones as they are."""
    return [(tag, dataset.get_item(tag)) for tag in sorted(dataset.keys())]


def private_copy(dataset: Dataset) -> Dataset:
    """Return a dataset whose elements can be replaced without a trace in the original."""
    copied = rebuilt(dataset, {tag: shared(item) for tag, item in items(dataset)})
    old_meta: Dataset | None = getattr(dataset, "file_meta", None)
    if old_meta is not None:
        copied.file_meta = FileMetaDataset({tag: shared(item) for tag, item in items(old_meta)})
    return copied


def uid_of(dataset: Dataset, tag: int) -> str:
    """Return a UID of a dataset, empty where it has none."""
    if tag not in dataset:
        return ""
    return uid_text(value_bytes(dataset.get_item(BaseTag(tag))))


def guessed_syntax(source: Dataset) -> str:
    """Return the transfer syntax of a dataset whose file meta does not say it."""
    implicit, little = source.original_encoding
    if little is False:
        return str(ExplicitVRBigEndian)
    return str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
