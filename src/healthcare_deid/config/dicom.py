"""`DicomConfig` (v1): which tags stay, which go, and whether UIDs are regenerated."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator

from healthcare_deid.config.fields import Flag, Items, Tag
from healthcare_deid.config.message import Message, OneOf


class TagFilterProfile(StrEnum):
    """A ready tag filter. Source: v1 ``DicomConfig.filterProfile``."""

    TAG_FILTER_PROFILE_UNSPECIFIED = "TAG_FILTER_PROFILE_UNSPECIFIED"
    """No profile: the same as `KEEP_ALL_PROFILE`."""
    MINIMAL_KEEP_LIST_PROFILE = "MINIMAL_KEEP_LIST_PROFILE"
    """Keep only the tags that valid DICOM needs."""
    ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    """Remove by DICOM PS3.15 2018e, Table E.1-1, Basic Application Level Confidentiality Profile."""
    KEEP_ALL_PROFILE = "KEEP_ALL_PROFILE"
    """Keep every tag."""
    DEIDENTIFY_TAG_CONTENTS = "DEIDENTIFY_TAG_CONTENTS"
    """Keep every tag, inspect the text in it and transform what is found (see `TextConfig`)."""


def _some(tags: tuple[str, ...]) -> tuple[str, ...]:
    if not tags:
        raise ValueError("at least one tag is needed: what the service does with an empty list is not documented")
    return tags


class TagFilterList(Message):
    """Tags to keep or to remove. Source: v1 ``TagFilterList``."""

    tags: Annotated[Items[Tag], AfterValidator(_some)]
    """Tags by keyword (``PatientID``) or number (``00100010``, ``(0010,0010)``, ``0x00100010``, a pydicom tag)."""


class DicomConfig(OneOf):
    """How to handle DICOM metadata; at most one of the three filters. Source: v1 ``DicomConfig``."""

    one_of: ClassVar[tuple[str, ...]] = ("keep_list", "remove_list", "filter_profile")

    keep_list: TagFilterList | None = None
    """Keep these tags and the ones valid DICOM needs; remove every other."""
    remove_list: TagFilterList | None = None
    """Remove these tags; keep every other."""
    filter_profile: TagFilterProfile | None = None
    """A ready filter; unset means `TagFilterProfile.KEEP_ALL_PROFILE`."""
    skip_id_redaction: Flag | None = None
    """Leave StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and MediaStorageSOPInstanceUID as they are."""
