"""`MethodGroup`: base class of the client's methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.operation.operation import Operation
from healthcare_deid.errors import ReplyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.drivers.session import Session
    from healthcare_deid.client.protocol.context import CallContext, StartedOperation
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.operation_state import OperationSnapshot

T = TypeVar("T")


class MethodGroup:
    """Base class of the parts of `DeidClient`."""

    _context: CallContext
    _session: Session

    def _run(self, flow: Flow[T]) -> T:
        return self._session.run(flow)

    def _start(self, flow: Flow[StartedOperation], kind: Any) -> Operation[Any]:
        started = self._run(flow)
        return Operation(self._session, self._context, started.snapshot, started=started, kind=kind)

    def _operation(self, snapshot: OperationSnapshot) -> Operation[Any]:
        return Operation(self._session, self._context, snapshot)

    def _pages(self, page: Callable[[str], Flow[tuple[list[T], str]]]) -> Iterator[T]:
        token, seen = "", {""}
        while True:
            items, token = self._run(page(token))
            yield from items
            if not token:
                return
            # A server that cycles through the same pages would otherwise never end the loop.
            if token in seen:
                raise ReplyError("the list does not end, its page token repeats")
            seen.add(token)
