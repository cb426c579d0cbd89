"""Run folder: manifest, lock, record and failures of a run.

It is beside the results, never inside them, and only its owner may read it.
"""

from __future__ import annotations

import csv
import json
import os
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self

from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside
from healthcare_deid.engine.runs.decisions import DECISIONS
from healthcare_deid.engine.runs.lock import RunLock
from healthcare_deid.engine.runs.manifest import Manifest, settings_of
from healthcare_deid.engine.runs.record import RecordFile, read_record
from healthcare_deid.engine.runs.result_claims import RecordedResults, key_of
from healthcare_deid.engine.runs.run_secret import announce, with_secret
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.results import TreeReport
    from healthcare_deid.engine.runs.engine import Engine
    from healthcare_deid.engine.runs.stores import Store

RECORD = "record.jsonl"
FAILURES = "failures.csv"
SUMMARY = "summary.json"
LOCK = "lock"
RECORDED = "recorded.sqlite"
_SUPERSEDED = "superseded.jsonl"
_SUMMARY_SCHEMA = 1
_FAILURE_HEADING = ("sha256", "reason", "text")
_COUNTS = ("found", "succeeded", "duplicates", "skipped", "ignored", "failed", "refused")
_WAYS_ON = (
    "use the same settings, make everything again (--overwrite, or overwrite=True), or choose another destination"
)
_REVIEWED = ". A result that is made again is open again in the review, whatever was decided about it"
_FOREIGN = (
    "the destination holds results and there is no run folder that tells how they were made: name their run folder "
    "(--run), take them as made with this config and secret (--adopt), make them again (--overwrite), or choose "
    "another destination"
)
REMOVED = "a result of an earlier config, which this run did not make again, was removed"


