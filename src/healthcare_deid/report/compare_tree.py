"""Comparison of a folder with its results, as an HTML page, CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.engine.runs.events import EventKind
from healthcare_deid.engine.runs.lines import sha256_of
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError
from healthcare_deid.report.before_after import frame_pictures
from healthcare_deid.report.compare import COLUMNS, Comparison, Verdict, compare
from healthcare_deid.report.compare_page import Pair, page
from healthcare_deid.report.dataframes import frame_of
from healthcare_deid.report.finished_run import FinishedRun
from healthcare_deid.report.run_events import note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from pydicom.dataset import FileDataset


@dataclass(frozen=True, slots=True)
class Compared:
    """Original and its counterpart.

    Attributes:
        before: Path of the original.
        after: Path of its counterpart.
        comparison: Their comparison.
    """

    before: Path = field(repr=False)
    after: Path = field(repr=False)
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Comparison of two folders. It contains no values, but file names, which may identify patients.

    Attributes:
        pairs: Originals with their counterparts.
        alone: Originals without a counterpart.
        unreadable: Files that could not be read, and why.
        failed: Originals of ``alone`` that failed in the last pass of the run, and why.
    """

    pairs: tuple[Compared, ...] = field(repr=False)
    alone: tuple[Path, ...] = field(default=(), repr=False)
    unreadable: dict[Path, str] = field(default_factory=dict[Path, str], repr=False)
    failed: dict[Path, str] = field(default_factory=dict[Path, str], repr=False)

    def __repr__(self) -> str:
        return f"ComparisonReport({len(self.pairs)} pairs, {len(self.alone)} alone, {len(self.unreadable)} not read)"

    def count(self, verdict: Verdict) -> int:
        """Return the number of elements with this verdict."""
        return sum(pair.comparison.count(verdict) for pair in self.pairs)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per element of each pair."""
        return [
            {"before": str(pair.before), "after": str(pair.after), **row}
            for pair in self.pairs
            for row in pair.comparison.rows()
        ]

    def to_csv(self) -> str:
        """Return CSV with a line per element."""
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, ["before", "after", *COLUMNS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        return file.getvalue()

    def to_json(self) -> str:
        """Return everything as JSON: a list with an entry per pair."""
        return json.dumps([_api(pair) for pair in self.pairs], indent=2, ensure_ascii=False)

    def to_frame(self) -> Any:
        """Return the elements as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed.
        """
        return frame_of(self.rows(), ["before", "after", *COLUMNS])

    def to_html(self, *, pictures: int = 0) -> str:
        """Return a self-contained HTML page.

        Args:
            pictures: Number of frames of each instance to show side by side; changed frames come first. They show the
                originals: store the page as safely as those.
        """
        return page([_pair(pair, pictures) for pair in self.pairs], self._told_alone())

    def _repr_html_(self) -> str:
        return page([_pair(pair, 0) for pair in self.pairs], self._told_alone(), whole=False)

    def _told_alone(self) -> list[tuple[str, str]]:
        return [(str(path), self.failed.get(path, "")) for path in self.alone]


@border
def compare_tree(
    before: str | PathLike[str],
    after: str | PathLike[str],
    *,
    pixels: bool = True,
    run: str | PathLike[str] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> ComparisonReport:
    """Compare the instances of two folders, or two files.

    A counterpart is found by the run's record, which identifies each source by its content. A result that the record
    knows belongs to its source only, and a source that failed has none. What the record does not know is found by SOP
    Instance UID, unchanged or mapped by Google's rule, or by relative path.

    Args:
        before: Folder of originals, or one file.
        after: Folder of results, or one file.
        pixels: Whether to decode and compare the pixels.
        run: Run folder; by default ``<after>.run`` if it exists.
        on_progress: Called after each original with the number done and the total.

    Raises:
        FileNotFoundError: A folder does not exist.
    """
    old, new = Path(before), Path(after)
    for path in (old, new):
        if not path.exists():
            raise FileNotFoundError(f"no such folder: {path}")
    unreadable: dict[Path, str] = {}
    find = _Counterparts(old, new, FinishedRun.of(Path(run) if run is not None else new), unreadable)
    files = _files(old)
    pairs: list[Compared] = []
    alone: list[Path] = []
    failed: dict[Path, str] = {}
    for done, path in enumerate(files, 1):
        original = _read(path, unreadable)
        there = find(path, original) if original is not None else None
        result = _read(there, unreadable) if there is not None else None
        if original is not None and there is not None and result is not None:
            pairs.append(Compared(path, there, compare(original, result, pixels=pixels)))
        elif original is not None:
            alone.append(path)
            if reason := find.failure_of(path):
                failed[path] = reason
        if on_progress is not None:
            on_progress(done, len(files))
    report = ComparisonReport(tuple(pairs), tuple(alone), unreadable, failed)
    if (of_results := FinishedRun.of(new)) is not None and (pairs or alone):
        note(of_results.path, EventKind.COMPARISON, _counts(report))
    return report


def _counts(report: ComparisonReport) -> dict[str, int]:
    """Return the numbers of a comparison for the run's report."""
    return {
        "compared": len({pair.after for pair in report.pairs}),
        "with pixels": len({pair.after for pair in report.pairs if pair.comparison.pixels is not None}),
        "without counterpart": len(report.alone),
        "not read": len(report.unreadable),
    }


