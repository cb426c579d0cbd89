"""`ProgressState`: how far anything is that takes ``on_progress=``, as counts that are safe to show and to log."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.protocol.operation_state import OperationSnapshot

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ProgressState:
    """How far a piece of work is.

    Attributes:
        text: For a person: counts in words.
        done: Files, or instances, that are dealt with.
        total: All there are; None where that is not known.
        counts: The counts that the text is made of, by name.
        ended: Whether nothing more is to come.
    """

    text: str
    done: int = 0
    total: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    ended: bool = False


def progress_state(progress: object, total: int | None = None) -> ProgressState:
    """Return what a callback for ``on_progress=`` is told.

    Args:
        progress: An `OperationSnapshot`, a `TransferReport`, a `TreeProgress`, or a number of files that are done.
        total: With a number: of how many.
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
    # Before the service has counted, and after an end without counters, no total is known.
    return ProgressState(str(snapshot), done, total or None, counts, snapshot.state.ended)


def _integers(progress: Any) -> dict[str, int]:
    if not is_dataclass(progress):
        return {}
    values = {one.name: getattr(progress, one.name) for one in fields(progress)}
    return {name: value for name, value in values.items() if isinstance(value, int)}
