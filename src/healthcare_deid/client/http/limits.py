"""`Limits`: time and size limits of one HTTP attempt."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Generator

JSON_BYTES = 32 * 2**20
"""Largest JSON reply. The largest list page, 1,000 stores with all labels, takes about 8 MB."""
MEMORY_BYTES = 2 * 2**30
"""Largest reply that ``dicomweb_client`` holds in memory."""
INSTANCE_BYTES = 4 * 2**30
"""Largest instance. A data element of defined length ends at 4 GiB (PS3.5 Section 7.1)."""
WHOLE_TRANSFER = 1800.0
"""Longest transfer in seconds. The service ends Store and Retrieve after 30 minutes (its quotas page)."""
# Slowest transfer in bytes per second. A fixed timeout would cut off a large instance on a slow line; no timeout would
# let a server that sends a byte now and then block its thread for good.
_MIN_BYTES_PER_SECOND = 4096


class Limits:
    """Time and size limits of one HTTP attempt.

    Args:
        timeout: Seconds for the attempt. In a transfer, time that moves data is added.
        transfer: Whether the attempt transfers instances.
        memory: Largest body to hold in memory, in bytes after decompression.
        sink: File for the body of a successful reply, which may then be as large as an instance.
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
        """Bytes sent and received so far."""

    def left(self) -> float:
        """Return the remaining seconds.

        Raises:
            TimeoutError: The time is up.
        """
        allowed = self._timeout
        if self._transfer:
            # Every byte moved buys time, up to the service's own limit for a transfer.
            allowed = min(allowed + self.moved / _MIN_BYTES_PER_SECOND, max(WHOLE_TRANSFER, self._timeout))
        left = self._began + allowed - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


class _Current(threading.local):
    limits: Limits | None = None


# Thread-local, because httplib2 has no argument that would pass the limits on to the socket.
_current = _Current()


def current_limits() -> Limits | None:
    """Return the limits of this thread's current attempt."""
    return _current.limits


@contextmanager
def limited(limits: Limits) -> Generator[None]:
    """Apply *limits* to this thread inside the block."""
    before, _current.limits = _current.limits, limits
    try:
        yield
    finally:
        _current.limits = before