class RunFolder:
    """Run folder of a destination. As a context manager, it locks the folder and the destination for this run.

    Args:
        path: Folder, created if missing.
        store: The destination.
        command: Name of the command that started the run, without paths.

    Attributes:
        path: As given.
        name: Name of this run.
        deidentifier: The deidentifier with the run's secret, after `begin`.
        record: The record, after `begin`.
        recorded: Results recorded before this run, after `begin`; None if there were none.
    """

    deidentifier: Engine
    record: RecordFile

    def __init__(self, path: Path, store: Store, command: str) -> None:
        self.path = path
        self.name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
        self.recorded: RecordedResults | None = None
        self._store = store
        self._command = command
        self._held = ExitStack()
        self._manifest: Manifest | None = None

    def __enter__(self) -> Self:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._held.enter_context(RunLock(self.path / LOCK, self.name, self._store.folder))
        return self

    def __exit__(self, *error: object) -> None:
        with self._held:
            if self.recorded is not None:
                self.recorded.close()
            (self.path / RECORDED).unlink(missing_ok=True)

    @property
    def inherited(self) -> tuple[int, ...]:
        """File descriptors of the lock, which workers inherit."""
        return self._lock.descriptors

    @property
    def recorded_file(self) -> Path | None:
        """File of recorded results, for workers; None if there were none."""
        return self.path / RECORDED if self.recorded is not None else None

    def begin(self, deidentifier: Engine, *, overwrite: bool, adopt: bool, **settings: object) -> None:
        """Compare the manifest, find the secret, and open the record.

        Args:
            deidentifier: Deidentifier of the caller.
            overwrite: Whether to create all results again, whatever settings they were made with.
            adopt: Whether to treat results without a run folder as made with these settings.
            **settings: Further settings that the results depend on.

        Raises:
            RunRefused: The run cannot start or continue with these settings.
        """
        self._store.clean()
        old = Manifest.read(self.path)
        foreign = old is None and next(self._store.names(), None) is not None
        if foreign and not (adopt or overwrite):
            raise RunRefused(_FOREIGN)
        self.deidentifier, place, made = with_secret(deidentifier, old, anew=overwrite, adopt=foreign and adopt)
        new = Manifest(settings_of(self.deidentifier, **settings), place, old.runs if old is not None else [])
        if old is not None and old.digest != new.digest:
            differences = old.differences(new)
            if not overwrite:
                if made is not None:
                    made.unlink()
                said = "\n".join(f"  - {difference}" for difference in differences)
                reviewed = _REVIEWED if (self.path / DECISIONS).exists() else ""
                raise RunRefused(
                    f"the results in the destination were made with other settings:\n{said}\n{_WAYS_ON}{reviewed}",
                    differences=differences,
                )
            self._supersede()
        new.runs.append({"name": self.name, "command": self._command, "began": _now()})
        new.write(self.path)
        if made is not None:
            announce(made)
        self._manifest = new
        self.record = RecordFile(self.path / RECORD, new.digest)
        if not self.record.is_new:
            self.record.snapshot(self.path / RECORDED)
            self.recorded = RecordedResults(self.path / RECORDED)

    def end(self, report: TreeReport, *, state: str) -> None:
        """Write the failures, the summary and this run's entry in the manifest. The record must be closed.

        Args:
            report: Report of the run.
            state: ``"complete"`` or ``"interrupted"``.
        """
        counts = {name: getattr(report, name) for name in _COUNTS}
        assert self._manifest is not None
        self._manifest.runs[-1] |= {"ended": _now(), "state": state, "counts": counts}
        self._manifest.write(self.path)
        with (
            beside(self.path / FAILURES, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", newline="", errors="surrogateescape", closefd=False) as file,
        ):
            rows = csv.writer(file)
            rows.writerow(_FAILURE_HEADING)
            rows.writerows((failure.sha256, failure.reason, failure.text) for failure in report.failures)
        self._write_json(
            SUMMARY,
            {
                "schema": _SUMMARY_SCHEMA,
                "run": self.name,
                "state": state,
                "counts": counts,
                "failuresByReason": _counted(failure.reason for failure in report.failures),
                "refusedByRule": report.refused_by,
                "ignored": report.passed_over,
                "warnings": report.warnings,
                "stillRead": report.still_read,
                "safePrivateUnmatched": list(report.unmatched),
            },
        )

    def results(self) -> set[str]:
        """Return the names of recorded results that exist. The record must be closed."""
        names: dict[str, bool] = {}
        for entry in read_record(self.path / RECORD):
            names[entry["result"]] = not entry.get("withdrawn", False)
        return {name for name, recorded in names.items() if recorded and self._store.has(name)}

    def remove_superseded(self) -> int:
        """Remove results of an earlier config that were not created again, and return their number.

        The record must be closed.
        """
        file = self.path / _SUPERSEDED
        if not file.exists():
            return 0
        if self.recorded is not None:
            self.recorded.close()
        with closing(RecordFile(self.path / RECORD, "")) as record:
            record.snapshot(self.path / RECORDED)
        self.recorded = RecordedResults(self.path / RECORDED)
        removed = 0
        with file.open("rb") as lines:
            for line in lines:
                name = json.loads(line)
                if self.recorded.get(key_of(name)) is None and self._store.has(name):
                    self._store.remove(name)
                    removed += 1
        file.unlink()
        return removed

    def _supersede(self) -> None:
        """Start a new record and keep the names of the old one, so that results not created again can be removed."""
        record, names = self.path / RECORD, self.path / _SUPERSEDED
        if not record.exists():
            return
        before = names.read_bytes() if names.exists() else b""
        with (
            beside(names, OWNER_ONLY) as descriptor,
            open(descriptor, "wb", closefd=False) as file,
        ):
            file.write(before)
            for entry in read_record(record):
                file.write(json.dumps(entry["result"]).encode() + b"\n")
        record.unlink()

    def _write_json(self, name: str, content: dict[str, Any]) -> None:
        with (
            beside(self.path / name, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", closefd=False) as file,
        ):
            file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_failures(folder: Path) -> list[dict[str, str]]:
    """Return the failures of the last pass: SHA-256, reason and text of each file."""
    path = folder / FAILURES
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _counted(words: Any) -> dict[str, int]:
    from collections import Counter

    return dict(Counter(words).most_common())


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
