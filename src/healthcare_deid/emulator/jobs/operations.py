"""Operations in the database: state, log, and remaining work."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.clock import timestamp
from healthcare_deid.emulator.errors import ServiceError, StatusCode, invalid, not_found

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from healthcare_deid.emulator.clock import EmulatorClock
    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.names import DatasetName

RETENTION = 30 * 24 * 3600.0
"""Seconds for which an ended operation stays visible (Google's page "Long-running operations")."""
_MAX_ROWID = 2**63 - 1
_STORE = re.compile(r"/dicomStores/([^/]+)/")


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """State of an operation."""

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
        """Build the record from a database row."""
        values = {key: row[key] for key in row.keys() if key != "request"}  # noqa: SIM118 - a Row iterates values
        values["cancel_requested"] = bool(values["cancel_requested"])
        for field in ("response", "error"):
            values[field] = json.loads(values[field]) if values[field] else None
        return cls(**values)

    def to_api(self, logs_url: str) -> dict[str, Any]:
        """Return the API's ``Operation`` message.

        Counters are strings, and zero counters are omitted.
        """
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
        # Always present, even if empty: Google's Python sample reads it without a check.
        metadata["counter"] = {name: str(count) for name, count in counts.items() if count}
        operation: dict[str, Any] = {"name": self.name, "metadata": metadata}
        if self.ended is not None:
            operation["done"] = True
            operation |= {"error": self.error} if self.error else {"response": self.response or {}}
        return operation


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Line in the log of an operation.

    It contains a resource name and a reason, never a value of an instance.
    """

    operation: OperationRecord
    time: float
    severity: str
    code: StatusCode
    source: str
    message: str

    def to_api(self) -> dict[str, Any]:
        """Return the entry in Cloud Logging's form.

        Source: Google's page "Logging".
        """
        method = self.operation.method.rpartition(".")[2]
        kind = next((kind for kind in ("Import", "Export", "Deidentify") if method.startswith(kind)), method)
        subject = "" if kind == "Deidentify" else "Dicom"
        project, location, dataset = self.operation.dataset.split("/")[1:6:2]
        labels = {"project_id": project, "location": location, "dataset_id": dataset}
        store = _STORE.search(self.source)
        if store:
            labels["dicom_store_id"] = store[1]
        named = {"resource_name": self.source} if kind == "Deidentify" else {}
        return {
            "timestamp": timestamp(self.time),
            "severity": self.severity,
            "jsonPayload": {
                "@type": f"type.googleapis.com/google.cloud.healthcare.logging.{kind}{subject}LogEntry",
                "source": self.source,
                **named,
                "error": {"code": self.code.number, "message": self.message},
            },
            "operation": {
                "id": self.operation.name,
                "producer": "healthcare.googleapis.com",
                "type": method,
            },
            "resource": {
                "type": "healthcare_dicom_store" if store else "healthcare_dataset",
                "labels": labels,
            },
        }


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of work: one instance, or one object of a bucket.

    Attributes:
        position: Number in the operation.
        payload: Data that the job needs.
    """

    position: int
    payload: Any


class Operations:
    """Operations in the database."""

    def __init__(self, database: Database, clock: EmulatorClock) -> None:
        self._database = database
        self._clock = clock

    def insert(
        self,
        connection: sqlite3.Connection,
        dataset: DatasetName,
        method: str,
        version: str,
        *,
        units: Sequence[Any] = (),
        request: dict[str, Any] | None = None,
    ) -> str:
        """Add a running operation in a transaction.

        Args:
            connection: Connection of the transaction.
            dataset: Dataset that the operation was started on.
            method: Service and method, such as ``dataset.DatasetService.DeidentifyDataset``.
            version: API version of the request.
            units: Payloads of the units of work, as JSON values.
            request: Data to resume the operation with after a restart; None if it cannot be resumed.

        Returns:
            Name of the operation.
        """
        # 19 digits, as the service's own operation IDs.
        name = f"{dataset}/operations/{10**18 + secrets.randbelow(8 * 10**18)}"
        connection.execute(
            "INSERT INTO operations (name, dataset, version, method, created, pending, request) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                str(dataset),
                version,
                method,
                self._clock.time(),
                len(units),
                None if request is None else json.dumps(request),
            ),
        )
        if request is not None:
            connection.executemany(
                "INSERT INTO operation_units (operation, position, payload) VALUES (?, ?, ?)",
                ((name, position, json.dumps(unit)) for position, unit in enumerate(units)),
            )
        return name

    def now(self) -> float:
        """Return the time of the emulator's clock."""
        return self._clock.time()

    def ended(
        self, dataset: DatasetName, method: str, version: str, response: dict[str, Any], success: int
    ) -> OperationRecord:
        """Add and return an operation that has already ended."""
        with self._database.write() as connection:
            name = self.insert(connection, dataset, method, version)
            connection.execute("UPDATE operations SET success = ? WHERE name = ?", (success, name))
            self.finish(connection, name, response=response, error=None)
        return self.get(name)

    def finish(
        self, connection: sqlite3.Connection, name: str, *, response: dict[str, Any] | None, error: ServiceError | None
    ) -> None:
        """End an operation in a transaction."""
        connection.execute(
            # The request may contain a key, which must not outlive the operation.
            "UPDATE operations SET ended = ?, response = ?, error = ?, request = NULL WHERE name = ?",
            (
                self._clock.time(),
                None if response is None else json.dumps(response),
                None if error is None else json.dumps(error.to_status()),
                name,
            ),
        )
        connection.execute("DELETE FROM operation_units WHERE operation = ?", (name,))

    def get(self, name: str) -> OperationRecord:
        """Return an operation.

        Raises:
            ServiceError: 404: the operation does not exist, or ended more than 30 days ago.
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
        """Return a page of a dataset's operations and the next page's start.

        The newest operation comes first.
        """
        if after and not (after.isdecimal() and int(after) <= _MAX_ROWID):
            raise invalid("Invalid page token.")
        with self._database.read() as connection:
            rows = connection.execute(
                # Row IDs grow with time, so they order operations by age and serve as page tokens.
                "SELECT * FROM operations WHERE dataset = ? AND id < ? AND (ended IS NULL OR ended > ?) "
                "AND (? IS NULL OR (ended IS NOT NULL) = ?) ORDER BY id DESC LIMIT ?",
                (dataset, int(after or _MAX_ROWID), self._horizon(), done, done, size + 1),
            ).fetchall()
        records = [OperationRecord.from_row(row) for row in rows]
        return records[:size], str(records[size - 1].id) if len(records) > size else None

    def request_cancel(self, name: str) -> None:
        """Request cancellation of a running operation.

        An ended operation is not changed.
        """
        self.get(name)
        with self._database.write() as connection:
            connection.execute("UPDATE operations SET cancel_requested = 1 WHERE name = ? AND ended IS NULL", (name,))

    def log(self, name: str) -> list[LogEntry]:
        """Return the log of an operation."""
        operation = self.get(name)
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM operation_log WHERE operation = ? ORDER BY id", (name,)).fetchall()
        by_number = {code.number: code for code in StatusCode}
        return [
            LogEntry(operation, row["time"], row["severity"], by_number[row["code"]], row["source"], row["message"])
            for row in rows
        ]

    def interrupted(self) -> list[tuple[OperationRecord, dict[str, Any] | None]]:
        """Return operations that a stopped emulator left running.

        Each has the data to resume it with, or None.
        """
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM operations WHERE ended IS NULL ORDER BY id").fetchall()
        return [(OperationRecord.from_row(row), json.loads(row["request"]) if row["request"] else None) for row in rows]

    def units_left(self, name: str) -> list[Unit]:
        """Return the remaining units of work."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT position, payload FROM operation_units WHERE operation = ? ORDER BY position", (name,)
            ).fetchall()
        return [Unit(row["position"], json.loads(row["payload"])) for row in rows]

    def _horizon(self) -> float:
        return self._clock.time() - RETENTION
