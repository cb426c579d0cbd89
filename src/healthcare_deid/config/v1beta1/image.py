"""`ImageConfig` of v1beta1, which adds infoTypes to v1's."""

from __future__ import annotations

from enum import StrEnum

from healthcare_deid.config.base.field_types import InfoTypeName, Items
from healthcare_deid.config.base.message import Message
from healthcare_deid.config.v1.image import CustomRegex


class TextRedactionMode(StrEnum):
    """Burned-in text to cover. Source: v1beta1 ``ImageConfig.textRedactionMode``."""

    TEXT_REDACTION_MODE_UNSPECIFIED = "TEXT_REDACTION_MODE_UNSPECIFIED"
    """The same as `REDACT_NO_TEXT`."""
    REDACT_ALL_TEXT = "REDACT_ALL_TEXT"
    """Cover all text, laterality marks and scales included."""
    REDACT_SENSITIVE_TEXT = "REDACT_SENSITIVE_TEXT"
    """Cover text with an infoType."""
    REDACT_NO_TEXT = "REDACT_NO_TEXT"
    """Leave the pixels alone."""
    REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS = "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"
    """As `REDACT_SENSITIVE_TEXT`, and cover phrases found in tags that the Basic Profile removes."""


class ImageConfig(Message):
    """Handling of pixels. Source: v1beta1 ``ImageConfig``."""

    text_redaction_mode: TextRedactionMode | None = None
    """Text to cover; unset means none."""
    custom_regexes: Items[CustomRegex] = ()
    """Further patterns to cover."""
    additional_info_types: Items[InfoTypeName] = ()
    """InfoTypes to look for beside the default ones, in the two sensitive modes and the unspecified one."""
    exclude_info_types: Items[InfoTypeName] = ()
    """InfoTypes to leave, in the two sensitive modes."""
