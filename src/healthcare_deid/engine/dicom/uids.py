"""UIDs: form, padding, and the elements that hold them (PS3.5 section 9)."""

from __future__ import annotations

import re

from pydicom._dicom_dict import DicomDictionary

_PADDING = b"\0 "
# PS3.5 section 9.1.
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
"""Elements that hold UIDs of studies, series or instances, at any depth.

(0008,0058) Failed SOP Instance UID List is one of them.
"""

CLASS_TAGS = _ui_tags(
    r"SOPClass|(?<!Device)ClassUID|TransferSyntax|CodingSchemeUID|ContextUID|ContextGroup|MappingResourceUID|PrivateInformationCreator"
)
"""Elements whose UID names a class, a transfer syntax or a context group, so it is never regenerated."""


def uid_text(value: bytes) -> str:
    """Return a UID without its padding."""
    return value.strip(_PADDING).decode("ascii", "surrogateescape")


def is_uid(text: str) -> bool:
    """Return whether a text has the form of a UID (PS3.5 section 9.1).

    Leading zeros in a component are invalid but occur, so they are accepted.
    """
    return len(text) <= _MAX_UID and _UID_FORM.fullmatch(text) is not None


def pad_uid(text: str) -> bytes:
    """Encode a UI value, padded with NUL (PS3.5 section 9.1)."""
    value = text.encode("ascii", "surrogateescape")
    return value + b"\0" if len(value) % 2 else value
