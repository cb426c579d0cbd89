"""Pixel plan: the burned-in text to cover."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from healthcare_deid.config.patterns import compile_pattern
from healthcare_deid.config.v1beta1.image import TextRedactionMode
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.config.patterns import Pattern
    from healthcare_deid.config.v1.image import CustomRegex


class Scope(Enum):
    """Extent of the burned-in text to cover."""

    NOTHING = "nothing"
    EVERYTHING = "everything"
    SENSITIVE = "sensitive"
    PATTERNS = "patterns"
    """Only matches of custom patterns and additional infoTypes."""


@dataclass(frozen=True, slots=True)
class PixelPlan:
    """Pixel plan, independent of the API version.

    Attributes:
        scope: Text to cover.
        patterns: Custom patterns, each with the groups to cover; no groups mean the whole match.
        excluded: InfoTypes to leave.
        additional: InfoTypes to find besides the default ones.
    """

    scope: Scope = Scope.NOTHING
    patterns: tuple[tuple[Pattern, tuple[int, ...]], ...] = ()
    excluded: frozenset[str] = frozenset()
    additional: frozenset[str] = frozenset()

    @property
    def looks(self) -> bool:
        """Whether burned-in text is searched."""
        return self.scope is not Scope.NOTHING

    @property
    def reads(self) -> bool:
        """Whether text must be read and not only located."""
        return self.scope in (Scope.SENSITIVE, Scope.PATTERNS)

    @property
    def needs_inspector(self) -> bool:
        """Whether the text is inspected for infoTypes."""
        return self.scope is Scope.SENSITIVE or bool(self.additional)


def scope_of(mode: str | None, *, narrow: bool) -> Scope:
    """Return the scope of a redaction mode.

    Args:
        mode: Mode of either version, as v1beta1's modes include v1's. None means unspecified.
        narrow: Whether there are custom patterns or additional infoTypes.
    """
    known = TextRedactionMode(mode) if mode else TextRedactionMode.TEXT_REDACTION_MODE_UNSPECIFIED
    match known:
        case TextRedactionMode.TEXT_REDACTION_MODE_UNSPECIFIED:
            # The API does not say what patterns do without a mode. Ignoring them would leave text that the user named.
            return Scope.PATTERNS if narrow else Scope.NOTHING
        case TextRedactionMode.REDACT_NO_TEXT:
            return Scope.NOTHING
        case TextRedactionMode.REDACT_ALL_TEXT:
            return Scope.EVERYTHING
        case TextRedactionMode.REDACT_SENSITIVE_TEXT | TextRedactionMode.REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS:
            return Scope.SENSITIVE
        case _:
            assert_never(known)


def compiled_patterns(regexes: Sequence[CustomRegex]) -> tuple[tuple[Pattern, tuple[int, ...]], ...]:
    """Compile custom patterns.

    Raises:
        ConfigError: RE2 refuses a pattern.
    """
    return tuple(
        (_compiled(index, regex.pattern or ""), tuple(regex.group_indexes)) for index, regex in enumerate(regexes)
    )


def _compiled(index: int, pattern: str) -> Pattern:
    try:
        return compile_pattern(pattern)
    except ValueError as error:
        path = f"customRegexes[{index}].pattern"
        raise ConfigError.of("ImageConfig", [(path, str(error))]) from None
