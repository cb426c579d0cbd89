"""Claims on result names: each name belongs to one source, regardless of order and number of workers.

If several sources map to one name, the one with the smallest SHA-256 produces the result. Claims are kept in a private
temporary SQLite database, so that memory use does not grow with the number of files.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_KEY_BYTES = 16


class Verdict(Enum):
    """Outcome for a source whose result name and digest are known."""

    WRITE = auto()
    """It produces the result."""
    SKIP = auto()
    """Its result exists from an earlier run."""
    DUPLICATE = auto()
    """Its bytes have been seen in this run; both share one result."""
    LOSE = auto()
    """Another source produces the result of that name."""


class Recorded(NamedTuple):
    """Result in the record.

    Attributes:
        digest: SHA-256 of its source.
        size: Size of the result in bytes.
        warnings: Its warnings.
    """

    digest: bytes
    size: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Verdict and the facts it depends on.

    Attributes:
        verdict: The verdict.
        winner: Digest of the source that produces the result.
        displaced: Whether a result was written in this run, or is recorded, for a source that now loses.
    """

    verdict: Verdict
    winner: bytes
    displaced: bool = False


class Displaced(NamedTuple):
    """Sources that were counted before and now lose their claim.

    Attributes:
        sources: Their names. The first produced the result or was skipped; the others were its duplicates.
        skipped: Whether the first one was skipped.
        digest: Digest they share.
    """

    sources: tuple[str, ...]
    skipped: bool
    digest: bytes


def key_of(name: str) -> bytes:
    """Return a short key for a result name; a million keys must fit in memory."""
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=_KEY_BYTES).digest()


class RecordedResults:
    """Results recorded before this run began, in a file of the run folder that workers read.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        told: dict[int, list[str]] = {}
        for number, text in self._database.execute("SELECT number, text FROM warnings ORDER BY rowid"):
            told.setdefault(number, []).append(text)
        self._warnings = {number: tuple(texts) for number, texts in told.items()}

    @staticmethod
    def write(path: Path, results: Iterable[tuple[bytes, Recorded]]) -> int:
        """Write the file and return the number of results. If a result occurs twice, the last entry counts."""
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("PRAGMA synchronous=OFF")
            database.execute(
                "CREATE TABLE recorded (key BLOB PRIMARY KEY, digest BLOB, size INT, warnings INT) WITHOUT ROWID"
            )
            database.execute("CREATE TABLE warnings (number INT, text TEXT)")
            told: dict[tuple[str, ...], int] = {}  # a run has few different lists of them
            rows = (
                (key, digest, size, told.setdefault(warnings, len(told))) for key, (digest, size, warnings) in results
            )
            database.executemany("INSERT OR REPLACE INTO recorded VALUES (?, ?, ?, ?)", rows)
            texts = ((number, text) for warnings, number in told.items() for text in warnings)
            database.executemany("INSERT INTO warnings VALUES (?, ?)", texts)
            count: int = database.execute("SELECT count(*) FROM recorded").fetchone()[0]
            return count

    def get(self, key: bytes) -> Recorded | None:
        """Return the recorded result with this key, or None."""
        row = self._database.execute("SELECT digest, size, warnings FROM recorded WHERE key = ?", (key,)).fetchone()
        return Recorded(row[0], row[1], self._warnings.get(row[2], ())) if row is not None else None

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class Claims:
    """Result names claimed by this run's sources. Not thread-safe."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("PRAGMA synchronous=OFF")
        self._database.execute(
            "CREATE TABLE claims (key BLOB PRIMARY KEY, digest BLOB, source TEXT, skipped INT) WITHOUT ROWID"
        )
        self._database.execute("CREATE TABLE copies (key BLOB, source TEXT)")
        self._database.execute("CREATE INDEX copies_by_key ON copies (key)")

    def decide(self, key: bytes, digest: bytes, recorded: Recorded | None, *, again: bool) -> Decision:
        """Return the decision for a source, without claiming anything.

        Args:
            key: Key of the result name.
            digest: Digest of the source.
            recorded: Recorded result, if it still exists.
            again: Whether to create existing results again.
        """
        row = self._database.execute("SELECT digest FROM claims WHERE key = ?", (key,)).fetchone()
        if row is not None:
            winner: bytes = row[0]
            if digest == winner:
                return Decision(Verdict.DUPLICATE, winner)
            if digest > winner:
                return Decision(Verdict.LOSE, winner)
            return Decision(Verdict.WRITE, digest, displaced=True)
        if recorded is None or digest < recorded.digest:
            return Decision(Verdict.WRITE, digest, displaced=recorded is not None)
        if digest > recorded.digest:
            return Decision(Verdict.LOSE, recorded.digest)
        return Decision(Verdict.WRITE if again else Verdict.SKIP, digest)

    def claim(self, key: bytes, digest: bytes, source: str, *, skipped: bool = False) -> Displaced | None:
        """Give a name to a source and return the sources of this run that lose it, if any."""
        displaced = self.withdraw(key)
        self._database.execute("INSERT INTO claims VALUES (?, ?, ?, ?)", (key, digest, _encoded(source), skipped))
        return displaced

    def withdraw(self, key: bytes) -> Displaced | None:
        """Withdraw a name from its sources and return them, or None."""
        row = self._database.execute("SELECT source, skipped, digest FROM claims WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        copies = self._database.execute("SELECT source FROM copies WHERE key = ?", (key,)).fetchall()
        self._database.execute("DELETE FROM claims WHERE key = ?", (key,))
        self._database.execute("DELETE FROM copies WHERE key = ?", (key,))
        sources = (row[0], *(copy for (copy,) in copies))
        return Displaced(tuple(map(_decoded, sources)), bool(row[1]), row[2])

    def copy(self, key: bytes, source: str) -> None:
        """Remember a duplicate of the source that has a name."""
        self._database.execute("INSERT INTO copies VALUES (?, ?)", (key, _encoded(source)))

    def close(self) -> None:
        """Close the database and discard all claims."""
        self._database.close()


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
