"""Reads what was found: the way its shape suggests, and the other way round where that makes no sense."""

from __future__ import annotations

from itertools import pairwise
from math import pi
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from healthcare_deid.engine.pixels.find.legibility import GAP, enough_characters, is_sure
from healthcare_deid.engine.pixels.lines import Direction

if TYPE_CHECKING:
    from healthcare_deid.engine.geometry import Box
    from healthcare_deid.engine.pixels.arrays import Picture
    from healthcare_deid.engine.pixels.find.detector import ScoredBox
    from healthcare_deid.engine.pixels.find.recognizer import Reading, Recognizer

READ_BESIDE = 0.3
"""Part of a line's height that is read with it at each end."""
UPRIGHT = 1.5
"""A box this many times as high as wide may hold a line that is turned by 90°."""
GLYPH_CONFIDENCE = 0.93
"""What has the shape of a character is one when it reads this well."""
GLYPH_ROOM = (0.3, 0.0)
"""It is read with this part of its height around it."""
GLYPH_PROMISE = 0.3
"""What reads worse than this in one cut is no character in the other: of 169 such shapes none was."""
MORE_SENSE = 1.1
"""A line is misread when it has this many times as many characters, or surer ones, upside down."""
INKED = 0.5
"""A gap holds ink when its columns have this part of the contrast of those that were read."""


class ReadLine(NamedTuple):
    """Reading of a line, its direction, and whether it seems to say something else."""

    reading: Reading
    direction: Direction
    misread: bool


class Reader:
    """Reads findings in a picture. Safe to share among threads."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer

    def read(self, picture: Picture, scored: ScoredBox) -> ReadLine:
        """Read a finding with what is at its ends."""
        if scored.strip is not None:
            more = READ_BESIDE * scored.strip.thickness
            line = scored.strip.grown(more, 0).cut(picture)
            steep = abs(scored.strip.angle) > pi / 4
            return self._either(line, Direction.RIGHT, Direction.LEFT) if steep else self._level(line)
        box = with_ends(scored.box, picture.shape[1], picture.shape[0])
        line = picture[box.top : box.bottom, box.left : box.right]
        if box.height > UPRIGHT * box.width:
            return self._either(line, Direction.RIGHT, Direction.DOWN, Direction.UP)
        return self._level(line)

    def character(self, picture: Picture, box: Box) -> float:
        """Return how well a box reads as characters, in the cut that suits the reader better: it was taught lines."""
        rows, columns = picture.shape[:2]
        best = 0.0
        for room in GLYPH_ROOM:
            cut = box.grown(round(room * box.height)).clipped(columns, rows)
            reading = self._recognizer.read(picture[cut.top : cut.bottom, cut.left : cut.right])
            if any(map(str.isalnum, reading.text)):
                best = max(best, reading.confidence)
            if best < GLYPH_PROMISE or best >= GLYPH_CONFIDENCE:
                break
        return best

    def _level(self, line: Picture) -> ReadLine:
        """Read a level line. What makes more sense upside down is upside down, or of a script the reader lacks."""
        upright, turned, direction = self._in(line, Direction.RIGHT)
        doubtful = not _reads_well(upright, turned)
        misread = doubtful and _sense(self._in(line, Direction.LEFT).reading) > MORE_SENSE * _sense(upright)
        return ReadLine(upright, direction, misread or _passes_over(upright, turned))

    def _either(self, line: Picture, *directions: Direction) -> ReadLine:
        """Read a line in the direction that makes most sense."""
        ways = [self._in(line, direction) for direction in directions]
        best = max(ways, key=lambda way: _sense(way.reading))
        return ReadLine(best.reading, best.direction, _passes_over(best.reading, best.line))

    def _in(self, line: Picture, direction: Direction) -> _Way:
        turned = np.ascontiguousarray(np.rot90(line, direction.value))
        return _Way(self._recognizer.read(turned), turned, direction)


class _Way(NamedTuple):
    """Reading of a line in one direction."""

    reading: Reading
    line: Picture
    direction: Direction


def _sense(reading: Reading) -> float:
    return reading.confidence * len(reading.text)


def with_ends(box: Box, columns: int, rows: int) -> Box:
    """Return a line's box with room for a character that the detector cut off at either end: it is read with them."""
    more = round(READ_BESIDE * min(box.width, box.height))
    longer = box.grown(more, 0) if box.width >= box.height else box.grown(0, more)
    return longer.clipped(columns, rows)


def _reads_well(reading: Reading, line: Picture) -> bool:
    rows, columns = line.shape[:2]
    return is_sure(reading.text, reading.weakest) and enough_characters(reading.text, columns, rows)


def _passes_over(reading: Reading, line: Picture) -> bool:
    """Say whether a gap between characters holds ink: letters that the reader does not know give no character."""
    rows, columns = line.shape[:2]
    read = [place * columns for place, letter in zip(reading.positions, reading.text, strict=True) if letter.strip()]
    gaps = [(start, end) for start, end in pairwise((0.0, *read, float(columns))) if end - start > GAP * rows]
    if not gaps or not read:
        return False
    middle = line[rows // 4 : rows - rows // 4].astype(np.int16).mean(axis=2)
    contrast = middle.max(axis=0) - middle.min(axis=0)
    usual = float(np.median([contrast[min(columns - 1, int(place))] for place in read]))
    half = rows / 2
    return any(float(np.median(contrast[int(start + half) : int(end - half)])) >= INKED * usual for start, end in gaps)
