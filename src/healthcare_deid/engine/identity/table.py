"""Table of pseudonyms in a CSV file.

It maps old patient IDs to new ones. Processes share it, and runs extend it.

A row is appended under a lock and is on disk before its pseudonym is used. No row is ever overwritten.
"""

from __future__ import annotations

import csv
import io
import os
import re
from datetime import date
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from healthcare_deid.engine.identity.locked_file import locked
from healthcare_deid.engine.identity.resemblance import contains_original, is_writable
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

_OLD, _NEW, _NAME, _DAYS, _ANCHOR = "old_id", "new_id", "new_name", "days", "anchor"
# Spellings of the column headings, in lower case letters only. Other columns are ignored.
_COLUMNS = {
    **dict.fromkeys(("oldid", "old", "original", "originalid", "patientid", "oldpatientid"), _OLD),
    **dict.fromkeys(("newid", "new", "pseudonym", "newpatientid"), _NEW),
    **dict.fromkeys(("newname", "newpatientname"), _NAME),
    **dict.fromkeys(("days", "shift", "dateshift", "daystoshift", "dateoffset"), _DAYS),
    **dict.fromkeys(("anchor", "anchordate"), _ANCHOR),
}
# Spreadsheet programs write a semicolon where the comma is the decimal sign.
_DELIMITERS = ",;\t"
# YYYY-MM-DD or YYYYMMDD.
_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)")
_MOST_DAYS = 1_000_000


class Row(NamedTuple):
    """Row of a table, about one patient.

    Attributes:
        new_id: The pseudonym.
        new_name: Replacement for the name; the pseudonym if the table has none.
        days: Days to shift dates by; None if the table has none.
        anchor: The patient's anchor date; None if the table has none.
    """

    new_id: str
    new_name: str
    days: int | None = None
    anchor: date | None = None


