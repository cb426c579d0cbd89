"""Acceptances: findings of an audit that a person has looked at and accepts, in a CSV file without values."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.errors import ConfigError
from healthcare_deid.report.audit.findings import COLUMNS, Residue, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from healthcare_deid.report.audit.findings import Residual

_NEEDED = ("kind", "path", "accepted_by", "reason")
_ABOUT_THE_LINE = frozenset({"file", "why", "accepted_by", "reason"})
"""Columns that no finding is compared with."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A line of a file of acceptances.

    Attributes:
        line: Its number in the file.
        who: Name of the person who accepts.
        reason: Why.
        cells: What a finding must have to be accepted, by column of the audit's CSV. What is not in it may be anything.
    """

    line: int
    who: str
    reason: str
    cells: tuple[tuple[str, str], ...]

    def fits(self, finding: Residual, digest: str) -> bool:
        """Return whether it accepts a finding of the file with this SHA-256."""
        row = row_of(finding, sha256=digest)
        return all(str(row[column]) == cell for column, cell in self.cells)

    def __str__(self) -> str:
        cells = dict(self.cells)
        return f"line {self.line}: {cells['kind']} at {cells['path']}"


def read_acceptances(path: Path) -> tuple[Acceptance, ...]:
    """Read a file of acceptances: lines of the audit's CSV, with ``accepted_by`` and ``reason`` filled in.

    Raises:
        ConfigError: A column is missing or unknown, or a line does not say what, who or why.
        OSError: The file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            _check_columns(reader.fieldnames or ())
            return tuple(_acceptance(reader.line_num, row) for row in reader)
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError("accepted: the file is no CSV in UTF-8: make it of what audit --format csv writes") from None


def _check_columns(columns: Iterable[str]) -> None:
    found = list(columns)
    missing = [column for column in _NEEDED if column not in found]
    unknown = [number for number, column in enumerate(found, 1) if column not in COLUMNS]
    if missing:
        raise ConfigError(f"accepted: the file lacks the columns {', '.join(missing)}: audit --format csv writes them")
    if unknown:
        raise ConfigError(f"accepted: column {unknown[0]} is none of the audit's CSV: {', '.join(COLUMNS)}")


def _acceptance(line: int, row: dict[str, str | None]) -> Acceptance:
    cells = {column: (cell or "").strip() for column, cell in row.items() if column in COLUMNS}
    empty = [column for column in _NEEDED if not cells[column]]
    if empty or "" in row:
        problem = f"{', '.join(empty)}: empty" if empty else "more cells than columns"
        raise ConfigError(f"accepted, line {line}: {problem}; every line says what is accepted, by whom and why")
    if cells["kind"] not in set(Residue):
        raise ConfigError(f"accepted, line {line}: kind is one of {', '.join(Residue)}")
    if cells.get("severity", "") not in {"", *Severity}:
        raise ConfigError(f"accepted, line {line}: severity is one of {', '.join(Severity)}, or empty")
    asked = tuple((column, cell) for column, cell in cells.items() if cell and column not in _ABOUT_THE_LINE)
    return Acceptance(line, cells["accepted_by"], cells["reason"], asked)
