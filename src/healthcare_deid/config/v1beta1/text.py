"""`TextConfig` (v1beta1): v1's, on top of a profile."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from healthcare_deid.config.fields import InfoTypeName, Items
from healthcare_deid.config.message import OneOf
from healthcare_deid.config.text import InfoTypeTransformation


class TextProfileType(StrEnum):
    """What happens to an infoType that no transformation names. Source: v1beta1 ``TextConfig.profileType``."""

    PROFILE_TYPE_UNSPECIFIED = "PROFILE_TYPE_UNSPECIFIED"
    """The same as `BASIC`."""
    EMPTY = "EMPTY"
    """Nothing."""
    BASIC = "BASIC"
    """Dates are shifted, everything else is replaced by its infoType."""


class TextConfig(OneOf):
    """What happens to sensitive text. Source: v1beta1 ``TextConfig``."""

    one_of: ClassVar[tuple[str, ...]] = ("transformations", "additional_transformations")

    profile_type: TextProfileType | None = None
    """What happens to an infoType that no transformation names; unset means `TextProfileType.BASIC`."""
    additional_transformations: Items[InfoTypeTransformation] = ()
    """Transformations by infoType, stronger than the profile; one without infoTypes is the default."""
    exclude_info_types: Items[InfoTypeName] = ()
    """InfoTypes that are left alone, whatever the profile says."""
    transformations: Items[InfoTypeTransformation] = ()
    """Deprecated by the API: use `additional_transformations`."""
