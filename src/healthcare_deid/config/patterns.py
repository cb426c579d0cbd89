"""Regular expressions that a config brings: RE2's, as at the service, which take linear time on any text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


_REFUSED = (
    "RE2 refuses the pattern: it is not a regular expression, or has look-around, back-references or possessive repeats"
)
_NOT_RE2 = re.compile(r"(?<!\\)(?:\\\\)*(?:\(\?(?:[=!>#]|<[=!]|\(|P=|[\w-]*[aLux][\w-]*[:)])|\\[1-9Z]|[*+?}]\+)")
"""Look-around, atomic groups, comments, conditions, flags of Python, back-references, possessive repeats."""
_OWN_ESCAPES = re.compile(
    r"\\Q(?P<literal>.*?)(?:\\E|\Z)|(?P<kind>\\[pP](?:\{\^?\w+\}|\w))|(?P<character>\\x\{[0-9A-Fa-f]+\}|\\C)|(?P<end>\\z)"
    r"|\\.|(?P<name>\(\?<(?=\w))|\(\?[imsU]*-?[imsU]*(?P<flags>[:)])",
    re.DOTALL,
)
"""What RE2 writes in its own way, or in more places than Python; and every other escape, so that none is torn."""
_IN_PYTHON = {"kind": r"\w", "character": "a", "end": r"\Z", "name": "(?P<"}


class Found(Protocol):
    """Place where a pattern matched."""

    def span(self, group: int = 0, /) -> tuple[int, int]:
        """Return the first character of a group, and the one after it; -1 and -1 where it took no part."""
        ...

    def __getitem__(self, group: int, /) -> str | None:
        """Return the text of a group, or None where it took no part."""
        ...


class Pattern(Protocol):
    """A compiled pattern. It can be pickled, and threads may share it."""

    @property
    def groups(self) -> int:
        """Number of groups."""
        ...

    @property
    def groupindex(self) -> Mapping[str, int]:
        """Numbers of the groups that have names."""
        ...

    def finditer(self, text: str, /) -> Iterator[Found]:
        """Yield every match."""
        ...

    def sub(self, replacement: Callable[[Found], str], text: str, /) -> str:
        """Return a text with every match replaced."""
        ...


def compile_pattern(pattern: str) -> Pattern:
    """Compile a pattern that is not our own.

    Raises:
        ValueError: RE2 refuses it. The text does not quote the pattern.
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
    """Return how many groups a pattern has.

    Without RE2, which comes with the engine, Python's reader has to do; what RE2 is known to lack is refused then.

    Raises:
        ValueError: RE2 refuses it. The text does not quote the pattern.
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
    """Write RE2's own escapes so that Python can count the groups; what they match does not matter here."""

    def own(match: re.Match[str]) -> str:
        if match.lastgroup == "literal":
            return re.escape(match["literal"])
        if match.lastgroup == "flags":
            return "(?:" if match["flags"] == ":" else ""
        return _IN_PYTHON.get(match.lastgroup or "", match[0])

    return _OWN_ESCAPES.sub(own, pattern).replace("[[:", "[").replace(":]]", "]")
