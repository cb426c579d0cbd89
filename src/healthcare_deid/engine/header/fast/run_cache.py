"""Cache of runs of successive elements.

A run has the same bytes in every file of a series. A cached run is copied at once instead of element by element. It
follows a certain tag and ends before an element that varies between files. Which elements vary is learned: if a run has
never repeated and does not match now, the elements that differ are set apart and no longer belong to runs. A run that
has repeated and does not match now belongs to another series and is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1 << 12
"""Largest element in a run, in bytes."""
_LONGEST_RUN = 1 << 15
_MOST = 128


@dataclass(slots=True)
class Run:
    """Successive elements with constant bytes.

    Attributes:
        data: The elements as encoded.
        last: Tag of the last one.
        came_again: Whether another file had the same run.
    """

    data: bytes
    last: int
    came_again: bool = field(default=False, kw_only=True)


R = TypeVar("R", bound=Run)


@dataclass(slots=True)
class Runs(Generic[R]):
    """Runs at the top level, for one form of encoding.

    Attributes:
        after: Run by the tag of the preceding element.
        apart: Tags of elements that vary between files. The set only grows, which can cost speed but not correctness.
    """

    after: dict[int, R] = field(default_factory=dict[int, R])
    apart: set[int] = field(default_factory=set[int])

    def learn(self, after: int, run: R, elements: Callable[[R], dict[int, bytes]]) -> None:
        """Cache a run, or set apart the elements that vary in it.

        Args:
            after: Tag of the preceding element.
            run: The run; its elements were just processed one by one.
            elements: Splits a run into elements by tag, as far as possible.
        """
        if len(run.data) > _LONGEST_RUN:
            return
        old = self.after.pop(after, None)
        if old is not None and not old.came_again:
            changing = _changing(elements(old), elements(run))
            if changing:
                self.apart |= changing
                return
        # Starting over is simpler than tracking ages, and runs are relearned from two files.
        if len(self.after) >= _MOST:
            self.after.clear()
        self.after[after] = run


def _changing(old: dict[int, bytes], new: dict[int, bytes]) -> set[int]:
    """Return the tags of elements that differ between runs.

    An element that one run lacks counts too, up to the end of the shorter run.
    """
    last = min(max(old, default=0), max(new, default=0))
    return {tag for tag in old.keys() | new.keys() if tag <= last and old.get(tag) != new.get(tag)}
