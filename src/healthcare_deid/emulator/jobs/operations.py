"""Long-running operations: their records, and the threads that do their work."""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.clock import timestamp
from healthcare_deid.emulator.errors import Code, ServiceError, invalid, not_found

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from healthcare_deid.emulator.clock import Clock, Hold
    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.names import DatasetName

RETENTION = 30 * 24 * 3600.0
"""Seconds an operation stays visible after its end (documentation page "Long-running operations")."""

_STOPPED = "The emulator stopped while this operation was running. What it had written stays; start it again."
_CANCELLED = "The operation was cancelled. What it had written stays."


class Stopped(Exception):  # noqa: N818 - not an error: the work was told to stop
    """Raised inside an operation's work when it was cancelled or the emulator closes."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """An operation as it stands."""

    id: int
    name: str
    dataset: str
    version: str
    method: str
    created: float
    ended: float | None
    cancel_requested: bool
    pending: int
    success: int
    failure: int
    response: dict[str, Any] | None
    error: dict[str, Any] | None

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> OperationRecord:
        """Build the record from its row."""
        values = dict(row)
        values["cancel_requested"] = bool(values["cancel_requested"])
        for field in ("response", "error"):
            values[field] = json.loads(values[field]) if values[field] else None
        return cls(**values)

    def to_api(self, logs_url: str) -> dict[str, Any]:
        """Return it as an ``Operation`` of the API: counters as text, zeros left out."""
        metadata: dict[str, Any] = {
            "@type": f"type.googleapis.com/google.cloud.healthcare.{self.version}.OperationMetadata",
            "apiMethodName": f"google.cloud.healthcare.{self.version}.{self.method}",
            "createTime": timestamp(self.created),
        }
        if self.ended is not None:
            metadata["endTime"] = timestamp(self.ended)
        if self.cancel_requested and self.ended is None:
            metadata["cancelRequested"] = True
        metadata["logsUrl"] = logs_url
        counts = {"pending": self.pending, "success": self.success, "failure": self.failure}
        counter = {name: str(count) for name, count in counts.items() if count}
        if counter:
            metadata["counter"] = counter
        operation: dict[str, Any] = {"name": self.name, "metadata": metadata}
        if self.ended is not None:
            operation["done"] = True
            operation |= {"error": self.error} if self.error else {"response": self.response or {}}
        return operation


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of an operation's log: an instance that failed, and why. No value of any instance."""

    time: float
    severity: str
    code: Code
    source: str
    message: str

    def to_api(self) -> dict[str, Any]:
        """Return it in the shape of the service's entries in Cloud Logging."""
        return {
            "timestamp": timestamp(self.time),
            "severity": self.severity,
            "jsonPayload": {
                "source": self.source,
                "error": {"code": self.code.number, "message": self.message},
            },
        }


class Operations:
    """The operations in the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def insert(
        self, connection: sqlite3.Connection, dataset: DatasetName, method: str, version: str, *, pending: int = 0
    ) -> str:
        """Add a running operation inside a transaction, and return its name.

        Args:
            connection: Of the transaction.
            dataset: The dataset it is started on.
            method: Service and method, such as ``dataset.DatasetService.DeidentifyDataset``.
            version: API version it was asked for in.
            pending: Units of work.
        """
        name = f"{dataset}/operations/{10**18 + secrets.randbelow(8 * 10**18)}"
        connection.execute(
            "INSERT INTO operations (name, dataset, version, method, created, pending) VALUES (?, ?, ?, ?, ?, ?)",
            (name, str(dataset), version, method, self._clock.time(), pending),
        )
        return name

    def finish(
        self, connection: sqlite3.Connection, name: str, *, response: dict[str, Any] | None, error: ServiceError | None
    ) -> None:
        """End an operation inside a transaction."""
        connection.execute(
            "UPDATE operations SET ended = ?, response = ?, error = ? WHERE name = ?",
            (
                self._clock.time(),
                None if response is None else json.dumps(response),
                None if error is None else json.dumps(error.to_status()),
                name,
            ),
        )

    def get(self, name: str) -> OperationRecord:
        """Return an operation.

        Raises:
            ServiceError: 404: there is none, or it ended more than 30 days ago.
        """
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM operations WHERE name = ? AND (ended IS NULL OR ended > ?)", (name, self._horizon())
            ).fetchone()
        if row is None:
            raise not_found(f"Operation {name} does not exist.")
        return OperationRecord.from_row(row)

    def page(
        self, dataset: str, *, size: int, after: str, done: bool | None
    ) -> tuple[list[OperationRecord], str | None]:
        """Return a page of a dataset's operations, newest first, and where the next one starts."""
        if after and not after.isdecimal():
            raise invalid("Invalid page token.")
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM operations WHERE dataset = ? AND id < ? AND (ended IS NULL OR ended > ?) "
                "AND (? IS NULL OR (ended IS NOT NULL) = ?) ORDER BY id DESC LIMIT ?",
                (dataset, int(after or 2**62), self._horizon(), done, done, size + 1),
            ).fetchall()
        records = [OperationRecord.from_row(row) for row in rows]
        return records[:size], str(records[size - 1].id) if len(records) > size else None

    def request_cancel(self, name: str) -> None:
        """Ask a running operation to stop; one that has ended stays as it is."""
        self.get(name)
        with self._database.write() as connection:
            connection.execute("UPDATE operations SET cancel_requested = 1 WHERE name = ? AND ended IS NULL", (name,))

    def log(self, name: str) -> list[LogEntry]:
        """Return an operation's log."""
        self.get(name)
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM operation_log WHERE operation = ? ORDER BY id", (name,)).fetchall()
        by_number = {code.number: code for code in Code}
        return [
            LogEntry(row["time"], row["severity"], by_number[row["code"]], row["source"], row["message"])
            for row in rows
        ]

    def fail_interrupted(self) -> int:
        """End the operations that a killed process left running; return how many."""
        with self._database.write() as connection:
            names = [row["name"] for row in connection.execute("SELECT name FROM operations WHERE ended IS NULL")]
            for name in names:
                self.finish(connection, name, response=None, error=ServiceError(Code.ABORTED, _STOPPED))
        return len(names)

    def _horizon(self) -> float:
        return self._clock.time() - RETENTION