class _Counterparts:
    """Finds the result of an original."""

    def __init__(self, before: Path, after: Path, run: FinishedRun | None, unreadable: dict[Path, str]) -> None:
        self._before, self._after = before, after
        entries = run.entries().values() if run is not None else ()
        self._by_digest = {entry.source: entry.result for entry in entries}
        self._recorded = {after / entry.result for entry in entries}
        self._failures = run.failures() if run is not None else {}
        self._by_uid = {uid: path for path, uid in _uids(after, unreadable)}
        self._new_uid = UidMapper().map

    def __call__(self, path: Path, original: FileDataset) -> Path | None:
        if not self._after.is_dir():
            return self._after
        if self._by_digest or self._failures:
            digest = sha256_of(path)
            result = self._by_digest.get(digest)
            if result is not None and (self._after / result).is_file():
                return self._after / result
            if digest in self._failures:
                return None
        uid = str(original.get("SOPInstanceUID", "") or "")
        there = (self._by_uid.get(self._new_uid(uid)) or self._by_uid.get(uid)) if uid else None
        if there is None and self._before.is_dir() and (self._after / path.relative_to(self._before)).is_file():
            there = self._after / path.relative_to(self._before)
        return None if there in self._recorded else there

    def failure_of(self, path: Path) -> str:
        """Return why a source failed in the run; empty if it did not."""
        return self._failures.get(sha256_of(path), "") if self._failures else ""


def _files(root: Path) -> list[Path]:
    if not root.is_dir():
        return [root]
    return sorted(path for path in root.rglob("*") if path.is_file() and path.name != "DICOMDIR")


def _uids(folder: Path, unreadable: dict[Path, str]) -> Iterator[tuple[Path, str]]:
    for path in _files(folder) if folder.is_dir() else ():
        dataset = _read(path, unreadable)
        if dataset is not None:
            yield path, str(dataset.get("SOPInstanceUID", "") or "")


def _read(path: Path, unreadable: dict[Path, str]) -> FileDataset | None:
    try:
        dataset: FileDataset = guarded(partial(read, path))[0]
    except (EngineError, OSError) as error:
        unreadable[path] = str(error) if isinstance(error, EngineError) else type(error).__name__
        return None
    return dataset


def _pair(pair: Compared, pictures: int) -> Pair:
    change = pair.comparison.pixels
    frames: list[tuple[int, str, str]] = []
    if pictures and change is not None:
        chosen = sorted([*change.boxes, *(set(range(change.frames)) - change.boxes.keys())][:pictures])
        try:
            frames = guarded(lambda: frame_pictures(_opened(pair.before), _opened(pair.after), chosen))
        except EngineError:
            frames = []
    return Pair(str(pair.before), str(pair.after), pair.comparison, frames)


def _opened(path: Path) -> FileDataset:
    dataset: FileDataset = read(path)[0]
    return dataset


def _api(pair: Compared) -> dict[str, Any]:
    comparison = pair.comparison
    shown: dict[str, Any] = {"before": str(pair.before), "after": str(pair.after), "elements": comparison.rows()}
    if comparison.pixels is not None:
        change = comparison.pixels
        shown["pixels"] = {
            "frames": change.frames,
            "changedFrames": change.changed_frames,
            "changedFraction": change.changed_fraction,
            "box": list(change.box) if change.box else None,
            "boxes": {str(frame): [list(box) for box in boxes] for frame, boxes in change.boxes.items()},
        }
    if comparison.note:
        shown["note"] = comparison.note
    return shown
