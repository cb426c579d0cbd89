"""File meta information and de-identification markers: what is always written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from healthcare_deid._version import __version__
from healthcare_deid.engine.records import Change, ChangeAction
from healthcare_deid.engine.tags.elements import keyword
from healthcare_deid.engine.tags.uids import MEDIA_STORAGE_SOP_INSTANCE_UID

if TYPE_CHECKING:
    from collections.abc import Sequence as Sequence_

    from healthcare_deid.engine.tags.plan import Plan

IMPLEMENTATION_CLASS_UID = "2.25.307953160404063265873061326829176217434"
"""Of this package: a UUID-derived UID (PS3.5 annex B.2), fixed."""
IMPLEMENTATION_VERSION_NAME = f"HCDEID_{__version__}"[:16]
_WRITTEN = frozenset({0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013})
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


def new_file_meta(
    old: Dataset | None, new_uid: str, class_uid: str, transfer_syntax: str
) -> tuple[FileMetaDataset, list[Change]]:
    """Write file meta information that holds what PS3.10 section 7.1 needs, and nothing of the old one besides.

    Args:
        old: The old file meta, for the record of what went.
        new_uid: The new SOP Instance UID.
        class_uid: SOP Class UID.
        transfer_syntax: Transfer syntax UID; empty means Explicit VR Little Endian.
    """
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = class_uid
    meta.MediaStorageSOPInstanceUID = new_uid
    meta.TransferSyntaxUID = transfer_syntax or ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    changes: list[Change] = []
    for element in old or ():
        tag = int(element.tag)
        if tag not in _WRITTEN:
            changes.append(Change(f"{tag:08X}", keyword(tag), element.VR, ChangeAction.REMOVED, "file-meta"))
        elif tag == MEDIA_STORAGE_SOP_INSTANCE_UID and str(element.value) != new_uid:
            length = len(str(element.value))
            changes.append(Change(f"{tag:08X}", keyword(tag), "UI", ChangeAction.REGENERATED, "uid:primary", length))
    return meta, changes


def markers(plan: Plan, extra_codes: Sequence_[str] = ()) -> Dataset:
    """Return the elements that say an instance was de-identified, and how (PS3.15 section E.1.1, PS3.3 C.7.1.1).

    ``PatientIdentityRemoved`` is YES only for plans that claim it; a plan that keeps identifying tags says nothing.

    Args:
        plan: The plan that was applied.
        extra_codes: Further codes of CID 7050, such as 113101 after the pixels were cleaned.
    """
    dataset = Dataset()
    if plan.removes_identity:
        dataset.PatientIdentityRemoved = "YES"
    lines = [f"healthcare-deid {__version__}", *plan.method]
    dataset.DeidentificationMethod = [line[:_METHOD_CHARACTERS] for line in lines]
    items: list[Dataset] = []
    for code in sorted({*plan.method_codes, *extra_codes}):
        item = Dataset()
        item.CodeValue = code
        item.CodingSchemeDesignator = "DCM"
        item.CodeMeaning = CODE_MEANINGS[code]
        items.append(item)
    if items:
        dataset.DeidentificationMethodCodeSequence = Sequence(items)
    return dataset
