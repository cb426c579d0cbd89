"""A finding in text, and the shape of whatever finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of text that holds an infoType.

    Attributes:
        start: Index of its first character.
        end: Index after its last.
        info_type: Which, such as ``PERSON_NAME``.
    """

    start: int
    end: int
    info_type: str


class TextInspector(Protocol):
    """Finds infoTypes in one text. Bound to one instance, so that it knows the instance's own header values."""

    def find(self, text: str) -> Sequence[Match]:
        """Return the findings, in order, not overlapping."""
        ...
