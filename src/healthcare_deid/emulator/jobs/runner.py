"""Threads that execute operations, and progress reporting."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from healthcare_deid.emulator.clock import ClockHold, EmulatorClock
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.jobs.operations import Operations
    from healthcare_deid.emulator.storage.database import Database

_STOPPED = (
    "The emulator stopped while this operation was running. Instances already written stay; start the operation again."
)
_CANCELLED = "The operation was cancelled. Instances already written stay."


class Stopped(Exception):  # noqa: N818 - not an error, but a request to stop
    """The operation was cancelled, or the emulator is closing."""


class JobProgress:
    """Progress of an operation, reported by its work."""

    def __init__(self, database: Database, clock: EmulatorClock, name: str, closing: threading.Event) -> None:
        self._database = database
        self._clock = clock
        self._closing = closing
        self.name = name

    def succeeded(self, position: int) -> None:
        """Count a unit as done."""
        with self._database.write() as connection:
            self._count(connection, position, "success")

    def failed(self, position: int, source: str, code: StatusCode, message: str) -> None:
        """Count a unit as failed and log the reason.

        The text must not contain a value of an instance.
        """
        with self._database.write() as connection:
            self._count(connection, position, "failure")
            self._log(connection, "ERROR", source, code, message)

    def noted(self, source: str, message: str) -> None:
        """Log a warning."""
        with self._database.write() as connection:
            self._log(connection, "WARNING", source, StatusCode.UNKNOWN, message)

    def stopping(self) -> bool:
        """Return whether the work should stop."""
        return self.closing or self.cancelled()

    @property
    def closing(self) -> bool:
        """Whether the emulator is closing."""
        return self._closing.is_set()

    def cancelled(self) -> bool:
        """Return whether a client cancelled the operation.

        Deleting its dataset also cancels it.
        """
        with self._database.read() as connection:
            row = connection.execute("SELECT cancel_requested FROM operations WHERE name = ?", (self.name,)).fetchone()
        # The row is gone if the dataset was deleted.
        return row is None or bool(row["cancel_requested"])

    def check(self) -> None:
        """Raise `Stopped` if the work should stop."""
        if self.stopping():
            raise Stopped

    def _count(self, connection: sqlite3.Connection, position: int, column: str) -> None:
        connection.execute(
            f"UPDATE operations SET {column} = {column} + 1, pending = max(pending - 1, 0) WHERE name = ?",  # noqa: S608
            (self.name,),
        )
        connection.execute("DELETE FROM operation_units WHERE operation = ? AND position = ?", (self.name, position))

    def _log(self, connection: sqlite3.Connection, severity: str, source: str, code: StatusCode, message: str) -> None:
        connection.execute(
            "INSERT INTO operation_log (operation, time, severity, code, source, message) "
            "SELECT name, ?, ?, ?, ?, ? FROM operations WHERE name = ?",
            (self._clock.time(), severity, code.number, source, message, self.name),
        )


class Runner:
    """Threads of running operations, one per operation.

    Args:
        database: Database of the emulator.
        operations: Its operations.
        clock: Its clock.
        faults: Planned faults.
    """

    def __init__(self, database: Database, operations: Operations, clock: EmulatorClock, faults: FaultPlan) -> None:
        self._faults = faults
        self._database = database
        self._operations = operations
        self._clock = clock
        self._closing = threading.Event()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def start(self, name: str, work: Callable[[JobProgress], dict[str, Any]], *, resumable: bool = False) -> None:
        """Start the work of an operation in the database.

        Args:
            name: Name of the operation.
            work: Returns the operation's response. Raises `ServiceError` to fail and `Stopped` when asked to stop.
            resumable: Whether to leave the operation running when the emulator closes, so that the next start resumes
                it.
        """
        # Held until the operation ends: a client with a fake clock must not skip days while it runs.
        hold = self._clock.hold()
        thread = threading.Thread(
            target=self._run, args=(name, work, hold, resumable), name=f"operation-{name[-6:]}", daemon=True
        )
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def abort(self, name: str) -> None:
        """End an interrupted operation that cannot be resumed."""
        with self._database.write() as connection:
            self._operations.finish(connection, name, response=None, error=ServiceError(StatusCode.ABORTED, _STOPPED))

    def _run(
        self,
        name: str,
        work: Callable[[JobProgress], dict[str, Any]],
        hold: ClockHold,
        resumable: bool,
    ) -> None:
        progress = JobProgress(self._database, self._clock, name, self._closing)
        response: dict[str, Any] | None = None
        error: ServiceError | None = None
        leave = False
        try:
            self._faults.start_operation()
            response = work(progress)
        except Stopped:
            cancelled = progress.cancelled()
            # A cancelled operation ends now. An interrupted one stays running, for the next start to resume.
            leave = resumable and not cancelled
            error = (
                ServiceError(StatusCode.CANCELLED, _CANCELLED)
                if cancelled
                else ServiceError(StatusCode.ABORTED, _STOPPED)
            )
        except ServiceError as refused:
            error = refused
        except Exception as failure:  # noqa: BLE001 - the operation must end with an error, or clients wait forever
            error = ServiceError(
                StatusCode.INTERNAL, f"The operation failed inside the emulator ({type(failure).__name__})."
            )
        finally:
            if not leave:
                # Fails if the database is already closed. The next start then ends the operation.
                with contextlib.suppress(Exception), self._database.write() as connection:
                    self._operations.finish(connection, name, response=response, error=error)
            hold.release()
            with self._lock:
                self._threads.discard(threading.current_thread())

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until the currently running operations have ended.

        Returns:
            Whether all have ended.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def close(self, timeout: float = 10.0) -> None:
        """Ask all work to stop and wait for it."""
        self._closing.set()
        self.settle(timeout)