class Progress:
    """What an operation's work tells and asks while it runs."""

    def __init__(self, database: Database, clock: Clock, name: str, closing: threading.Event) -> None:
        self._database = database
        self._clock = clock
        self._closing = closing
        self.name = name

    def succeeded(self) -> None:
        """Count one unit done."""
        with self._database.write() as connection:
            self._count(connection, success=1)

    def failed(self, source: str, code: Code, message: str) -> None:
        """Count one unit failed, and say why; the text holds no value of an instance."""
        with self._database.write() as connection:
            self._count(connection, failure=1)
            self._log(connection, "ERROR", source, code, message)

    def noted(self, source: str, message: str) -> None:
        """Write something a person should know into the log."""
        with self._database.write() as connection:
            self._log(connection, "WARNING", source, Code.UNKNOWN, message)

    def stopping(self) -> bool:
        """Return whether the work should end: it was cancelled, or the emulator closes."""
        return self._closing.is_set() or self.cancelled()

    def cancelled(self) -> bool:
        """Return whether a client asked to cancel the operation."""
        with self._database.read() as connection:
            row = connection.execute("SELECT cancel_requested FROM operations WHERE name = ?", (self.name,)).fetchone()
        return row is None or bool(row["cancel_requested"])

    def check(self) -> None:
        """Raise `Stopped` when the work should end."""
        if self.stopping():
            raise Stopped

    def _count(self, connection: sqlite3.Connection, *, success: int = 0, failure: int = 0) -> None:
        connection.execute(
            "UPDATE operations SET success = success + ?, failure = failure + ?, pending = max(pending - 1, 0) "
            "WHERE name = ?",
            (success, failure, self.name),
        )

    def _log(self, connection: sqlite3.Connection, severity: str, source: str, code: Code, message: str) -> None:
        connection.execute(
            "INSERT INTO operation_log (operation, time, severity, code, source, message) "
            "SELECT name, ?, ?, ?, ?, ? FROM operations WHERE name = ?",
            (self._clock.time(), severity, code.number, source, message, self.name),
        )


class Runner:
    """Runs the work of operations, a thread each."""

    def __init__(self, database: Database, operations: Operations, clock: Clock) -> None:
        self._database = database
        self._operations = operations
        self._clock = clock
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[Progress], dict[str, Any]]) -> None:
        """Begin the work of an operation that is in the database.

        ``work`` returns the operation's response; it raises `ServiceError` to fail, `Stopped` when it was told to stop.
        """
        hold = self._clock.hold()
        thread = threading.Thread(target=self._run, args=(name, work, hold), name=f"operation-{name[-6:]}", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _run(self, name: str, work: Callable[[Progress], dict[str, Any]], hold: Hold) -> None:
        progress = Progress(self._database, self._clock, name, self._closing)
        response: dict[str, Any] | None = None
        error: ServiceError | None = None
        try:
            response = work(progress)
        except Stopped:
            cancelled = progress.cancelled()
            error = ServiceError(Code.CANCELLED, _CANCELLED) if cancelled else ServiceError(Code.ABORTED, _STOPPED)
        except ServiceError as refused:
            error = refused
        except Exception as failure:  # noqa: BLE001 - whatever happens, the operation ends and says so
            error = ServiceError(Code.INTERNAL, f"The operation failed inside the emulator ({type(failure).__name__}).")
        finally:
            # A closed database cannot be told; the next start ends the operation.
            with contextlib.suppress(Exception), self._database.write() as connection:
                self._operations.finish(connection, name, response=response, error=error)
            hold.release()
            with self._lock:
                self._threads.discard(threading.current_thread())

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until the operations that run now have ended; return whether they have."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def close(self, timeout: float = 10.0) -> None:
        """Tell all work to stop, and wait for it."""
        self._closing.set()
        self.settle(timeout)
