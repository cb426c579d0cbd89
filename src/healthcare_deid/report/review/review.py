"""Review of results, worst first, with a person's decisions about them.

Every decision is written to the run folder, with who, when and why. A change to the pixels replaces the result and its
line in the record.
"""

from __future__ import annotations

import getpass
import hashlib
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid._border import border, call_back
from healthcare_deid.engine.dicom.atomic_write import beside
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.runs.decisions import Decisions, state_of
from healthcare_deid.engine.runs.manifest import Manifest
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.report.finished_run import FinishedRun
from healthcare_deid.report.review.again import RerunMode
from healthcare_deid.report.review.boxes import NotPossibleError
from healthcare_deid.report.review.pixel_changes import IMAGE, PixelChanges, rectangle_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from pydicom.dataset import FileDataset

    from healthcare_deid.engine import Deidentifier
    from healthcare_deid.report.finished_run import Entry
    from healthcare_deid.report.review.boxes import Rectangle

Asked = TypeVar("Asked")
_UNREADABLE = "unreadable"
_BLOCK = 1 << 20
_LOW = 0.8
"""Confidence below which a covered line deserves a look: half of all false positives have less."""


class _OtherContentError(Exception):
    """Ends a copy of a file that is not the approved one."""


class Decision(StrEnum):
    """Decision about a result."""

    APPROVED = "approved"
    """It may be released."""
    REJECTED = "rejected"
    """It must not be released."""
    OPEN = "open"
    """Not decided yet, or changed since."""


class Reason(StrEnum):
    """Reason for a decision, from a fixed list because free text could name patients."""

    TEXT_LEFT = "text-left"
    """Text in the picture may identify somebody."""
    ATTRIBUTE = "attribute"
    """An attribute may identify somebody."""
    TOO_MUCH = "too-much"
    """Too much is covered, so the picture is not useful."""
    NO_TEXT = "no-text"
    """A box covers no text."""
    OTHER = "other"
    """Another reason."""


@dataclass(slots=True)
class Item:
    """Result to review.

    Attributes:
        result: Its name.
        reasons: Reasons to look at it early; empty for results in random order.
        boxes: Covered rectangles of its image: frame, left, top, width, height.
        source: SHA-256 of its source.
        decision: Latest decision.
        approved: SHA-256 of the approved file; any other content is not approved.
        state: Digest of its line in the record; a decision about another state no longer counts.
    """

    result: str
    reasons: list[str]
    boxes: list[Rectangle] = field(repr=False)
    source: str = field(repr=False)
    decision: Decision = Decision.OPEN
    approved: str = field(default="", repr=False)
    state: str = field(default="", repr=False)


