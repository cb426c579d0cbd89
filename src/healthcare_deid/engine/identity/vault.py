"""Vault of the originals of pseudonyms and new UIDs.

It is a separate file for its owner or recipients only: an SQLite file, or a CSV file that is appended to. With
recipients, each process encrypts its entries with its own key. The key is stored in an envelope for the recipients, so
not even the vault's creator can read it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from healthcare_deid.engine.identity.locked_file import locked
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients

_HEADING = ("kind", "new", "old")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries (kind TEXT, new TEXT, old TEXT, PRIMARY KEY (kind, new, old)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (id INTEGER PRIMARY KEY, envelope BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sealed (key_id INTEGER NOT NULL, nonce BLOB NOT NULL, data BLOB NOT NULL);
"""
# Seconds to wait while another process writes.
_PATIENCE = 60.0
_NONCE, _KEY_BITS = 12, 256
_BLOCK = 1 << 16
_MOST_REMEMBERED = 100_000
_OPEN_TO_OTHERS = "vault: other users can read the file; restrict it to its owner (chmod 600), or name a new file"
_OTHER_FILE = "vault: the file exists and is not a vault; name another file"
_DAMAGED = "vault: an entry is damaged; restore the file from a backup"
_NO_CSV = "vault: a CSV file cannot be encrypted for recipients; name an SQLite file"
_MIXED = "vault: a vault made with recipients cannot be used without them, or the reverse; name another file"
_NOT_WRITABLE = "the vault cannot be written to: check the disk and the file's permissions"
_NEEDS_KEY = "the vault is encrypted: pass a recipient's key"


class VaultEntry(NamedTuple):
    """Original of a new value.

    Attributes:
        kind: ``"patient"``, ``"study"``, ``"series"``, ``"instance"``, ``"accession number"`` or ``"study ID"``.
        new: The pseudonym or new UID.
        old: Original values by keyword.
    """

    kind: str
    new: str
    old: dict[str, str]


