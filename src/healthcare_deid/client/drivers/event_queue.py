"""`EventQueue`: passes events from the polling thread to a waiter."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from healthcare_deid.client.protocol.clock import Clock

T = TypeVar("T")


class EventQueue(Generic[T]):
    """Queue that waits on the client's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._items: deque[T] = deque()

    def put(self, item: T) -> None:
        """Add an item."""
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def waiting(self) -> bool:
        """Return whether the queue has an item."""
        with self._changed:
            return bool(self._items)

    def get(self, end: float | None) -> T | None:
        """Return the next item, or None if none arrives by *end*.

        *end* is a time of the client's clock.
        """
        with self._changed:
            while not self._items:
                left = None if end is None else end - self._clock.monotonic()
                if left is not None and left <= 0:
                    return None
                self._clock.wait(self._changed, lambda: bool(self._items), left)
            return self._items.popleft()
