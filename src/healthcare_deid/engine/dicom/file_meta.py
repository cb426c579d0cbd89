"""File meta information (PS3.10 section 7.1), always written new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.dataset import FileMetaDataset

from healthcare_deid._version import __version__
from healthcare_deid.engine.dicom.elements import keyword
from healthcare_deid.engine.dicom.uids import MEDIA_STORAGE_SOP_INSTANCE_UID, pad_uid
from healthcare_deid.engine.results import Change, ChangeAction

if TYPE_CHECKING:
    from collections.abc import Iterable

IMPLEMENTATION_CLASS_UID = "2.25.307953160404063265873061326829176217434"
"""Fixed UID of this package, derived from a UUID (PS3.5 annex B.2)."""
# VR SH holds 16 characters (PS3.5 table 6.2-1).
IMPLEMENTATION_VERSION_NAME = f"HCDEID_{__version__}"[:16]
FILE_META_GROUP_LENGTH = 0x00020000
_VERSION = 0x00020001
MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
TRANSFER_SYNTAX_UID = 0x00020010
_IMPLEMENTATION_CLASS = 0x00020012
_IMPLEMENTATION_NAME = 0x00020013

MetaValues = list[tuple[int, str, bytes]]
# Values have even lengths (PS3.5 section 7.1.1).
_OF_THIS_PACKAGE = [
    (_IMPLEMENTATION_CLASS, "UI", pad_uid(IMPLEMENTATION_CLASS_UID)),
    (_IMPLEMENTATION_NAME, "SH", (IMPLEMENTATION_VERSION_NAME + " " * (len(IMPLEMENTATION_VERSION_NAME) % 2)).encode()),
]


def meta_values(instance_uid: str, class_uid: str, syntax: str) -> MetaValues:
    """Return the required file meta elements (PS3.10 section 7.1).

    The group length is left out.
    """
    known_class = [(MEDIA_STORAGE_SOP_CLASS_UID, "UI", pad_uid(class_uid))] if class_uid else []
    return [
        (_VERSION, "OB", b"\x00\x01"),
        *known_class,
        (MEDIA_STORAGE_SOP_INSTANCE_UID, "UI", pad_uid(instance_uid)),
        (TRANSFER_SYNTAX_UID, "UI", pad_uid(syntax)),
        *_OF_THIS_PACKAGE,
    ]


def meta_changes(old: Iterable[tuple[int, str, bytes]], new: MetaValues) -> list[Change]:
    """Return the changes between old and new file meta information.

    Group length and padding do not count.
    """
    # The group length changes with the values, so it is not reported.
    written = {tag: (vr, value) for tag, vr, value in new}
    changes: list[Change] = []

    def note(tag: int, vr: str, action: ChangeAction, length: int, rule: str = "file-meta") -> None:
        changes.append(Change(f"{tag:08X}", keyword(tag), vr, action, rule, length))

    for tag, vr, value in old:
        if tag == FILE_META_GROUP_LENGTH:
            continue
        if tag not in written:
            note(tag, vr, ChangeAction.REMOVED, len(value))
        elif value.strip(b"\0 ") != written.pop(tag)[1].strip(b"\0 "):
            if tag == MEDIA_STORAGE_SOP_INSTANCE_UID:
                note(tag, vr, ChangeAction.REGENERATED, len(value), "uid:primary")
            else:
                note(tag, vr, ChangeAction.REPLACED, len(value))
    for tag, (vr, _) in written.items():
        note(tag, vr, ChangeAction.ADDED, 0)
    return changes


def meta_dataset(values: MetaValues) -> FileMetaDataset:
    """Convert file meta information to a pydicom dataset."""
    meta = FileMetaDataset()
    meta.FileMetaInformationGroupLength = 0  # pydicom corrects the number when it writes, if the element exists
    for tag, vr, value in values:
        meta.add_new(tag, vr, value if vr == "OB" else value.decode("ascii", "replace").strip("\0 "))
    return meta
