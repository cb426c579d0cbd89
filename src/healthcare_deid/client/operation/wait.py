"""`wait` and `as_completed`: wait for many operations with one list request a dataset and poll."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from healthcare_deid.client.drivers.event_queue import EventQueue
from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.client.operation.operation import Operation
from healthcare_deid.client.protocol.arguments import patience
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
    """Operations that still run, or whose state could not be read."""


def wait(operations: Iterable[Operation[T]], timeout: float | None = None) -> Waited[T]:
    """Wait until all operations have ended, or for ``timeout`` seconds.

    Returns:
        Operations that ended, and the others: those that still run, and those whose polls failed for
        `PollPolicy.lost_after` seconds, which are not waited for any longer.

    Raises:
        TypeError: One is not an `Operation`; an `AsyncOperation` is awaited instead.
    """
    chosen = _chosen("wait", operations)
    done: set[Operation[T]] = set()
    for operation, error in _endings(chosen, timeout):
        if error is None and operation is not None:
            done.add(operation)
    return Waited(done, chosen - done)


def as_completed(operations: Iterable[Operation[T]], timeout: float | None = None) -> Iterator[Operation[T]]:
    """Yield each operation when it has ended, successfully or not.

    Raises:
        OperationTimeout: Some still run after ``timeout`` seconds; the error carries one of them.
        OperationLost: Polls of one failed for too long; raised when all others have ended.
        TypeError: One is not an `Operation`; an `AsyncOperation` is awaited instead.
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
    if isinstance(given, Operation):
        raise TypeError(f"{function}: takes a list of operations; a single one has .wait()")
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise TypeError(f"{function}: takes a list of operations, not {type(given).__name__}")
    chosen: list[Any] = list(given)
    for item in chosen:
        if not isinstance(item, Operation):
            hint = ": await it, or use asyncio.gather" if isinstance(item, AsyncOperation) else ""
            raise TypeError(f"{function}: takes operations, not {type(item).__name__}{hint}")
    return set(chosen)


def _endings(
    operations: set[Operation[T]], timeout: float | None
) -> Iterator[tuple[Operation[T] | None, OperationLost | None]]:
    """Yield each operation that ends or is lost, and None once the time is up."""
    if not operations:
        return
    patience(timeout)
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
        # All of a client's at once, so that the first poll already asks for them together.
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
