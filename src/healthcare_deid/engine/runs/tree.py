"""Folders of files: over processes, in chunks, resumable; no file stops the others, and memory stays what it is."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Self

from healthcare_deid._border import call_back
from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX, remove_abandoned
from healthcare_deid.engine.results import Failure, TreeProgress, TreeReport
from healthcare_deid.engine.runs.naming import DIRECTORY_LEFT_OUT, NAMES, NameMap, Names
from healthcare_deid.engine.runs.record import RecordFile, digest, line
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.engine.workers import Worker, WorkerDied
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from healthcare_deid.engine.deidentifier import Deidentifier
    from healthcare_deid.engine.results import DeidentifyResult

_CHUNK = 32
_CHUNK_WITH_PIXELS = 4
_WORTH_PROCESSES = 2000
_WORTH_PROCESSES_WITH_PIXELS = 16
"""Below this many files, starting processes takes longer than the work."""
_SAME_INSTANCE = "a file is the same instance as another one of the folder, by its UID: one result was written for both"
_EARLIER = "a result of an earlier run was left as it is: where the config has changed, write it again (overwrite)"
_CLOCK_TICK = 20_000_000
"""Nanoseconds by which a file system's clock may be behind."""
_CRASHED = "the process that worked on this file died: the file makes a decoder crash, or memory ran out"


@dataclass
class _Outcome:
    """What became of a chunk: small, so that it travels between processes cheaply."""

    succeeded: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list[Failure])
    warnings: Counter[str] = field(default_factory=Counter[str])
    names: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    lines: list[str] = field(default_factory=list[str])

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
    names: Names
    started: int
    """When the run began, in nanoseconds since the epoch."""
    recorded: frozenset[bytes] | None
    """Results that the record tells of (`recordfile.digest`); None where none is kept."""


def deidentify_tree(
    deidentifier: Deidentifier,
    source: Path,
    destination: Path,
    *,
    workers: int | None = None,
    on_progress: Callable[[TreeProgress], object] | None = None,
    overwrite: bool = False,
    names: Names = "uid",
    name_map: Path | None = None,
    record: Path | None = None,
) -> TreeReport:
    """De-identify a folder (see `Deidentifier.deidentify_tree`)."""
    if names not in NAMES:
        raise ValueError(f"names is one of {', '.join(NAMES)}")
    _check_workers(workers)
    if not source.is_dir():
        raise NotADirectoryError("the source is no folder")
    if destination.resolve().is_relative_to(source.resolve()):
        raise ValueError("the destination is inside the source: results would be taken for input")
    if source.resolve().is_relative_to(destination.resolve()):
        raise ValueError("the source is inside the destination: originals would be among the results, or be replaced")
    destination.mkdir(parents=True, exist_ok=True)
    remove_abandoned(destination)
    record_file = RecordFile(record, source, destination)
    name_file = NameMap(name_map, source, destination)  # last: it is written anew
    job = _Job(deidentifier, source, destination, overwrite, names, time.time_ns(), record_file.recorded)
    run = _Run(sum(1 for _ in relative_files(source)), on_progress, name_file, record_file)
    _run(job, run, workers)
    return run.report()


def _check_workers(given: object) -> None:
    if given is not None and not (isinstance(given, int) and given >= 1):
        raise ValueError("workers: a number of processes is needed, at least 1")


def _run(job: _Job, run: _Run, workers: int | None) -> None:
    deidentifier = job.deidentifier
    count = workers or os.cpu_count() or 1
    size = _CHUNK_WITH_PIXELS if deidentifier.looks_at_pixels else _CHUNK
    worth = _WORTH_PROCESSES_WITH_PIXELS if deidentifier.looks_at_pixels else _WORTH_PROCESSES
    if count == 1 or (workers is None and run.total < worth):
        for chunk in _chunks(relative_files(job.source), size):
            run.add(_work(job, _Chunk(chunk)))
    else:
        _over_processes(job, run, count, size)


def relative_files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, by relative path with ``/``, in a fixed order; links to folders are left out.

    What should be there and cannot be opened is yielded too, because whoever tries will see why: links to nothing, and
    folders that cannot be listed.

    Raises:
        OSError: The folder itself cannot be listed.
    """
    stack = [""]
    while stack:
        relative = stack.pop()
        try:
            with os.scandir(folder / relative) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            if not relative:
                raise
            yield relative.rstrip("/")
            continue
        folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        stack.extend(f"{relative}{name}/" for name in reversed(folders))
        for entry in entries:
            leads_nowhere = entry.is_symlink() and not os.path.exists(entry.path)  # noqa: PTH110 - once a file
            if (entry.is_file() or leads_nowhere) and not entry.name.endswith(PARTIAL_SUFFIX):
                yield relative + entry.name


class _Run:
    """The counts so far."""

    def __init__(
        self,
        total: int,
        on_progress: Callable[[TreeProgress], object] | None,
        names: NameMap,
        record: RecordFile,
    ) -> None:
        self.total = total
        self._on_progress = on_progress
        self._names = names
        self._record = record
        self._sum = _Outcome()

    def add(self, outcome: _Outcome) -> None:
        """Count a chunk, and tell."""
        self._sum.add(outcome)
        self._names.add(outcome.names)
        self._record.add(outcome.lines)
        if self._on_progress is not None:
            done = self._sum
            progress = TreeProgress(
                total=max(self.total, done.succeeded + done.skipped + len(done.failures)),
                succeeded=done.succeeded,
                failed=len(done.failures),
                skipped=done.skipped,
            )
            call_back(self._on_progress, progress)

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
        try:
            result = guarded(partial(_one, job, name, outcome, again=chunk.again))
        except EngineError as error:
            outcome.failures.append(Failure(name, error.reason, str(error)))
        except OSError as error:
            outcome.failures.append(
                Failure(name, "io-error", f"{type(error).__name__}: {os.strerror(error.errno or 0)}")
            )
        except MemoryError:
            outcome.failures.append(Failure(name, "out-of-memory", "there is not enough memory for this file"))
        else:
            if result is None:
                outcome.skipped += 1
            else:
                outcome.succeeded += 1
                outcome.warnings.update(result.warnings)
    return outcome


def _one(job: _Job, name: str, outcome: _Outcome, *, again: bool) -> DeidentifyResult | None:
    """De-identify a file, unless its result is there or would be of no use."""
    source = job.source / name
    new_name = name if job.names == "source" else job.deidentifier.result_name(source)
    if new_name is None:
        outcome.warnings[DIRECTORY_LEFT_OUT] += 1
        return None
    target = job.destination / new_name
    if not (job.overwrite or again) and target.exists():
        fresh = target.stat().st_mtime_ns > job.started - _CLOCK_TICK
        if fresh or job.recorded is None or digest(new_name) in job.recorded:
            outcome.warnings[_SAME_INSTANCE if fresh else _EARLIER] += 1
            outcome.names.append((name, new_name))
            return None
    result = job.deidentifier.deidentify_file(source, target)
    outcome.names.append((name, new_name))
    if job.recorded is not None:
        outcome.lines.append(line(new_name, result))
    return result


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
