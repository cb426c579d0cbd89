"""Runs of elements that come again in the same bytes: in a series' next file they are passed at once, not one by one.

A run begins after a tag, and goes on to an element of which the bytes do not say enough, or whose bytes change from
file to file. Which those are is learnt: where a run that has never come again does not come now, the elements that
differ are set apart, and the stretches between them become runs. One that did come again, and now does not, is of
another series: it is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 1 << 12
"""Bytes of an element that can be in a run."""
_LONGEST_RUN = 1 << 15
_MOST = 128


@dataclass(slots=True)
class Run:
    """Elements that came one after another.

    Attributes:
        data: The elements as they came.
        last: Tag of the last one.
        came_again: Whether another file had them too.
    """

    data: bytes
    last: int
    came_again: bool = field(default=False, kw_only=True)


R = TypeVar("R", bound=Run)


@dataclass(slots=True)
class Runs(Generic[R]):
    """The runs of elements of one form, at the top level.

    Attributes:
        after: A run by the tag of the element before it.
        apart: Tags of elements that are in no run: they change from file to file. It only grows: after many studies
            mixed, fewer elements are passed at once, and none wrongly.
    """

    after: dict[int, R] = field(default_factory=dict[int, R])
    apart: set[int] = field(default_factory=set[int])

    def learn(self, after: int, run: R, elements: Callable[[R], dict[int, bytes]]) -> None:
        """Remember a run, or set apart what changes in it.

        Args:
            after: The tag before it.
            run: Its elements were just dealt with one by one.
            elements: Takes a run apart: its elements by tag, as far as they can be told.
        """
        if len(run.data) > _LONGEST_RUN:
            return
        old = self.after.pop(after, None)
        if old is not None and not old.came_again:
            changing = _changing(elements(old), elements(run))
            if changing:
                self.apart |= changing
                return
        if len(self.after) >= _MOST:
            self.after.clear()
        self.after[after] = run


def _changing(old: dict[int, bytes], new: dict[int, bytes]) -> set[int]:
    """Return the tags of elements that differ, or are in one only, as far as both go."""
    last = min(max(old, default=0), max(new, default=0))
    return {tag for tag in old.keys() | new.keys() if tag <= last and old.get(tag) != new.get(tag)}