class Review:
    """Review of one run. Threads may share it.

    Args:
        run: Run folder, or folder of results.
        originals: Folder of originals, to show them beside the results and to run instances again. Sources are
            identified by their content.
        reviewer: Name of the reviewer; by default the user of this machine.
        deidentifier: Deidentifier of the run, to run instances again. By default it is rebuilt from the run folder,
            which works unless the run was given keys, masks, pseudonyms or other objects.
        seed: Seed for the random order of inconspicuous results.
        now: Function that returns the current time.

    Attributes:
        items: Results, worst first.

    Raises:
        FileNotFoundError: There is no run folder.
        RunRefused: This release cannot read it.
    """

    def __init__(
        self,
        run: str | PathLike[str],
        *,
        originals: str | PathLike[str] | None = None,
        reviewer: str | None = None,
        deidentifier: Deidentifier | None = None,
        seed: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        found = FinishedRun.of(Path(run))
        if found is None:
            raise FileNotFoundError("there is no run folder: it stands beside the results, as <results>.run")
        self._run = found
        self._reviewer = reviewer or getpass.getuser()
        self._now = now
        self._lock = threading.RLock()
        self._sources = _by_digest(Path(originals)) if originals is not None else {}
        self._pixels = PixelChanges(found, self._sources, deidentifier)
        self._stamp = found.stamp()
        entries = [entry for entry in found.entries().values() if (found.results / entry.result).is_file()]
        random.Random(seed).shuffle(entries)  # noqa: S311 - an order, not a secret
        self.items: list[Item] = [_item(entry) for entry in sorted(entries, key=_badness, reverse=True)]
        manifest = Manifest.read(found.path)
        self._decisions = Decisions(found.path, manifest.digest if manifest is not None else "")
        self.refresh()

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(decision)} {decision}" for decision in Decision)
        return f"Review({len(self.items)} results: {counts})"

    def count(self, decision: Decision) -> int:
        """Return the number of results with this decision."""
        return sum(1 for item in self.items if item.decision is decision)

    def refresh(self) -> None:
        """Read what other reviewers have decided and changed since. Results of a run since are not added.

        Raises:
            RunRefused: The decisions cannot be read.
            OSError: The record or the decisions cannot be read.
        """
        with self._lock:
            if (stamp := self._run.stamp()) != self._stamp:
                entries = self._run.entries()
                for item in self.items:
                    entry = entries.get(item.result)
                    item.boxes, item.state = (_boxes(entry.redactions), entry.state) if entry is not None else ([], "")
                self._stamp = stamp
            self._decisions.read()
            for item in self.items:
                line = self._decisions.about(item.result, item.state)
                item.decision, item.approved = Decision(line["decision"]), str(line.get("sha256", ""))

    @border
    def digest(self, index: int) -> str:
        """Return the SHA-256 of a result's file as it is now, to approve what was looked at (see `decide`)."""
        return _digest(self._run.results / self.items[index].result)

    @border
    def decide(self, index: int, decision: Decision, reason: Reason | None = None, *, seen: str | None = None) -> None:
        """Decide about a result. The decision is written at once.

        Args:
            index: Index of the result.
            decision: The decision.
            reason: Reason, if the reviewer gives one.
            seen: For an approval: `digest` of the file before the reviewer looked at it. Another file is not approved.
                Without it, the file as it is now is approved.

        Raises:
            ValueError: The result has changed since the reviewer looked at it, or the record no longer has it.
            OSError: The result cannot be read, or the decision cannot be written.
        """
        with self._lock:
            self.refresh()
            item = self.items[index]
            digest = self.digest(index) if decision is Decision.APPROVED else ""
            if digest and seen not in (None, digest):
                raise NotPossibleError("the result has changed since it was shown: look at it again")
            if digest and not item.state:
                raise NotPossibleError("the record no longer has this result: a run has to make it again")
            self._write(item, decision, reason, **({"sha256": digest} if digest else {}))
            item.decision = decision
            item.approved = digest

    @border
    def cover(self, index: int, frame: int, box: tuple[int, int, int, int]) -> None:
        """Cover one more rectangle in a result and in its icon. The result becomes open again.

        Args:
            index: Index of the result.
            frame: Frame index, from 0.
            box: Left column, top row, width and height.

        Raises:
            ValueError: The rectangle is not in the picture.
            EngineError: The pixels cannot be decoded or written.
            RunRefused: A run holds the results.
        """
        self._change(index, self._pixels.cover, (frame, *box), Reason.TEXT_LEFT, added=(frame, *box))

    @border
    def uncover(self, index: int, frame: int, box: tuple[int, int, int, int]) -> None:
        """Remove a box that covers no text, by running the instance again with every other box.

        The uncovered part is not searched for text again. The icon stays covered. The result becomes open again.

        Args:
            index: Index of the result.
            frame: Frame index, from 0.
            box: Left column, top row, width and height, as in `Item.boxes`.

        Raises:
            ValueError: There is no such box, or the original is missing.
            EngineError: The instance cannot be de-identified.
            RunRefused: A run holds the results, or their settings are not known.
        """
        self._change(index, self._pixels.uncover, (frame, *box), Reason.NO_TEXT, removed=(frame, *box))

    @border
    def run_again(self, index: int, mode: RerunMode = RerunMode.AS_RUN) -> None:
        """Run an instance again from its original. The result becomes open again.

        Boxes removed by a person are covered again; boxes added by a person stay.

        Args:
            index: Index of the result.
            mode: Mode of the new run.

        Raises:
            ValueError: The original is missing, or the mode would change nothing.
            EngineError: The instance cannot be de-identified.
            RunRefused: A run holds the results, or their settings are not known.
        """
        self._change(index, self._pixels.run_again, mode, None, again=str(mode))

    @border
    def dataset(self, index: int, *, original: bool = False) -> FileDataset | None:
        """Return a result in its current state, or its original; None if that is missing."""
        item = self.items[index]
        path = self._sources.get(item.source) if original else self._run.results / item.result
        if path is None:
            return None
        found: FileDataset = guarded(partial(read, path))[0]
        return found

    @border
    def export(self, folder: str | PathLike[str], *, on_progress: Callable[[int, int], object] | None = None) -> int:
        """Copy approved results to a new folder under their names, and return their number.

        A result that has changed since its approval, or is gone, is left out and becomes open again. What other
        reviewers have decided until now counts.

        Args:
            folder: The new folder.
            on_progress: Called after each approved result with the number done and the total.

        Raises:
            FileExistsError: The folder is not empty.
            OSError: A file cannot be read or written.
        """
        target = Path(folder)
        if target.exists() and any(target.iterdir()):
            raise FileExistsError("the folder is not empty: name a new one")
        copied = 0
        self.refresh()
        approved = [item for item in self.items if item.decision is Decision.APPROVED]
        for done, item in enumerate(approved, 1):
            if _copied(self._run.results / item.result, target / item.result, item.approved):
                copied += 1
            else:
                self.decide(self.items.index(item), Decision.OPEN)
            if on_progress is not None:
                call_back(on_progress, done, len(approved))
        return copied

    def _change(
        self,
        index: int,
        work: Callable[[str, Asked], dict[str, Any]],
        asked: Asked,
        reason: Reason | None,
        **told: Any,
    ) -> None:
        """Change a result's pixels and write down that it is open again."""
        with self._lock:
            item = self.items[index]
            line = work(item.result, asked)
            item.boxes, item.state = _boxes(line["redactions"]), state_of(line)
            item.decision, item.approved = Decision.OPEN, ""  # an earlier approval was for another file
            self._write(item, Decision.OPEN, reason, **told)

    def _write(self, item: Item, decision: Decision, reason: Reason | None, **more: Any) -> None:
        line = {
            "result": item.result,
            "decision": str(decision),
            "who": self._reviewer,
            "when": self._now().isoformat(timespec="seconds"),
            **({"why": str(reason)} if reason is not None else {}),
            **more,
        }
        self._decisions.add(line, item.state)


def _item(entry: Entry) -> Item:
    return Item(entry.result, _reasons(entry), _boxes(entry.redactions), entry.source, state=entry.state)


def _boxes(redactions: list[dict[str, Any]]) -> list[Rectangle]:
    return [rectangle_of(one) for one in redactions if one["path"] in IMAGE]


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


def _by_digest(folder: Path) -> dict[str, Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {_digest(path): path for path in files}


def _copied(source: Path, target: Path, approved: str) -> bool:
    """Copy a file if its content is the approved one, and return whether it was. Nothing else gets its name."""
    try:
        with source.open("rb") as file, beside(target) as descriptor, open(descriptor, "wb", closefd=False) as copy:
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)  # of the bytes that are copied: a run may replace the file at any moment
                copy.write(block)
            if digest.hexdigest() != approved:
                raise _OtherContentError  # noqa: TRY301 - it keeps the copy from getting its name
    except (_OtherContentError, FileNotFoundError):
        return False
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
