"""Findings in a picture: lines of text and codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthcare_deid.engine.geometry import Box


class Direction(Enum):
    """Reading direction, as the number of counterclockwise quarter turns that make a line upright."""

    RIGHT = 0
    DOWN = 1
    LEFT = 2
    UP = 3


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text in a picture.

    Attributes:
        box: Bounding box of all of its ink.
        confidence: The detector's score, 0 to 1.
        text: The text, one character per position; None if it was not read. PHI, excluded from ``repr``.
        text_confidence: Confidence of the reading, 0 to 1.
        positions: Center of each character along the line, from 0 at its start to 1 at its end. If empty, characters
            are assumed to be equally wide.
        direction: Reading direction.
        weakest: Confidence of the least certain quarter of the characters, 0 to 1; None if unknown.
        misread: Whether the reading is probably wrong: some ink gave no character, or the line makes more sense upside
            down.
        is_code: Whether it is a machine-readable code; ``text`` is then its content.
        parts: Boxes that together hold the ink of a slanted line, much less than ``box``; empty for a level line.
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
        """Boxes that together hold the ink."""
        return self.parts or (self.box,)

    @property
    def size(self) -> tuple[float, float]:
        """Length and thickness in either order, in pixels; approximate for a slanted line."""
        if not self.parts:
            return self.box.width, self.box.height
        thickness = min(min(part.width, part.height) for part in self.parts)
        return max(thickness, (self.box.width**2 + self.box.height**2) ** 0.5 - thickness), thickness
