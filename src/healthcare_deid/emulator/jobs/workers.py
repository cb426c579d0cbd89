"""Jobs in worker processes. An instance that kills its process costs only itself."""

from __future__ import annotations

import os
import pickle
import queue
import threading
from itertools import chain, islice
from typing import TYPE_CHECKING

from healthcare_deid.emulator.jobs.execution import InProcess, Job, Outcome, run_job
from healthcare_deid.engine.workers import Worker, WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from healthcare_deid.emulator.jobs.execution import InstanceDeidentifier

_FEW = 8
"""Up to this many instances, starting processes takes longer than the work."""
_LOOK_AGAIN = 0.1
"""Seconds between checks for a stop."""


class WorkerProcesses:
    """Runs jobs in child processes.

    Args:
        count: Processes of one operation. None: one for each core, but none for a few instances.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count
        self._here = InProcess()

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs; outcomes come in order of completion."""
        pending = iter(jobs)
        first = list(islice(pending, _FEW + 1))
        few = self._count is None and len(first) <= _FEW
        if few or not _picklable(engine):
            yield from self._here.run(engine, chain(first, pending), stopping)
            return
        count = min(self._count or os.cpu_count() or 1, len(first))
        yield from _Run(engine, chain(first, pending), count).outcomes(stopping)

    def close(self) -> None:
        """Do nothing: every operation ends its own processes."""


class _Run:
    """The processes of one operation, with a thread for each."""

    def __init__(self, engine: InstanceDeidentifier, jobs: Iterator[Job], count: int) -> None:
        self._engine = engine
        self._jobs = jobs
        self._taking = threading.Lock()
        self._results: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self._workers: set[Worker] = set()
        self._stopped = False
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(count)]

    def outcomes(self, stopping: Callable[[], bool]) -> Generator[Outcome]:
        """Yield outcomes until all jobs are done; kill the processes if the operation should stop."""
        running = len(self._threads)
        for thread in self._threads:
            thread.start()
        try:
            while running:
                try:
                    outcome = self._results.get(timeout=_LOOK_AGAIN)
                except queue.Empty:
                    if stopping():
                        return
                    continue
                if outcome is None:
                    running -= 1
                else:
                    yield outcome
                    if stopping():
                        return
        finally:
            self._stop()

    def _serve(self) -> None:
        worker: Worker | None = None
        try:
            while (job := self._next()) is not None:
                worker = worker or self._start()
                if worker is None:
                    return
                try:
                    outcome: Outcome = worker.call(job)
                except (WorkerDied, ValueError):  # a pipe that `_stop` closed in the middle is a ValueError
                    self._end(worker, kill=True)
                    worker = None
                    outcome = Outcome(job.index, "worker-died", "the process that worked on this instance ended")
                self._results.put(outcome)
        finally:
            if worker is not None:
                self._end(worker)
            self._results.put(None)

    def _next(self) -> Job | None:
        with self._taking:
            return None if self._stopped else next(self._jobs, None)

    def _start(self) -> Worker | None:
        with self._taking:
            if self._stopped:
                return None
            worker = Worker(_call, self._engine)
            self._workers.add(worker)
            return worker

    def _end(self, worker: Worker, *, kill: bool = False) -> None:
        with self._taking:
            mine = worker in self._workers
            self._workers.discard(worker)
        if mine:
            worker.close(kill=kill)

    def _stop(self) -> None:
        with self._taking:
            self._stopped = True
            workers, self._workers = self._workers, set()
        for worker in workers:
            worker.close(kill=True)
        for thread in self._threads:
            thread.join()


def _call(engine: InstanceDeidentifier, job: Job) -> Outcome:
    return run_job(engine, job)


def _picklable(engine: InstanceDeidentifier) -> bool:
    try:
        pickle.dumps(engine)
    except Exception:  # noqa: BLE001 - a caller's engine may refuse in any way
        return False
    return True
