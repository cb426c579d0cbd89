"""The text detector: PP-OCR's segmentation network, and the conversion of its probability map to bounding boxes.

The network returns, for every pixel, the probability that it lies in the *kernel* of a text line: the line shrunk
towards its center line. Pixels above a threshold form connected components, whose boxes are grown back to the lines.
Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.find.components import component_boxes, spread_components
from healthcare_deid.engine.pixels.find.models import CPU, run
from healthcare_deid.engine.pixels.find.strips import Strip, strip_of

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.pixels.arrays import Floats, Mask, Picture

KERNEL_THRESHOLD = 0.25
"""Probability above which a pixel belongs to a line's kernel."""
SCORE_THRESHOLD = 0.4
"""Lowest mean probability of a component that is text."""
HINT_THRESHOLD = 0.04
"""Probability above which a pixel is a hint of undetected text. All but one in 500 overlooked lines had such a pixel; a
tenth of a picture has."""
SURE_SCORE = 0.75
"""Score from which a line is text whether or not it can be read."""
KERNEL_MARGIN = 0.3
"""Margin between a line and its kernel on each side, as a fraction of the line's thickness."""
UPRIGHT = 3
"""Ratio of height to width from which a kernel is a line rotated by 90° and not a single character."""
OBJECT_SIZE = 0.2
"""A box thicker than this fraction of the picture's short side is an object, unless it reads as a word."""
OBJECT_PIXELS = 56
"""Lower bound of the object size, in pixels: in tiny pictures text is relatively large. For doubtful boxes it is the
only bound."""
BESIDE_LINE = 2
"""Margin around a line, in pixels and in addition to a quarter of its height, in which hints belong to its edge."""
STRIDE = 32
"""Multiple of the input's sides, in pixels: the network halves its input five times."""
BORDER = 16
"""Padding around an image, in pixels, so that text at the edge has surroundings."""
TILE = 1280
"""Longest side of a tile, in pixels of the scaled picture; it bounds the memory."""
TILE_OVERLAP = 160
"""Overlap of tiles, in pixels; lines up to this height are found whole at a tile's edge."""

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
"""Mean and standard deviation of each channel in the networks' training images (ImageNet)."""


@dataclass(frozen=True, slots=True)
class ScoredBox:
    """Bounding box of a line, with its score.

    Attributes:
        box: Box around all of the ink.
        score: The detector's score, 0 to 1.
        core: Bounding box of the kernel.
        strip: Rotated rectangle around the ink of a slanted line; None for a level one.
    """

    box: Box
    score: float
    core: Box
    strip: Strip | None = None

    @property
    def parts(self) -> tuple[Box, ...]:
        """Boxes that together hold the ink."""
        return self._inside(self.strip.boxes()) if self.strip else (self.box,)

    @property
    def cores(self) -> tuple[Box, ...]:
        """Boxes that together hold the kernel."""
        if self.strip is None:
            return (self.core,)
        kernel = self.strip.grown(-self.strip.thickness * KERNEL_MARGIN, -self.strip.thickness * KERNEL_MARGIN)
        return self._inside(kernel.boxes())

    @property
    def thickness(self) -> float:
        """Pixels across the line."""
        return self.strip.thickness if self.strip else min(self.box.width, self.box.height)

    def moved(self, columns: int, rows: int) -> ScoredBox:
        """Return the box shifted by some columns and rows."""
        strip = self.strip and self.strip.moved(columns, rows)
        return ScoredBox(self.box.moved(columns, rows), self.score, self.core.moved(columns, rows), strip)

    def placed(self, across: float, down: float, columns: int, rows: int) -> ScoredBox:
        """Scale the box to a picture of ``columns`` by ``rows`` and clip it."""
        box = self.box.scaled(across, down).clipped(columns, rows)
        core = self.core.scaled(across, down).clipped(columns, rows)
        return ScoredBox(box, self.score, core, self.strip and self.strip.scaled(across, down))

    def turned_back(self, rows: int) -> ScoredBox:
        """Map the box from a picture rotated clockwise by 90° back to the original, which has ``rows`` rows."""
        box, core = (Box(box.top, rows - box.right, box.bottom, rows - box.left) for box in (self.box, self.core))
        return ScoredBox(box, self.score, core, self.strip and self.strip.turned_back(rows))

    def _inside(self, boxes: tuple[Box, ...]) -> tuple[Box, ...]:
        return tuple(part for part in (box.intersection(self.box) for box in boxes) if part.width > 0 < part.height)


class Look(NamedTuple):
    """Detections of one look at a picture.

    Attributes:
        lines: Detected lines of text.
        hints: Other places that may hold text.
    """

    lines: list[ScoredBox]
    hints: list[Box]

    @property
    def places(self) -> list[Box]:
        """Boxes of lines and hints."""
        return [*(scored.box for scored in self.lines), *self.hints]


class Edges(NamedTuple):
    """Sides of a crop that are also sides of the picture; only these are padded."""

    left: bool = True
    top: bool = True
    right: bool = True
    bottom: bool = True


WHOLE = Edges()
"""A whole picture."""
CUT_OUT = Edges(left=False, top=False, right=False, bottom=False)
"""A crop that includes the surroundings of its text."""


