"""`ScriptedOperation`: an operation that follows a test's script.

It needs no client, no server and no real time. ::

    operation = ScriptedOperation(running(pending=3), running(success=2, pending=1), partial(success=2, failure=1))
    assert operation.wait().state == "PARTIAL"
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.operation.operation import Operation
from healthcare_deid.client.protocol.operation_state import OperationSnapshot
from healthcare_deid.client.protocol.replies import RawResponse
from healthcare_deid.client.sync import DeidClient
from healthcare_deid.names import OperationName
from healthcare_deid.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.client.protocol.retry import PollPolicy

NAME = OperationName("project", "us-central1", "dataset1", "1")


@dataclass(frozen=True, slots=True)
class Step:
    """Reply of the service to one poll."""

    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Operation message, without ``name`` and ``apiMethodName``."""
    status: int = 200
    """HTTP status. The body of an error reply is made from it."""


def running(*, success: int = 0, failure: int = 0, pending: int = 0) -> Step:
    """Reply that the operation is running."""
    return Step({"metadata": _metadata(success, failure, pending)})


def succeeded(*, success: int = 0, response: Mapping[str, Any] | None = None) -> Step:
    """Reply that the operation ended without failures."""
    return Step({"done": True, "metadata": _metadata(success, 0, 0), "response": {"@type": "", **(response or {})}})


# A done operation needs a response, even an empty one. Without it, it counts as failed.
def partial(*, success: int = 0, failure: int = 1) -> Step:
    """Reply that the operation ended and some instances failed."""
    return Step({"done": True, "metadata": _metadata(success, failure, 0), "response": {"@type": ""}})


def failed(code: int = 13, message: str = "") -> Step:
    """Reply that the operation ended with an error.

    *code* is a number of ``google.rpc.Code``.
    """
    return Step({"done": True, "metadata": {}, "error": {"code": code, "message": message}})


def cancelled() -> Step:
    """Reply that the operation was cancelled."""
    return failed(1)


def expired() -> Step:
    """Reply that the service does not know the operation."""
    return Step(status=404)


def unreachable(status: int = 503) -> Step:
    """Reply to one poll with an HTTP error.

    It says nothing about the operation itself.
    """
    return Step(status=status)


class ScriptedOperation(Operation[Any]):
    """Operation whose polls are answered by a script.

    The last step is repeated. Time comes from a `FakeClock`. After a cancellation every reply is `cancelled`.

    Args:
        *steps: Replies to the polls.
        method: Last part of ``apiMethodName``. It determines the type of the result.
        clock: Source of time. Operations that are waited for together need the same clock.
        poll: Poll policy.
    """

    def __init__(
        self,
        *steps: Step,
        method: str = "DeidentifyDataset",
        clock: Clock | None = None,
        poll: PollPolicy | None = None,
    ) -> None:
        if not steps:
            raise ValueError("ScriptedOperation: pass at least one step")
        self.clock = clock or FakeClock()
        self._script = _Script(steps, method)
        client = DeidClient(http=self._script, clock=self.clock)
        if poll is not None:
            client = client.with_options(poll=poll)
        super().__init__(client._session, client._context, OperationSnapshot(NAME))

    def close(self) -> None:
        """Stop polling.

        Call it in a test that leaves callbacks behind.
        """
        self._session.close()

    @property
    def polls(self) -> int:
        """Number of polls so far."""
        return self._script.polls


class _Script:
    """Transport with the signature of ``httplib2.Http``."""

    def __init__(self, steps: tuple[Step, ...], method: str) -> None:
        self._steps = list(steps)
        self._method = method
        self._lock = threading.Lock()
        self.polls = 0

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, bytes]:
        del body, headers
        with self._lock:
            if method == "POST" and ":cancel" in uri:
                # The service answers a cancel request at once, and the operation ends at a later poll.
                self._steps = [cancelled()]
                return RawResponse({}, 200), b"{}"
            self.polls += 1
            step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if step.status != 200:
            return RawResponse({}, step.status), json.dumps({"error": {"code": step.status}}).encode()
        metadata = {"apiMethodName": f"google.cloud.healthcare.v1.{self._method}", **step.body.get("metadata", {})}
        return RawResponse({}, 200), json.dumps({"name": str(NAME), **step.body, "metadata": metadata}).encode()


def _metadata(success: int, failure: int, pending: int) -> dict[str, Any]:
    counts = {"success": success, "failure": failure, "pending": pending}
    return {"counter": {key: str(value) for key, value in counts.items() if value}}
