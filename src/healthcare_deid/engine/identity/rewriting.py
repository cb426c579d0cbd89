"""Values that a project sets, and patterns that it rewrites: site and trial fields."""

from __future__ import annotations

from typing import NamedTuple


class Replacement(NamedTuple):
    r"""One pattern to rewrite in one attribute.

    Attributes:
        tag: Keyword, or number as ``"(gggg,eeee)"`` or eight hexadecimal digits.
        pattern: Regular expression, searched for in each value.
        replacement: What stands in the place of each match; ``\1`` is the first group.
    """

    tag: str
    pattern: str
    replacement: str
