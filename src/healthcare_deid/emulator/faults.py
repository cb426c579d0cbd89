"""`FaultPlan`: faults that a test injects."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from healthcare_deid.emulator.errors import ServiceError, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthcare_deid.emulator.clock import EmulatorClock

Answer = TypeVar("Answer")
Kind = Literal["fail", "drop", "delay", "hold", "operation", "instance"]

_JSON_TYPES: dict[str, Any] = {
    "method": str,
    "left": (int, type(None)),
    "skip": int,
    "status": int,
    "code": int,
    "message": str,
    "seconds": (int, float),
    "acted": bool,
    "uids": list,
}


class Dropped(ConnectionResetError):  # noqa: N818 - what happened
    """Connection dropped by a fault plan."""


@dataclass(slots=True)
class Fault:
    """One planned fault.

    Attributes:
        kind: Error reply, dropped connection, delay, operation that appears to keep running, operation that ends with
            an error, or failing instance.
        method: End of the method ID, such as ``operations.get`` or ``deidentify``; ``*`` for all methods.
        left: Remaining repetitions; None for no limit.
        skip: Number of matching calls to let through first.
        status: HTTP status of the error reply.
        message: Text of the error.
        seconds: Length of the delay.
        acted: Whether a dropped request is executed before its reply is lost.
        uids: SOP Instance UIDs that fail; empty for any.
        code: Number of ``google.rpc.Code`` of the operation's error.
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
    code: int = 13

    def meets(self, method_id: str) -> bool:
        """Return whether the fault applies to a method."""
        # With leading dots, so that only whole parts of the ID match: "get" is not the end of "budget".
        return self.method == "*" or f".{method_id}".endswith(f".{self.method}")

    def to_json(self) -> dict[str, Any]:
        """Return the fault as JSON for the control route."""
        return {**asdict(self), "uids": sorted(self.uids)}


