"""`DicomTagConfig`: a profile, overridden by options, overridden by actions on tags."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from healthcare_deid.config.base.field_types import Items
from healthcare_deid.config.base.message import Message, OneOf
from healthcare_deid.config.tags import VRS, normalize
from healthcare_deid.config.v1beta1.image import ImageConfig


class TagProfileType(StrEnum):
    """A predefined handling of tags. Source: v1beta1 ``DicomTagConfig.profileType``."""

    PROFILE_TYPE_UNSPECIFIED = "PROFILE_TYPE_UNSPECIFIED"
    """The same as `ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE`; in v1 the unspecified profile keeps every tag."""
    MINIMAL_KEEP_LIST_PROFILE = "MINIMAL_KEEP_LIST_PROFILE"
    """Keep only the tags required in valid DICOM."""
    ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"
    """Remove by DICOM PS3.15 2018e, Table E.1-1, Basic Application Level Confidentiality Profile."""
    KEEP_ALL_PROFILE = "KEEP_ALL_PROFILE"
    """Keep every tag."""
    DEIDENTIFY_TAG_CONTENTS = "DEIDENTIFY_TAG_CONTENTS"
    """Keep every tag and transform sensitive text in it."""


class PrimaryIdsOption(StrEnum):
    """Handling of Study-, Series-, SOP- and MediaStorageSOPInstanceUID. Source: v1beta1 ``Options.primaryIds``."""

    PRIMARY_IDS_OPTION_UNSPECIFIED = "PRIMARY_IDS_OPTION_UNSPECIFIED"
    """Follow the profile."""
    KEEP = "KEEP"
    """Keep them."""
    REGEN = "REGEN"
    """Regenerate them."""


class CleanDescriptorsOption(Message):
    """Replace phrases found in removed tags by ``[CTX]``. Source: v1beta1, same name.

    This is the option of PS3.15 E.3.5.
    """


class Options(Message):
    """Changes to the profile. Source: v1beta1 ``Options``."""

    primary_ids: PrimaryIdsOption | None = None
    """Handling of the four primary UIDs; unset: follow the profile."""
    clean_image: ImageConfig | None = None
    """Handling of PixelData; unset: left alone."""
    clean_descriptors: CleanDescriptorsOption | None = None
    """If set, clean descriptive text too."""


class KeepTag(Message):
    """Leave the tag unchanged. Source: v1beta1 ``KeepTag``."""


class RemoveTag(Message):
    """Empty the tag. Source: v1beta1 ``RemoveTag``."""


class DeleteTag(Message):
    """Delete the tag. Source: v1beta1 ``DeleteTag``."""


class ResetTag(Message):
    """Set the tag to a placeholder. Source: v1beta1 ``ResetTag``."""


class CleanTextTag(Message):
    """Inspect the tag's text. Source: v1beta1 ``CleanTextTag``.

    Its VR must be AE LO LT PN SH ST UC UT DA DT or AS.
    """


class RegenUidTag(Message):
    """Regenerate the UID, of VR UI. Source: v1beta1 ``RegenUidTag``."""


class RecurseTag(Message):
    """De-identify the items of the sequence, of VR SQ. Source: v1beta1 ``RecurseTag``."""


def _query(value: object) -> str:
    return value if isinstance(value, str) and value in VRS else normalize(value)


class Action(OneOf):
    """An action on some tags, one of eight. Source: v1beta1 ``Action``."""

    one_of: ClassVar[tuple[str, ...]] = (
        "keep_tag",
        "remove_tag",
        "delete_tag",
        "reset_tag",
        "clean_text_tag",
        "clean_image_tag",
        "regen_uid_tag",
        "recurse_tag",
    )

    queries: Items[Annotated[str, BeforeValidator(_query)]] = ()
    """Tags by keyword or number, or a VR, such as ``PN``, for every tag of it."""
    keep_tag: KeepTag | None = None
    """Leave unchanged."""
    remove_tag: RemoveTag | None = None
    """Empty."""
    delete_tag: DeleteTag | None = None
    """Delete."""
    reset_tag: ResetTag | None = None
    """Set to a placeholder."""
    clean_text_tag: CleanTextTag | None = None
    """Inspect the text."""
    clean_image_tag: ImageConfig | None = None
    """Redact PixelData."""
    regen_uid_tag: RegenUidTag | None = None
    """Regenerate the UID."""
    recurse_tag: RecurseTag | None = None
    """De-identify the sequence's items."""


class DicomTagConfig(Message):
    """Handling of DICOM instances. Source: v1beta1 ``DicomTagConfig``.

    Actions override options, and options override the profile.
    """

    profile_type: TagProfileType | None = None
    """A predefined handling; unset means `TagProfileType.ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE`."""
    options: Options | None = None
    """Changes to the profile."""
    actions: Items[Action] = ()
    """Actions on tags, in this order."""