class Vault:
    """A vault to write to.

    Pickled copies in other processes write to the same file.

    Args:
        path: The file, created if it is missing: CSV if its suffix is ``.csv``, else SQLite.
        recipients: The only people who can read it; None if its owner can.

    Raises:
        ConfigError: The file is not a vault, can be read by others, or was made with a different use of recipients.
        OSError: The file cannot be created.
    """

    def __init__(self, path: Path, recipients: Recipients | None = None) -> None:
        self._path = path
        self._recipients = recipients
        self._is_csv = path.suffix.lower() == ".csv"
        if self._is_csv and recipients is not None:
            raise ConfigError(_NO_CSV)
        _make(path, ",".join(_HEADING) + "\n" if self._is_csv else "")
        self._lock = threading.Lock()
        self._seen: dict[VaultEntry | tuple[str, str, str], None] = {}
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._key: tuple[int, bytes] | None = None
        if self._is_csv:
            _check_csv(path)
        else:
            with self._connected() as connection:
                _check_kind(connection, "yes" if recipients is not None else "no")

    def __del__(self) -> None:
        connection: sqlite3.Connection | None = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    def __repr__(self) -> str:
        return "Vault(***)"

    def __reduce__(self) -> tuple[type[Vault], tuple[Path, Recipients | None]]:
        return type(self), (self._path, self._recipients)

    def add(self, entries: Iterable[VaultEntry]) -> None:
        """Write entries, except those that this process knows are there already.

        Raises:
            EngineError: The vault cannot be written to.
        """
        with self._lock:
            fresh = [row for entry in entries if (row := _row(entry)) not in self._seen]
            if not fresh:
                return
            try:
                self._write(fresh)
            except (OSError, sqlite3.Error):
                raise EngineError(_NOT_WRITABLE, reason="vault") from None
            if len(self._seen) > _MOST_REMEMBERED:
                self._seen.clear()
            self._seen |= dict.fromkeys(fresh)

    def _write(self, rows: list[tuple[str, str, str]]) -> None:
        if self._is_csv:
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(rows)
            with locked(self._path) as file:
                _cut_torn_row(file)
                file.write(text.getvalue().encode())
            return
        with self._connected() as connection:
            if self._recipients is None:
                connection.executemany("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)", rows)
                return
            number, key = self._session_key(connection, self._recipients)
            sealed = [(number, *_sealed(key, json.dumps(row).encode())) for row in rows]
            connection.executemany("INSERT INTO sealed VALUES (?, ?, ?)", sealed)

    @contextmanager
    def _connected(self) -> Generator[sqlite3.Connection]:
        """Yield this process's own connection, and commit."""
        # SQLite connections must not be used after a fork.
        if self._connection is None or self._process != os.getpid():
            self._connection, self._process, self._key = _connect(self._path), os.getpid(), None
            self._connection.executescript(_SCHEMA)
        with self._connection:
            yield self._connection

    def _session_key(self, connection: sqlite3.Connection, recipients: Recipients) -> tuple[int, bytes]:
        if self._key is None:
            key = secrets.token_bytes(_KEY_BITS // 8)
            cursor = connection.execute("INSERT INTO keys (envelope) VALUES (?)", (recipients.seal(key),))
            self._key = int(cursor.lastrowid or 0), key
        return self._key


def read_vault(path: Path, key: RecipientKey | None = None) -> Iterator[VaultEntry]:
    """Yield the entries of a vault.

    Args:
        path: The file.
        key: A recipient's key, if the vault is encrypted.

    Raises:
        ConfigError: The file is not a vault or is damaged, or a key is needed.
        EngineError: The vault is for another key.
        OSError: The file cannot be read.
    """
    if path.suffix.lower() == ".csv":
        _check_csv(path)
        with path.open(encoding="utf-8", newline="") as file:
            next(file)
            # A last line without line break is incomplete. No result was written with it.
            whole = (line for line in file if line.endswith("\n"))
            try:
                yield from (_entry(tuple(row)) for row in csv.reader(whole, strict=True))
            except (UnicodeDecodeError, csv.Error):
                raise ConfigError(_DAMAGED) from None
        return
    if not path.is_file():
        raise ConfigError("vault: the file does not exist")
    connection = _connect(path)
    try:
        rows = connection.execute("SELECT kind, new, old FROM entries")
        yield from map(_entry, rows)
        sealed = connection.execute("SELECT key_id, nonce, data FROM sealed").fetchall()
        if sealed and key is None:
            raise ConfigError(_NEEDS_KEY)
        if sealed and key is not None:
            keys = dict(connection.execute("SELECT id, envelope FROM keys").fetchall())
            opened = {number: key.open(keys[number]) for number in {row[0] for row in sealed}}
            for number, nonce, data in sealed:
                yield _entry(tuple(json.loads(_unsealed(opened[number], nonce, data))))
    except (sqlite3.DatabaseError, KeyError):
        raise ConfigError(_OTHER_FILE) from None
    finally:
        connection.close()


def _cut_torn_row(file: BinaryIO) -> None:
    """Seek to the end of a CSV vault.

    The incomplete row of a killed process is cut off.
    """
    # Values never contain line breaks, so the last line break ends the last complete row.
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    file.truncate(end)
    file.seek(end)


def _row(entry: VaultEntry) -> tuple[str, str, str]:
    return entry.kind, entry.new, json.dumps(entry.old, sort_keys=True, ensure_ascii=False)


def _entry(row: tuple[Any, ...]) -> VaultEntry:
    try:
        kind, new, old = row
        return VaultEntry(kind, new, json.loads(old))
    except ValueError:
        raise ConfigError(_DAMAGED) from None


def _sealed(key: bytes, data: bytes) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    # GCM requires a new nonce for every message under one key.
    nonce = secrets.token_bytes(_NONCE)
    return nonce, AESGCM(key).encrypt(nonce, data, None)


def _unsealed(key: bytes, nonce: bytes, data: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(nonce, data, None)
    except (InvalidTag, ValueError):
        raise EngineError("the vault is damaged, or an entry was not written with its key", reason="vault") from None


def _make(path: Path, text: str) -> None:
    """Create a file for its owner only.

    Raises ConfigError if it exists and others can read it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(_OPEN_TO_OTHERS) from None
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def _check_csv(path: Path) -> None:
    with path.open("rb") as file:
        if file.readline(100).rstrip() != ",".join(_HEADING).encode():
            raise ConfigError(_OTHER_FILE)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
    try:
        # A write-ahead log lets other processes read while one writes.
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError:
        connection.close()
        raise ConfigError(_OTHER_FILE) from None
    return connection


def _check_kind(connection: sqlite3.Connection, encrypted: str) -> None:
    connection.execute("INSERT OR IGNORE INTO about VALUES ('encrypted', ?)", (encrypted,))
    (known,) = connection.execute("SELECT value FROM about WHERE name = 'encrypted'").fetchone()
    if known != encrypted:
        raise ConfigError(_MIXED)
