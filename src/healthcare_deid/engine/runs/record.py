"""The record of a folder: a line of JSON for every result, that says what was done to it; no values.

Results are called by their new UIDs, unless the source's names were asked for: then the record has those. A run that
goes on where another ended adds to its record. A result that is there and not in the record, because the run was
killed between the two, is made again: nothing is in a release that no record tells of.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from healthcare_deid.engine.results import DeidentifyResult

_OWNER_ONLY = 0o600
_BEGINNING = b'{"result":'


def line(name: str, result: DeidentifyResult) -> str:
    """Return one result's line.

    Args:
        name: What the result is called, relative to the folder of results.
        result: What was done.
    """
    told: dict[str, Any] = {
        "result": name,
        "kept": result.kept,
        "changes": [asdict(change) for change in result.changes],
        "redactions": [asdict(redaction) for redaction in result.redactions],
        "warnings": list(result.warnings),
    }
    return json.dumps(told, separators=(",", ":"))  # in ASCII: file names need not be text


def digest(name: str) -> bytes:
    """Return what a result's name is remembered by: a million of them must fit into memory."""
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()


class RecordFile:
    """The file that a folder's record goes to, readable by its owner only. One run at a time adds to it.

    Args:
        path: The file; None writes none. What is in it stays, but a last line that was cut off.
        source: The folder of originals, which it must not be in.
        destination: The folder of results, which it must not be in.

    Attributes:
        recorded: Digests of the names of the results it tells of; None where none is written.

    Raises:
        ValueError: ``path`` is among the originals or the results, or holds something else.
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path | None, source: Path, destination: Path) -> None:
        self._path = path
        self.recorded: frozenset[bytes] | None = None
        if path is None:
            return
        refuse_inside("record", path, source, destination)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        with os.fdopen(descriptor, "r+b") as file:
            self.recorded = frozenset(_names(file))
        if os.name == "posix":
            path.chmod(_OWNER_ONLY)  # it may have been there, open to others

    def add(self, lines: list[str]) -> None:
        """Write the lines of some results."""
        if self._path is None or not lines:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(f"{text}\n" for text in lines)


def _names(file: Any) -> Iterator[bytes]:
    """Yield the digests of the names in a record, and cut off a last line that is none."""
    end = 0
    for text in file:
        if text.startswith(_BEGINNING[: len(text)]) and not text.endswith(b"\n"):
            file.truncate(end)
            return
        try:
            name = json.loads(text)["result"]
        except (ValueError, KeyError, TypeError):
            raise ValueError("record: the file is there, and is no record of a folder; name another one") from None
        end += len(text)
        yield digest(str(name))


def refuse_inside(argument: str, path: Path, source: Path, destination: Path) -> None:
    """Refuse a file that would stand among the originals or the results.

    Raises:
        ValueError: It does.
    """
    if path.resolve().is_relative_to(destination.resolve()):
        raise ValueError(f"{argument} is inside the destination: it would go with the results")
    if path.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"{argument} is inside the source: it would be taken for input, or an original be lost")
