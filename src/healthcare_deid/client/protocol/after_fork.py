"""Reset of objects in a forked child, whose sockets and threads are its parent's."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Object with state that a forked child cannot use."""

    def _reset(self) -> None: ...


_FORKABLE: weakref.WeakSet[Forkable] = weakref.WeakSet()


def reset_in_child(thing: Forkable) -> None:
    """Call ``thing._reset()`` in every forked child, before anything else runs there."""
    _FORKABLE.add(thing)


def _forked() -> None:
    for thing in list(_FORKABLE):
        thing._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
