"""`transfer`: move many items in parallel, count them, and stop when the store refuses everything.

An item that fails is counted, and the others go on.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sized
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid._border import call_back
from healthcare_deid.client.drivers.daemon_pool import DaemonPool
from healthcare_deid.client.drivers.session import MAXIMUM_PARALLEL
from healthcare_deid.client.protocol.arguments import callback
from healthcare_deid.client.transfers.report import ItemResult, Tally, TransferReport, failure
from healthcare_deid.errors import (
    ApiError,
    ConfigError,
    CredentialsError,
    DeidError,
    NotFound,
    PermissionDenied,
    ReplyError,
    TransferError,
    TransportError,
    Unauthenticated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

_REFUSED = (CredentialsError, Unauthenticated, PermissionDenied)
REFUSED = (*_REFUSED, NotFound)
"""Errors of one item that say that the store will take none of the others either."""
OF_ONE = (ApiError, TransportError, ReplyError)
"""Errors of one item while the others may succeed; a closed client is none of these."""


def transfer(
    items: Iterable[T],
    move: Callable[[T], ItemResult],
    *,
    parallel: Any,
    on_progress: Callable[[TransferReport], object] | None,
    stop: threading.Event | None = None,
) -> TransferReport:
    """Move every item, ``parallel`` at a time.

    Args:
        items: Items to move.
        move: Moves one; raises one of `REFUSED` if none can be moved.
        parallel: Requests at a time.
        on_progress: Called in this thread with the counts so far.
        stop: Ends the transfer before its next item, when it is set.

    Raises:
        TransferError: The store refuses everything; the error carries the report.
    """
    if not isinstance(parallel, int) or not 1 <= parallel <= MAXIMUM_PARALLEL:
        raise ConfigError(f"parallel: must be 1 to {MAXIMUM_PARALLEL} requests")
    callback("on_progress", on_progress)
    over = stop or threading.Event()
    tally = Tally(len(items) if isinstance(items, Sized) else None)
    refusal: DeidError | None = None
    source = iter(items)
    pending: set[Future[ItemResult]] = set()
    pool = DaemonPool(parallel, "healthcare-deid-transfer")

    def one(item: T) -> ItemResult:
        if over.is_set():
            return failure("failed", "", "the transfer was stopped")
        return move(item)

    try:
        while refusal is None and not over.is_set():
            pending.update(pool.submit(one, item) for item in itertools.islice(source, 2 * parallel - len(pending)))
            if not pending:
                break
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in ended:
                refusal = _added(tally, future) or refusal
            if on_progress is not None:
                call_back(on_progress, tally.report(ended=False))
        pending = {future for future in pending if not future.cancel()}
        for future in wait(pending).done:
            _added(tally, future)
    except _REFUSED as error:  # raised by the search for items
        refusal = error
    finally:
        # After Ctrl-C nobody waits for requests on their way, and no other begins.
        over.set()
        pool.shutdown(cancel_futures=True)
    if refusal is not None:
        stopped = TransferError(f"the store refuses the transfer: {refusal}", report=tally.report())
        stopped.__cause__ = refusal
        raise stopped
    return tally.report()


def _added(tally: Tally, future: Future[ItemResult]) -> DeidError | None:
    """Count one item, or return the error that means that the whole transfer is refused."""
    try:
        tally.add(future.result())
    except REFUSED as error:
        return error
    return None
