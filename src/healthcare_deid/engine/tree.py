"""Folders of files: over processes, in chunks, resumable; no file stops the others, and memory stays what it is."""

from __future__ import annotations

import os
import queue
import threading
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Self

from healthcare_deid.engine.records import Failure, TreeProgress, TreeReport
from healthcare_deid.engine.workers import Worker, WorkerDied
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.deidentifier import Deidentifier

_CHUNK = 32
_CHUNK_WITH_PIXELS = 4
_WORTH_PROCESSES = 2000
_WORTH_PROCESSES_WITH_PIXELS = 16
"""Below this many files, starting processes takes longer than the work."""
_CRASHED = "the process that worked on this file died: the file makes a decoder crash, or memory ran out"
_PARTIAL_SUFFIX = ".healthcare-deid.part"


@dataclass
class _Outcome:
    """What became of a chunk: small, so that it travels between processes cheaply."""

    succeeded: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list[Failure])
    warnings: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: _Outcome) -> None:
        """Count another chunk in."""
        self.succeeded += other.succeeded
        self.skipped += other.skipped
        self.failures += other.failures
        self.warnings.update(other.warnings)


class _Job(NamedTuple):
    """What every worker needs; given once, when it starts."""

    deidentifier: Deidentifier
    source: Path
    destination: Path
    overwrite: bool


def deidentify_tree(
    deidentifier: Deidentifier,
    source: Path,
    destination: Path,
    *,
    workers: int | None = None,
    on_progress: Callable[[TreeProgress], object] | None = None,
    overwrite: bool = False,
) -> TreeReport:
    """De-identify a folder (see `Deidentifier.deidentify_tree`)."""
    if not source.is_dir():
        raise NotADirectoryError("the source is no folder")
    if destination.resolve().is_relative_to(source.resolve()):
        raise ValueError("the destination is inside the source: results would be taken for input")
    destination.mkdir(parents=True, exist_ok=True)
    job = _Job(deidentifier, source, destination, overwrite)
    total = sum(1 for _ in relative_files(source))
    run = _Run(total, on_progress)
    count = workers or os.cpu_count() or 1
    size = _CHUNK_WITH_PIXELS if deidentifier.looks_at_pixels else _CHUNK
    worth = _WORTH_PROCESSES_WITH_PIXELS if deidentifier.looks_at_pixels else _WORTH_PROCESSES
    if count == 1 or (workers is None and total < worth):
        for chunk in _chunks(relative_files(source), size):
            run.add(_work(job, _Chunk(chunk)))
    else:
        _over_processes(job, run, count, size)
    return run.report()


def relative_files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, by relative path with ``/``, in a fixed order; links to folders are left out."""
    stack = [""]
    while stack:
        relative = stack.pop()
        with os.scandir(folder / relative) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        stack.extend(f"{relative}{name}/" for name in reversed(folders))
        for entry in entries:
            if entry.is_file() and not entry.name.endswith(_PARTIAL_SUFFIX):
                yield relative + entry.name


class _Run:
    """The counts so far."""

    def __init__(self, total: int, on_progress: Callable[[TreeProgress], object] | None) -> None:
        self._total = total
        self._on_progress = on_progress
        self._sum = _Outcome()

    def add(self, outcome: _Outcome) -> None:
        """Count a chunk, and tell."""
        self._sum.add(outcome)
        if self._on_progress is not None:
            done = self._sum
            self._on_progress(
                TreeProgress(
                    total=max(self._total, done.succeeded + done.skipped + len(done.failures)),
                    succeeded=done.succeeded,
                    failed=len(done.failures),
                    skipped=done.skipped,
                )
            )

    def report(self) -> TreeReport:
        """Return what became of everything."""
        done = self._sum
        failures = tuple(sorted(done.failures, key=lambda failure: failure.path))
        return TreeReport(done.succeeded, len(failures), done.skipped, failures, dict(done.warnings))


def _chunks(files: Iterator[str], size: int) -> Iterator[list[str]]:
    while chunk := list(islice(files, size)):
        yield chunk


class _Chunk(NamedTuple):
    """A few files; ``again`` when a process has died of one of them, and nobody knows which results are of this run."""

    names: list[str]
    again: bool = False


def _work(job: _Job, chunk: _Chunk) -> _Outcome:
    """De-identify a few files."""
    outcome = _Outcome()
    for name in chunk.names:
        target = job.destination / name
        if not (job.overwrite or chunk.again) and target.exists():
            outcome.skipped += 1
            continue
        try:
            result = job.deidentifier.deidentify_file(job.source / name, target)
        except EngineError as error:
            outcome.failures.append(Failure(name, error.reason, str(error)))
        except OSError as error:
            outcome.failures.append(
                Failure(name, "io-error", f"{type(error).__name__}: {os.strerror(error.errno or 0)}")
            )
        except MemoryError:
            outcome.failures.append(Failure(name, "out-of-memory", "there is not enough memory for this file"))
        else:
            outcome.succeeded += 1
            outcome.warnings.update(result.warnings)
    return outcome


def _over_processes(job: _Job, run: _Run, workers: int, size: int) -> None:
    """Hand chunks to processes, each of which has a thread here that feeds it; count in the caller's own thread."""
    chunks = _chunks(relative_files(job.source), size)
    lock = threading.Lock()
    outcomes: queue.SimpleQueue[_Outcome | BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()

    def next_chunk() -> list[str]:
        with lock:
            return [] if stop.is_set() else next(chunks, [])

    def feed() -> None:
        try:
            with _Feeder(job, stop) as feeder:
                while chunk := next_chunk():
                    for outcome in feeder.outcomes(chunk):
                        outcomes.put(outcome)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcomes.put(error)
        finally:
            outcomes.put(None)

    threads = [threading.Thread(target=feed, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        running = len(threads)
        while running:
            outcome = outcomes.get()
            if outcome is None:
                running -= 1
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                run.add(outcome)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


class _Feeder:
    """One process, replaced when it dies. The files it may have died of are tried again, one by one."""

    def __init__(self, job: _Job, stop: threading.Event) -> None:
        self._job = job
        self._stop = stop
        self._worker = Worker(_work, job)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.close(kill=self._stop.is_set())

    def outcomes(self, chunk: list[str]) -> Iterator[_Outcome]:
        """Yield what became of the files of a chunk."""
        try:
            yield self._worker.call(_Chunk(chunk))
            return
        except WorkerDied:
            self._replace()
        for name in chunk:
            if self._stop.is_set():
                return
            try:
                yield self._worker.call(_Chunk([name], again=True))
            except WorkerDied:
                self._replace()
                yield _Outcome(failures=[Failure(name, "crashed", _CRASHED)])

    def _replace(self) -> None:
        self._worker.close(kill=True)
        self._worker = Worker(_work, self._job)
