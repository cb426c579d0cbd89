"""Starting long-running work exactly once, although the API takes no request ID.

A start whose answer was lost may have run. Then the operations of the dataset are listed and those that can be ours
kept: of the same method, created since the call, not known to this client already. One is ours and is adopted; none,
looked for more than once, means that it did not run, and it is sent again; several are `AmbiguousSubmit`.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol import replies
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.client.protocol.flow import ApiCall, ApiReply, Flow, Send, Sleep
from healthcare_deid.client.protocol.methods import LONG_RUNNING, OPERATIONS_LIST, Safety
from healthcare_deid.client.protocol.operation_state import OperationSnapshot, parse_operation
from healthcare_deid.client.protocol.retry import RetryPolicy, may_have_run, may_retry, retrying, send
from healthcare_deid.errors import AlreadyExists, AmbiguousSubmit, DeidError, ReplyError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from datetime import datetime

    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.names import DatasetName

_REMEMBERED = 10_000


class StartRegistry:
    """Which starts of this client are under way, and which operations it knows. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def under_way(self, key: tuple[str, str]) -> Generator[None]:
        """Count a start of one method on one dataset while it is being made."""
        with self._lock:
            self._under_way[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[key] -= 1
                if not self._under_way[key]:
                    del self._under_way[key]

    def alone(self, key: tuple[str, str]) -> bool:
        """Say whether only one such start is being made."""
        with self._lock:
            return self._under_way[key] <= 1

    def learn(self, operation: str) -> None:
        """Remember an operation: it is not the one a later start is looking for."""
        with self._lock:
            self._known[operation] = None
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def knows(self, operation: str) -> bool:
        """Say whether an operation was there before."""
        with self._lock:
            return operation in self._known


@dataclass(frozen=True, slots=True)
class ExactlyOnceStart:
    """One call that starts work, and what is needed to find out whether it did."""

    call: ApiCall
    dataset: DatasetName
    """The dataset its operation is listed under."""
    policy: RetryPolicy
    clock: Clock
    starts: StartRegistry

    def flow(self) -> Flow[OperationSnapshot]:
        """Send until it is known to run, once.

        Raises:
            AmbiguousSubmit: It may run, and it cannot be told which operation it is.
            DeidError: It does not run.
        """
        key = (str(self.dataset), self.call.method.long_running)
        began = self.clock.monotonic()
        wall = self.clock.time()
        unanswered: list[DeidError] = []

        def attempt(number: int) -> Flow[OperationSnapshot]:
            try:
                reply: ApiReply = yield Send(self.call, number)
                return parse_operation(reply.json)
            except DeidError as error:
                failure = error
            ours = isinstance(failure, AlreadyExists) and bool(unanswered)
            if ours or may_have_run(failure):
                found = yield from self._look(key, began, wall)
                if found is not None:
                    return found
                if isinstance(failure, ReplyError):
                    raise AmbiguousSubmit(
                        f"{self.call.method.id}: the service accepted the call, but its answer could not be read and "
                        "no new operation is listed"
                    )
                unanswered.append(failure)
            raise failure

        def again(error: DeidError) -> bool:
            if may_retry(error, Safety.START):
                return True
            return error in unanswered and not isinstance(error, AlreadyExists)

        with self.starts.under_way(key):
            snapshot = yield from retrying(attempt, policy=self.policy, clock=self.clock, again=again)
            self.starts.learn(snapshot.name.operation)
        return snapshot

    def _look(self, key: tuple[str, str], began: float, wall: float) -> Flow[OperationSnapshot | None]:
        """Look for the operation until it is found, or its absence can be believed."""
        for pause in (0.0, *self.policy.settle):
            if pause:
                yield Sleep(pause)
            candidates = yield from self._candidates(began, wall)
            if not candidates:
                continue
            # Another thread's start may be the one that shows: wait until it knows its own.
            while not self.starts.alone(key) and self.clock.monotonic() < began + self.policy.deadline:
                yield Sleep(max(self.policy.initial, 0.1))
                candidates = yield from self._candidates(began, wall)
            if not candidates:
                continue
            if len(candidates) == 1 and self.starts.alone(key):
                return candidates[0]
            raise AmbiguousSubmit(
                f"{self.call.method.id}: its answer was lost, and more than one operation could be it: see .candidates",
                candidates=[str(candidate.name) for candidate in candidates],
            )
        return None

    def _candidates(self, began: float, wall: float) -> Flow[list[OperationSnapshot]]:
        """Return the operations that can be ours."""
        items: list[Mapping[str, Any]] = []
        now: float | None = None
        token = ""
        try:
            while True:
                query = {"pageSize": "500", **({"pageToken": token} if token else {})}
                call = ApiCall(
                    OPERATIONS_LIST,
                    OPERATIONS_LIST.path_of(self.dataset),
                    version=self.call.version,
                    query=query,
                    timeout=self.call.timeout,
                )
                reply = yield from send(call, policy=self.policy, clock=self.clock)
                items += [item for item in reply.json.get("operations") or () if isinstance(item, dict)]
                now = now if now is not None else replies.server_time(reply.headers)
                token = str(reply.json.get("nextPageToken") or "")
                if not token:
                    break
            # By the server's own clock where it tells it: this machine's may be wrong.
            since = (wall if now is None else now - (self.clock.monotonic() - began)) - self.policy.skew
            return [item for item in map(parse_operation, items) if self._may_be_ours(item, since)]
        except DeidError as error:
            reason = type(error).__name__
        raise AmbiguousSubmit(
            f"{self.call.method.id}: its answer was lost, and the dataset's operations could not be listed ({reason}): "
            "look at list_operations() before starting it again"
        )

    def _may_be_ours(self, candidate: OperationSnapshot, since: float) -> bool:
        if self.starts.knows(candidate.name.operation):
            return False
        method = (candidate.metadata.api_method_name or "").rsplit(".", 1)[-1].lower()
        # A method this client has no name for can be any: the service's names are not all documented.
        if method != self.call.method.long_running.lower() and method in LONG_RUNNING:
            return False
        try:
            created: datetime | None = candidate.metadata.created_at
            return created is None or created.timestamp() >= since
        except ValueError:
            return True
