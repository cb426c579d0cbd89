"""`DicomConfig` (v1): which tags stay, which go, and whether UIDs are regenerated."""

from __future__ import annotations

from enum import StrEnum

from pydantic import model_validator

from healthcare_deid.config.message import Message


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


class TagFilterList(Message):
    """Tags to keep or to remove. Source: v1 ``TagFilterList``."""

    tags: tuple[str, ...] = ()
    """Tags by keyword (``PatientID``) or 8-hex number (``00100010``)."""


class DicomConfig(Message):
    """How to handle DICOM metadata; at most one of the three filters. Source: v1 ``DicomConfig``."""

    keep_list: TagFilterList | None = None
    """Keep these tags and the ones valid DICOM needs; remove every other."""
    remove_list: TagFilterList | None = None
    """Remove these tags; keep every other."""
    filter_profile: TagFilterProfile | None = None
    """A ready filter; unset means `TagFilterProfile.KEEP_ALL_PROFILE`."""
    skip_id_redaction: bool | None = None
    """Leave StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID and MediaStorageSOPInstanceUID as they are."""

    @model_validator(mode="after")
    def _one_filter(self) -> DicomConfig:
        given = [
            name
            for name, value in (
                ("keepList", self.keep_list),
                ("removeList", self.remove_list),
                ("filterProfile", self.filter_profile),
            )
            if value is not None
        ]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: set one")
        return self
