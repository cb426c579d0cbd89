"""`transfer`: transfer many items in parallel and count them.

A failed item does not stop the others. The transfer stops if the store refuses everything.
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
from healthcare_deid.client.protocol.arguments import check_callback
from healthcare_deid.client.transfers.report import ItemResult, TransferCounts, TransferReport, failure
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
"""Errors after which every other item would fail too."""
OF_ONE = (ApiError, TransportError, ReplyError)
"""Errors of a single item. A closed client raises a plain `DeidError`, which stops the transfer."""


def transfer(
    items: Iterable[T],
    move: Callable[[T], ItemResult],
    *,
    parallel: Any,
    on_progress: Callable[[TransferReport], object] | None,
    stop: threading.Event | None = None,
) -> TransferReport:
    """Transfer all items, *parallel* at a time.

    Args:
        items: Items to transfer.
        move: Transfers one item. Raises one of `REFUSED` if no item can be transferred.
        parallel: Number of concurrent requests.
        on_progress: Called in this thread with the counts so far.
        stop: Stops the transfer before its next item when set.

    Raises:
        TransferError: The store refuses everything. The exception carries the report.
    """
    if not isinstance(parallel, int) or not 1 <= parallel <= MAXIMUM_PARALLEL:
        raise ConfigError(f"parallel: must be from 1 to {MAXIMUM_PARALLEL}")
    check_callback("on_progress", on_progress)
    over = stop or threading.Event()
    tally = TransferCounts(len(items) if isinstance(items, Sized) else None)
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
            # Twice as many as can run, so that no thread idles. Not all at once, because a store may have millions.
            pending.update(pool.submit(one, item) for item in itertools.islice(source, 2 * parallel - len(pending)))
            if not pending:
                break
            ended, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in ended:
                refusal = _added(tally, future) or refusal
            if on_progress is not None:
                call_back(on_progress, tally.report(ended=False))
        # Requests in progress cannot be cancelled, so their results are counted.
        pending = {future for future in pending if not future.cancel()}
        for future in wait(pending).done:
            _added(tally, future)
    # The iterator of items searches the store. NOT_FOUND there is an error of the caller's, not a refusal.
    except _REFUSED as error:
        refusal = error
    finally:
        # After Ctrl-C, do not wait for requests in progress and start no others.
        over.set()
        pool.shutdown(cancel_futures=True)
    if refusal is not None:
        stopped = TransferError(f"the store refuses the transfer: {refusal}", report=tally.report())
        stopped.__cause__ = refusal
        raise stopped
    return tally.report()


def _added(tally: TransferCounts, future: Future[ItemResult]) -> DeidError | None:
    """Count one item, or return the error that stops the transfer."""
    try:
        tally.add(future.result())
    except REFUSED as error:
        return error
    return None
