"""Changes to the pixels of a run's results: adding or removing a box, and running an instance again."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.dicom.datasets import private_copy, uid_of
from healthcare_deid.engine.dicom.files import encode, read
from healthcare_deid.engine.dicom.sinks import PartSink
from healthcare_deid.engine.dicom.sources import opened_source
from healthcare_deid.engine.dicom.uids import SOP_INSTANCE_UID
from healthcare_deid.engine.pixels.frames.targets import PIXEL_TAGS
from healthcare_deid.engine.results import PictureLook, Redaction
from healthcare_deid.engine.runs.amend import amend
from healthcare_deid.engine.runs.record import EntryMaker, RecordEntry
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import ConfigError, EngineError, RunRefused
from healthcare_deid.report.review.again import deidentifier_of, in_mode
from healthcare_deid.report.review.boxes import REVIEWER, ChosenBoxes, NotPossibleError, cover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from healthcare_deid.config import AnyDeidentifyConfig
    from healthcare_deid.engine import Deidentifier
    from healthcare_deid.engine.instance import InstanceEngine
    from healthcare_deid.engine.results import Change
    from healthcare_deid.report.finished_run import FinishedRun
    from healthcare_deid.report.review.again import RerunMode
    from healthcare_deid.report.review.boxes import Rectangle

IMAGE = frozenset({"", *(f"{tag:08X}" for tag in PIXEL_TAGS)})
"""Element paths of the picture shown in a review."""


class PixelChanges:
    """Replaces results of a run. Not thread-safe.

    Args:
        run: The run.
        sources: Originals by their SHA-256, in hexadecimal.
        config: Config of the run, if the run folder's lacks keys.
        options: Arguments of `Deidentifier` that the run folder has no values of.
    """

    def __init__(
        self,
        run: FinishedRun,
        sources: Mapping[str, Path],
        config: AnyDeidentifyConfig | None,
        options: Mapping[str, Any],
    ) -> None:
        self._run = run
        self._sources = sources
        self._config = config
        self._options = options
        self._proved: Deidentifier | None = None

    def cover(self, name: str, rectangle: Rectangle) -> dict[str, Any]:
        """Cover one more rectangle in a result (see `Review.cover`), and return its new line in the record."""

        def make(path: Path, line: dict[str, Any]) -> RecordEntry:
            added, changes = _covered(self._run.results / name, path, [rectangle])
            return _with_boxes(line, path, added, changes)

        return self._amend(name, make)

    def uncover(self, name: str, rectangle: Rectangle) -> dict[str, Any]:
        """Remove a box (see `Review.uncover`), and return its new line in the record."""
        known = self._known()

        def make(path: Path, line: dict[str, Any]) -> RecordEntry:
            boxes: list[dict[str, Any]] = line["redactions"]
            left = [one for one in boxes if one["path"] not in IMAGE or rectangle_of(one) != rectangle]
            if len(left) == len(boxes):
                raise NotPossibleError("the result has no such box")
            chosen = ChosenBoxes(
                [Redaction(**one) for one in left],
                [PictureLook(**one) for one in line["looks"]],
                workers=known.options.threads,
                max_frame_pixels=known.options.max_frame_pixels,
            )
            return self._encoded(known.instances.with_pixels(chosen), line, path)

        return self._amend(name, make)

    def run_again(self, name: str, mode: RerunMode) -> dict[str, Any]:
        """Run an instance again (see `Review.run_again`), and return its new line in the record."""
        instances = in_mode(self._known(), mode).instances

        def make(path: Path, line: dict[str, Any]) -> RecordEntry:
            entry = self._encoded(instances, line, path)
            added = [rectangle_of(one) for one in line["redactions"] if one["rule"] == REVIEWER]
            if not added:
                return entry
            redactions, changes = _covered(path, path, added)
            return _with_boxes(line | _told(entry), path, redactions, changes)

        return self._amend(name, make)

    def why_not_again(self) -> str:
        """Return why no instance can be run again (see `Review.why_not_again`)."""
        if not self._sources:
            return "the originals are needed (--originals)"
        try:
            self._known()
        except (ConfigError, EngineError, RunRefused) as error:
            return str(error)
        except OSError as error:
            return f"a file that the options name cannot be read: {type(error).__name__}"
        return ""

    def _amend(self, name: str, make: Callable[[Path, dict[str, Any]], RecordEntry]) -> dict[str, Any]:
        def work(path: Path, line: dict[str, Any]) -> RecordEntry:
            return guarded(partial(make, path, line), passing=NotPossibleError)

        return amend(self._run.path, self._run.results, name, work)

    def _known(self) -> Deidentifier:
        if self._proved is None:
            self._proved = deidentifier_of(self._run.path, self._config, self._options)
        return self._proved

    def _encoded(self, instances: InstanceEngine, line: dict[str, Any], path: Path) -> RecordEntry:
        """Write an instance's new result, and return its entry.

        Raises:
            NotPossibleError: Its original is not among the originals.
            EngineError: It cannot be de-identified, or gets another UID than in the run.
        """
        original = self._sources.get(line["source"])
        if original is None:
            raise NotPossibleError(
                "its original is needed, and is not among the originals: give their folder (--originals)"
            )
        with opened_source(original) as file:
            if file.sha256().hex() != line["source"]:
                raise NotPossibleError("its original has changed since the review began")
            result = instances.encode(file, PartSink(path))
        before = uid_of(read(self._run.results / line["result"])[0], SOP_INSTANCE_UID)
        if uid_of(read(path)[0], SOP_INSTANCE_UID) != before:
            raise EngineError("the instance gets another UID than the run gave it: the secret or the UID rule differs")
        return EntryMaker().entry(line["result"], bytes.fromhex(line["source"]), path.stat().st_size, result)


def rectangle_of(one: Mapping[str, Any]) -> Rectangle:
    """Return the rectangle of a redaction in the record."""
    return int(one["frame"]), int(one["x"]), int(one["y"]), int(one["width"]), int(one["height"])


def _covered(source: Path, path: Path, rectangles: list[Rectangle]) -> tuple[list[Redaction], list[Change]]:
    """Write a result with more rectangles covered, and return redactions and changes."""
    dataset = read(source)[0]
    copy = private_copy(dataset)
    copy.preamble = dataset.preamble
    redactions, changes = cover(copy, rectangles)
    with PartSink(path).stream() as file:
        encode(copy, file)
    return redactions, changes


def _with_boxes(line: dict[str, Any], path: Path, added: list[Redaction], changes: list[Change]) -> RecordEntry:
    """Return the entry of a result that has more boxes than its line in the record."""
    known: list[dict[str, Any]] = line["changes"]
    done = {(change["path"], change["action"]) for change in known}
    new = [asdict(change) for change in changes if (change.path, change.action) not in done]
    boxes = [*line["redactions"], *(asdict(box) for box in added)]
    return RecordEntry.of_line(line, size=path.stat().st_size, redactions=boxes, changes=[*known, *new])


def _told(entry: RecordEntry) -> dict[str, Any]:
    """Return an entry as values of a record line."""
    return {
        "kept": entry.kept,
        "looks": json.loads(entry.looks),
        "redactions": json.loads(entry.redactions),
        "changes": json.loads(entry.changes.text),
        "warnings": json.loads(entry.warnings.text),
        "keptTags": json.loads(entry.kept_tags.text),
        "creators": json.loads(entry.creators.text),
    }
