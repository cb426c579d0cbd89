"""`TextConfig` of v1beta1, which adds a profile to v1's."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from healthcare_deid.config.base.field_types import InfoTypeName, Items
from healthcare_deid.config.base.message import OneOf
from healthcare_deid.config.v1.text import InfoTypeTransformation


class TextProfileType(StrEnum):
    """Handling of infoTypes that no transformation names. Source: v1beta1 ``TextConfig.profileType``."""

    PROFILE_TYPE_UNSPECIFIED = "PROFILE_TYPE_UNSPECIFIED"
    """The same as `BASIC`."""
    EMPTY = "EMPTY"
    """Leave them unchanged."""
    BASIC = "BASIC"
    """Shift dates; replace everything else by its infoType."""


class TextConfig(OneOf):
    """Handling of sensitive text. Source: v1beta1 ``TextConfig``."""

    one_of: ClassVar[tuple[str, ...]] = ("transformations", "additional_transformations")

    profile_type: TextProfileType | None = None
    """Handling of infoTypes that no transformation names; unset means `TextProfileType.BASIC`."""
    additional_transformations: Items[InfoTypeTransformation] = ()
    """Transformations by infoType; they override the profile, and one without infoTypes is the default."""
    exclude_info_types: Items[InfoTypeName] = ()
    """InfoTypes to leave unchanged; overrides the profile."""
    transformations: Items[InfoTypeTransformation] = ()
    """Deprecated by the API: use `additional_transformations`."""
