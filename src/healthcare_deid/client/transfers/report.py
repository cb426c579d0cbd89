"""`TransferReport`: counts and failures of an upload or download."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["done", "conflict", "invalid", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class TransferFailure:
    """File or instance that was not transferred.

    The `repr` omits the path, which may contain a patient's name.
    """

    item: str = field(repr=False)
    """Path of the file (upload), or ``study/series/instance`` (download)."""
    kind: Outcome
    """``conflict``: an instance with the same UIDs but different bytes exists. ``invalid``: not DICOM, or rejected."""
    reason: str
    """Short reason without patient data."""
    message: str = field(default="", repr=False)
    """Text from the service, if any. It may contain patient data."""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """Counts and failures of an upload or download."""

    succeeded: int = 0
    """Transferred, or already stored with the same bytes."""
    conflicts: int = 0
    """Not stored, because an instance with the same UIDs but different bytes exists."""
    invalid: int = 0
    """Not DICOM, or rejected as invalid."""
    failed: int = 0
    """Not transferred for another reason."""
    skipped: int = 0
    """Skipped: file already exists (download), or file is a DICOMDIR (upload)."""
    bytes: int = 0
    """Total size transferred."""
    failures: tuple[TransferFailure, ...] = ()
    """One for each item counted as a conflict, invalid or failed; empty until the transfer has ended."""
    total: int | None = None
    """Number of all items; None for a download, because a store lists its instances page by page."""

    @property
    def done(self) -> int:
        """Number of items processed."""
        return self.succeeded + self.conflicts + self.invalid + self.failed + self.skipped

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return not (self.conflicts or self.invalid or self.failed)

    def __str__(self) -> str:
        parts = [f"{self.succeeded} transferred"]
        for word in ("conflicts", "invalid", "failed", "skipped"):
            count = getattr(self, word)
            if count:
                parts.append(f"{count} {word}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class ItemResult:
    """Result of one file or instance."""

    outcome: Outcome
    size: int = 0
    failure: TransferFailure | None = None


def failure(kind: Outcome, item: object, reason: str, message: str = "") -> ItemResult:
    """Return the result for an item that was not transferred."""
    return ItemResult(kind, failure=TransferFailure(str(item), kind, reason, message))


class TransferCounts:
    """Running counts of a transfer.

    Args:
        total: Number of all items, or None if unknown.
    """

    def __init__(self, total: int | None = None) -> None:
        self._total = total
        self._counts: dict[Outcome, int] = {}
        self._bytes = 0
        self._failures: list[TransferFailure] = []

    def add(self, result: ItemResult) -> None:
        """Count one item."""
        self._counts[result.outcome] = self._counts.get(result.outcome, 0) + 1
        self._bytes += result.size
        if result.failure is not None:
            self._failures.append(result.failure)

    def report(self, *, ended: bool = True) -> TransferReport:
        """Return the counts so far.

        Failures are included only when the transfer has ended.
        """
        count = self._counts
        return TransferReport(
            succeeded=count.get("done", 0),
            conflicts=count.get("conflict", 0),
            invalid=count.get("invalid", 0),
            failed=count.get("failed", 0),
            skipped=count.get("skipped", 0),
            bytes=self._bytes,
            # Reports in between are made for every item; copying all failures each time would be quadratic.
            failures=tuple(self._failures) if ended else (),
            total=self._total,
        )
