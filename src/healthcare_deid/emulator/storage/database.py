"""The SQLite file: schema, connections, transactions, and the lock against a second process."""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from typing import TYPE_CHECKING

from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

DATABASE = "emulator.sqlite"
_VERSION = 3

_SCHEMA = """
CREATE TABLE resources (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  parent TEXT REFERENCES resources (name) ON DELETE CASCADE,
  body TEXT NOT NULL
);
CREATE INDEX resources_of ON resources (parent, kind, name);

CREATE TABLE policies (
  resource TEXT PRIMARY KEY REFERENCES resources (name) ON DELETE CASCADE,
  body TEXT NOT NULL
);

CREATE TABLE instances (
  id INTEGER PRIMARY KEY,
  store TEXT NOT NULL REFERENCES resources (name) ON DELETE CASCADE,
  study TEXT NOT NULL,
  series TEXT NOT NULL,
  instance TEXT NOT NULL,
  file TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  digest TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  study_date TEXT NOT NULL,
  accession_number TEXT NOT NULL,
  modality TEXT NOT NULL,
  storage_class TEXT NOT NULL,
  class_changed REAL,
  attributes TEXT NOT NULL, -- long, so last: SQLite reads through the columns before the one it needs
  UNIQUE (store, study, series, instance)
);
CREATE INDEX instances_by_patient ON instances (store, patient_id);
CREATE INDEX instances_by_accession ON instances (store, accession_number);
CREATE INDEX instances_by_uid ON instances (store, instance);
CREATE INDEX instances_by_date ON instances (store, study_date);

CREATE TABLE discarded (file TEXT NOT NULL); -- files of deleted rows, until they are gone
CREATE TRIGGER discard AFTER DELETE ON instances BEGIN INSERT INTO discarded (file) VALUES (old.file); END;

CREATE TABLE operations (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  dataset TEXT NOT NULL,
  version TEXT NOT NULL,
  method TEXT NOT NULL,
  created REAL NOT NULL,
  ended REAL,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL DEFAULT 0,
  success INTEGER NOT NULL DEFAULT 0,
  failure INTEGER NOT NULL DEFAULT 0,
  response TEXT,
  error TEXT,
  request TEXT -- what resumes it; NULL once it has ended
);
CREATE INDEX operations_of ON operations (dataset, id);

CREATE TABLE operation_units (
  operation TEXT NOT NULL REFERENCES operations (name) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  payload TEXT NOT NULL,
  PRIMARY KEY (operation, position)
) WITHOUT ROWID;

CREATE TABLE operation_log (
  id INTEGER PRIMARY KEY,
  operation TEXT NOT NULL REFERENCES operations (name) ON DELETE CASCADE,
  time REAL NOT NULL,
  severity TEXT NOT NULL,
  code INTEGER NOT NULL,
  source TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX operation_log_of ON operation_log (operation, id);
"""


class Database:
    """A database with one writer at a time and any number of readers, from any thread.

    Args:
        folder: Folder of ``emulator.sqlite`` and its lock.
        create: Whether an empty database may be new. False: instances exist, so it must have lost its content.

    Raises:
        EmulatorError: Another process has the folder open, the database is damaged or lost its content, or another
            version of this package wrote it.
    """

    def __init__(self, folder: Path, *, create: bool) -> None:
        self._path = folder / DATABASE
        self._create = create
        self._lock = take_lock(folder)
        self._writing = threading.RLock()
        self._readers: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()
        self._closed = False
        try:
            self._writer = self._connect()
        except sqlite3.DatabaseError:
            self._lock.close()
            raise self._damaged("is damaged, or is not a database of the emulator") from None
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            self.close()
            raise self._damaged("is damaged") from None
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        # check_same_thread=False: a connection moves between threads, but serves one at a time.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # Safe against a killed process. Power loss may lose the last commits, but not consistency.
            connection.execute("PRAGMA synchronous = NORMAL")
            # Deleted attributes, and the keys of ended operations, are overwritten.
            connection.execute("PRAGMA secure_delete = ON")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version == 0:
            if not self._create:
                raise self._damaged("is empty, but the folder has instances")
            self._writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise EmulatorError(
                f"the emulator's data was written by another version (format {version}, this one reads {_VERSION}): "
                "use another folder"
            )

    def _damaged(self, what: str) -> EmulatorError:
        return EmulatorError(
            f"{self._path} {what}. Nothing was changed. To make a new index from the instance files, run: "
            f"healthcare-deid emulator --data-dir {self._path.parent} rebuild-index"
        )

    @contextlib.contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """Open a transaction that commits at the end, or rolls back on an exception."""
        with self._writing:
            if self._closed:
                raise EmulatorError("the emulator is closed")
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextlib.contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """Open a connection that sees one consistent state."""
        if self._closed:
            raise EmulatorError("the emulator is closed")
        try:
            connection = self._readers.get_nowait()
        except queue.Empty:
            connection = self._connect()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.execute("COMMIT")
            if self._closed:
                connection.close()
            else:
                self._readers.put(connection)

    def close(self) -> None:
        """Close every connection and release the lock."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            self._writer.close()
        while True:
            try:
                self._readers.get_nowait().close()
            except queue.Empty:
                break
        self._lock.close()


def take_lock(folder: Path) -> sqlite3.Connection:
    """Hold an exclusive SQLite lock, which works on every system and ends with the process."""
    lock = sqlite3.connect(folder / "lock.sqlite", isolation_level=None, check_same_thread=False, timeout=0.2)
    try:
        lock.execute("PRAGMA locking_mode = EXCLUSIVE")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError:
        lock.close()
        raise EmulatorError(
            f"{folder} is in use by an emulator in another process: close that emulator, use another folder, or "
            "serve it on a port and point HEALTHCARE_EMULATOR_HOST at it"
        ) from None
    return lock
