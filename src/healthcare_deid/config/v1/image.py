"""`ImageConfig`: redaction of burned-in text."""

from __future__ import annotations

from enum import StrEnum

from healthcare_deid.config.base.field_types import Int32, Items
from healthcare_deid.config.base.message import Message


class TextRedactionMode(StrEnum):
    """Burned-in text to cover. Source: v1 ``ImageConfig.textRedactionMode``."""

    TEXT_REDACTION_MODE_UNSPECIFIED = "TEXT_REDACTION_MODE_UNSPECIFIED"
    """The same as `REDACT_NO_TEXT`."""
    REDACT_ALL_TEXT = "REDACT_ALL_TEXT"
    """Cover all text, laterality marks and scales included."""
    REDACT_SENSITIVE_TEXT = "REDACT_SENSITIVE_TEXT"
    """Cover text with an infoType."""
    REDACT_NO_TEXT = "REDACT_NO_TEXT"
    """Leave the pixels alone."""


class CustomRegex(Message):
    """A pattern for sensitive burned-in text. Source: v1 ``CustomRegex``."""

    pattern: str | None = None
    """A regular expression in RE2 syntax."""
    group_indexes: Items[Int32] = ()
    """Submatches to cover; empty means the whole match."""


class ImageConfig(Message):
    """Handling of pixels. Source: v1 ``ImageConfig``."""

    text_redaction_mode: TextRedactionMode | None = None
    """Text to cover; unset means none."""
    custom_regexes: Items[CustomRegex] = ()
    """Further patterns to cover."""
