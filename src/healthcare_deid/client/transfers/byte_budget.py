"""`ByteBudget`: limit on the bytes that parallel transfers hold in memory."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


class ByteBudget:
    """Semaphore over bytes instead of a count.

    An item larger than *limit* has to wait until it is alone.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, size: int) -> Generator[None]:
        """Reserve *size* bytes inside the block, waiting until they are free."""
        with self._changed:
            # Without `not self._used`, an item larger than the limit would wait forever.
            self._changed.wait_for(lambda: not self._used or self._used + size <= self._limit)
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()
