"""Text in multi-frame images: static text is found once, and frames are searched only where they changed.

First every frame is compared with a *reference*, an earlier frame that is searched as a whole. Then the references are
searched, and after them the other frames where they differ from their reference. The plan depends on the frames alone,
never on the number of threads, and no frame waits for the previous one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from healthcare_deid.engine.geometry import Box, merged
from healthcare_deid.engine.pixels.find.components import component_boxes
from healthcare_deid.engine.pixels.find.machine_codes import codes
from healthcare_deid.engine.pixels.find.ocr import Glances
from healthcare_deid.engine.pixels.parallel import ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthcare_deid.engine.pixels.arrays import Mask, Picture, Words
    from healthcare_deid.engine.pixels.find.ocr import Ocr
    from healthcare_deid.engine.pixels.frames.windows import Windows
    from healthcare_deid.engine.pixels.lines import TextLine

BLOCK = 16
"""Side of the squares, in pixels, in which changes are counted; changes in neighboring squares form one region."""
CONTEXT = 24
"""Context around a small change, in pixels: about one line of text."""
LEAST_CONTEXT = 8
"""Context around a large change, in pixels; a line inside it already has its surroundings."""
SAMPLED = 4
"""Step, in rows and columns, of the samples that estimate how much of a frame changed."""
WHOLE_FRAME = 0.7
"""Changed fraction of a frame above which the whole frame is searched."""
SAME_LINE = 0.8
"""A finding with at least this fraction of its area inside an unchanged line is part of that line."""
WHITE = 255
FEWEST_LEVELS = 3
"""Smallest difference of the brightest and darkest gray level; a picture with less shows nothing."""


class Frames(Protocol):
    """Frames to search."""

    @property
    def count(self) -> int:
        """Number of frames."""
        ...

    @property
    def columns(self) -> int:
        """Columns of a frame's pictures: twice those of its words if chroma is subsampled."""
        ...

    def words(self, index: int) -> Words:
        """Return a frame."""
        ...

    def pictures(self, words: Words) -> list[Picture]:
        """Return a frame's pictures."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Search plan of one frame.

    Attributes:
        frame: Index of the frame.
        like: Index of the first identical frame, possibly its own.
        reference: Index of the frame it was compared with; its own if the whole frame is searched.
        changed: Regions that differ from the reference.
    """

    frame: int
    like: int
    reference: int
    changed: tuple[Box, ...] = ()


