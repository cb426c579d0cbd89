"""Quarantine: copies of failed sources with their reasons, readable by their owner only.

It holds originals, so it must not be inside the run folder, the results or the source. It holds copies instead of
links, so that repairs do not change an original.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections import defaultdict
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.results import Failure
    from healthcare_deid.engine.runs.originals import Entry, Originals

LIST = "quarantine.csv"
_HEADING = ("file", "reason", "text", "source")
_SUFFIX = ".dcm"
_BLOCK = 1 << 20
_OWNER_ONLY_FOLDER = 0o700


class Quarantine:
    """Folder of sources that failed in the last pass of a run.

    Args:
        folder: Folder, created when needed.

    Raises:
        ValueError: The folder holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        if folder.exists() and not (folder / LIST).is_file() and next(folder.iterdir(), None) is not None:
            raise ValueError("quarantine: the folder holds something else; name a new one")

    def fill(self, source: Originals, failures: Iterable[Failure]) -> None:
        """Copy and list the sources that failed, and remove those that no longer fail.

        Raises:
            OSError: The source cannot be listed, or the list cannot be written.
        """
        failed: dict[str, list[Failure]] = defaultdict(list)
        for failure in failures:
            failed[failure.path].append(failure)
        earlier = set(self._earlier())
        if not failed and not earlier:
            return
        self._folder.mkdir(mode=_OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        if os.name == "posix":
            self._folder.chmod(_OWNER_ONLY_FOLDER)  # it may have been there, open to others
        rows = [*self._rows(source, failed)]
        with (
            beside(self._folder / LIST, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", newline="", errors="surrogateescape", closefd=False) as file,
        ):
            table = csv.writer(file)
            table.writerow(_HEADING)
            table.writerows(rows)
        for name in earlier - {row[0] for row in rows}:
            (self._folder / name).unlink(missing_ok=True)

    def _earlier(self) -> Iterator[str]:
        """Yield the names of copies made by an earlier pass."""
        if not (self._folder / LIST).is_file():
            return
        with (self._folder / LIST).open(encoding="utf-8", newline="", errors="surrogateescape") as file:
            for row in csv.reader(file):
                name = row[0] if row else ""
                if name.endswith(_SUFFIX) and "/" not in name and os.sep not in name:
                    yield name

    def _rows(self, source: Originals, failed: dict[str, list[Failure]]) -> Iterator[tuple[str, ...]]:
        """Copy the files and yield a row for each failure. Anything that cannot be read has no copy."""
        for entry in source.entries():
            failures = failed.get(entry.name)
            if not failures:
                continue
            failure = failures.pop(0)
            yield self._copied(source, entry), failure.reason, failure.text, failure.path
        for failures in failed.values():
            yield from (("", failure.reason, failure.text, failure.path) for failure in failures)

    def _copied(self, source: Originals, entry: Entry) -> str:
        """Return the name of an entry's copy, or an empty text if there can be none."""
        if entry.trouble is not None:
            return ""
        try:
            with source.opened(entry) as path:
                return self._copy(path)
        except (EngineError, OSError, MemoryError):
            return ""

    def _copy(self, path: Path) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as original:
            while block := original.read(_BLOCK):
                digest.update(block)
            name = f"{digest.hexdigest()}{_SUFFIX}"
            if (self._folder / name).exists():
                return name
            original.seek(0)
            with (
                beside(self._folder / name, OWNER_ONLY) as descriptor,
                open(descriptor, "wb", closefd=False) as copy,
            ):
                while block := original.read(_BLOCK):
                    copy.write(block)
        return name
