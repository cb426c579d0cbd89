"""Vault in a CSV file, which is only appended to.

For recipients, a row is a session key in its envelope (``key,<name>,<base64>``), or an entry that is encrypted with the
session key of that name (``entry,<name>,<base64>``).
"""

from __future__ import annotations

import base64
import csv
import io
import os
import secrets
from typing import TYPE_CHECKING, BinaryIO

from healthcare_deid.engine.identity.locked_file import locked
from healthcare_deid.engine.identity.sealing import OpenedKeys, SessionKey, split_nonce
from healthcare_deid.engine.identity.vault_texts import DAMAGED, MIXED, NEEDS_KEY, OTHER_FILE
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients
    from healthcare_deid.engine.identity.sealing import Row

_PLAIN = ("kind", "new", "old")
_SEALED = ("row", "key", "data")
_KEY, _ENTRY = "key", "entry"
_BLOCK = 1 << 16


class CsvVault:
    """A CSV vault to write to.

    Args:
        path: The file. An empty one gets its heading.
        recipients: The only people who can read it; None if its owner can.

    Raises:
        ConfigError: The file is not a vault, or was made with a different use of recipients.
    """

    def __init__(self, path: Path, recipients: Recipients | None) -> None:
        self._path = path
        self._recipients = recipients
        self._key: tuple[str, SessionKey] | None = None
        if path.stat().st_size == 0:
            with locked(path) as file:
                # Another process may have written it meanwhile.
                if file.seek(0, os.SEEK_END) == 0:
                    _append(file, [_PLAIN if recipients is None else _SEALED])
        if _heading(path) != (_PLAIN if recipients is None else _SEALED):
            raise ConfigError(MIXED)

    def write(self, rows: Iterable[Row]) -> None:
        """Append entries.

        Raises:
            OSError: They cannot be written.
        """
        key = self._key
        if self._recipients is not None:
            key = key or (secrets.token_hex(8), SessionKey(self._recipients))
            fresh = [] if key is self._key else [(_KEY, key[0], _text(key[1].envelope))]
            rows = [*fresh, *((_ENTRY, key[0], _text(b"".join(key[1].seal(row)))) for row in rows)]
        with locked(self._path) as file:
            _cut_torn_row(file)
            _append(file, rows)
        # Only now: entries under a key whose envelope was not written could never be read.
        self._key = key

    def close(self) -> None:
        """Do nothing: the file is open only while it is written to."""


def read_csv(path: Path, key: RecipientKey | None) -> Iterator[tuple[object, ...]]:
    """Yield the entries of a CSV vault.

    Raises:
        ConfigError: The file is not a vault or is damaged, or a key is needed.
        EngineError: The vault is for another key.
    """
    is_sealed = _heading(path) == _SEALED
    with path.open(encoding="utf-8", newline="") as file:
        next(file)
        # A last line without line break is incomplete. No result was written with it.
        rows = csv.reader((line for line in file if line.endswith("\n")), strict=True)
        try:
            yield from _unsealed(rows, key) if is_sealed else map(tuple, rows)
        except ConfigError:
            raise
        # UnicodeDecodeError and binascii.Error are ValueErrors too.
        except (ValueError, KeyError, csv.Error):
            raise ConfigError(DAMAGED) from None


def _unsealed(rows: Iterable[list[str]], key: RecipientKey | None) -> Iterator[tuple[object, ...]]:
    envelopes: dict[str, bytes] = {}
    opened = OpenedKeys(key, envelopes) if key is not None else None
    for kind, name, text in rows:
        data = base64.b64decode(text, validate=True)
        if kind == _KEY:
            envelopes[name] = data
        elif opened is None:
            raise ConfigError(NEEDS_KEY)
        else:
            yield opened.unseal(name, *split_nonce(data))


def _heading(path: Path) -> tuple[str, ...]:
    """Return the heading of a CSV vault.

    Raises:
        ConfigError: The file is not a vault.
    """
    with path.open("rb") as file:
        line = file.readline(100).rstrip()
    for heading in (_PLAIN, _SEALED):
        if line == ",".join(heading).encode():
            return heading
    raise ConfigError(OTHER_FILE)


def _append(file: BinaryIO, rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    data = text.getvalue().encode()
    # The file is not buffered, and a full disk may take a part only.
    if file.write(data) != len(data):
        raise OSError("the vault was not written whole")


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


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
