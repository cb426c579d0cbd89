"""Review of results, worst first, with a person's decisions about them.

Every decision is written to the run folder, with who, when and why. A change to the pixels replaces the result and its
line in the record.
"""

from __future__ import annotations

import hashlib
import random
import threading
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid._border import border, call_back
from healthcare_deid.engine.dicom.atomic_write import beside
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.runs.decisions import Decisions, state_of
from healthcare_deid.engine.runs.events import EventKind, add_event, user
from healthcare_deid.engine.runs.lines import sha256_of
from healthcare_deid.engine.runs.manifest import Manifest
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.report.finished_run import FinishedRun
from healthcare_deid.report.review.again import RerunMode
from healthcare_deid.report.review.attributes import AttributeTexts, attribute_texts
from healthcare_deid.report.review.boxes import NotPossibleError
from healthcare_deid.report.review.items import Decision, Item, Reason, badness, boxes_of, item_of
from healthcare_deid.report.review.pixel_changes import PixelChanges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from pydicom.dataset import FileDataset

    from healthcare_deid.config import AnyDeidentifyConfig

Asked = TypeVar("Asked")
_Word = TypeVar("_Word", bound=StrEnum)
_BLOCK = 1 << 20


class _OtherContentError(Exception):
    """Ends a copy of a file that is not the approved one."""


class Review:
    """Review of one run. Threads may share it.

    Args:
        run: Run folder, or folder of results.
        originals: Folder of originals, to show them beside the results and to run instances again. Sources are
            identified by their content.
        reviewer: Name of the reviewer; by default the user of this machine.
        config: Config of the run, to run instances again. Needed only if it has keys: the run folder has the rest.
        options: Arguments of `Deidentifier` that the run was given and the run folder has no values of: a secret that
            is not in the key folder, keys, masks, a table of pseudonyms, a vault. It has all others.
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
        config: AnyDeidentifyConfig | None = None,
        options: Mapping[str, Any] | None = None,
        seed: int = 0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        found = FinishedRun.of(Path(run))
        if found is None:
            raise FileNotFoundError("there is no run folder: it stands beside the results, as <results>.run")
        self._run = found
        self._reviewer = reviewer or user()
        self._now = now
        self._lock = threading.RLock()
        self._sources = _by_digest(Path(originals)) if originals is not None else {}
        self._pixels = PixelChanges(found, self._sources, config, options or {})
        self._stamp = found.stamp()
        entries = [entry for entry in found.entries().values() if (found.results / entry.result).is_file()]
        random.Random(seed).shuffle(entries)  # noqa: S311 - an order, not a secret
        self.items: list[Item] = [item_of(entry) for entry in sorted(entries, key=badness, reverse=True)]
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
                    if entry is None:
                        item.boxes, item.state, item.changes = [], "", []
                    else:
                        item.boxes, item.state, item.changes = boxes_of(entry.redactions), entry.state, entry.changes
                self._stamp = stamp
            self._decisions.read()
            for item in self.items:
                line = self._decisions.about(item.result, item.state)
                item.decision, item.approved = Decision(line["decision"]), str(line.get("sha256", ""))

    @border
    def digest(self, index: int) -> str:
        """Return the SHA-256 of a result's file as it is now, to approve what was looked at (see `decide`)."""
        path = self._run.results / self.items[index].result
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

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
            ValueError: The result has changed since the reviewer looked at it, or the record no longer has it; or the
                decision or reason is not one of the list. Free text could name the patient.
            OSError: The result cannot be read, or the decision cannot be written.
        """
        decision = _one_of(Decision, decision)
        reason = None if reason is None else _one_of(Reason, reason)
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
    def attributes(self, index: int) -> AttributeTexts:
        """Return the text of a result beside that of its original. It contains values: show it on this machine only.

        What an audit finds comes first, and what a warning of the run is about.

        Raises:
            EngineError: The result or its original cannot be read.
            OSError: The same.
        """
        result = self.dataset(index)
        assert result is not None
        config, options = self._run.config()
        changes = self.items[index].changes
        return attribute_texts(
            result, self.dataset(index, original=True), changes, config=config, options=options or None
        )

    def why_not_again(self) -> str:
        """Return why no instance can be run again; empty if the originals and the run's settings are there."""
        with self._lock:
            return self._pixels.why_not_again()

    @border
    def export(self, folder: str | PathLike[str], *, on_progress: Callable[[int, int], object] | None = None) -> int:
        """Copy approved results to a new folder under their names, and return their number.

        A result that has changed since its approval, or is gone, is left out and becomes open again. What other
        reviewers have decided until now counts. The run's report tells of the export, without the folder.

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
        copied: dict[str, str] = {}
        self.refresh()
        approved = [item for item in self.items if item.decision is Decision.APPROVED]
        for done, item in enumerate(approved, 1):
            if _copied(self._run.results / item.result, target / item.result, item.approved):
                copied[item.result] = item.approved
            else:
                self.decide(self.items.index(item), Decision.OPEN)
            if on_progress is not None:
                call_back(on_progress, done, len(approved))
        counts = {"exported": len(copied), "left out": len(self.items) - len(copied)}
        listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(copied.items()))
        files = hashlib.sha256(listed.encode("utf-8", "surrogateescape")).hexdigest()
        add_event(self._run.path, EventKind.EXPORT, counts, who=self._reviewer, when=self._now(), files=files)
        return len(copied)

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
            item.boxes, item.state, item.changes = boxes_of(line["redactions"]), state_of(line), line["changes"]
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


def _one_of(kind: type[_Word], given: str) -> _Word:
    """Return a word of a list; free text could name the patient, so the error does not repeat it."""
    try:
        return kind(given)
    except ValueError:
        words = ", ".join(kind)
        raise ValueError(f"not a {kind.__name__.lower()} of the list: {words}") from None


def _by_digest(folder: Path) -> dict[str, Path]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {sha256_of(path): path for path in files}


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