class Detector:
    """Finds lines of text in a picture. Holds only a path: cheap to create, and safe to share and pickle."""

    def __init__(self, path: Path, providers: tuple[str, ...] = CPU) -> None:
        self._path = path
        self._providers = providers

    def find(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> list[ScoredBox]:
        """Return the lines in a picture of shape (rows, columns, 3), resized by ``scale``."""
        return self.look(picture, scale, edges).lines

    def look(self, picture: Picture, scale: float, edges: Edges = WHOLE) -> Look:
        """Return the lines in a picture, as `find` does, and hints of more."""
        rows, columns = picture.shape[:2]
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        resized = (
            np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR)) if scale != 1 else picture
        )
        found = Look([], [])
        across, down = columns / size[0], rows / size[1]
        for tile in tiles(*size):
            probabilities = self.probabilities(resized[tile.top : tile.bottom, tile.left : tile.right], edges)
            lines = boxes_in(probabilities)
            for scored in lines:
                placed = scored.moved(tile.left, tile.top).placed(across, down, columns, rows)
                if placed.box.area:
                    found.lines.append(placed)
            found.hints.extend(
                hint.moved(tile.left, tile.top).scaled(across, down).clipped(columns, rows)
                for hint in hints_in(probabilities, lines)
            )
        return found

    def probabilities(self, picture: Picture, edges: Edges = WHOLE) -> Floats:
        """Return the probability map of a picture, of shape (rows, columns)."""
        rows, columns = picture.shape[:2]
        top, left = BORDER * edges.top, BORDER * edges.left
        height, width = top + rows + BORDER * edges.bottom, left + columns + BORDER * edges.right
        pixels = np.empty((1, 3, _padded(height), _padded(width)), np.float32)
        around = np.median(picture.reshape(-1, 3)[:: max(1, rows * columns // 4096)], axis=0)
        # Channel by channel into the network's planar layout: three times as fast as transposing the whole picture.
        for plane, color, value, mean, deviation in zip(
            pixels[0], np.moveaxis(picture, 2, 0), around, _MEAN, _DEVIATION, strict=True
        ):
            plane.fill((value / 255 - mean) / deviation)
            inside = plane[top : top + rows, left : left + columns]
            np.multiply(color, np.float32(1 / (255 * deviation)), out=inside)
            inside -= np.float32(mean / deviation)
        output = run(self._path, pixels, self._providers)
        return output[0, 0, top : top + rows, left : left + columns]


def boxes_in(probabilities: Floats) -> list[ScoredBox]:
    """Return the lines in a probability map."""
    found: list[ScoredBox] = []
    for component in spread_components(probabilities > KERNEL_THRESHOLD, probabilities):
        if component.mean < SCORE_THRESHOLD or component.count < 4:
            continue
        box = component.box
        strip = strip_of(component.spread, box) if component.spread else None
        if strip is None:
            found.append(ScoredBox(whole_line(box), component.mean, box))
        else:
            whole = strip.grown(*_margins(strip.length, strip.thickness))
            found.append(ScoredBox(whole.box, component.mean, box, whole))
    return found


def hints_in(probabilities: Floats, lines: list[ScoredBox]) -> list[Box]:
    """Return the hints of text in a probability map, outside the lines that are certain."""
    hints = probabilities > HINT_THRESHOLD
    for scored in lines:
        # Hints on an object may be text that is written on it.
        if scored.score >= SURE_SCORE and scored.thickness <= object_thickness(hints):
            for part in scored.parts:
                known = part.grown(BESIDE_LINE + part.height // 4).clipped(hints.shape[1], hints.shape[0])
                hints[known.top : known.bottom, known.left : known.right] = False
    return [component.box for component in component_boxes(hints)]


def object_thickness(picture: Picture | Floats | Mask) -> float:
    """Return the thickness, in pixels, above which a box is an object unless it reads as a word."""
    rows, columns = picture.shape[:2]
    return max(OBJECT_PIXELS, OBJECT_SIZE * min(int(rows), int(columns)))


def whole_line(kernel: Box) -> Box:
    """Return the line's box of a kernel's box."""
    if kernel.height > UPRIGHT * kernel.width:
        above, beside = _margins(kernel.height, kernel.width)
    else:
        beside, above = _margins(kernel.width, kernel.height)
    return kernel.grown(int(np.ceil(beside)), int(np.ceil(above)))


def _margins(length: float, thickness: float) -> tuple[float, float]:
    """Return the margins of a line around its kernel, in pixels: at each end, and on each side.

    A margin is ``ratio * area / perimeter`` plus a pixel or two for rounding. The ratios were fitted to rendered lines
    with known ink: 1.65 above and below a long line, 1.1 for a few characters, 1.15 at the ends.
    """
    unit = length * thickness / (2 * (length + thickness))
    long = min(1.0, max(0.0, (length / thickness - 3) / 9))
    return unit * 1.15 + 0.1 * thickness + 2, unit * (1.1 + 0.55 * long) + 1.5


def tiles(width: int, height: int) -> list[Box]:
    """Cut an image into overlapping tiles no larger than `TILE`."""
    return [
        Box(left, top, min(width, left + TILE), min(height, top + TILE))
        for top in _starts(height)
        for left in _starts(width)
    ]


def _starts(length: int) -> list[int]:
    if length <= TILE:
        return [0]
    count = -(-(length - TILE_OVERLAP) // (TILE - TILE_OVERLAP))
    return [round(index * (length - TILE) / (count - 1)) for index in range(count)]


def _padded(length: int) -> int:
    return -(-length // STRIDE) * STRIDE
