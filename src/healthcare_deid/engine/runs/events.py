"""Events of a run folder: exports, audits and comparisons of its results. The file holds neither PHI nor paths."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.runs.lines import append_line, sha256_of
from healthcare_deid.engine.runs.run_folder import RECORD
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EVENTS = "events.jsonl"


class EventKind(StrEnum):
    """Kind of an event."""

    EXPORT = "export"
    """Approved results were copied to another folder."""
    AUDIT = "audit"
    """The results were searched for what may identify somebody."""
    COMPARISON = "comparison"
    """The results were compared with their originals."""


@dataclass(frozen=True, slots=True)
class Event:
    """Event after a run.

    Attributes:
        kind: Kind of the event.
        when: Time in UTC.
        who: Name of the person, or of the user of the machine.
        record: SHA-256 of the record at that time. With another one, the results have changed since.
        counts: Numbers by what they count.
        files: For an export: SHA-256 over its files, as ``sha256sum`` lists them, sorted by name.
    """

    kind: EventKind
    when: str
    who: str
    record: str
    counts: dict[str, int] = field(default_factory=dict[str, int])
    files: str = ""

    @property
    def compared(self) -> int:
        """Number of results that were compared with originals."""
        return self.counts.get("compared", 0)

    def in_words(self) -> str:
        """Return the numbers as text."""
        return ", ".join(f"{count} {what}" for what, count in self.counts.items())


def add_event(
    folder: Path,
    kind: EventKind,
    counts: Mapping[str, int],
    *,
    who: str = "",
    when: datetime | None = None,
    files: str = "",
) -> None:
    """Append an event about the results as they are now.

    Args:
        folder: The run folder.
        kind: Kind of the event.
        counts: Numbers by what they count.
        who: Name of the person; by default the user of this machine.
        when: Time; by default now.
        files: As in `Event`.

    Raises:
        OSError: It cannot be written.
    """
    moment = (when or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = Event(kind, moment, who or user(), sha256_of(folder / RECORD), dict(counts), files)
    append_line(folder / EVENTS, asdict(event))


def events_of(folder: Path) -> list[Event]:
    """Return the events in a run folder, oldest first.

    Raises:
        RunRefused: A line cannot be read.
        OSError: The file cannot be read.
    """
    path = folder / EVENTS
    if not path.is_file():
        return []
    whole = [line for line in path.read_bytes().splitlines() if line.rstrip().endswith(b"}")]
    try:
        told: list[dict[str, Any]] = [json.loads(line) for line in whole]
        return [_event(line) for line in told]
    except (ValueError, KeyError, TypeError):
        raise RunRefused(f"{EVENTS} in the run folder has a line that is not an event: restore the file") from None


def user() -> str:
    """Return the name of the user of this machine; empty if it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _event(line: dict[str, Any]) -> Event:
    return Event(EventKind(line.pop("kind")), **line)
