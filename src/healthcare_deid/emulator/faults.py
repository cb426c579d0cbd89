"""`FaultPlan`: what goes wrong, when a test wants it to."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from healthcare_deid.emulator.errors import Code, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthcare_deid.emulator.clock import Clock
    from healthcare_deid.emulator.http.reply import Reply

Kind = Literal["fail", "drop", "delay", "hold", "instance"]

_JSON_TYPES: dict[str, Any] = {
    "method": str,
    "left": (int, type(None)),
    "skip": int,
    "status": int,
    "message": str,
    "seconds": (int, float),
    "acted": bool,
    "uids": list,
}


class Dropped(ConnectionResetError):  # noqa: N818 - what happened
    """The connection was dropped on purpose: no reply."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: What happens: an error reply, a dropped connection, a delay, an operation that seems to run on, an
            instance that fails.
        method: The API method it happens to, by the end of its id: ``operations.get``, ``deidentify``; ``*`` for all.
        left: How many times more; None for always.
        skip: How many matching calls pass before.
        status: HTTP status of an error reply.
        message: Its text.
        seconds: Length of a delay.
        acted: Whether a dropped request was carried out before its reply was lost.
        uids: SOP instance UIDs that fail; empty for any.
    """

    kind: Kind
    method: str = "*"
    left: int | None = 1
    skip: int = 0
    status: int = 503
    message: str = "The service is currently unavailable."
    seconds: float = 0.0
    acted: bool = False
    uids: frozenset[str] = field(default_factory=frozenset[str])

    def meets(self, method_id: str) -> bool:
        """Return whether it is about a method."""
        return self.method == "*" or f".{method_id}".endswith(f".{self.method}")

    def to_json(self) -> dict[str, Any]:
        """Return it for the control route."""
        return {**asdict(self), "uids": sorted(self.uids)}


class FaultPlan:
    """Faults to come, in the order they were planned. Safe to use from any thread; plan more at any time.

    Example:
        >>> faults = FaultPlan()
        >>> faults.fail("operations.get", times=2, status=503)
        >>> faults.drop("datasets.deidentify", acted=True)
        >>> len(faults.pending)
        2
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._polls: dict[str, int] = {}

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that have not happened as often as planned."""
        with self._lock:
            return tuple(self._faults)

    def fail(
        self,
        method: str,
        *,
        times: int | None = 1,
        status: int = 503,
        message: str = "The service is currently unavailable.",
        after: int = 0,
    ) -> None:
        """Answer calls of a method with an error, without carrying them out.

        Args:
            method: End of the method's id, such as ``operations.get``; ``*`` for all.
            times: How often; None for always.
            status: HTTP status.
            message: The error's text.
            after: How many calls pass first.

        Raises:
            ValueError: There is no such method.
        """
        self._plan(Fault("fail", method, times, after, status, message))

    def drop(self, method: str, *, times: int | None = 1, acted: bool = False, after: int = 0) -> None:
        """Drop the connection of calls of a method, before they are carried out or, with ``acted``, after.

        Raises:
            ValueError: There is no such method.
        """
        self._plan(Fault("drop", method, times, after, acted=acted))

    def delay(self, method: str, seconds: float, *, times: int | None = 1, after: int = 0) -> None:
        """Let the emulator's clock pass before calls of a method are carried out.

        Raises:
            ValueError: There is no such method.
        """
        self._plan(Fault("delay", method, times, after, seconds=seconds))

    def hold_operations(self, polls: int) -> None:
        """Let every operation seem to run for its first ``polls`` calls of ``operations.get``."""
        self._plan(Fault("hold", "*", None, polls))

    def fail_instances(self, *uids: str, times: int | None = None, message: str = "injected failure") -> None:
        """Let the de-identification of instances fail: of those SOP instance UIDs, or of the first ``times``.

        Raises:
            ValueError: Neither UIDs nor ``times`` are given.
        """
        if not uids and times is None:
            raise ValueError("fail_instances: which? Give SOP instance UIDs, or times=")
        self._plan(Fault("instance", "*", times, message=message, uids=frozenset(uids)))

    def add_json(self, value: Any) -> None:
        """Plan a fault given as JSON: a ``Fault``'s fields, ``kind`` at least.

        Raises:
            TypeError: A field is unknown or of another type.
            ValueError: A value is not possible.
        """
        if not isinstance(value, dict) or value.get("kind") not in get_args(Kind):
            raise ValueError(f"an object is needed, whose kind is one of {', '.join(get_args(Kind))}")
        for name, kinds in _JSON_TYPES.items():
            if name in value and not isinstance(value[name], kinds):
                raise TypeError(f"{name} has a value of another type")
        if unknown := value.keys() - _JSON_TYPES.keys() - {"kind"}:
            raise TypeError(f"unknown fields: {len(unknown)}; known are kind, {', '.join(_JSON_TYPES)}")
        fields: dict[str, Any] = {**value, "uids": frozenset(str(uid) for uid in value.get("uids", ()))}
        self._plan(Fault(**fields))

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()
            self._polls.clear()

    # -- the emulator's side

    def attach(self, method_ids: Iterable[str]) -> None:
        """Learn which methods there are, so that a misspelt one is refused.

        Raises:
            ValueError: A planned fault is about none of them.
        """
        self._known = frozenset(method_ids)
        for fault in self.pending:
            self._check(fault)

    def around(self, method_id: str, clock: Clock, answer: Callable[[], Reply]) -> Reply:
        """Answer a call, or do what is planned instead.

        Raises:
            ServiceError: A planned error.
            Dropped: A planned loss of the connection.
        """
        delay = self._take("delay", method_id)
        if delay:
            clock.sleep(delay.seconds)
        fault = self._take("fail", method_id)
        if fault:
            raise ServiceError(Code.of_http(fault.status), fault.message, http=fault.status)
        drop = self._take("drop", method_id)
        if drop is None:
            return answer()
        if drop.acted:
            answer()
        raise Dropped("the connection was dropped by a fault plan")

    def seems_running(self, operation: str) -> bool:
        """Count a poll of an operation, and return whether it is to look unfinished."""
        with self._lock:
            held = [fault for fault in self._faults if fault.kind == "hold"]
            if not held:
                return False
            self._polls[operation] = self._polls.get(operation, 0) + 1
            return self._polls[operation] <= max(fault.skip for fault in held)

    def instance_failure(self, uid: str) -> str | None:
        """Return why the de-identification of an instance is to fail, if it is."""
        fault = self._take("instance", "*", uid)
        return fault.message if fault else None

    def _take(self, kind: Kind, method_id: str, uid: str | None = None) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.kind != kind or not fault.meets(method_id):
                    continue
                if uid is not None and fault.uids and uid not in fault.uids:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.left is not None:
                    fault.left -= 1
                    if fault.left == 0:
                        self._faults.remove(fault)
                return fault
        return None

    def _plan(self, fault: Fault) -> None:
        self._check(fault)
        if fault.left == 0:
            return
        with self._lock:
            self._faults.append(fault)

    def _check(self, fault: Fault) -> None:
        if fault.kind == "fail" and not 400 <= fault.status <= 599:
            raise ValueError("FaultPlan: the status of an error is from 400 to 599")
        if self._known and fault.method != "*" and not any(fault.meets(known) for known in self._known):
            raise ValueError(f"FaultPlan: no method of the API ends in {fault.method!r}")
