"""Replacement of one result after its run, as a review asks for, with its line of the record."""

from __future__ import annotations

import os
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.runs.dicomdir import file_set_folder, write_file_set
from healthcare_deid.engine.runs.folder import LOCK, RECORD, RECORDED
from healthcare_deid.engine.runs.lock import RunLock
from healthcare_deid.engine.runs.record import RecordEntry, RecordFile, current_results
from healthcare_deid.engine.runs.report_page import write_report
from healthcare_deid.engine.runs.stores import FolderStore
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def amend(run: Path, results: Path, name: str, make: Callable[[Path, dict[str, Any]], RecordEntry]) -> dict[str, Any]:
    """Replace one result of a run, its line of the record, and what is made of them: the report and the File-set.

    The old line is withdrawn before the new file appears. A process that is killed in between leaves a result that
    the record does not tell of: a review does not show it and never exports it, and the next run makes it again.

    Args:
        run: The run folder.
        results: The folder of results.
        name: The result's name.
        make: Writes the new result to the path it is given, and returns its entry; it is given the present line too.

    Returns:
        What the record says of the result now.

    Raises:
        RunRefused: A run is at work on the results, or the record no longer tells of this one.
        OSError: A file cannot be read or written.
    """
    store = FolderStore(results)
    with RunLock(run / LOCK, f"review-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}", results):
        line = _line(run / RECORD, name)
        staged = store.stage(name)
        try:
            entry = make(staged, line)
            with closing(RecordFile(run / RECORD, "")) as record:
                record.snapshot(run / RECORDED)  # which makes its lists known
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
        if (file_set := file_set_folder(results)).exists():  # it links to the old file
            told = current_results(run / RECORD, closed=True)
            write_file_set(results, {one for entry in told if store.has(one := entry["result"])}, file_set)
        return _line(run / RECORD, name)


def _line(record: Path, name: str) -> dict[str, Any]:
    """Return what a record says of one result.

    Raises:
        RunRefused: Nothing.
    """
    for line in current_results(record, closed=False):
        if line["result"] == name:
            return line
    raise RunRefused("the record no longer tells of this result: begin the review again")


def _unchanged(line: dict[str, Any]) -> RecordEntry:
    return RecordEntry.of_line(line, size=line["size"], redactions=line["redactions"], changes=line["changes"])
