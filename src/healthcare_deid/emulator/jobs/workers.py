"""`WorkerProcesses`: jobs in child processes.

An instance that crashes its process fails alone.
"""

from __future__ import annotations

import os
import pickle
from contextlib import closing
from itertools import chain, islice
from typing import TYPE_CHECKING

from healthcare_deid.emulator.jobs.execution import InProcess, Job, Outcome, run_job
from healthcare_deid.engine.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from healthcare_deid.emulator.jobs.execution import InstanceDeidentifier

# For up to this many instances, starting processes takes longer than the work itself.
_FEW = 8


class WorkerProcesses:
    """Executor that runs jobs in child processes.

    Args:
        count: Processes per operation. None means one per core, or none for a few instances.
    """

    def __init__(self, count: int | None = None) -> None:
        self._count = count
        self._here = InProcess()

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs.

        Outcomes come in order of completion.
        """
        pending = iter(jobs)
        first = list(islice(pending, _FEW + 1))
        few = self._count is None and len(first) <= _FEW
        # A user's engine may hold objects that cannot be sent to another process.
        if few or not _picklable(engine):
            yield from self._here.run(engine, chain(first, pending), stopping)
            return
        count = min(self._count or os.cpu_count() or 1, len(first))
        # One job per task, so that an instance that kills its process takes no other with it.
        one_by_one = ([job] for job in chain(first, pending))
        with closing(Pool(_run_jobs, engine, _died).run(one_by_one, count, stopping)) as results:
            for outcomes in results:
                yield from outcomes

    def close(self) -> None:
        """Do nothing; every operation ends its own processes."""


def _run_jobs(engine: InstanceDeidentifier, jobs: list[Job]) -> list[Outcome]:
    return [run_job(engine, job) for job in jobs]


def _died(job: Job) -> Outcome:
    return Outcome(job.index, "worker-died", "the worker process of this instance died")


def _picklable(engine: InstanceDeidentifier) -> bool:
    try:
        pickle.dumps(engine)
    except Exception:  # noqa: BLE001 - pickling a user's engine may raise anything
        return False
    return True
