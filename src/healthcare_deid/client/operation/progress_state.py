"""`ProgressState`: arguments of any ``on_progress=`` callback, as counts that are safe to show and to log."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol.operation_state import OperationSnapshot

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ProgressState:
    """Progress of an operation, a transfer or a run.

    Attributes:
        text: Counts in words.
        done: Number of files or instances processed.
        total: Number of all files or instances, or None if unknown.
        counts: Counts by name.
        ended: Whether this is the last state.
    """

    text: str
    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    ended: bool = False


def progress_state(progress: object, total: int | None = None) -> ProgressState:
    """Return the state for the arguments of an ``on_progress=`` callback.

    Args:
        progress: An `OperationSnapshot`, a `TransferReport`, a `TreeProgress`, or the number of files done.
        total: Number of all files, if *progress* is a number.
    """
    if isinstance(progress, OperationSnapshot):
        return _of_operation(progress)
    if isinstance(progress, int):
        of = "" if total is None else f" of {total}"
        counts = {"done": progress} | ({} if total is None else {"total": total})
        return ProgressState(f"{progress}{of} files", progress, total, counts, progress == total)
    done, total = getattr(progress, "done", 0), getattr(progress, "total", None)
    counts = {"done": done, **_integers(progress)}
    return ProgressState(str(progress), done, total, counts, total is not None and done >= total)


def _of_operation(snapshot: OperationSnapshot) -> ProgressState:
    counter = snapshot.progress
    done = counter.success + counter.failure
    total = done + counter.pending
    counts = {"done": done, "total": total, "succeeded": counter.success, "failed": counter.failure}
    # The service omits counters that are zero: without any, the total is unknown.
    return ProgressState(str(snapshot), done, total or None, counts, snapshot.state.ended)


def _integers(progress: Any) -> dict[str, int]:
    if not is_dataclass(progress):
        return {}
    values = {one.name: getattr(progress, one.name) for one in fields(progress)}
    return {name: value for name, value in values.items() if isinstance(value, int)}
