"""Vault in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from healthcare_deid.engine.identity.sealing import OpenedKeys, SessionKey
from healthcare_deid.engine.identity.vault_texts import MIXED, NEEDS_KEY, OTHER_FILE
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients
    from healthcare_deid.engine.identity.sealing import Row

_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries (kind TEXT, new TEXT, old TEXT, PRIMARY KEY (kind, new, old)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (id INTEGER PRIMARY KEY, envelope BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sealed (key_id INTEGER NOT NULL, nonce BLOB NOT NULL, data BLOB NOT NULL);
"""
# Seconds to wait while another process writes.
_PATIENCE = 60.0


class SqliteVault:
    """An SQLite vault to write to.

    Args:
        path: The file.
        recipients: The only people who can read it; None if its owner can.

    Raises:
        ConfigError: The file is not a vault, or was made with a different use of recipients.
    """

    def __init__(self, path: Path, recipients: Recipients | None) -> None:
        self._path = path
        self._recipients = recipients
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._key: tuple[int, SessionKey] | None = None
        try:
            with self._connected() as connection:
                _check_kind(connection, "yes" if recipients is not None else "no")
        except BaseException:
            self.close()
            raise

    def write(self, rows: Iterable[Row]) -> None:
        """Add entries.

        Raises:
            sqlite3.Error: They cannot be written.
        """
        with self._connected() as connection:
            if self._recipients is None:
                connection.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)", rows)
                return
            number, key = self._key or _new_key(connection, self._recipients)
            sealed = [(number, *key.seal(row)) for row in rows]
            connection.executemany("INSERT INTO sealed VALUES (?, ?, ?)", sealed)
        # Only after the commit: entries under a key whose envelope was rolled back could never be read.
        self._key = number, key

    def close(self) -> None:
        """Close this process's connection."""
        if self._connection is not None:
            self._connection.close()

    @contextmanager
    def _connected(self) -> Generator[sqlite3.Connection]:
        """Yield this process's own connection, and commit."""
        # SQLite connections must not be used after a fork.
        if self._connection is None or self._process != os.getpid():
            self._connection, self._process, self._key = _connect(self._path), os.getpid(), None
            self._connection.executescript(_SCHEMA)
        with self._connection:
            yield self._connection


def read_sqlite(path: Path, key: RecipientKey | None) -> Iterator[tuple[object, ...]]:
    """Yield the entries of an SQLite vault.

    Raises:
        ConfigError: The file is not a vault, or a key is needed.
        EngineError: The vault is for another key, or is damaged.
    """
    connection = _connect(path)
    try:
        yield from connection.execute("SELECT kind, new, old FROM entries")
        sealed = connection.execute("SELECT key_id, nonce, data FROM sealed").fetchall()
        if sealed and key is None:
            raise ConfigError(NEEDS_KEY)
        if sealed and key is not None:
            envelopes = connection.execute("SELECT id, envelope FROM keys").fetchall()
            opened = OpenedKeys(key, {str(number): envelope for number, envelope in envelopes})
            for number, nonce, data in sealed:
                yield opened.unseal(str(number), nonce, data)
    except (sqlite3.DatabaseError, KeyError):
        raise ConfigError(OTHER_FILE) from None
    finally:
        connection.close()


def _new_key(connection: sqlite3.Connection, recipients: Recipients) -> tuple[int, SessionKey]:
    key = SessionKey(recipients)
    cursor = connection.execute("INSERT INTO keys (envelope) VALUES (?)", (key.envelope,))
    return int(cursor.lastrowid or 0), key


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    try:
        # A write-ahead log lets other processes read while one writes.
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError:
        connection.close()
        raise ConfigError(OTHER_FILE) from None
    return connection


def _check_kind(connection: sqlite3.Connection, encrypted: str) -> None:
    connection.execute("INSERT OR IGNORE INTO about VALUES ('encrypted', ?)", (encrypted,))
    (known,) = connection.execute("SELECT value FROM about WHERE name = 'encrypted'").fetchone()
    if known != encrypted:
        raise ConfigError(MIXED)