class PseudonymTable:
    """A table of pseudonyms in a file.

    Copies in other processes read the same file, so each sees the rows that the others add.

    Args:
        path: The file.
        heading: Columns of a new sequential table; None if the file must exist.
        checked: Number of bytes of the file that another process has checked.

    Raises:
        ConfigError: The file is not a table, a row is invalid, or a new value contains an original one.
        OSError: The file cannot be read or created.
    """

    def __init__(self, path: Path, heading: tuple[str, ...] | None = None, checked: int = 0) -> None:
        self._path = path
        self._heading = heading
        self._checked = checked
        if heading is not None:
            _create(path, heading)
        self._forget()
        self._read()

    def __repr__(self) -> str:
        return f"PseudonymTable({len(self._cells)} rows)"

    def __reduce__(self) -> tuple[type[PseudonymTable], tuple[Path, tuple[str, ...] | None, int]]:
        return type(self), (self._path, self._heading, self._end)

    def __len__(self) -> int:
        return len(self._cells)

    @property
    def has_anchors(self) -> bool:
        """Whether the table has a column for anchor dates."""
        return _ANCHOR in self._columns

    @property
    def has_shifts(self) -> bool:
        """Whether the table has a column for date shifts."""
        return self.has_anchors or _DAYS in self._columns

    def find(self, old: str) -> Row | None:
        """Return a patient's row, or None."""
        known = self._rows.get(old)
        if known is None:
            # Another process may have added the row since the last look.
            if old not in self._cells and self._path.stat().st_size != self._end:
                self._read()
            cells = self._cells.get(old)
            if cells is not None:
                known = self._rows[old] = self._parsed(cells, 0)
        return known

    def add(self, old: str, make: Callable[[int], str], anchor: date | None = None) -> Row:
        """Return a patient's row, appending it unless another process already has.

        Args:
            old: The patient ID.
            make: Returns the pseudonym for a number, from 1 for an empty table.
            anchor: The patient's anchor date.

        Raises:
            EngineError: The patient ID is a pseudonym of this table.
            OSError: The row cannot be written.
        """
        with locked(self._path) as file:
            self._read()
            known = self.find(old)
            if known is not None:
                return known
            if old in self._used:
                raise EngineError(_PSEUDONYM_ALREADY, reason="already-pseudonymized")
            new = self._unused(old, make)
            self._append(file, {_OLD: old, _NEW: new, _ANCHOR: anchor.isoformat() if anchor else ""})
            added = self.find(old)
        assert added is not None, "the row was written just now"
        return added

    def _unused(self, old: str, make: Callable[[int], str]) -> str:
        """Return the first usable pseudonym.

        It is unused and does not contain the original.
        """
        first = len(self._cells) + 1
        # Every pseudonym and every old ID can block one number. If all numbers fail, their common part contains the
        # original, so trying further is pointless.
        for number in range(first, first + len(self._used) + len(self._cells) + _MOST_TRIES):
            new = make(number)
            if not (new in self._used or new.casefold() in self._folded or contains_original(new, old)):
                return new
            if make(number + 1) == new:
                break
        raise EngineError(_TELLS_ORIGINAL, reason="pseudonym-tells-original")

    def _append(self, file: BinaryIO, values: Mapping[str, str]) -> None:
        """Append a row.

        The incomplete row of a killed process is cut off first.
        """
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self._delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow([values.get(column, "") for column in self._columns])
        file.truncate(self._end)
        file.seek(self._end - 1)
        line = text.getvalue().encode()
        if file.read(1) != b"\n":
            line = b"\n" + line
        file.seek(self._end)
        try:
            file.write(line)
            # The pseudonym is used right after this, and must not be assigned twice after a crash.
            os.fsync(file.fileno())
        except OSError:
            file.truncate(self._end)  # remove the incomplete row
            raise

    def _forget(self) -> None:
        self._cells: dict[str, list[str]] = {}
        self._folded: dict[str, str] = {}
        self._rows: dict[str, Row] = {}
        self._used: dict[str, str] = {}
        self._columns: list[str] = []
        self._delimiter = ","
        self._end = 0
        self._lines = 0

    def _read(self) -> None:
        """Read the new part of the file.

        All of it is read if the file is shorter than before.
        """
        with self._path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < self._end:
                self._forget()
            file.seek(self._end)
            data = file.read()
        try:
            if not self._columns:
                heading, _, data = data.partition(b"\n")
                self._read_heading(heading.decode("utf-8-sig").rstrip("\r"))
                self._end = len(heading) + 1
            if _is_torn(data, self._delimiter, len(self._columns)):
                data = data[: data.rfind(b"\n") + 1]  # its writer was killed, or is still writing
            self._take(io.StringIO(data.decode(), newline=""), check=self._end + len(data) > self._checked)
        except UnicodeDecodeError:
            raise ConfigError("the table of pseudonyms is not UTF-8: save it as CSV in UTF-8") from None
        self._end += len(data)

    def _read_heading(self, line: str) -> None:
        self._delimiter = max(_DELIMITERS, key=line.count)
        cells = next(csv.reader([line], delimiter=self._delimiter), [])
        self._columns = [_COLUMNS.get(re.sub(r"[^a-z]", "", cell.lower()), cell) for cell in cells]
        if self._columns.count(_OLD) != 1 or self._columns.count(_NEW) != 1:
            raise ConfigError(
                "the first line of a table of pseudonyms must name the columns old_id and new_id, and optionally "
                "new_name, days and anchor"
            )
        self._lines = 1

    def _take(self, lines: Iterable[str], *, check: bool) -> None:
        """Store raw rows; a row is parsed when its patient occurs."""
        old_at, new_at = self._columns.index(_OLD), self._columns.index(_NEW)
        fresh: dict[str, int] = {}
        try:
            for cells in csv.reader(lines, delimiter=self._delimiter, strict=True):
                self._lines += 1
                if not any(map(str.strip, cells)):
                    continue
                if not max(old_at, new_at) < len(cells) <= len(self._columns):
                    raise _wrong(self._lines, "the number of cells does not match the heading")
                old = cells[old_at].strip()
                if self._cells.setdefault(old, cells) != cells:
                    raise _wrong(self._lines, "the old ID has another row with different values")
                self._folded.setdefault(old.casefold(), old)
                self._used.setdefault(cells[new_at].strip(), old)
                fresh[old] = self._lines
        except csv.Error:
            raise _wrong(self._lines + 1, "it is not valid CSV") from None
        if check:
            self._check(fresh)

    def _check(self, fresh: Mapping[str, int]) -> None:
        """Raise ConfigError for rows that are invalid or reveal an original."""
        # The engine's own sequential numbers resemble many IDs by chance, so only whole values are compared there.
        lengths = sorted({len(old) for old in self._folded if len(old) >= _SHORTEST_PART and self._heading is None})
        for old, line in fresh.items():
            row = self._parsed(self._cells[old], line)
            for new in {row.new_id, row.new_name}:
                if contains_original(new, old):
                    raise _wrong(line, "a new value contains the old ID")
                if new.casefold() in self._folded or _has_part_among(new.casefold(), self._folded, lengths):
                    raise _wrong(line, "a new value contains another patient's old ID")
            first = self._used[row.new_id]
            if first != old:
                alike = self._parsed(self._cells[first], line)
                if (alike.days, alike.anchor) != (row.days, row.anchor):
                    raise _wrong(line, "the new ID has another row with a different date shift")

    def _parsed(self, cells: list[str], line: int) -> Row:
        values = dict(zip(self._columns, map(str.strip, cells), strict=False))
        new = values.get(_NEW, "")
        name = values.get(_NAME, "") or new
        if not values.get(_OLD) or not new:
            raise _wrong(line, "old ID and new ID are both required")
        if not is_writable(new, "LO") or not is_writable(name, "PN"):
            raise _wrong(line, "a new value must have at most 64 ASCII characters and no backslash")
        days, anchor = _whole_number(values.get(_DAYS, ""), line), _day(values.get(_ANCHOR, ""), line)
        if days is not None and anchor is not None:
            raise _wrong(line, "days and anchor exclude each other: give one")
        return Row(new, name, days, anchor)


