"""Ledger of a run: decides and counts the outcome of every entry, regardless of order and workers."""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from healthcare_deid.engine.results import Failure, TreeProgress, TreeReport
from healthcare_deid.engine.runs.result_claims import Claims, Verdict, key_of
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from healthcare_deid.engine.runs.naming import NameMap, Names
    from healthcare_deid.engine.runs.originals import Trouble
    from healthcare_deid.engine.runs.record import RecordFile
    from healthcare_deid.engine.runs.result_claims import Decision, Displaced, Recorded, RecordedResults
    from healthcare_deid.engine.runs.stores import Store
    from healthcare_deid.engine.runs.work import Found

SAME_UID = "same-uid"
SAME_UID_TEXT = (
    "another file with the same SOP Instance UID and other content makes the result{winner}: of such files the one "
    "whose SHA-256 is smallest does"
)
_REPLACED = "a result of an earlier run was replaced: another file with the same SOP Instance UID makes it"
_GONE = "the result, which an earlier run had made, went away while this run was at work: run it again"
_LOCKS = 64
MOST_WARNED = 20
"""Files that the report names for each warning."""


class Ledger:
    """Outcomes of the entries so far. Several threads may call `settle`.

    Args:
        store: Destination of the results.
        record: Record of the run.
        recorded: Results recorded before this run began.
        names: Naming of results.
        name_map: Map from source names to result names.
        again: Whether to create existing results again.
        strict: Whether files that are not DICOM count as failures.

    Attributes:
        unmatched: Entries of ``safe_private`` that fit no element of any result, once the run is complete.
    """

    def __init__(
        self,
        store: Store,
        record: RecordFile,
        recorded: RecordedResults | None,
        *,
        names: Names,
        name_map: NameMap | None,
        again: bool,
        strict: bool,
    ) -> None:
        self._store = store
        self._record = record
        self._recorded = recorded
        self._names = names
        self._name_map = name_map
        self._again = again
        self._strict = strict
        self._claims = Claims()
        self._lock = threading.Lock()
        self._locks = [threading.Lock() for _ in range(_LOCKS)]
        self._succeeded = self._duplicates = self._skipped = 0
        self._failures: list[Failure] = []
        self._refused: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._warnings: Counter[str] = Counter()
        self._warned: dict[str, list[str]] = {}
        self._still_read: int | None = None
        self.unmatched: tuple[str, ...] = ()

    def settle(self, found: Found) -> None:
        """Decide the outcome of what a worker found, and carry it out."""
        if found.trouble is not None:
            with self._lock:
                self._note(found, found.trouble)
            return
        if found.refused:
            with self._lock:
                self._refused[found.refused] += 1
            return
        key = key_of(found.result)
        with self._locks[key[0] % _LOCKS]:  # results are written outside the ledger's own lock
            self._settle(found, key)

    def flush(self) -> None:
        """Flush what was written to the operating system."""
        with self._lock:
            self._record.flush()
            if self._name_map is not None:
                self._name_map.flush()

    def progress(self, total: int | None) -> TreeProgress:
        """Return the progress of the run.

        Args:
            total: Number of entries, if known.
        """
        with self._lock:
            counts = (
                self._succeeded,
                len(self._failures),
                self._skipped,
                self._duplicates,
                self._ignored.total(),
                self._refused.total(),
            )
            return TreeProgress(None if total is None else max(total, sum(counts)), *counts)

    def report(self, run: Path) -> TreeReport:
        """Return the report of the run."""
        failures = tuple(sorted(self._failures, key=lambda failure: failure.path))
        return TreeReport(
            found=self._succeeded + self._duplicates + self._skipped + len(failures) + self._refused.total(),
            succeeded=self._succeeded,
            duplicates=self._duplicates,
            skipped=self._skipped,
            ignored=self._ignored.total(),
            failed=len(failures),
            failures=failures,
            warnings=dict(self._warnings),
            passed_over=dict(self._ignored),
            still_read=self._still_read,
            run=run,
            refused=self._refused.total(),
            refused_by=dict(self._refused),
            unmatched=self.unmatched,
            warned={text: tuple(sorted(sources)) for text, sources in sorted(self._warned.items())},
        )

    def warn(self, text: str, times: int = 1) -> None:
        """Count a warning; 0 times counts nothing."""
        if times:
            with self._lock:
                self._warnings[text] += times

    def close(self) -> None:
        """Close the claims and the record."""
        self._claims.close()
        self._record.close()

    def _settle(self, found: Found, key: bytes) -> None:
        with self._lock:
            if found.record is not None:
                self._record.learn(found.record)
            known = self._recorded.get(key) if self._recorded is not None else None
        there = known if known is not None and self._store.has(found.result, known.size) else None
        with self._lock:
            decision = self._claims.decide(key, found.digest, there, again=self._again)
        match decision.verdict:
            case Verdict.WRITE:
                self._write(found, key, decision, known)
                return
            case Verdict.SKIP:
                with self._lock:
                    self._claims.claim(key, found.digest, found.source, skipped=True)
                    self._skipped += 1
                    self._name(found.source, () if there is None else there.warnings)
                    self._map(found)
            case Verdict.DUPLICATE:
                with self._lock:
                    self._claims.copy(key, found.source)
                    self._duplicates += 1
                    self._map(found)
            case Verdict.LOSE:
                with self._lock:
                    self._failures.append(self._loser(found.source, found.result, found.digest))
            case _:
                assert_never(decision.verdict)
        _drop(found.staged)

    def _write(self, found: Found, key: bytes, decision: Decision, known: Recorded | None) -> None:
        if found.staged is None or found.record is None:
            with self._lock:
                self._failures.append(Failure(found.source, "io-error", _GONE, found.digest.hex()))
            return
        with self._lock:
            if decision.displaced:
                self._record.withdraw(found.result)  # first, so that a run killed here creates the result again
            elif known is not None:
                self._record.supersede()
        try:
            self._store.commit(found.staged, found.result)
        except (OSError, EngineError) as error:
            self._not_written(found, key, error)
            return
        with self._lock:
            displaced = self._claims.claim(key, found.digest, found.source)
            self._displace(displaced, found.result, self._loser)
            if displaced is None and decision.displaced:
                self._warnings[_REPLACED] += 1
                if self._name_map is not None:
                    self._name_map.replace(found.result)
            self._record.add(found.record)
            self._succeeded += 1
            if found.record.still_read is not None:
                self._still_read = (self._still_read or 0) + found.record.still_read
            self._warnings.update(found.warnings)
            self._name(found.source, found.warnings)
            self._map(found)

    def _not_written(self, found: Found, key: bytes, error: OSError | EngineError) -> None:
        """Count a result that could not be written, remove what is left of it, and release its name."""
        _drop(found.staged)
        number = error.errno if isinstance(error, OSError) else None
        words = (
            str(error) if isinstance(error, EngineError) else os.strerror(number) if number else type(error).__name__
        )
        text = f"the result could not be written: {words}"
        with suppress(OSError, EngineError):
            self._store.remove(found.result)
        with self._lock:
            self._failures.append(Failure(found.source, "io-error", text, found.digest.hex()))
            displaced = self._claims.withdraw(key)
            self._displace(
                displaced, found.result, lambda source, _, digest: Failure(source, "io-error", text, digest.hex())
            )

    def _displace(
        self, displaced: Displaced | None, result: str, failure: Callable[[str, str, bytes], Failure]
    ) -> None:
        """Count sources as failures that this run had counted otherwise before."""
        if displaced is None:
            return
        if displaced.skipped:
            self._skipped -= 1
        else:
            self._succeeded -= 1
        self._duplicates -= len(displaced.sources) - 1
        for sources in self._warned.values():
            sources[:] = [source for source in sources if source not in displaced.sources]
        for source in displaced.sources:
            self._failures.append(failure(source, result, displaced.digest))
            if self._name_map is not None:
                self._name_map.withdraw(source, result)

    def _loser(self, source: str, result: str, digest: bytes) -> Failure:
        winner = f" {result}" if self._names == "uid" else ""
        return Failure(source, SAME_UID, SAME_UID_TEXT.format(winner=winner), digest.hex())

    def _note(self, found: Found, trouble: Trouble) -> None:
        if trouble.ignored and not self._strict:
            self._ignored[trouble.text] += 1
        else:
            self._failures.append(Failure(found.source, trouble.reason, trouble.text, found.digest.hex()))

    def _name(self, source: str, warnings: Sequence[str]) -> None:
        """Remember a source by the warnings of its result."""
        for text in warnings:
            sources = self._warned.setdefault(text, [])
            if len(sources) < MOST_WARNED:
                sources.append(source)

    def _map(self, found: Found) -> None:
        if self._name_map is not None:
            self._name_map.add(found.source, found.result)


def _drop(staged: Path | None) -> None:
    if staged is not None:
        with suppress(OSError):
            staged.unlink()
