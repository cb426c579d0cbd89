"""Readable logs of operations.

A log is a URL if the emulator is on a port, and a file otherwise.
"""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.jobs.operations import OperationRecord, Operations

ROUTE = "/_emulator/logs/"


class Logs:
    """``logsUrl`` of operations.

    Args:
        operations: Operations with their log entries.
        folder: Directory for log files. Existing files are removed and written again on request.
    """

    def __init__(self, operations: Operations, folder: Path) -> None:
        self._operations = operations
        self._folder = folder
        self._written: dict[str, tuple[int, int, float | None]] = {}
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Remove all files."""
        with self._lock:
            self._written.clear()
            shutil.rmtree(self._folder, ignore_errors=True)

    def entries(self, name: str) -> dict[str, Any]:
        """Return the log of an operation.

        Raises:
            ServiceError: 404: the operation does not exist or has expired.
        """
        return {"entries": [entry.to_api() for entry in self._operations.log(name)]}

    def describe(self, record: OperationRecord, request: Request) -> dict[str, Any]:
        """Return an operation with a ``logsUrl`` that the client can open.

        If the emulator is not on a port, the current log is written to a file.
        """
        return record.to_api(f"{request.base_url}{ROUTE}{record.name}" if request.on_port else self._file(record))

    def _file(self, record: OperationRecord) -> str:
        path = self._folder / f"{record.name.rpartition('/')[2]}.json"
        state = record.success, record.failure, record.ended
        with self._lock:
            # Clients poll often, so the file is written again only if the counters have changed.
            if self._written.get(record.name) != state:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                path.write_text(json.dumps(self.entries(record.name), indent=2), "utf-8")
                self._written[record.name] = state
        return path.as_uri()
