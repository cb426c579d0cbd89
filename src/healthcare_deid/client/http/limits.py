"""`Limits`: time and size that one HTTP try may take."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Generator

JSON_BYTES = 32 * 2**20
"""Largest JSON reply. The largest page of a list, 1,000 stores with full labels, has about 8 MB."""
MEMORY_BYTES = 2 * 2**30
"""Largest reply that a DICOMweb client of the user's gets in memory."""
INSTANCE_BYTES = 4 * 2**30
"""Largest instance. A data element of defined length ends at 4 GiB (PS3.5 Section 7.1)."""
WHOLE_TRANSFER = 1800.0
"""Seconds of the longest transfer; the service ends Store and Retrieve after 30 minutes (its quotas page)."""
_SLOWEST = 4096
"""Bytes a second below which a transfer is given up: a server that drips holds its thread no longer than one that
is silent, and a large instance over a slow line is not cut off."""


class Limits:
    """Time and size of one HTTP try.

    Args:
        timeout: Seconds for the whole try; in a transfer, for what does not move data.
        transfer: Whether the try moves an instance, and may take longer the more it has moved.
        memory: Largest body in memory, in bytes after decompression.
        sink: File for the body of a good reply, which may then have the size of an instance.
    """

    __slots__ = ("_began", "_timeout", "_transfer", "memory", "moved", "sink")

    def __init__(
        self, timeout: float, *, transfer: bool = False, memory: int = JSON_BYTES, sink: BinaryIO | None = None
    ) -> None:
        self._began = time.monotonic()
        self._timeout = timeout
        self._transfer = transfer
        self.memory = memory
        self.sink = sink
        self.moved = 0
        """Bytes that have been sent and received."""

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: None are.
        """
        allowed = self._timeout
        if self._transfer:
            allowed = min(allowed + self.moved / _SLOWEST, max(WHOLE_TRANSFER, self._timeout))
        left = self._began + allowed - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Current(threading.local):
    limits: Limits | None = None


_current = _Current()


def current() -> Limits | None:
    """Return the limits of the try that this thread makes."""
    return _current.limits


@contextmanager
def limited(limits: Limits) -> Generator[None]:
    """Hold this thread to limits inside the block."""
    before, _current.limits = _current.limits, limits
    try:
        yield
    finally:
        _current.limits = before