class FaultPlan:
    """Planned faults, in order.

    Thread-safe. Faults can be added at any time.

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
        """Faults with repetitions left."""
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
        """Make calls of a method return an error.

        The calls are not executed.

        Args:
            method: End of the method ID, such as ``operations.get``; ``*`` for all methods.
            times: Number of repetitions; None for no limit.
            status: HTTP status.
            message: Text of the error.
            after: Number of calls to let through first.

        Raises:
            ValueError: The method does not exist.
        """
        self._plan(Fault("fail", method, times, after, status, message))

    def drop(self, method: str, *, times: int | None = 1, acted: bool = False, after: int = 0) -> None:
        """Drop the connection of calls of a method.

        Args:
            method: End of the method ID; ``*`` for all methods.
            times: Number of repetitions; None for no limit.
            acted: Whether to execute the call before dropping its reply.
            after: Number of calls to let through first.

        Raises:
            ValueError: The method does not exist.
        """
        self._plan(Fault("drop", method, times, after, acted=acted))

    def delay(self, method: str, seconds: float, *, times: int | None = 1, after: int = 0) -> None:
        """Advance the emulator's clock before calls of a method.

        Raises:
            ValueError: The method does not exist.
        """
        self._plan(Fault("delay", method, times, after, seconds=seconds))

    def hold_operations(self, polls: int) -> None:
        """Make every operation appear to run for its first *polls* polls.

        A poll is a call of ``operations.get``.
        """
        self._plan(Fault("hold", "*", None, polls))

    def fail_operations(self, *, times: int | None = 1, code: int = 13, message: str = "The operation failed.") -> None:
        """Make operations end with an error, before they do anything.

        It applies to the next ones that start: de-identification, import, export and updates of metadata. A new
        destination dataset exists then, with empty stores.

        Args:
            times: Number of operations; None for no limit.
            code: Number of ``google.rpc.Code``, such as 7 for PERMISSION_DENIED or 13 for INTERNAL.
            message: Text of the error.

        Raises:
            ValueError: No error has the code.
        """
        self._plan(Fault("operation", "*", times, code=code, message=message))

    def fail_instances(self, *uids: str, times: int | None = None, message: str = "injected failure") -> None:
        """Make the de-identification of instances fail.

        Args:
            *uids: SOP Instance UIDs to fail; any if empty.
            times: Number of failures; None for no limit.
            message: Text of the failure.

        Raises:
            ValueError: Neither *uids* nor *times* is given.
        """
        if not uids and times is None:
            raise ValueError("fail_instances: pass SOP Instance UIDs or times=")
        self._plan(Fault("instance", "*", times, message=message, uids=frozenset(uids)))

    def add_json(self, value: Any) -> None:
        """Add a fault given as JSON with the fields of `Fault`.

        ``kind`` is required.

        Raises:
            TypeError: A field is unknown or has the wrong type.
            ValueError: A value is out of range.
        """
        if not isinstance(value, dict) or value.get("kind") not in get_args(Kind):
            raise ValueError(f"a fault must be an object with one of these kinds: {', '.join(get_args(Kind))}")
        for name, kinds in _JSON_TYPES.items():
            if name in value and not isinstance(value[name], kinds):
                raise TypeError(f"{name} has the wrong type")
        if unknown := value.keys() - _JSON_TYPES.keys() - {"kind"}:
            raise TypeError(f"unknown fields: {len(unknown)}; known are kind, {', '.join(_JSON_TYPES)}")
        fields: dict[str, Any] = {**value, "uids": frozenset(str(uid) for uid in value.get("uids", ()))}
        self._plan(Fault(**fields))

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()
            self._polls.clear()

    # -- Used by the emulator

    def attach(self, method_ids: Iterable[str]) -> None:
        """Set the known methods, so that a misspelled one is refused.

        Raises:
            ValueError: A planned fault applies to none of them.
        """
        self._known = frozenset(method_ids)
        for fault in self.pending:
            self._check(fault)

    def around(self, method_id: str, clock: EmulatorClock, answer: Callable[[], Answer]) -> Answer:
        """Execute a call, or apply a planned fault.

        Raises:
            ServiceError: An error was planned.
            Dropped: A dropped connection was planned.
        """
        # A delayed call can also fail or be dropped.
        delay = self._take("delay", method_id)
        if delay:
            clock.sleep(delay.seconds)
        fault = self._take("fail", method_id)
        if fault:
            raise ServiceError(StatusCode.of_http(fault.status), fault.message, http=fault.status)
        drop = self._take("drop", method_id)
        if drop is None:
            return answer()
        # The client cannot tell the two apart: the case that AmbiguousSubmit exists for.
        if drop.acted:
            answer()
        raise Dropped("the connection was dropped by a fault plan")

    def seems_running(self, operation: str) -> bool:
        """Count a poll and return whether the operation must appear to run."""
        with self._lock:
            held = [fault for fault in self._faults if fault.kind == "hold"]
            if not held:
                return False
            self._polls[operation] = self._polls.get(operation, 0) + 1
            return self._polls[operation] <= max(fault.skip for fault in held)

    def start_operation(self) -> None:
        """Let an operation start, or apply a planned fault.

        Raises:
            ServiceError: The operation ends with this error.
        """
        fault = self._take("operation", "*")
        if fault is not None:
            raise ServiceError(StatusCode.of_number(fault.code), fault.message)

    def instance_failure(self, uid: str) -> str | None:
        """Return the planned failure of an instance, or None."""
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
        if fault.kind == "operation":
            StatusCode.of_number(fault.code)
        if fault.kind == "fail" and not 400 <= fault.status <= 599:
            raise ValueError("FaultPlan: the status of an error must be from 400 to 599")
        if self._known and fault.method != "*" and not any(fault.meets(known) for known in self._known):
            raise ValueError(f"FaultPlan: no method of the API ends in {fault.method!r}")
