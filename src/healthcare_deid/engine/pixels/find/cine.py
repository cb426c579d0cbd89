"""Text in many frames: what does not move is found once, and frames are looked at where they changed.

First every frame is compared with a *reference*, an earlier frame that is looked at as a whole. Then the references are
looked at, and after them every other frame where it differs from its reference. What is looked at depends on the frames
alone, never on the number of threads, and no frame waits for the one before it.
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
"""Changes in the same or neighboring squares of this many pixels are looked at together."""
CONTEXT = 24
"""Pixels around a small change that are looked at with it: about one line of text."""
LEAST_CONTEXT = 8
"""And around a large one, in which a line has its surroundings."""
SAMPLED = 4
"""Every so many rows and columns are enough to see whether much changed."""
WHOLE_FRAME = 0.7
"""When more than this part of a frame changed, the whole is looked at."""
SAME_LINE = 0.8
"""A finding that lies to this part in a line that did not change is that line, seen in part."""
WHITE = 255
FEWEST_LEVELS = 3
"""A picture whose brightest and darkest pixel differ by less than this shows nothing."""


class Frames(Protocol):
    """Frames to look at."""

    @property
    def count(self) -> int:
        """Number of frames."""
        ...

    @property
    def columns(self) -> int:
        """Columns of a frame's pictures: twice those of its words where chroma is shared."""
        ...

    def words(self, index: int) -> Words:
        """Return a frame."""
        ...

    def pictures(self, words: Words) -> list[Picture]:
        """Return a frame's pictures."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Part of a frame to look at.

    Attributes:
        frame: Its index.
        like: The first frame that is equal to it, which may be itself.
        reference: The frame it was compared with; itself where all of it is looked at.
        changed: Where it differs from that.
    """

    frame: int
    like: int
    reference: int
    changed: tuple[Box, ...] = ()


class Shown(NamedTuple):
    """A picture of a frame, and whether one look at it is enough."""

    picture: Picture
    briefly: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Way of looking at frames.

    Attributes:
        ocr: What finds text.
        read: Whether to read it.
        workers: Threads; frames are shared out among them.
    """

    ocr: Ocr
    read: bool
    workers: int = 1

    def frames(self, frames: Frames, windows: Windows | None = None) -> list[list[TextLine]]:
        """Return the lines in every frame.

        Args:
            frames: What is looked at.
            windows: In which windows besides.
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
        """Return the lines in the first frame alone."""
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
        """Return the text and the codes in a picture, or in a part of it."""
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
    """Yield what is looked at in every frame of a loop, whose pictures have so many columns.

    A frame of which most changed is looked at as a whole. So is one from time to time when frames differ from their
    reference in more than they differ from each other: as soon as what was looked at again adds up to a whole frame.
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
    """Return boxes, in a picture of so many columns, that hold every pixel in which a frame differs from another."""
    different: Mask = before != now
    if different.ndim == 3:  # several times as fast as any(axis=2)
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
    """Return about which part of a frame differs from another one."""
    return float(np.mean(before[::SAMPLED, ::SAMPLED] != now[::SAMPLED, ::SAMPLED]))


def part_that_shows(picture: Picture, area: Box) -> Box:
    """Return the part of an area outside which a picture is black, or white, all over: what a window cuts off."""
    gray = picture[area.top : area.bottom, area.left : area.right, 0]
    plain = 0 if np.count_nonzero(gray == 0) >= np.count_nonzero(gray == WHITE) else WHITE
    other = gray != plain
    beside, below = np.flatnonzero(other.any(axis=0)), np.flatnonzero(other.any(axis=1))
    if not beside.size:
        return Box(area.left, area.top, area.left, area.top)
    tight = Box(int(beside[0]), int(below[0]), int(beside[-1]) + 1, int(below[-1]) + 1)
    return tight.moved(area.left, area.top).grown(CONTEXT).intersection(area)


def lines_touched(changed: Sequence[Box], known: Iterable[Box]) -> set[Box]:
    """Return the known lines that a change is in, or goes on from; and those that this change of a line is in."""
    touched: set[Box] = set()
    pending, spread = set(known), list(changed)
    while spread:
        new = {box for box in pending if any(_with_ends(box).overlaps(part) for part in spread)}
        pending -= new
        touched |= new
        spread = list(new)
    return touched


def regions(seen: Sequence[Box], *, columns: int, rows: int) -> list[Box]:
    """Return boxes that hold these and their surroundings, and do not overlap."""
    grown = [box.grown(_context(box.width), _context(box.height)) for box in merged(seen)]
    return merged([box.clipped(columns, rows) for box in grown])


def in_every_frame(lines: Sequence[Sequence[TextLine]]) -> list[list[TextLine]]:
    """Return, for every frame, the lines of all frames: for text that fades or flickers."""
    union: dict[Box, TextLine] = {}
    for of_frame in lines:
        for line in of_frame:
            union.setdefault(line.box, line)
    return [[replace(line) for line in union.values()] for _ in lines]


def _with_ends(line: Box) -> Box:
    """Return a line with room for what is written on from it."""
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
