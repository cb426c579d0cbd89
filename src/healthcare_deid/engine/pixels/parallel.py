"""Parallel work on frames: results in order, and a bounded number of them ahead of the consumer."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from healthcare_deid.engine.workers import in_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

A = TypeVar("A")
R = TypeVar("R")
AHEAD = 2
"""Pending results per thread; bounds the memory."""


def ordered(function: Callable[[A], R], arguments: Iterable[A], workers: int) -> Iterator[R]:
    """Yield ``function(argument)`` for every argument, in order, computed by *workers* threads."""
    if workers <= 1:
        yield from map(function, arguments)
        return
    with ThreadPoolExecutor(workers, thread_name_prefix="pixels") as pool:
        pending: deque[Future[R]] = deque()
        try:
            for argument in arguments:
                pending.append(pool.submit(function, argument))
                if len(pending) > AHEAD * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def default_workers() -> int:
    """Return the default number of threads: one per core, or one in a child process whose siblings use the others."""
    if in_worker() or multiprocessing.parent_process() is not None:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
