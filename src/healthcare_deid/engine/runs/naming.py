"""What the results of a folder are called: by their own new UIDs. File and folder names are PHI as often as not."""

from __future__ import annotations

import csv
import os
from typing import TYPE_CHECKING, Literal, get_args

from healthcare_deid.engine.runs.record import refuse_inside

if TYPE_CHECKING:
    from pathlib import Path


Names = Literal["uid", "source"]
NAMES: tuple[str, ...] = get_args(Names)
DIRECTORY_LEFT_OUT = (
    "a DICOMDIR was left out: it points at files by name, and results have other names; make a new one of the results"
)
_HEADING = ("source", "result")


class NameMap:
    """A CSV file that says which file became which, for its owner only: the source's names may tell who it is.

    Args:
        path: The file; None writes none. It is written anew.
        source: The folder of originals, which it must not be in.
        destination: The folder of results, which it must not be in.

    Raises:
        ValueError: ``path`` is among the originals or the results, or holds something else.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path | None, source: Path, destination: Path) -> None:
        if path is not None:
            refuse_inside("name_map", path, source, destination)
            _refuse_other(path)
        self._path = path
        self._write([_HEADING], os.O_TRUNC)

    def add(self, names: list[tuple[str, str]]) -> None:
        """Write names of files, and of their results."""
        self._write(names, os.O_APPEND)

    def _write(self, rows: list[tuple[str, str]], mode: int) -> None:
        if self._path is None or not rows:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
        if mode == os.O_TRUNC and hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)  # it may have been there, open to others
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows(rows)


def _refuse_other(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        beginning = file.readline(100)
    if beginning and beginning.rstrip() != ",".join(_HEADING).encode():
        raise ValueError("name_map: the file is there, and is no map of names; name another one")
