"""Findings in text, and the protocol of inspectors that return them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Match(NamedTuple):
    """A finding of an infoType in a text.

    Attributes:
        start: Index of the first character.
        end: Index after the last character.
        info_type: Name of the infoType, such as ``PERSON_NAME``.
    """

    start: int
    end: int
    info_type: str


class TextInspector(Protocol):
    """Finds infoTypes in a text.

    An inspector is bound to one instance, so it knows the instance's header values.
    """

    def find(self, text: str) -> Sequence[Match]:
        """Return the findings, in order and without overlaps."""
        ...
