"""`ImageConfig` (v1beta1): v1's, with the infoTypes looked for in pixels."""

from __future__ import annotations

from enum import StrEnum

from healthcare_deid.config.fields import InfoTypeName, Items
from healthcare_deid.config.image import CustomRegex
from healthcare_deid.config.message import Message


class TextRedactionMode(StrEnum):
    """Which burned-in text is covered. Source: v1beta1 ``ImageConfig.textRedactionMode``."""

    TEXT_REDACTION_MODE_UNSPECIFIED = "TEXT_REDACTION_MODE_UNSPECIFIED"
    """The same as `REDACT_NO_TEXT`."""
    REDACT_ALL_TEXT = "REDACT_ALL_TEXT"
    """Cover all text, laterality marks and scales included."""
    REDACT_SENSITIVE_TEXT = "REDACT_SENSITIVE_TEXT"
    """Cover text in which an infoType is found."""
    REDACT_NO_TEXT = "REDACT_NO_TEXT"
    """Leave the pixels alone."""
    REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS = "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"
    """As `REDACT_SENSITIVE_TEXT`, and cover phrases that stand in tags the Basic Profile removes."""


class ImageConfig(Message):
    """How to handle pixels. Source: v1beta1 ``ImageConfig``."""

    text_redaction_mode: TextRedactionMode | None = None
    """Which text is covered; unset means none."""
    custom_regexes: Items[CustomRegex] = ()
    """Further patterns to cover."""
    additional_info_types: Items[InfoTypeName] = ()
    """InfoTypes to look for beside the default ones; for the two sensitive modes and the unspecified one."""
    exclude_info_types: Items[InfoTypeName] = ()
    """InfoTypes to leave; for the two sensitive modes."""
