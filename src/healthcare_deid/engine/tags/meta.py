"""File meta information and de-identification markers: what is always written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence

from healthcare_deid._version import __version__
from healthcare_deid.engine.records import Change, ChangeAction
from healthcare_deid.engine.tags.elements import keyword
from healthcare_deid.engine.tags.uids import MEDIA_STORAGE_SOP_INSTANCE_UID, pad_uid, uid_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.tags.plan import Plan

IMPLEMENTATION_CLASS_UID = "2.25.307953160404063265873061326829176217434"
"""Of this package: a UUID-derived UID (PS3.5 annex B.2), fixed."""
IMPLEMENTATION_VERSION_NAME = f"HCDEID_{__version__}"[:16]
FILE_META_GROUP_LENGTH = 0x00020000
_VERSION = 0x00020001
MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
TRANSFER_SYNTAX_UID = 0x00020010
_IMPLEMENTATION_CLASS = 0x00020012
_IMPLEMENTATION_NAME = 0x00020013
MARKER_TAGS = (0x00120062, 0x00120063, 0x00120064)
"""Elements that only ever say what was done last: an instance's own are replaced."""
_METHOD_CHARACTERS = 64

CODE_MEANINGS = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
"""Code meanings of PS3.16 CID 7050."""


MetaValues = list[tuple[int, str, bytes]]


def meta_values(instance_uid: str, class_uid: str, syntax: str) -> MetaValues:
    """Return the file meta information that PS3.10 section 7.1 needs, but its length: tag, VR, encoded value."""
    known_class = [(MEDIA_STORAGE_SOP_CLASS_UID, "UI", pad_uid(class_uid))] if class_uid else []
    name = IMPLEMENTATION_VERSION_NAME.encode("ascii")
    return [
        (_VERSION, "OB", b"\x00\x01"),
        *known_class,
        (MEDIA_STORAGE_SOP_INSTANCE_UID, "UI", pad_uid(instance_uid)),
        (TRANSFER_SYNTAX_UID, "UI", pad_uid(syntax)),
        (_IMPLEMENTATION_CLASS, "UI", pad_uid(IMPLEMENTATION_CLASS_UID)),
        (_IMPLEMENTATION_NAME, "SH", name + b" " * (len(name) % 2)),
    ]


def meta_changes(old: Iterable[tuple[int, str, bytes]], new: MetaValues) -> list[Change]:
    """Return what the new file meta information changes of the old one: what goes, and the instance's UID."""
    written = {tag: value for tag, _, value in new}
    changes: list[Change] = []
    for tag, vr, value in old:
        if tag not in written and tag != FILE_META_GROUP_LENGTH:
            changes.append(Change(f"{tag:08X}", keyword(tag), vr, ChangeAction.REMOVED, "file-meta", len(value)))
        elif tag == MEDIA_STORAGE_SOP_INSTANCE_UID and uid_text(value) != uid_text(written[tag]):
            changes.append(Change(f"{tag:08X}", keyword(tag), vr, ChangeAction.REGENERATED, "uid:primary", len(value)))
    return changes


def meta_dataset(values: MetaValues) -> FileMetaDataset:
    """Return file meta information as pydicom has it."""
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # pydicom writes the right number where there is any
    for tag, vr, value in values:
        meta.add_new(tag, vr, value if vr == "OB" else value.decode("ascii", "replace").strip("\0 "))
    return meta


def markers(plan: Plan, *, pixels_cleaned: bool = False, all_text_covered: bool = False) -> Dataset:
    """Return the elements that say an instance was de-identified, and how (PS3.15 section E.1.1, PS3.3 C.7.1.1).

    ``PatientIdentityRemoved`` is YES only for plans that claim it; a plan that keeps identifying tags says nothing.

    Args:
        plan: The plan that was applied.
        pixels_cleaned: Burned-in text was looked for.
        all_text_covered: All of it was covered.
    """
    dataset = Dataset()
    if plan.removes_identity:
        dataset.PatientIdentityRemoved = "YES"
    lines = [f"healthcare-deid {__version__}", *plan.method]
    dataset.DeidentificationMethod = [line[:_METHOD_CHARACTERS] for line in lines]
    codes = {*plan.method_codes, "113101"} if pixels_cleaned and plan.method_codes else {*plan.method_codes}
    items: list[Dataset] = []
    for code in sorted(codes):
        item = Dataset()
        item.CodeValue = code
        item.CodingSchemeDesignator = "DCM"
        item.CodeMeaning = CODE_MEANINGS[code]
        items.append(item)
    if items:
        dataset.DeidentificationMethodCodeSequence = Sequence(items)
    if all_text_covered:
        dataset.BurnedInAnnotation = "NO"
    return dataset


def encoded_elements(dataset: Dataset, *, explicit: bool) -> list[tuple[int, bytes]]:
    """Return each element of a dataset, encoded in little endian."""
    encoded: list[tuple[int, bytes]] = []
    for element in dataset:
        file = DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, not explicit
        write_data_element(file, element)
        encoded.append((int(element.tag), file.getvalue()))
    return encoded


def added(dataset: Dataset) -> list[Change]:
    """Return the record of markers."""
    return [Change(f"{int(mark.tag):08X}", mark.keyword, mark.VR, ChangeAction.ADDED, "marker") for mark in dataset]
