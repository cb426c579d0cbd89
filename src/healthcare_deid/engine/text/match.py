"""Findings in text, and the protocol of inspectors that return them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Match:
    """A finding of an infoType in a text.

    Attributes:
        start: Index of the first character.
        end: Index after the last character.
        info_type: Name of the infoType, such as ``PERSON_NAME``.
        cut_by: InfoType of the finding that covers the rest of it, if this is only a part; empty otherwise.
    """

    start: int
    end: int
    info_type: str
    cut_by: str = field(default="", compare=False, repr=False)


class TextInspector(Protocol):
    """Finds infoTypes in a text.

    An inspector is bound to one instance, so it knows the instance's header values.
    """

    def find(self, text: str) -> Sequence[Match]:
        """Return the findings, in order and without overlaps."""
        ...
