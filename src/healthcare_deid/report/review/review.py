"""What is reviewed, in which order, and what was decided. Decisions are in the run's folder, with who and when."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import random
import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.report.review.cover import cover
from healthcare_deid.report.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from pydicom.dataset import FileDataset

    from healthcare_deid.report.run_folder import Entry

_DECISIONS = "decisions.jsonl"
_UNREADABLE = "unreadable"
_LOW = 0.8
"""Confidence under which a covered line is worth a look: half of what is covered for nothing has less."""


class Decision(StrEnum):
    """What a person says of a result."""

    APPROVED = "approved"
    """It may be released."""
    REJECTED = "rejected"
    """It must not."""
    OPEN = "open"
    """Nothing yet, or it was changed since."""


@dataclass(slots=True)
class Item:
    """One result to look at.

    Attributes:
        result: Its name.
        reasons: Why it comes early; empty for one that is there at random.
        boxes: Covered rectangles: frame, left, top, width, height.
        source: SHA-256 of its source.
        decision: What was said of it last.
        approved: SHA-256 of what was approved: another file under the same name is not.
    """

    result: str
    reasons: list[str]
    boxes: list[tuple[int, int, int, int, int]] = field(repr=False)
    source: str = field(repr=False)
    decision: Decision = Decision.OPEN
    approved: str = field(default="", repr=False)


class Review:
    """The review of one run. Threads may share it.

    Args:
        run: The run's folder, or the folder of its results.
        originals: The folder of the originals, to show them beside; a source is known by its content.
        reviewer: Who decides; by default the user of this machine.
        seed: Of the order of results that nothing is to be said of.
        now: Returns the time.

    Attributes:
        items: The results, the worst first.

    Raises:
        FileNotFoundError: There is no run's folder.
    """

    def __init__(
        self,
        run: str | PathLike[str],
        *,
        originals: str | PathLike[str] | None = None,
        reviewer: str | None = None,
        seed: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        found = RunFolder.of(Path(run))
        if found is None:
            raise FileNotFoundError("no run's folder there: it stands beside the results, as <results>.run")
        self._run = found
        self._reviewer = reviewer or getpass.getuser()
        self._now = now
        self._lock = threading.RLock()
        self._sources = _by_digest(Path(originals)) if originals is not None else {}
        entries = [entry for entry in found.entries().values() if (found.results / entry.result).is_file()]
        random.Random(seed).shuffle(entries)  # noqa: S311 - an order, not a secret
        self.items: list[Item] = [_item(entry) for entry in sorted(entries, key=_badness, reverse=True)]
        by_name = {item.result: item for item in self.items}
        for line in self._decided():
            if (item := by_name.get(str(line.get("result")))) is not None:
                item.decision, item.approved = Decision(line["decision"]), str(line.get("sha256", ""))
                item.boxes += [_rectangle(box) for box in line.get("boxes", ())]

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(decision)} {decision}" for decision in Decision)
        return f"Review({len(self.items)} results: {counts})"

    def count(self, decision: Decision) -> int:
        """Return of how many results this was said last."""
        return sum(1 for item in self.items if item.decision is decision)

    def decide(self, index: int, decision: Decision) -> None:
        """Say something of a result; it is written down at once."""
        with self._lock:
            item = self.items[index]
            digest = _digest(self._run.results / item.result) if decision is Decision.APPROVED else ""
            self._write(item, decision, **({"sha256": digest} if digest else {}))
            item.decision = decision
            item.approved = digest

    @border
    def cover(self, index: int, frame: int, box: tuple[int, int, int, int]) -> None:
        """Cover one more rectangle in a result, which is open again then.

        Args:
            index: Of the result.
            frame: From 0.
            box: Left column, top row, width and height.

        Raises:
            ValueError: The rectangle is not in the picture.
            EngineError: The pixels cannot be decoded or written.
        """
        with self._lock:
            item = self.items[index]
            path = self._run.results / item.result
            guarded(partial(cover, path, frame, box), passing=ValueError)
            self._write(item, Decision.OPEN, boxes=[[frame, *box]])
            item.boxes.append((frame, *box))
            item.decision = Decision.OPEN

    @border
    def dataset(self, index: int, *, original: bool = False) -> FileDataset | None:
        """Return a result as it is now, or its original; None where that is not known."""
        item = self.items[index]
        path = self._sources.get(item.source) if original else self._run.results / item.result
        if path is None:
            return None
        found: FileDataset = guarded(partial(read, path))[0]
        return found

    def export(self, folder: str | PathLike[str], *, on_progress: Callable[[int, int], object] | None = None) -> int:
        """Copy what is approved into a new folder, under the results' names; return how many files.

        A result that is another file than the one that was approved stays out, and is open again.

        Args:
            folder: The new folder.
            on_progress: Called after each approved result with the number of them done, and of all.

        Raises:
            FileExistsError: The folder holds something.
        """
        target = Path(folder)
        if target.exists() and any(target.iterdir()):
            raise FileExistsError("the folder holds something already: name a new one")
        copied = 0
        approved = [item for item in self.items if item.decision is Decision.APPROVED]
        for done, item in enumerate(approved, 1):
            if _digest(self._run.results / item.result) != item.approved:
                item.decision = Decision.OPEN
            else:
                (target / item.result).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._run.results / item.result, target / item.result)
                copied += 1
            if on_progress is not None:
                on_progress(done, len(approved))
        return copied

    def _decided(self) -> list[dict[str, Any]]:
        path = self._run.path / _DECISIONS
        if not path.is_file():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]

    def _write(self, item: Item, decision: Decision, **more: Any) -> None:
        line = {
            "result": item.result,
            "decision": str(decision),
            "who": self._reviewer,
            "when": self._now().isoformat(timespec="seconds"),
            **more,
        }
        descriptor = os.open(self._run.path / _DECISIONS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _item(entry: Entry) -> Item:
    boxes = [_rectangle([box["frame"], box["x"], box["y"], box["width"], box["height"]]) for box in entry.redactions]
    return Item(entry.result, _reasons(entry), boxes, entry.source)


def _reasons(entry: Entry) -> list[str]:
    unreadable = sum(1 for box in entry.redactions if box.get("rule") == _UNREADABLE)
    low = sum(1 for box in entry.redactions if float(box.get("confidence", 1.0)) < _LOW)
    said = [f"{unreadable} × text that could not be read"] if unreadable else []
    said += [f"{low} × a doubtful line"] if low else []
    return [*said, *entry.warnings]


def _badness(entry: Entry) -> tuple[int, float, int]:
    unreadable = sum(1 for box in entry.redactions if box.get("rule") == _UNREADABLE)
    lowest = min((float(box.get("confidence", 1.0)) for box in entry.redactions), default=1.0)
    return unreadable, 1.0 - lowest if lowest < _LOW else 0.0, len(entry.warnings)


def _rectangle(numbers: list[Any]) -> tuple[int, int, int, int, int]:
    frame, x, y, width, height = map(int, numbers)
    return frame, x, y, width, height


def _by_digest(folder: Path) -> dict[str, Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {_digest(path): path for path in files}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
