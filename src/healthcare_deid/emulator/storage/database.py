"""SQLite database: schema, connections, transactions.

It also holds the lock against a second process.
"""

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
  attributes TEXT NOT NULL, -- long, so it is last: SQLite reads all columns before the one it needs
  UNIQUE (store, study, series, instance)
);
CREATE INDEX instances_by_patient ON instances (store, patient_id);
CREATE INDEX instances_by_accession ON instances (store, accession_number);
CREATE INDEX instances_by_uid ON instances (store, instance);
CREATE INDEX instances_by_date ON instances (store, study_date);

CREATE TABLE discarded (file TEXT NOT NULL); -- files of deleted rows that still have to be removed
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
  request TEXT -- data to resume it with; NULL once it has ended
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
    """Database with one writer at a time and any number of readers.

    Thread-safe.

    Args:
        folder: Directory of ``emulator.sqlite`` and its lock.
        create: Whether an empty database may be a new one. False if instances exist, so that it must have lost its
            content.

    Raises:
        EmulatorError: Another process uses the directory, the database is damaged or empty, or another version of this
            package wrote it.
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
            raise self._damaged("is damaged, or is not an emulator database") from None
        try:
            self._prepare()
        except sqlite3.DatabaseError:
            self.close()
            raise self._damaged("is damaged") from None
        except BaseException:
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        # check_same_thread=False, because connections move between threads. Each serves one thread at a time.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            # Off by default in SQLite. Deletions rely on ON DELETE CASCADE.
            connection.execute("PRAGMA foreign_keys = ON")
            # Safe if the process is killed. A power failure may lose the last commits, but not consistency.
            connection.execute("PRAGMA synchronous = NORMAL")
            # Overwrite deleted attributes and the keys of ended operations on disk.
            connection.execute("PRAGMA secure_delete = ON")
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        # With a write-ahead log, readers continue while a writer commits.
        self._writer.execute("PRAGMA journal_mode = WAL")
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version == 0:
            if not self._create:
                raise self._damaged("is empty, but the directory has instances")
            self._writer.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise EmulatorError(
                f"the emulator's data was written by another version (format {version}, this one reads {_VERSION}): "
                "use another directory"
            )

    def _damaged(self, problem: str) -> EmulatorError:
        return EmulatorError(
            f"{self._path} {problem}. Nothing was changed. To rebuild the index from the instance files, run: "
            f"healthcare-deid emulator --data-dir {self._path.parent} rebuild-index"
        )

    @contextlib.contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """Open a transaction that commits, or rolls back on an exception."""
        with self._writing:
            if self._closed:
                raise EmulatorError("the emulator is closed")
            # IMMEDIATE takes the write lock now. A deferred transaction could fail later, when it first writes.
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
        """Close all connections and release the lock."""
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
    """Take an exclusive SQLite lock on the data directory.

    It works on every platform and is released when the process ends.
    """
    lock = sqlite3.connect(folder / "lock.sqlite", isolation_level=None, check_same_thread=False, timeout=0.2)
    try:
        lock.execute("PRAGMA locking_mode = EXCLUSIVE")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError:
        lock.close()
        raise EmulatorError(
            f"{folder} is in use by an emulator in another process: close that emulator, use another directory, or "
            "serve it on a port and set HEALTHCARE_EMULATOR_HOST"
        ) from None
    return lock