# Shortest old ID that is searched inside other patients' new IDs. Shorter ones occur by chance.
_SHORTEST_PART = 5
# Numbers to try for a patient whose ID is contained in the pseudonym.
_MOST_TRIES = 10_000
_PSEUDONYM_ALREADY = "the patient ID is already a pseudonym of the table: the file was de-identified before"
_TELLS_ORIGINAL = "no pseudonym is left that is unused and does not contain the patient ID: choose another prefix"


def _has_part_among(new: str, rows: Mapping[str, object], lengths: Iterable[int]) -> bool:
    return any(
        new[start : start + length] in rows
        for length in lengths
        if length < len(new)
        for start in range(len(new) - length + 1)
    )


def _wrong(line: int, text: str) -> ConfigError:
    return ConfigError(f"table of pseudonyms, line {line}: {text}")


def _whole_number(text: str, line: int) -> int | None:
    if not text:
        return None
    try:
        days = int(text)
    except ValueError:
        raise _wrong(line, "days must be a whole number") from None
    if not days or abs(days) > _MOST_DAYS:
        raise _wrong(line, f"days must be from 1 to {_MOST_DAYS}, or its negative; 0 would keep the true dates")
    return days


def _day(text: str, line: int) -> date | None:
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups())) if match else _no_day(line)
    except ValueError:
        return _no_day(line)


def _no_day(line: int) -> date:
    raise _wrong(line, "anchor must be a date, as YYYY-MM-DD or YYYYMMDD")


def _is_torn(data: bytes, delimiter: str, columns: int) -> bool:
    """Return whether the last row is the engine's and incomplete.

    The engine quotes every cell. A row that a person wrote without a line break at the end is complete.
    """
    if not data or data.endswith(b"\n") or not columns:
        return False
    last = data[data.rfind(b"\n") + 1 :].decode("utf-8", "replace")
    if not last.startswith('"'):
        return False
    try:
        cells = next(csv.reader([last], delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return len(cells) < columns or not last.endswith('"')


def _create(path: Path, heading: tuple[str, ...]) -> None:
    """Create an empty table, unless it exists.

    Only its owner can read it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(",".join(heading) + "\n")
