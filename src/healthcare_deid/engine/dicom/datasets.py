"""pydicom datasets: copies that leave the original untouched, and encoded values."""

from __future__ import annotations

import copy
from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any

from pydicom.charset import default_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from healthcare_deid.engine.dicom.charsets import CHARSET_VRS, write_text
from healthcare_deid.engine.dicom.encoding import ITEM
from healthcare_deid.engine.dicom.sidedata import PIXEL_TAGS
from healthcare_deid.engine.dicom.uids import uid_text

if TYPE_CHECKING:
    from collections.abc import Sequence as Values_

# Group 7FE0 in little and big endian.
_PIXEL_GROUPS = (b"\xe0\x7f", b"\x7f\xe0")


def rebuilt(
    source: Dataset,
    elements: dict[BaseTag, DataElement | RawDataElement],
    parent_encodings: Values_[str] = ("iso8859",),
) -> Dataset:
    """Make a dataset of these elements, encoded like the source."""
    # Setting items one by one would convert private elements, and a changed character set would re-encode every text.
    target = Dataset(elements, parent_encoding=list(parent_encodings))
    implicit, little = source.original_encoding
    target.set_original_encoding(implicit, little, target._character_set)
    if hasattr(source, "is_undefined_length_sequence_item"):
        target.is_undefined_length_sequence_item = source.is_undefined_length_sequence_item
    return target


def shared(element: DataElement | RawDataElement) -> DataElement | RawDataElement:
    """Return an element that another dataset can hold safely.

    Raw elements are immutable and shared. Of others, every mutable part is copied.
    """
    if isinstance(element, RawDataElement):
        return element
    if element.VR == "SQ" or isinstance(element.value, MutableSequence):
        return copy.deepcopy(element)
    copied = DataElement(element.tag, element.VR, element.value, already_converted=True)
    # Readers take a value of VR UN and undefined length for a sequence (PS3.5 section 6.2.2, note 3).
    is_opaque = element.VR == "UN" and isinstance(element.value, bytes) and not element.value.startswith(ITEM)
    copied.is_undefined_length = element.is_undefined_length and not is_opaque
    return copied


def value_bytes(element: DataElement | RawDataElement, encodings: Values_[str] = (default_encoding,)) -> bytes:
    """Return an element's value as encoded in little endian.

    Text that the encodings lack characters for is encoded in UTF-8: pydicom would write question marks, which hide it.
    """
    if isinstance(element, RawDataElement):
        return element.value or b""
    if isinstance(element.value, bytes):
        return element.value
    if element.VR in CHARSET_VRS and not (text := _text_of(element)).isascii():
        try:
            return write_text(text, element.VR, encodings, text)
        except UnicodeError:
            value = text.encode("utf-8", "replace")
            return value + b" " * (len(value) % 2)
    file = DicomBytesIO()
    file.is_little_endian = True
    file.is_implicit_VR = False
    write_data_element(file, element, list(encodings))
    return file.getvalue()[12 if element.VR in EXPLICIT_VR_LENGTH_32 else 8 :]


def _text_of(element: DataElement) -> str:
    value = element.value
    return "\\".join(map(str, value)) if isinstance(value, MutableSequence) else str(value or "")


def value_of(dataset: Dataset, tag: int, encodings: Values_[str] = (default_encoding,)) -> bytes:
    """Return an encoded value of a dataset.

    Returns empty bytes if the element is absent.
    """
    return value_bytes(dataset.get_item(BaseTag(tag)), encodings) if tag in dataset else b""


def items(dataset: Dataset) -> list[tuple[BaseTag, Any]]:
    """Return the elements in tag order, without converting raw ones."""
    return [(tag, dataset.get_item(tag)) for tag in sorted(dataset.keys())]


def private_copy(dataset: Dataset) -> Dataset:
    """Return a copy whose elements can be replaced without changing the original."""
    copied = rebuilt(dataset, {tag: shared(item) for tag, item in items(dataset)})
    old_meta: Dataset | None = getattr(dataset, "file_meta", None)
    if old_meta is not None:
        copied.file_meta = FileMetaDataset({tag: shared(item) for tag, item in items(old_meta)})
    return copied


def uid_of(dataset: Dataset, tag: int) -> str:
    """Return a UID of a dataset.

    Returns an empty string if it is absent.
    """
    if tag not in dataset:
        return ""
    return uid_text(value_bytes(dataset.get_item(BaseTag(tag))))


def may_hold_pictures(dataset: Dataset) -> bool:
    """Return whether there may be pixel data at any depth, without converting raw elements. False is certain."""
    for tag, element in items(dataset):
        if int(tag) in PIXEL_TAGS:
            return True
        if isinstance(element, RawDataElement):
            if isinstance(element.value, bytes) and any(group in element.value for group in _PIXEL_GROUPS):
                return True
        elif element.VR == "SQ" and any(map(may_hold_pictures, element.value)):
            return True
    return False


def guessed_syntax(source: Dataset) -> str:
    """Return the transfer syntax of a dataset without a TransferSyntaxUID."""
    implicit, little = source.original_encoding
    if little is False:
        return str(ExplicitVRBigEndian)
    return str(ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
