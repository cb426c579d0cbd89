"""Names of results. File and folder names often contain PHI."""

from __future__ import annotations

import csv
import hashlib
import os
import sqlite3
from typing import TYPE_CHECKING, Literal, get_args

from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside

if TYPE_CHECKING:
    from pathlib import Path

Names = Literal["uid", "source"]
NAMES: tuple[str, ...] = get_args(Names)
DIRECTORY_LEFT_OUT = (
    "a DICOMDIR was left out: it points at files by name, and results have other names; make a new one of the results"
)
_HEADING = ("source", "result")
_LONGEST_HEADING = 64


class NameMap:
    """CSV file that maps source names to result names.

    Only its owner may read it, because source names may identify patients. It is kept across runs:
    rows are added, and none is repeated.

    Args:
        path: The file.

    Raises:
        ValueError: The file holds something else.
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        _check_map(path)
        self._path = path
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, fresh INT) WITHOUT ROWID")
        self._wrong: set[bytes] = set()
        self._replaced: set[str] = set()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        os.ftruncate(descriptor, _whole_rows(path))
        self._file = os.fdopen(descriptor, "r+", encoding="utf-8", errors="surrogateescape", newline="")
        if os.name == "posix":
            path.chmod(OWNER_ONLY)  # an existing file may have been readable by others
        try:
            self._load()
        except BaseException:
            self._file.close()
            self._rows.close()
            raise

    def add(self, source: str, result: str) -> None:
        """Write a row unless it exists."""
        if self._is_new(source, result, fresh=True):
            self._writer.writerow((source, result))

    def withdraw(self, source: str, result: str) -> None:
        """Withdraw a row, because another file became this result."""
        self._wrong.add(_row_key(source, result))

    def replace(self, result: str) -> None:
        """Withdraw the rows of earlier runs for a result, because another file becomes it."""
        self._replaced.add(result)

    def flush(self) -> None:
        """Flush everything to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file and drop withdrawn rows."""
        self._file.close()
        if self._wrong or self._replaced:
            self._write_again()
        self._rows.close()

    def _write_again(self) -> None:
        with (
            self._path.open(encoding="utf-8", errors="surrogateescape", newline="") as old,
            beside(self._path, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="", closefd=False) as new,
        ):
            csv.writer(new).writerows(row for row in csv.reader(old) if self._is_right(*row[:2]))

    def _is_right(self, source: str, result: str) -> bool:
        key = _row_key(source, result)
        if key in self._wrong:
            return False
        return result not in self._replaced or bool(
            self._rows.execute("SELECT fresh FROM rows WHERE key = ?", (key,)).fetchone()[0]
        )

    def _load(self) -> None:
        """Read the existing rows."""
        rows = csv.reader(self._file)
        heading = next(rows, None)
        for row in rows:
            if len(row) == len(_HEADING):
                self._is_new(*row, fresh=False)
        self._writer = csv.writer(self._file)
        if heading is None:
            self._writer.writerow(_HEADING)
        self.flush()

    def _is_new(self, source: str, result: str, *, fresh: bool) -> bool:
        row = (_row_key(source, result), fresh)
        if self._rows.execute("INSERT OR IGNORE INTO rows VALUES (?, ?)", row).rowcount:
            return True
        if fresh:
            self._rows.execute("UPDATE rows SET fresh = 1 WHERE key = ?", row[:1])
        return False


def _row_key(source: str, result: str) -> bytes:
    return hashlib.blake2b(f"{source}\0{result}".encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _check_map(path: Path) -> None:
    """Raise ValueError for what is no map of names, before anything of it is changed."""
    if not path.exists():
        return
    if path.is_file():  # reading a device might never end
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            heading = file.readline(_LONGEST_HEADING)
        if not heading or next(csv.reader([heading])) == list(_HEADING):
            return
    raise ValueError("name_map: what is there is no map of names; name another file")


def _whole_rows(path: Path) -> int:
    """Return the length in bytes of all complete rows; a killed process may have left a partial one.

    A file that is a single unterminated line is not judged here.
    """
    whole = position = quotes = 0
    with path.open("rb") as file:
        for line in file:
            position += len(line)
            quotes += line.count(b'"')
            if line.endswith(b"\n") and quotes % 2 == 0:
                whole = position
    return whole or position


def default_run(destination: Path) -> Path:
    """Return the default run folder, beside the destination."""
    return destination.with_name(f"{destination.name}.run")


def refuse_inside(argument: str, path: Path, source: Path | None, destination: Path | None) -> None:
    """Raise ValueError if a path is inside the source or the destination.

    Raises:
        ValueError: It is.
    """
    if destination is not None and path.resolve().is_relative_to(destination.resolve()):
        raise ValueError(f"{argument} is inside the destination: it would go with the results")
    if source is not None and path.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"{argument} is inside the source: it would be taken for input, or an original be lost")
