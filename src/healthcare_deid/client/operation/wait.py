"""`wait` and `as_completed`: wait for many operations with one list request a dataset and poll."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from healthcare_deid.client.drivers.event_queue import EventQueue
from healthcare_deid.client.operation.async_operation import AsyncOperation
from healthcare_deid.client.operation.operation import Operation
from healthcare_deid.client.protocol.arguments import patience
from healthcare_deid.errors import OperationLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.protocol.polling import Event


class Waited(NamedTuple):
    """What `wait` returns."""

    done: set[Operation[Any]]
    """Ended, well or not."""
    not_done: set[Operation[Any]]
    """Still running when the time was up, or not to be reached."""


def wait(operations: Iterable[Operation[Any]], timeout: float | None = None) -> Waited:
    """Wait until all have ended, or for ``timeout`` seconds.

    Returns:
        The operations that ended, and the others: those still running, and those whose state could not be read for
        `PollPolicy.lost_after` seconds, which are not waited for any longer.

    Raises:
        TypeError: Something else is among them, such as an `AsyncOperation`, which is awaited.
    """
    chosen = _chosen("wait", operations)
    done: set[Operation[Any]] = set()
    for operation, error in _endings(chosen, timeout):
        if error is None and operation is not None:
            done.add(operation)
    return Waited(done, chosen - done)


def as_completed(operations: Iterable[Operation[Any]], timeout: float | None = None) -> Iterator[Operation[Any]]:
    """Yield each operation when it has ended, well or not.

    Raises:
        OperationTimeout: Some still run after ``timeout`` seconds; the error carries one of them.
        OperationLost: When all others have ended: the state of one could not be read for too long.
        TypeError: Something else is among them, such as an `AsyncOperation`, which is awaited.
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


def _chosen(function: str, operations: Any) -> set[Operation[Any]]:
    if isinstance(operations, Operation):
        raise TypeError(f"{function}: operations in a list are needed; one alone has .wait()")
    if not isinstance(operations, Iterable) or isinstance(operations, str):
        raise TypeError(f"{function}: operations in a list are needed, not {type(operations).__name__}")
    chosen: list[Any] = list(operations)
    for item in chosen:
        if not isinstance(item, Operation):
            hint = ": await it, or use asyncio.gather" if isinstance(item, AsyncOperation) else ""
            raise TypeError(f"{function}: an Operation is needed, not {type(item).__name__}{hint}")
    return set(chosen)


def _endings(
    operations: set[Operation[Any]], timeout: float | None
) -> Iterator[tuple[Operation[Any] | None, OperationLost | None]]:
    """Yield each operation that ends or is lost, and once nothing when the time is up."""
    if not operations:
        return
    patience(timeout)
    clock = next(iter(operations))._clock
    end = None if timeout is None else clock.monotonic() + timeout
    events: EventQueue[tuple[Operation[Any], Event]] = EventQueue(clock)
    listeners: dict[Operation[Any], Callable[[Event], None]] = {}
    waiting: set[Operation[Any]] = set()
    hold = clock.hold()
    try:
        for operation in operations:
            listener = _listener(events, operation)
            if operation._tracker.subscribe(listener):
                listeners[operation] = listener
                waiting.add(operation)
        # All of a client's at once, so that the first tick already asks for them together.
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


def _listener(events: EventQueue[tuple[Operation[Any], Event]], operation: Operation[Any]) -> Callable[[Event], None]:
    return lambda event: events.put((operation, event))
