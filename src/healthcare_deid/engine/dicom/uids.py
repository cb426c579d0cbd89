"""UIDs: their form, and the elements that hold them (PS3.5 section 9)."""

from __future__ import annotations

import re

from pydicom._dicom_dict import DicomDictionary

_PADDING = b"\0 "
_MAX_UID = 64
_UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")

STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E
SOP_INSTANCE_UID = 0x00080018
MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
PRIMARY_UIDS = (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID, MEDIA_STORAGE_SOP_INSTANCE_UID)


def _ui_tags(pattern: str) -> frozenset[int]:
    words = re.compile(pattern)
    return frozenset(tag for tag, row in DicomDictionary.items() if row[0] == "UI" and words.search(row[4]))


REFERENCE_TAGS = _ui_tags(r"InstanceUID") | {0x00080058}
"""Elements that hold the UID of a study, series or instance, at any depth. (0008,0058) is a list of instances."""

CLASS_TAGS = _ui_tags(
    r"SOPClass|(?<!Device)ClassUID|TransferSyntax|CodingSchemeUID|ContextUID|ContextGroup|MappingResourceUID|PrivateInformationCreator"
)
"""Elements whose UID names a kind of thing, never a thing: no rule regenerates them."""


def uid_text(value: bytes) -> str:
    """Return a UID without its padding."""
    return value.strip(_PADDING).decode("ascii", "surrogateescape")


def is_uid(text: str) -> bool:
    """Return whether a text has the form of a UID (PS3.5 section 9.1); leading zeros, which occur, are let pass."""
    return len(text) <= _MAX_UID and _UID_FORM.fullmatch(text) is not None


def pad_uid(text: str) -> bytes:
    """Encode a UI value, padded by NUL to an even length (PS3.5 section 9.1)."""
    value = text.encode("ascii", "surrogateescape")
    return value + b"\0" if len(value) % 2 else value
