"""`ImageConfig` (v1): what happens to text burned into pixels."""

from __future__ import annotations

from enum import StrEnum

from healthcare_deid.config.fields import Int32, Items
from healthcare_deid.config.message import Message


class TextRedactionMode(StrEnum):
    """Which burned-in text is covered. Source: v1 ``ImageConfig.textRedactionMode``."""

    TEXT_REDACTION_MODE_UNSPECIFIED = "TEXT_REDACTION_MODE_UNSPECIFIED"
    """The same as `REDACT_NO_TEXT`."""
    REDACT_ALL_TEXT = "REDACT_ALL_TEXT"
    """Cover all text, laterality marks and scales included."""
    REDACT_SENSITIVE_TEXT = "REDACT_SENSITIVE_TEXT"
    """Cover text in which an infoType is found."""
    REDACT_NO_TEXT = "REDACT_NO_TEXT"
    """Leave the pixels alone."""


class CustomRegex(Message):
    """A pattern that marks burned-in text as sensitive. Source: v1 ``CustomRegex``."""

    pattern: str | None = None
    """A regular expression in RE2 syntax."""
    group_indexes: Items[Int32] = ()
    """Submatches to cover; none means the whole match."""


class ImageConfig(Message):
    """How to handle pixels. Source: v1 ``ImageConfig``."""

    text_redaction_mode: TextRedactionMode | None = None
    """Which text is covered; unset means none."""
    custom_regexes: Items[CustomRegex] = ()
    """Further patterns to cover."""
