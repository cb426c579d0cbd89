"""Reset of locks, sockets and threads in a forked child.

A child inherits copies of its parent's locks and sockets, but none of its threads.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Object whose state is unusable in a forked child."""

    def _reset(self) -> None: ...


# Weak references: registering for a fork must not keep a closed client alive.
_FORKABLE: weakref.WeakSet[Forkable] = weakref.WeakSet()


def reset_in_child(thing: Forkable) -> None:
    """Call ``thing._reset()`` in every forked child."""
    _FORKABLE.add(thing)


def _forked() -> None:
    # Copied first: a reset may create objects that register themselves.
    for thing in list(_FORKABLE):
        thing._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
