"""`DicomConfig`: tag filters and UIDs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from healthcare_deid.config.base.field_types import Flag, Items, Tag
from healthcare_deid.config.base.message import Message, OneOf


class TagFilterProfile(StrEnum):
    """A predefined tag filter. Source: v1 ``DicomConfig.filterProfile``."""

    TAG_FILTER_PROFILE_UNSPECIFIED = "TAG_FILTER_PROFILE_UNSPECIFIED"
    """No profile: the same as `KEEP_ALL_PROFILE`."""
    MINIMAL_KEEP_LIST_PROFILE = "MINIMAL_KEEP_LIST_PROFILE"
    """Keep only the tags required in valid DICOM."""
    ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    """Remove by DICOM PS3.15 2018e, Table E.1-1, Basic Application Level Confidentiality Profile."""
    KEEP_ALL_PROFILE = "KEEP_ALL_PROFILE"
    """Keep every tag."""
    DEIDENTIFY_TAG_CONTENTS = "DEIDENTIFY_TAG_CONTENTS"
    """Keep every tag and transform sensitive text in it (see `TextConfig`)."""


def _not_empty(tags: tuple[str, ...]) -> tuple[str, ...]:
    if not tags:
        raise ValueError("needs at least one tag: what the service does with an empty list is not documented")
    return tags


class TagFilterList(Message):
    """Tags to keep or to remove. Source: v1 ``TagFilterList``."""

    tags: Annotated[Items[Tag], AfterValidator(_not_empty)]
    """Tags by keyword (``PatientID``) or number (``00100010``, ``(0010,0010)``, ``0x00100010``, a pydicom tag)."""


class DicomConfig(OneOf):
    """Handling of DICOM metadata, by one filter. Source: v1 ``DicomConfig``."""

    one_of: ClassVar[tuple[str, ...]] = ("keep_list", "remove_list", "filter_profile")

    keep_list: TagFilterList | None = None
    """Keep these tags and those required in valid DICOM; remove every other."""
    remove_list: TagFilterList | None = None
    """Remove these tags; keep every other."""
    filter_profile: TagFilterProfile | None = None
    """A predefined filter; unset means `TagFilterProfile.KEEP_ALL_PROFILE`."""
    skip_id_redaction: Flag | None = None
    """Leave StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and MediaStorageSOPInstanceUID unchanged."""
