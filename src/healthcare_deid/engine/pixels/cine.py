"""Text in many frames: what does not move is found once, and frames are looked at where they changed.

Every `SEGMENT` frames start afresh, whatever the number of threads, so that results never depend on it.
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from healthcare_deid.engine.pixels.components import component_boxes
from healthcare_deid.engine.pixels.geometry import Box, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.engine.pixels.arrays import Mask, Picture, Words
    from healthcare_deid.engine.pixels.ocr import Ocr, TextLine

SEGMENT = 32
"""Frames that are followed from one full look."""
BLOCK = 16
"""Changes are located to squares of this many pixels."""
CONTEXT = 24
"""Pixels around a change that are looked at with it: about one line of text."""
WHOLE_FRAME = 0.7
"""When more than this part of a frame changed, the whole is looked at."""
FEWEST_LEVELS = 3
"""A picture whose brightest and darkest pixel differ by less than this shows nothing."""


class Frames(Protocol):
    """What frames are looked at."""

    @property
    def count(self) -> int:
        """How many frames."""
        ...

    def words(self, index: int) -> Words:
        """Return a frame."""
        ...

    def pictures(self, words: Words) -> list[Picture]:
        """Return a frame's pictures."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """How frames are looked at.

    Attributes:
        ocr: What finds text.
        read: Whether to read it.
        workers: Threads; frames are shared out among them.
    """

    ocr: Ocr
    read: bool
    workers: int = 1

    def frames(self, frames: Frames) -> list[list[TextLine]]:
        """Return the lines in every frame."""
        memory = _Memory()
        starts = range(0, frames.count, SEGMENT)

        def segment(start: int) -> list[list[TextLine]]:
            return self._follow(frames, range(start, min(start + SEGMENT, frames.count)), memory)

        if self.workers > 1 and len(starts) > 1:
            with ThreadPoolExecutor(self.workers, thread_name_prefix="pixels") as pool:
                parts = list(pool.map(segment, starts))
        else:
            parts = [segment(start) for start in starts]
        return [lines for part in parts for lines in part]

    def _follow(self, frames: Frames, indexes: range, memory: _Memory) -> list[list[TextLine]]:
        found: list[list[TextLine]] = []
        before: Words | None = None
        for index in indexes:
            words = frames.words(index)
            if before is None:
                lines = self._recalled(frames, words, memory)
            else:
                lines = self._update(frames, before, words, found[-1], memory)
            found.append(lines)
            before = words
        return found

    def _recalled(self, frames: Frames, words: Words, memory: _Memory) -> list[TextLine]:
        return memory.recall(words, lambda: self._whole(frames, words))

    def _whole(self, frames: Frames, words: Words) -> list[TextLine]:
        lines: list[TextLine] = []
        for picture in frames.pictures(words):
            if int(picture.max()) - int(picture.min()) >= FEWEST_LEVELS:
                lines.extend(self.ocr.find(picture, read=self.read, within=None))
        return lines

    def _update(
        self, frames: Frames, before: Words, words: Words, known: list[TextLine], memory: _Memory
    ) -> list[TextLine]:
        changed = changed_pixels(before, words)
        if not changed.any():
            return known
        shown = frames.pictures(words)
        rows, columns = shown[0].shape[:2]
        parts = regions(changed, [line.box for line in known], columns=columns, rows=rows)
        if sum(part.area for part in parts) > WHOLE_FRAME * rows * columns:
            return self._recalled(frames, words, memory)
        lines = [line for line in known if not any(line.box.overlaps(part) for part in parts)]
        for part in parts:
            for picture in shown:
                cut = picture[part.top : part.bottom, part.left : part.right]
                if int(cut.max()) - int(cut.min()) >= FEWEST_LEVELS:
                    lines.extend(self.ocr.find(picture, read=self.read, within=part))
        return lines


class _Memory:
    """Full looks at frames seen before, by hash. A full look depends on nothing but the frame: any order is right."""

    def __init__(self) -> None:
        self._seen: dict[bytes, list[TextLine]] = {}
        self._lock = threading.Lock()

    def recall(self, words: Words, look: Callable[[], list[TextLine]]) -> list[TextLine]:
        key = hashlib.blake2b(words.tobytes(), digest_size=16).digest()
        with self._lock:
            known = self._seen.get(key)
        if known is None:
            known = look()
            with self._lock:
                self._seen[key] = known
        return known


def changed_pixels(before: Words, now: Words) -> Mask:
    """Return which pixels of a frame differ from the frame before, as (rows, columns of words)."""
    different: Mask = before != now
    return np.asarray(different.any(axis=2)) if different.ndim == 3 else different


def regions(changed: Mask, known: Sequence[Box], *, columns: int, rows: int) -> list[Box]:
    """Return boxes that hold every change, with context, and wholly every known line that a change touches."""
    step = columns // changed.shape[1]  # 2 where words stand for pairs of columns
    blocks = _blocks(changed, BLOCK, BLOCK // step)
    found = [
        component.box.scaled(BLOCK, BLOCK).grown(CONTEXT).clipped(columns, rows)
        for component in component_boxes(blocks)
    ]
    while True:
        found = merged(found)
        touched = [box for box in known if any(box.overlaps(part) and not part.contains(box) for part in found)]
        if not touched:
            return found
        found.extend(box.grown(CONTEXT).clipped(columns, rows) for box in touched)


def in_every_frame(lines: Sequence[Sequence[TextLine]]) -> list[list[TextLine]]:
    """Return, for every frame, the lines of all frames: for text that fades or flickers."""
    union: dict[Box, TextLine] = {}
    for of_frame in lines:
        for line in of_frame:
            union.setdefault(line.box, line)
    return [[replace(line) for line in union.values()] for _ in lines]


def _blocks(mask: Mask, rows: int, columns: int) -> Mask:
    height, width = -(-mask.shape[0] // rows) * rows, -(-mask.shape[1] // columns) * columns
    padded = np.zeros((height, width), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return np.asarray(padded.reshape(height // rows, rows, width // columns, columns).any(axis=(1, 3)))
