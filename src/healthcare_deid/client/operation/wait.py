"""`wait` and `as_completed` for many operations.

Each poll sends one list request per dataset.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from healthcare_deid.client.drivers.event_queue import EventQueue
from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.client.operation.operation import Operation
from healthcare_deid.client.protocol.arguments import check_wait_timeout
from healthcare_deid.errors import OperationLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.protocol.polling import Event

T = TypeVar("T")


class Waited(NamedTuple, Generic[T]):
    """Result of `wait`."""

    done: set[Operation[T]]
    """Operations that have ended, successfully or not."""
    not_done: set[Operation[T]]
    """Operations that are still running, or that could not be polled."""


def wait(operations: Iterable[Operation[T]], timeout: float | None = None) -> Waited[T]:
    """Wait until all operations have ended, or for *timeout* seconds.

    Returns:
        Operations that ended, and the others. The others are still running, or their polls failed for
        `PollPolicy.lost_after` seconds.

    Raises:
        TypeError: An item is not an `Operation`. Await an `AsyncOperation` instead.
    """
    chosen = _chosen("wait", operations)
    done: set[Operation[T]] = set()
    for operation, error in _endings(chosen, timeout):
        if error is None and operation is not None:
            done.add(operation)
    return Waited(done, chosen - done)


def as_completed(operations: Iterable[Operation[T]], timeout: float | None = None) -> Iterator[Operation[T]]:
    """Yield each operation when it ends, successfully or not.

    Raises:
        OperationTimeout: An operation is still running after *timeout* seconds. The exception carries one of them.
        OperationLost: Polls of an operation failed for too long. Raised after all others have ended.
        TypeError: An item is not an `Operation`. Await an `AsyncOperation` instead.
    """
    chosen = _chosen("as_completed", operations)
    lost: OperationLost | None = None
    for operation, error in _endings(chosen, timeout):
        if operation is None:
            still = next(iter(chosen))
            raise still._timed_out(timeout)
        if error is not None:
            lost = error
            continue
        chosen.discard(operation)
        yield operation
    if lost is not None:
        raise lost


def _chosen(function: str, operations: Iterable[Operation[T]]) -> set[Operation[T]]:
    given: Any = operations
    # Checked at run time too, because notebooks and scripts often have no type checker.
    if isinstance(given, Operation):
        raise TypeError(f"{function}() takes a list of operations; use operation.wait() for a single one")
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise TypeError(f"{function}() takes a list of operations, not {type(given).__name__}")
    chosen: list[Any] = list(given)
    for item in chosen:
        if not isinstance(item, Operation):
            hint = ": await it, or use asyncio.gather" if isinstance(item, AsyncOperation) else ""
            raise TypeError(f"{function}() takes operations, not {type(item).__name__}{hint}")
    return set(chosen)


def _endings(
    operations: set[Operation[T]], timeout: float | None
) -> Iterator[tuple[Operation[T] | None, OperationLost | None]]:
    """Yield each operation that ends or is lost.

    Yields ``(None, None)`` and stops when the time is up.
    """
    if not operations:
        return
    check_wait_timeout(timeout)
    clock = next(iter(operations))._clock
    end = None if timeout is None else clock.monotonic() + timeout
    events: EventQueue[tuple[Operation[T], Event]] = EventQueue(clock)
    listeners: dict[Operation[T], Callable[[Event], None]] = {}
    waiting: set[Operation[T]] = set()
    hold = clock.hold()
    try:
        for operation in operations:
            listener = _listener(events, operation)
            if operation._tracker.subscribe(listener):
                listeners[operation] = listener
                waiting.add(operation)
        # Watch all operations of a client in one call, so that the first poll already uses one list request.
        for session in {operation._session for operation in waiting}:
            mine = [item._tracker for item in waiting if item._session is session]
            session.poller.watch(*mine)
        hold.release()
        for operation in operations - set(listeners):
            yield operation, None
        while waiting:
            item = events.get(end)
            if item is None:
                yield None, None
                return
            operation, event = item
            gone = isinstance(event, OperationLost)
            if operation not in waiting or not (gone or operation.state.ended):
                continue
            waiting.discard(operation)
            yield operation, operation._lost(event) if isinstance(event, OperationLost) else None
    finally:
        hold.release()
        for operation, listener in listeners.items():
            operation._tracker.unsubscribe(listener)
            operation._session.poller.unwatch(operation._tracker)


def _listener(events: EventQueue[tuple[Operation[T], Event]], operation: Operation[T]) -> Callable[[Event], None]:
    return lambda event: events.put((operation, event))
