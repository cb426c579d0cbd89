"""An operation's log where a person can open it: a route of the port's, or in process a file."""

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
    """Gives operations their ``logsUrl``.

    Args:
        operations: The operations and their entries.
        folder: Where the files are put. What is in it from before is removed: it is written again when it is asked for.
    """

    def __init__(self, operations: Operations, folder: Path) -> None:
        self._operations = operations
        self._folder = folder
        self._written: dict[str, tuple[int, int, float | None]] = {}
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Remove the files."""
        with self._lock:
            self._written.clear()
            shutil.rmtree(self._folder, ignore_errors=True)

    def entries(self, name: str) -> dict[str, Any]:
        """Return an operation's log.

        Raises:
            ServiceError: 404: there is no such operation, or not any more.
        """
        return {"entries": [entry.to_api() for entry in self._operations.log(name)]}

    def describe(self, record: OperationRecord, request: Request) -> dict[str, Any]:
        """Return an operation as the service does; its ``logsUrl`` can be opened by who sent the request.

        Where no port serves the emulator the log is a file, as long as it is at this moment.
        """
        return record.to_api(f"{request.base_url}{ROUTE}{record.name}" if request.on_port else self._file(record))

    def _file(self, record: OperationRecord) -> str:
        path = self._folder / f"{record.name.rpartition('/')[2]}.json"
        state = record.success, record.failure, record.ended
        with self._lock:
            if self._written.get(record.name) != state:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                path.write_text(json.dumps(self.entries(record.name), indent=2), "utf-8")
                self._written[record.name] = state
        return path.as_uri()
