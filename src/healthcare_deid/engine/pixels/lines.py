"""Findings in a picture: a line of text, or a code."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.engine.geometry import Box


class Direction(Enum):
    """Direction of reading, as the number of quarter turns that make a line upright."""

    RIGHT = 0
    DOWN = 1
    LEFT = 2
    UP = 3


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in a picture.

    Attributes:
        box: Where it is, all of its ink inside.
        confidence: How sure the detector is that it is text, 0 to 1.
        text: What it says, one character a position; None when it was not read. PHI: no ``repr`` shows it.
        text_confidence: How sure the reading is, 0 to 1.
        positions: The middle of each character along the line, 0 at its start and 1 at its end; may be empty, then
            characters are taken to be equally wide.
        direction: Which way it is read.
        weakest: How sure the least sure quarter of its characters is, 0 to 1; None when that is not known.
        misread: Whether it seems to say something else: there is ink in it that no character was read from, or it
            makes more sense upside down.
        is_code: Whether it is a bar code or the like; ``text`` is then what it holds.
        parts: Boxes that together hold its ink, where that is much less than ``box``: a line that is not level.
    """

    box: Box
    confidence: float = 1.0
    text: str | None = field(default=None, repr=False)
    text_confidence: float = 0.0
    positions: tuple[float, ...] = ()
    direction: Direction = Direction.RIGHT
    weakest: float | None = None
    misread: bool = False
    is_code: bool = False
    parts: tuple[Box, ...] = ()

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes that hold its ink."""
        return self.parts or (self.box,)

    @property
    def size(self) -> tuple[float, float]:
        """Its length and thickness, or the other way round; of a line that is not level, about."""
        if not self.parts:
            return self.box.width, self.box.height
        thickness = min(min(part.width, part.height) for part in self.parts)
        return max(thickness, (self.box.width**2 + self.box.height**2) ** 0.5 - thickness), thickness
