"""Exactly-once start of long-running work, although the API takes no request ID.

A start whose answer was lost may have run. The operations of the dataset are then listed, and those kept that can be
ours: of the same method, created since the call, not known to this client. A list can lag, so that the client looks for
`RetryPolicy.settle` seconds before it decides:

- one operation: it is adopted, and says so (`Adoption`);
- several, or none: `AmbiguousSubmit`. Silence is no proof that nothing runs, and nothing is sent again.

``datasets.deidentify`` and ``datasets.create`` write a dataset that must not exist before. There an operation is
adopted only if that dataset exists now; the adoption is proved if it is known not to have existed before the call.
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

_REMEMBERED = 10_000
_NEXT = (
    "Look at client.list_operations(dataset) and at the destination before you start it again; "
    "client.operation(name) resumes the right one"
)


class StartRegistry:
    """Starts of a client that are under way, and the operations it knows.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self._reset()
        reset_in_child(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def under_way(self, key: tuple[str, str]) -> Generator[None]:
        """Count a start of one method on one dataset inside the block."""
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
        """Return whether no other such start is under way."""
        with self._lock:
            return self._under_way[key] <= 1

    def learn(self, operation: str) -> None:
        """Remember an operation: no later start looks for this one."""
        with self._lock:
            self._known[operation] = None
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def knows(self, operation: str) -> bool:
        """Return whether an operation is known."""
        with self._lock:
            return operation in self._known


@dataclass(slots=True)
class ExactlyOnceStart:
    """One call that starts work, and the means to find out whether it did."""

    call: ApiCall
    dataset: DatasetName
    """Dataset that lists the operation."""
    policy: RetryPolicy
    clock: Clock
    starts: StartRegistry
    creates: DatasetName | None = None
    """Dataset that the work creates."""
    look_ahead: bool = False
    """Whether to look before the call if that dataset exists, which costs a request."""
    _began: float = field(default=0.0, init=False)
    _wall: float = field(default=0.0, init=False)
    _existed: bool | None = field(default=None, init=False)

    def flow(self) -> Flow[OperationSnapshot]:
        """Send the call and return its operation.

        Raises:
            AmbiguousSubmit: It may run, and it is not known as which operation.
            DeidError: It does not run.
        """
        if self.creates is not None and self.look_ahead:
            self._existed = yield from self._exists(self.creates, RetryPolicy.never())
        self._began, self._wall = self.clock.monotonic(), self.clock.time()
        lost: list[DeidError] = []

        def attempt(number: int) -> Flow[OperationSnapshot]:
            try:
                reply: ApiReply = yield Send(self.call, number)
                return parse_operation(reply.json)
            except DeidError as error:
                failure = error
            refused_by_our_own = isinstance(failure, AlreadyExists) and bool(lost)
            if not may_have_run(failure) and not refused_by_our_own:
                raise failure
            found = yield from self._reconcile(failure)
            if found is not None:
                return found
            lost.append(failure)
            raise failure

        def again(error: DeidError) -> bool:
            return may_retry(error, Safety.START) or (error in lost and not isinstance(error, AlreadyExists))

        policy = self.policy
        if policy.reconcile == "resend":  # the time that the looks take is not taken from the tries
            policy = replace(policy, deadline=policy.deadline + sum(policy.settle))
        with self.starts.under_way(self._key):
            snapshot = yield from retrying(attempt, policy=policy, clock=self.clock, again=again)
            self.starts.learn(snapshot.name.operation)
        return snapshot

    @property
    def _key(self) -> tuple[str, str]:
        return str(self.dataset), self.call.method.long_running

    def _reconcile(self, failure: DeidError) -> Flow[OperationSnapshot | None]:
        """Return the operation to adopt, or None to send again, which only ``reconcile="resend"`` allows."""
        if self.policy.reconcile == "raise":
            candidates = yield from self._candidates()
            raise self._ambiguous("its answer was lost", candidates)
        candidates = yield from self._settled()
        if len(candidates) > 1 or (candidates and not self.starts.alone(self._key)):
            raise self._ambiguous("its answer was lost, and several operations could be it", candidates)
        if candidates:
            adoption = yield from self._adoption(candidates)
            return candidates[0].adopted_as(adoption)
        if self.policy.reconcile == "resend" and not isinstance(failure, ReplyError):
            return None
        raise self._ambiguous(
            f"its answer was lost, and no new operation is listed after {sum(self.policy.settle):g} s", candidates
        )

    def _settled(self) -> Flow[list[OperationSnapshot]]:
        """Look for the operation until the list is believed to be complete, and return what can be it."""
        candidates = yield from self._candidates()
        for pause in self.policy.settle:
            if len(candidates) > 1 and self.starts.alone(self._key):
                break  # more time makes no fewer
            yield Sleep(pause)
            candidates = yield from self._candidates()
        # Another thread's start may be the one that shows: wait until it knows its own.
        while candidates and not self.starts.alone(self._key) and self._elapsed() < self.policy.deadline:
            yield Sleep(max(self.policy.initial, 0.1))
            candidates = yield from self._candidates()
        return candidates

    def _elapsed(self) -> float:
        return self.clock.monotonic() - self._began

    def _adoption(self, candidates: list[OperationSnapshot]) -> Flow[Adoption]:
        """Return how the one candidate may be adopted."""
        if self.creates is None:
            return Adoption.UNPROVED
        exists = yield from self._exists(self.creates, self.policy)
        if exists is False:
            problem = "the one new operation is another program's: the destination does not exist"
            raise self._ambiguous(f"its answer was lost, and {problem}", candidates)
        if self._existed:
            problem = "the one new operation may be another program's: the destination existed before"
            raise self._ambiguous(f"its answer was lost, and {problem}", candidates)
        return Adoption.PROVED if exists and self._existed is False else Adoption.UNPROVED

    def _exists(self, name: DatasetName, policy: RetryPolicy) -> Flow[bool | None]:
        """Return whether a dataset exists; None if that cannot be told."""
        call = ApiCall(DATASETS_GET, DATASETS_GET.path_of(name), version=self.call.version, timeout=self.call.timeout)
        try:
            yield from send(call, policy=policy, clock=self.clock)
        except (NotFound, PermissionDenied):  # the service hides whether a dataset is missing or may not be seen
            return False
        except DeidError:
            return None
        return True

    def _candidates(self) -> Flow[list[OperationSnapshot]]:
        """Return the listed operations that can be ours."""
        items: dict[str, OperationSnapshot] = {}
        now: float | None = None
        token = ""
        seen: set[str] = set()
        try:
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
                    raise ReplyError("the answer is not a list")
                # By name: an operation moves to another page when a new one is listed meanwhile.
                items |= {str(item.name): item for item in map(parse_operation, listed)}
                now = now if now is not None else replies.server_time(reply.headers)
                token = str(reply.json.get("nextPageToken") or "")
                if not token:
                    break
            else:
                raise ReplyError("the list does not end")
            # By the server's clock where it tells the time: this machine's may be wrong.
            since = (self._wall if now is None else now - self._elapsed()) - self.policy.skew
            return [item for item in items.values() if self._may_be_ours(item, since)]
        except DeidError as error:
            reason = type(error).__name__
        raise self._ambiguous(f"its answer was lost, and the dataset's operations cannot be listed ({reason})", [])

    def _may_be_ours(self, candidate: OperationSnapshot, since: float) -> bool:
        if self.starts.knows(candidate.name.operation):
            return False
        method = (candidate.metadata.api_method_name or "").rsplit(".", 1)[-1].lower()
        # A method that this client has no name for can be any: the service's names are not all documented.
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
