"""Exactly-once start of long-running operations.

The API takes no request ID, so a start whose reply was lost may or may not have run. The client then lists the
dataset's operations and keeps those that can be its own: started by the same method, created since the call, and not
yet known to this client. A list can lag, so the client repeats this for `RetryPolicy.settle` seconds. Then it decides:

- One candidate: it is adopted and marked as such (`Adoption`).
- No candidate, or several: `AmbiguousSubmit`. An empty list does not prove that nothing runs, so nothing is sent again.

``datasets.deidentify`` and ``datasets.create`` write a dataset that must not exist before. For them an operation is
adopted only if that dataset exists now. The adoption is proved if the dataset was seen not to exist before the call.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol import replies
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.client.protocol.flow import ApiCall, ApiReply, Flow, Send, Sleep
from healthcare_deid.client.protocol.methods import DATASETS_GET, LONG_RUNNING, OPERATIONS_LIST, Safety
from healthcare_deid.client.protocol.operation_state import Adoption, OperationSnapshot, parse_operation
from healthcare_deid.client.protocol.retry import RetryPolicy, may_have_run, may_retry, retrying, send
from healthcare_deid.errors import (
    AlreadyExists,
    AmbiguousSubmit,
    ApiError,
    DeidError,
    NotFound,
    PermissionDenied,
    ReplyError,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from datetime import datetime

    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.names import DatasetName

# Bounds memory in a process that starts operations for months. Candidates are younger than the call, so that the
# oldest names are the ones not needed.
_REMEMBERED = 10_000
_NEXT = (
    "Check client.list_operations(dataset) and the destination before starting it again; "
    "client.operation(name) resumes a running one"
)


class StartRegistry:
    """A client's starts in progress and the operations it knows.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        # The starts of a parent process do not run in a forked child. The operations it knows stay known.
        self._lock = threading.Lock()
        self._under_way: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def under_way(self, key: tuple[str, str]) -> Generator[None]:
        """Count a start of one method on one dataset while it runs."""
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
        """Return whether no other start with this key is in progress."""
        with self._lock:
            return self._under_way[key] <= 1

    def learn(self, operation: str) -> None:
        """Remember an operation, so that no later start adopts it."""
        with self._lock:
            self._known[operation] = None
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def knows(self, operation: str) -> bool:
        """Return whether the operation is known."""
        with self._lock:
            return operation in self._known


