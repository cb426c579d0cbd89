"""Regular expressions in a config, compiled by RE2 as the service does.

RE2 takes linear time on any text, so a user's pattern cannot stall the engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


_REFUSED = (
    "RE2 refuses the pattern: it is not a regular expression, or has look-around, back-references or possessive repeats"
)
# Syntax that RE2 lacks: look-around, atomic groups, comments, conditions, Python's flags, back-references, possessive
# repeats.
_NOT_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?(?:[=!>#]|<[=!]|\(|P=|[\w-]*[aLux][\w-]*[:)])|\\[1-9Z]|[*+?}]\+)")
# Escapes and flags that RE2 spells differently from Python. Every other escape is matched too, so that a match never
# starts in the middle of one.
_OWN_ESCAPES = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|\Z)|(?P<kind>\\[pP](?:\{\^?\w+\}|\w))|(?P<character>\\x\{[0-9A-Fa-f]+\}|\\C)|(?P<end>\\z)"
    r"|\\.|(?P<name>\(\?<(?=\w))|\(\?[imsU]*-?[imsU]*(?P<flags>[:)])",
    re.DOTALL,
)
_IN_PYTHON = {"kind": r"\w", "character": "a", "end": r"\Z", "name": "(?P<"}


class PatternMatch(Protocol):
    """A match of a pattern."""

    def span(self, group: int = 0, /) -> tuple[int, int]:
        """Return start and end of a group, or (-1, -1) if the group did not match."""
        ...

    def __getitem__(self, group: int, /) -> str | None:
        """Return the text of a group, or None if the group did not match."""
        ...


class Pattern(Protocol):
    """A compiled pattern, picklable and shared by threads."""

    @property
    def groups(self) -> int:
        """Number of groups."""
        ...

    @property
    def groupindex(self) -> Mapping[str, int]:
        """Number of each named group."""
        ...

    def finditer(self, text: str, /) -> Iterator[PatternMatch]:
        """Yield every match."""
        ...

    def sub(self, replacement: Callable[[PatternMatch], str], text: str, /) -> str:
        """Return the text with every match replaced."""
        ...


def compile_pattern(pattern: str) -> Pattern:
    """Compile a user's pattern with RE2.

    Raises:
        ValueError: RE2 refuses the pattern. The error does not quote it.
        MissingExtraError: RE2 is not installed.
    """
    try:
        import re2
    except ImportError:
        raise MissingExtraError("local", "a pattern of a config") from None

    options = re2.Options()
    options.log_errors = False  # it would write the pattern to standard error
    try:
        compiled: Pattern = re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError):
        raise ValueError(_REFUSED) from None
    return compiled


def group_count(pattern: str) -> int:
    """Return the number of groups in a pattern.

    RE2 comes with the engine. Without it, Python's parser counts the groups, and syntax known to be missing in RE2 is
    refused.

    Raises:
        ValueError: RE2 refuses the pattern. The error does not quote it.
    """
    try:
        return compile_pattern(pattern).groups
    except MissingExtraError:
        if _NOT_RE2.search(pattern):
            raise ValueError(_REFUSED) from None
    try:
        pattern.encode()
        return re.compile(_as_python(pattern)).groups
    except (re.error, OverflowError, RecursionError, UnicodeEncodeError):
        raise ValueError(_REFUSED) from None


def _as_python(pattern: str) -> str:
    """Translate RE2's own escapes, so that Python can count the groups."""

    # Only the groups are counted, so a translation may match something else.
    def own(match: re.Match[str]) -> str:
        if match.lastgroup == "literal":
            return re.escape(match["literal"])
        if match.lastgroup == "flags":
            return "(?:" if match["flags"] == ":" else ""
        return _IN_PYTHON.get(match.lastgroup or "", match[0])

    return _OWN_ESCAPES.sub(own, pattern).replace("[[:", "[").replace(":]]", "]")
