"""Replacement of one result, and of its line in the record, after a run has ended."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.runs.dicomdir import file_set_folder, write_file_set
from healthcare_deid.engine.runs.lock import RunLock
from healthcare_deid.engine.runs.record import RecordEntry, RecordFile, current_results
from healthcare_deid.engine.runs.report_page import write_report
from healthcare_deid.engine.runs.run_folder import LOCK, RECORD, RECORDED
from healthcare_deid.engine.runs.stores import FolderStore
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def amend(run: Path, results: Path, name: str, make: Callable[[Path, dict[str, Any]], RecordEntry]) -> dict[str, Any]:
    """Replace one result of a run and its line in the record, and update the report and the File-set.

    The old line is withdrawn before the new file appears. If the process is killed in between, the result has no line:
    a review neither shows nor exports it, and the next run creates it again.

    Args:
        run: The run folder.
        results: The folder of results.
        name: The result's name.
        make: Called with a path and the current line; writes the new result to that path and returns its entry.

    Returns:
        The new line.

    Raises:
        RunInProgress: Another run holds the results.
        RunRefused: The record has no line for this one.
        OSError: A file cannot be read or written.
    """
    store = FolderStore(results)
    with RunLock(run / LOCK, f"review-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}", results):
        line = _line(run / RECORD, name)
        staged = store.stage(name)
        try:
            entry = make(staged, line)
            with closing(RecordFile(run / RECORD, "")) as record:
                record.snapshot(run / RECORDED)  # so that lists it has already defined are not written again
                record.learn(entry)
                record.withdraw(name)
                try:
                    store.commit(staged, name)
                except OSError:
                    record.add(_unchanged(line))
                    raise
                record.add(entry)
        finally:
            staged.unlink(missing_ok=True)
            (run / RECORDED).unlink(missing_ok=True)
        write_report(run)
        if (file_set := file_set_folder(results)).exists():  # its links lead to the old file
            told = current_results(run / RECORD, closed=True)
            write_file_set(results, {one for entry in told if store.has(one := entry["result"])}, file_set)
        return _line(run / RECORD, name)


def _line(record: Path, name: str) -> dict[str, Any]:
    """Return the record's current line for a result.

    Raises:
        RunRefused: The record has no line for this result.
    """
    for line in current_results(record, closed=False):
        if line["result"] == name:
            return line
    raise RunRefused("the record no longer has this result: start the review again")


def _unchanged(line: dict[str, Any]) -> RecordEntry:
    return RecordEntry.of_line(line, size=line["size"], redactions=line["redactions"], changes=line["changes"])
