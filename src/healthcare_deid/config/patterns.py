"""Regular expressions that a config brings: RE2's, as at the service, which take linear time on any text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Found(Protocol):
    """Place where a pattern matched."""

    def span(self, group: int = 0, /) -> tuple[int, int]:
        """Return the first character of a group, and the one after it; -1 and -1 where it took no part."""
        ...


class Pattern(Protocol):
    """A compiled pattern. It can be pickled, and threads may share it."""

    @property
    def groups(self) -> int:
        """Number of groups."""
        ...

    def finditer(self, text: str, /) -> Iterator[Found]:
        """Yield every match."""
        ...


def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern that is not our own.

    Raises:
        ValueError: RE2 refuses it. The text does not quote the pattern.
    """
    import re2

    options = re2.Options()
    options.log_errors = False  # it would write the pattern to standard error
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        raise ValueError(
            "RE2 refuses the pattern: it is not a regular expression, or has look-around, back-references or "
            "possessive repeats"
        ) from None
    return compiled
