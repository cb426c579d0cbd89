"""What finds and reads text in a picture: the protocol, and the engine's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from healthcare_deid.engine.pixels.detector import Detector, ScoredBox
from healthcare_deid.engine.pixels.models import Role, find_model, find_models
from healthcare_deid.engine.pixels.recogniser import Reading, Recogniser

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from healthcare_deid.engine.pixels.arrays import Picture
    from healthcare_deid.engine.pixels.geometry import Box


class Direction(Enum):
    """Which way a line is read, as the number of quarter turns that make it upright."""

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
        text: What it says, one character a position; None when it was not read.
        text_confidence: How sure the reading is, 0 to 1.
        positions: The middle of each character along the line, 0 at its start and 1 at its end; may be empty, then
            characters are taken to be equally wide.
        direction: Which way it is read.
    """

    box: Box
    confidence: float = 1.0
    text: str | None = None
    text_confidence: float = 0.0
    positions: tuple[float, ...] = ()
    direction: Direction = Direction.RIGHT


class Ocr(Protocol):
    """Finds text in a picture. Any OCR can take the place of the engine's own: it is called from several threads."""

    def find(self, picture: Picture, *, read: bool, within: Box | None) -> Sequence[TextLine]:
        """Return the lines of text in a picture.

        Args:
            picture: 8 bit, shape (rows, columns, 3), RGB.
            read: Whether `TextLine.text` is wanted; where it is not, boxes are enough.
            within: The only part that has to be looked at: the rest is as it was in the frame before. None: all of it.
                Boxes are in the coordinates of the whole picture all the same.
        """
        ...


SURE_SCORE = 0.75
"""From this detector score on, a line is text whether or not it can be read."""
NOT_TEXT_CONFIDENCE = 0.35
"""A doubtful box that reads worse than this is no text."""
MAX_UPSCALE = 4.0
SMALL_SIDE = 480
"""A picture whose short side is smaller is looked at enlarged."""
LARGE_SIDE = 1280
"""A picture whose long side is larger is looked at reduced: text that is meant to be read grows with it."""
SMALLEST_SCALE = 0.5
"""But never by more than this: 12-pixel text stays findable."""


class OnnxOcr:
    """The engine's own OCR: PP-OCR's detector and recogniser on onnxruntime.

    Its state is the paths of the models; they are loaded at the first use, once a process.

    Args:
        models: A folder with the model files; by default the installed packages are searched.
        thorough: Look at two scales, with every installed detector, and at the picture turned by 90°: for tiny, faint
            and rotated text, at five times the time or more.

    Raises:
        ModelNotFoundError: No model is installed.
    """

    def __init__(self, models: str | os.PathLike[str] | None = None, *, thorough: bool = False) -> None:
        self._models = models
        self._thorough = thorough
        self._detector = Detector(find_model(Role.DETECTOR, models).path)
        self._recogniser = Recogniser(find_model(Role.RECOGNISER, models).path)
        others = [Detector(found.path) for found in find_models(Role.DETECTOR, models)] if thorough else []
        self._detectors = tuple(others)

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (self._models, self._thorough)  # where the models are is found anew on the other machine

    def find(self, picture: Picture, *, read: bool, within: Box | None = None) -> Sequence[TextLine]:
        """Return the lines of text in a picture."""
        scale = scale_for(picture)
        if within is not None:
            part = np.ascontiguousarray(picture[within.top : within.bottom, within.left : within.right])
            lines = self._find(part, scale, read=read)
            return [replace(line, box=line.box.moved(within.left, within.top)) for line in lines]
        return self._find(picture, scale, read=read)

    def _find(self, picture: Picture, scale: float, *, read: bool) -> list[TextLine]:
        found = self._detect_thoroughly(picture, scale) if self._thorough else self._detector.find(picture, scale)
        lines: list[TextLine] = []
        side = min(picture.shape[:2])
        for scored in without_duplicates([item for item in found if min(item.box.width, item.box.height) < 0.3 * side]):
            line = TextLine(scored.box, round(scored.score, 4))
            if read or scored.score < SURE_SCORE:
                reading, direction = self._read(picture, scored.box)
                if scored.score < SURE_SCORE and reading.confidence < NOT_TEXT_CONFIDENCE:
                    continue
                if read:
                    line = replace(
                        line,
                        text=reading.text,
                        text_confidence=round(reading.confidence, 4),
                        positions=reading.positions,
                        direction=direction,
                    )
            lines.append(line)
        return lines

    def _detect_thoroughly(self, picture: Picture, scale: float) -> list[ScoredBox]:
        found: list[ScoredBox] = []
        rows = picture.shape[0]
        turned = np.ascontiguousarray(np.rot90(picture, -1))  # clockwise: the left column becomes the top row
        for one in self._detectors:
            for factor in (scale, scale * 2):
                found.extend(one.find(picture, factor))
            for scored in one.find(turned, scale):
                box = scored.box
                back = type(box)(box.top, rows - box.right, box.bottom, rows - box.left)
                found.append(ScoredBox(back, scored.score))
        return found

    def _read(self, picture: Picture, box: Box) -> tuple[Reading, Direction]:
        """Read a box the way its shape suggests; a tall one both ways."""
        line = picture[box.top : box.bottom, box.left : box.right]
        best, direction = self._recogniser.read(line), Direction.RIGHT
        if box.height > 1.5 * box.width:
            for candidate in (Direction.DOWN, Direction.UP):
                reading = self._recogniser.read(np.ascontiguousarray(np.rot90(line, candidate.value)))
                if reading.confidence * len(reading.text) > best.confidence * len(best.text):
                    best, direction = reading, candidate
        return best, direction


def _remake(models: str | os.PathLike[str] | None, thorough: bool) -> OnnxOcr:
    return OnnxOcr(models, thorough=thorough)


def scale_for(picture: Picture) -> float:
    """Return how many times its size a picture is looked at."""
    rows, columns = picture.shape[:2]
    short, long = int(min(rows, columns)), int(max(rows, columns))
    if long > LARGE_SIDE:
        return max(SMALLEST_SCALE, LARGE_SIDE / long)
    return max(1.0, min(MAX_UPSCALE, SMALL_SIDE / short, LARGE_SIDE / long))


def without_duplicates(found: Sequence[ScoredBox]) -> list[ScoredBox]:
    """Drop boxes that lie inside one with at least their size: tiles overlap, scales repeat. The best score stays."""
    kept: list[ScoredBox] = []
    for scored in sorted(found, key=lambda item: (-item.box.area, -item.score, item.box)):
        inside = next((index for index, other in enumerate(kept) if other.box.contains(scored.box)), None)
        if inside is None:
            kept.append(scored)
        elif scored.score > kept[inside].score:
            kept[inside] = ScoredBox(kept[inside].box, scored.score)
    return sorted(kept, key=lambda item: (item.box.top, item.box.left))