class Shown(NamedTuple):
    """A picture of a frame, and whether `Glances.glance` is enough for it."""

    picture: Picture
    briefly: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Settings of a search.

    Attributes:
        ocr: Finds the text.
        read: Whether the text is read too.
        workers: Threads that share the frames.
    """

    ocr: Ocr
    read: bool
    workers: int = 1

    def frames(self, frames: Frames, windows: Windows | None = None) -> list[list[TextLine]]:
        """Return the lines of text in every frame.

        Args:
            frames: Frames to search.
            windows: Display windows to search as well.
        """
        workers = min(self.workers, frames.count)
        plan = list(steps(ordered(frames.words, range(frames.count), workers), frames.columns))
        first = [step for step in plan if step.like == step.frame]
        found: dict[int, list[TextLine]] = {}

        def whole(step: Step) -> list[TextLine]:
            return self._whole(frames, windows, step.frame)

        def changed(step: Step) -> list[TextLine]:
            return self._changed(frames, windows, step, found[step.reference])

        for look, group in (
            (whole, [step for step in first if step.reference == step.frame]),
            (changed, [step for step in first if step.reference != step.frame]),
        ):
            lines = ordered(look, group, min(self.workers, len(group)))
            found |= {step.frame: of_frame for step, of_frame in zip(group, lines, strict=True)}
        return [found[step.like] for step in plan]

    def first_frame(self, frames: Frames, windows: Windows | None = None) -> list[TextLine]:
        """Return the lines of text in the first frame."""
        return self._whole(frames, windows, 0)

    def _whole(self, frames: Frames, windows: Windows | None, frame: int) -> list[TextLine]:
        return [line for shown in self._shown(frames, windows, frame) for line in self._find(shown)]

    def _shown(self, frames: Frames, windows: Windows | None, frame: int) -> list[Shown]:
        words = frames.words(frame)
        shown = [Shown(picture, briefly=False) for picture in frames.pictures(words)]
        if windows is not None:
            shown += [Shown(picture, briefly=True) for picture in windows.pictures(frame, words)]
        return shown

    def _find(self, shown: Shown, within: Box | None = None) -> list[TextLine]:
        """Return the text and the bar codes in a picture, or in a region of it."""
        picture = shown.picture
        rows, columns = picture.shape[:2]
        area = part_that_shows(picture, within or Box(0, 0, columns, rows)) if shown.briefly else within
        cut = picture[area.top : area.bottom, area.left : area.right] if area else picture
        if not cut.size or int(cut.max()) - int(cut.min()) < FEWEST_LEVELS:
            return []
        glance = self.ocr.glance if shown.briefly and isinstance(self.ocr, Glances) else self.ocr.find
        return [*glance(picture, read=self.read, within=area), *codes(picture, area)]

    def _changed(self, frames: Frames, windows: Windows | None, step: Step, known: list[TextLine]) -> list[TextLine]:
        pictures = self._shown(frames, windows, step.frame)
        rows, columns = pictures[0].picture.shape[:2]
        touched = lines_touched(step.changed, [line.box for line in known])
        parts = regions([*step.changed, *touched], columns=columns, rows=rows)
        if sum(part.area for part in parts) > WHOLE_FRAME * rows * columns:
            return self._whole(frames, windows, step.frame)
        lines = [line for line in known if line.box not in touched]
        same = [box for line in lines for box in line.boxes]
        for part in parts:
            for shown in pictures:
                lines.extend(line for line in self._find(shown, part) if not _is_one_of(line.box, same))
        return lines


def steps(frames: Iterable[Words], columns: int) -> Iterator[Step]:
    """Yield the search plan of every frame.

    A frame that changed for the most part is searched as a whole and becomes the reference. So does a frame after a
    slow drift: for each frame, the fraction that differs from the reference, less the fraction that differs from the
    previous frame, is added up until the sum exceeds 1.

    Args:
        frames: The frames, in order.
        columns: Columns of their pictures.
    """
    seen: dict[bytes, Step] = {}
    before: Words | None = None
    reference: Words | None = None
    latest, again = 0, 0.0
    for index, words in enumerate(frames):
        key = hashlib.blake2b(np.ascontiguousarray(words).data, digest_size=16).digest()
        known = seen.get(key)
        if known is not None:
            step = replace(known, frame=index)
        elif before is None or reference is None:
            step = Step(index, index, index)
        else:
            changed = changes(reference, words, columns)
            again += max(0.0, _differing(reference, words) - _differing(before, words))
            whole = again > 1 or sum(box.area for box in changed) > WHOLE_FRAME * words.shape[0] * columns
            step = Step(index, index, index) if whole else Step(index, index, latest, changed)
        if step.reference == index:
            reference, latest, again = words, index, 0.0
        seen.setdefault(key, step)
        before = words
        yield step


def changes(before: Words, now: Words, columns: int) -> tuple[Box, ...]:
    """Return boxes around all pixels in which two frames differ, in a picture of ``columns`` columns."""
    different: Mask = before != now
    if different.ndim == 3:  # several times faster than any(axis=2)
        different = reduce(np.logical_or, (different[:, :, sample] for sample in range(different.shape[2])))
    if not different.any():
        return ()
    step = columns // now.shape[1]
    across = BLOCK // step
    found: list[Box] = []
    for component in component_boxes(_blocks(different, BLOCK, across)):
        left, top, right, bottom = component.box.scaled(across, BLOCK)
        part = different[top:bottom, left:right]
        beside, below = np.flatnonzero(part.any(axis=0)), np.flatnonzero(part.any(axis=1))
        tight = Box(int(beside[0]) * step, int(below[0]), (int(beside[-1]) + 1) * step, int(below[-1]) + 1)
        found.append(tight.moved(left * step, top))
    return tuple(found)


def _differing(before: Words, now: Words) -> float:
    """Estimate the fraction of a frame that differs from another."""
    return float(np.mean(before[::SAMPLED, ::SAMPLED] != now[::SAMPLED, ::SAMPLED]))


def part_that_shows(picture: Picture, area: Box) -> Box:
    """Return an area without its uniformly black or white margins, which a display window clipped."""
    gray = picture[area.top : area.bottom, area.left : area.right, 0]
    plain = 0 if np.count_nonzero(gray == 0) >= np.count_nonzero(gray == WHITE) else WHITE
    other = gray != plain
    beside, below = np.flatnonzero(other.any(axis=0)), np.flatnonzero(other.any(axis=1))
    if not beside.size:
        return Box(area.left, area.top, area.left, area.top)
    tight = Box(int(beside[0]), int(below[0]), int(beside[-1]) + 1, int(below[-1]) + 1)
    return tight.moved(area.left, area.top).grown(CONTEXT).intersection(area)


def lines_touched(changed: Sequence[Box], known: Iterable[Box]) -> set[Box]:
    """Return the known lines that a change touches or continues, and the lines that touch those in turn."""
    touched: set[Box] = set()
    pending, spread = set(known), list(changed)
    while spread:
        new = {box for box in pending if any(_with_ends(box).overlaps(part) for part in spread)}
        pending -= new
        touched |= new
        spread = list(new)
    return touched


def regions(seen: Sequence[Box], *, columns: int, rows: int) -> list[Box]:
    """Return disjoint boxes that hold the given ones and their context."""
    grown = [box.grown(_context(box.width), _context(box.height)) for box in merged(seen)]
    return merged([box.clipped(columns, rows) for box in grown])


def in_every_frame(lines: Sequence[Sequence[TextLine]]) -> list[list[TextLine]]:
    """Give every frame the lines of all frames, for text that fades or flickers."""
    union: dict[Box, TextLine] = {}
    for of_frame in lines:
        for line in of_frame:
            union.setdefault(line.box, line)
    return [[replace(line) for line in union.values()] for _ in lines]


def _with_ends(line: Box) -> Box:
    """Return a line's box with room for text that continues it at either end."""
    more = min(line.width, line.height)
    return line.grown(more, 1) if line.width >= line.height else line.grown(1, more)


def _context(size: int) -> int:
    return max(LEAST_CONTEXT, CONTEXT - size // 5)


def _is_one_of(box: Box, known: Iterable[Box]) -> bool:
    return any(box.intersection(other).area >= SAME_LINE * box.area for other in known)


def _blocks(mask: Mask, rows: int, columns: int) -> Mask:
    height, width = -(-mask.shape[0] // rows) * rows, -(-mask.shape[1] // columns) * columns
    padded = np.zeros((height, width), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(height // rows, rows, width // columns, columns).any(axis=(1, 3)))
