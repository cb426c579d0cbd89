"""Vault of the originals of pseudonyms and new UIDs.

It is a separate file for its owner or recipients only: an SQLite file, or a CSV file that is appended to. With
recipients, each process encrypts its entries with its own key. The key is stored in an envelope for the recipients, so
not even the vault's creator can read it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from healthcare_deid.engine.identity.vault_csv import CsvVault, read_csv
from healthcare_deid.engine.identity.vault_sqlite import SqliteVault, read_sqlite
from healthcare_deid.engine.identity.vault_texts import DAMAGED
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients
    from healthcare_deid.engine.identity.sealing import Row

_MOST_REMEMBERED = 100_000
_OPEN_TO_OTHERS = "vault: other users can read the file; restrict it to its owner (chmod 600), or name a new file"
_NOT_WRITABLE = "the vault cannot be written to: check the disk and the file's permissions"


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
        _make(path)
        self._file = CsvVault(path, recipients) if _is_csv(path) else SqliteVault(path, recipients)
        self._lock = threading.Lock()
        self._seen: dict[Row, None] = {}

    def __del__(self) -> None:
        file: CsvVault | SqliteVault | None = getattr(self, "_file", None)
        if file is not None:
            file.close()

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
                self._file.write(fresh)
            except (OSError, sqlite3.Error):
                raise EngineError(_NOT_WRITABLE, reason="vault") from None
            if len(self._seen) > _MOST_REMEMBERED:
                self._seen.clear()
            self._seen |= dict.fromkeys(fresh)


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
    if not _is_csv(path) and not path.is_file():
        raise ConfigError("vault: the file does not exist")
    yield from map(_entry, read_csv(path, key) if _is_csv(path) else read_sqlite(path, key))


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _row(entry: VaultEntry) -> Row:
    return entry.kind, entry.new, json.dumps(entry.old, sort_keys=True, ensure_ascii=False)


def _entry(row: tuple[Any, ...]) -> VaultEntry:
    try:
        kind, new, old = row
        return VaultEntry(kind, new, json.loads(old))
    except ValueError:
        raise ConfigError(DAMAGED) from None


def _make(path: Path) -> None:
    """Create an empty file for its owner only.

    Raises ConfigError if it exists and others can read it.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise ConfigError(_OPEN_TO_OTHERS) from None
