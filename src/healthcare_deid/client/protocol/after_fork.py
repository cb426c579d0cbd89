"""What begins anew in a forked child: sockets and threads are its parent's, and a lock may be held by one of those."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """What has state that a forked child cannot use."""

    def _reset(self) -> None: ...


_FORKABLE: weakref.WeakSet[Forkable] = weakref.WeakSet()


def reset_in_child(thing: Forkable) -> None:
    """Have ``thing._reset()`` called in a forked child, before anything else happens there."""
    _FORKABLE.add(thing)


def _forked() -> None:
    for thing in list(_FORKABLE):
        thing._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