@dataclass(slots=True)
class ExactlyOnceStart:
    """One call that starts an operation."""

    call: ApiCall
    dataset: DatasetName
    """Dataset whose list shows the operation."""
    policy: RetryPolicy
    clock: Clock
    starts: StartRegistry
    creates: DatasetName | None = None
    """Dataset that the operation creates."""
    look_ahead: bool = False
    """Whether to check before the call that the dataset does not exist, at the cost of a request."""
    _began: float = field(default=0.0, init=False)
    _wall: float = field(default=0.0, init=False)
    _existed: bool | None = field(default=None, init=False)
    _doubt: str = field(default="", init=False)
    """Why nobody knows whether the operation was started."""

    def flow(self) -> Flow[OperationSnapshot]:
        """Send the call and return its operation.

        Raises:
            AmbiguousSubmit: The operation may be running, but which one it is cannot be determined.
            DeidError: The operation was not started.
        """
        if self.creates is not None and self.look_ahead:
            # One attempt only: the answer improves the proof of an adoption, but must not delay the start.
            self._existed = yield from self._exists(self.creates, RetryPolicy.never())
        # The monotonic clock measures durations. Wall time is compared with createTime if the server sends no Date.
        self._began, self._wall = self.clock.monotonic(), self.clock.time()
        lost: list[DeidError] = []

        def attempt(number: int) -> Flow[OperationSnapshot]:
            try:
                reply: ApiReply = yield Send(self.call, number)
                return parse_operation(reply.json)
            except DeidError as error:
                failure = error
            # ALREADY_EXISTS after a lost reply: our own first attempt may have created the destination.
            refused_by_our_own = isinstance(failure, AlreadyExists) and bool(lost)
            if not may_have_run(failure) and not refused_by_our_own:
                raise failure
            # From here on the operation may be running. Sending the call again without looking would start it twice.
            found = yield from self._reconcile(failure)
            if found is not None:
                return found
            lost.append(failure)
            raise failure

        def again(error: DeidError) -> bool:
            return may_retry(error, Safety.START) or (error in lost and not isinstance(error, AlreadyExists))

        policy = self.policy
        # Reconciling takes up to sum(settle) seconds. Without this, the deadline would pass before the second attempt.
        if policy.reconcile == "resend":
            policy = replace(policy, deadline=policy.deadline + sum(policy.settle))
        with self.starts.under_way(self._key):
            snapshot = yield from retrying(attempt, policy=policy, clock=self.clock, again=again)
            # Still inside under_way: a start on another thread sees this one as in progress or its operation as known.
            self.starts.learn(snapshot.name.operation)
        return snapshot

    @property
    def _key(self) -> tuple[str, str]:
        return str(self.dataset), self.call.method.long_running

    def _reconcile(self, failure: DeidError) -> Flow[OperationSnapshot | None]:
        """Return the operation to adopt, or None to send the call again.

        Only ``reconcile="resend"`` allows the second.
        """
        self._doubt = "the reply was lost"
        if isinstance(failure, ApiError):
            self._doubt = f"the reply, HTTP {failure.status}, does not tell whether the operation was started"
        if self.policy.reconcile == "raise":
            candidates = yield from self._candidates()
            raise self._ambiguous(self._doubt, candidates)
        candidates = yield from self._settled()
        # While another start of this client is in progress, even a single candidate may be that one's.
        if len(candidates) > 1 or (candidates and not self.starts.alone(self._key)):
            raise self._ambiguous(f"{self._doubt}, and several new operations are listed", candidates)
        if candidates:
            adoption = yield from self._adoption(candidates)
            return candidates[0].adopted_as(adoption)
        if self.policy.reconcile == "resend" and not isinstance(failure, ReplyError):
            return None
        raise self._ambiguous(
            f"{self._doubt}, and no new operation is listed after {sum(self.policy.settle):g} s", candidates
        )

    def _settled(self) -> Flow[list[OperationSnapshot]]:
        """Return the candidates once the list has had time to catch up."""
        candidates = yield from self._candidates()
        for pause in self.policy.settle:
            if len(candidates) > 1 and self.starts.alone(self._key):
                break  # waiting longer cannot reduce the number of candidates
            yield Sleep(pause)
            candidates = yield from self._candidates()
        # The candidate may belong to another thread's start. Wait until that start knows its own operation.
        while candidates and not self.starts.alone(self._key) and self._elapsed() < self.policy.deadline:
            yield Sleep(max(self.policy.initial, 0.1))
            candidates = yield from self._candidates()
        return candidates

    def _elapsed(self) -> float:
        return self.clock.monotonic() - self._began

    def _adoption(self, candidates: list[OperationSnapshot]) -> Flow[Adoption]:
        """Return how well it is proved that the one candidate is ours."""
        if self.creates is None:
            return Adoption.UNPROVED
        exists = yield from self._exists(self.creates, self.policy)
        if exists is False:
            problem = "the new operation belongs to another program: the destination does not exist"
            raise self._ambiguous(f"{self._doubt}, and {problem}", candidates)
        # Our own call would have been refused with ALREADY_EXISTS.
        if self._existed:
            problem = "the new operation may belong to another program: the destination existed before the call"
            raise self._ambiguous(f"{self._doubt}, and {problem}", candidates)
        return Adoption.PROVED if exists and self._existed is False else Adoption.UNPROVED

    def _exists(self, name: DatasetName, policy: RetryPolicy) -> Flow[bool | None]:
        """Return whether a dataset exists, or None if unknown."""
        call = ApiCall(DATASETS_GET, DATASETS_GET.path_of(name), version=self.call.version, timeout=self.call.timeout)
        try:
            yield from send(call, policy=policy, clock=self.clock)
        # The service also answers PERMISSION_DENIED for a missing dataset, to hide which datasets exist.
        except (NotFound, PermissionDenied):
            return False
        except DeidError:
            return None
        return True

    def _candidates(self) -> Flow[list[OperationSnapshot]]:
        """Return the listed operations that may be ours."""
        items: dict[str, OperationSnapshot] = {}
        now: float | None = None
        token = ""
        seen: set[str] = set()
        try:
            # A server that cycles through the same pages would otherwise never end the loop.
            while token not in seen:
                seen.add(token)
                query = {"pageSize": "500", **({"pageToken": token} if token else {})}
                call = ApiCall(
                    OPERATIONS_LIST,
                    OPERATIONS_LIST.path_of(self.dataset),
                    version=self.call.version,
                    query=query,
                    timeout=self.call.timeout,
                )
                reply = yield from send(call, policy=self.policy, clock=self.clock)
                listed: Any = reply.json.get("operations") or []
                if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
                    raise ReplyError("the reply is not a list")
                # Keyed by name: an operation started meanwhile shifts the pages, and one may be listed twice.
                items |= {str(item.name): item for item in map(parse_operation, listed)}
                now = now if now is not None else replies.server_time(reply.headers)
                token = str(reply.json.get("nextPageToken") or "")
                if not token:
                    break
            else:
                raise ReplyError("the list does not end")
            # createTime is the server's time, so compare it with the server's clock; this machine's may be wrong.
            since = (self._wall if now is None else now - self._elapsed()) - self.policy.skew
            return [item for item in items.values() if self._may_be_ours(item, since)]
        except DeidError as error:
            reason = type(error).__name__
        raise self._ambiguous(f"{self._doubt}, and the dataset's operations cannot be listed ({reason})", [])

    def _may_be_ours(self, candidate: OperationSnapshot, since: float) -> bool:
        if self.starts.knows(candidate.name.operation):
            return False
        method = (candidate.metadata.api_method_name or "").rsplit(".", 1)[-1].lower()
        # Google does not document every apiMethodName. An unknown one may be ours, so it stays a candidate.
        if method != self.call.method.long_running.lower() and method in LONG_RUNNING:
            return False
        try:
            created: datetime | None = candidate.metadata.created_at
            return created is None or created.timestamp() >= since
        except ValueError:
            return True

    def _ambiguous(self, problem: str, candidates: list[OperationSnapshot]) -> AmbiguousSubmit:
        return AmbiguousSubmit(
            f"{self.call.method.id}: {problem}. {_NEXT}",
            candidates=[str(candidate.name) for candidate in candidates],
        )
