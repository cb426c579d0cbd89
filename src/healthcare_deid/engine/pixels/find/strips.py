"""Slanted lines of text: a rotated rectangle, and the axis-aligned boxes along it that cover its ink."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, ceil, cos, floor, hypot, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from healthcare_deid.engine.geometry import Box

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.arrays import Picture
    from healthcare_deid.engine.pixels.find.components import Spread

ROOMY = 0.7
"""Largest fraction of its bounding box that a strip fills; a component that fills more is level."""
LONG = 2.5
"""Smallest ratio of length to thickness of a strip; below, the angle of a component is unreliable."""
SLACK = 0.25
"""Largest overhang of a box along a strip, as a fraction of the strip's thickness."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A rotated rectangle.

    Attributes:
        x: Column of the center.
        y: Row of the center.
        length: Pixels along the line.
        thickness: Pixels across the line.
        angle: Radians from the horizontal, clockwise as seen on screen; -π/2 to π/2.
    """

    x: float
    y: float
    length: float
    thickness: float
    angle: float

    @property
    def box(self) -> Box:
        """The smallest box around it."""
        across = (abs(cos(self.angle)) * self.length + abs(sin(self.angle)) * self.thickness) / 2
        down = (abs(sin(self.angle)) * self.length + abs(cos(self.angle)) * self.thickness) / 2
        return Box(floor(self.x - across), floor(self.y - down), ceil(self.x + across), ceil(self.y + down))

    def grown(self, along: float, across: float) -> Strip:
        """Return the strip with a margin at its ends and at its sides."""
        return replace(self, length=self.length + 2 * along, thickness=self.thickness + 2 * across)

    def moved(self, columns: float, rows: float) -> Strip:
        """Return the strip shifted by some columns and rows."""
        return replace(self, x=self.x + columns, y=self.y + rows)

    def scaled(self, across: float, down: float) -> Strip:
        """Return the strip in a picture resized by these factors, which must be nearly equal."""
        mean = sqrt(across * down)
        return replace(
            self, x=self.x * across, y=self.y * down, length=self.length * mean, thickness=self.thickness * mean
        )

    def turned_back(self, rows: int) -> Strip:
        """Map a strip from a picture rotated clockwise by 90° back to the original, which has ``rows`` rows."""
        angle = atan2(-cos(self.angle), sin(self.angle))
        return replace(self, x=self.y, y=rows - self.x, angle=_half_turn(angle))

    def boxes(self) -> tuple[Box, ...]:
        """Return axis-aligned boxes along the strip that together cover it."""
        slope = max(1e-6, min(abs(sin(self.angle)), abs(cos(self.angle))))
        count = max(1, ceil(self.length / max(2.0, SLACK * self.thickness / slope)))
        part = replace(self, length=self.length / count)
        places = [(index + 0.5) / count - 0.5 for index in range(count)]
        ahead, down = cos(self.angle) * self.length, sin(self.angle) * self.length
        return tuple(part.moved(place * ahead, place * down).box for place in places)

    def cut(self, picture: Picture) -> Picture:
        """Return the pixels of the strip, rotated to the horizontal."""
        size = (max(1, round(self.length)), max(1, round(self.thickness)))
        ahead, down = cos(self.angle), sin(self.angle)
        left = self.x - ahead * size[0] / 2 + down * size[1] / 2
        top = self.y - down * size[0] / 2 - ahead * size[1] / 2
        box = self.box.grown(2).clipped(picture.shape[1], picture.shape[0])
        part = Image.fromarray(np.ascontiguousarray(picture[box.top : box.bottom, box.left : box.right]))
        place = (ahead, -down, left - box.left, down, ahead, top - box.top)
        return np.asarray(part.transform(size, Image.Transform.AFFINE, place, Image.Resampling.BILINEAR))


def strip_of(spread: Spread, box: Box) -> Strip | None:
    """Return a component as a strip, or None if its bounding box describes it well enough.

    The sides follow from the second moments: a rectangle of length l has the variance l²/12 along that side.
    """
    middle, apart = (spread.xx + spread.yy) / 2, hypot((spread.xx - spread.yy) / 2, spread.xy)
    length, thickness = sqrt(12 * (middle + apart)), sqrt(12 * max(1 / 12, middle - apart))
    if length < LONG * thickness or length * thickness > ROOMY * box.area:
        return None
    return Strip(spread.x, spread.y, length, thickness, _half_turn(atan2(2 * spread.xy, spread.xx - spread.yy) / 2))


def _half_turn(angle: float) -> float:
    """Normalize the angle of an undirected line to -π/2 to π/2."""
    return atan2(sin(angle), cos(angle)) if cos(angle) >= 0 else atan2(-sin(angle), -cos(angle))
