"""The pool of worker processes, for folders and for the emulator's operations: one rule for a worker that dies."""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from healthcare_deid.engine.workers import Worker, WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

T = TypeVar("T")
R = TypeVar("R")

_LOOK_AGAIN = 0.1
"""Seconds between questions whether to stop, while no worker answers."""


class Pool(Generic[T, R]):
    """Processes, each of which has a thread here that feeds it.

    A process that dies is replaced, and what it was given is tried again, one by one: it may have died of any of it, or
    of memory that others took. What kills a process on its own has failed.

    Args:
        function: A function of a module, called in a process as ``function(job, chunk)``; returns a result for each.
        job: Its first argument, sent to each process once.
        died: Returns the result for what killed its process.
        settle: Called with the results of a chunk, in several threads, before `run` yields them.
        inherited: Descriptors of locks that the processes keep open.
    """

    def __init__(
        self,
        function: Callable[[Any, list[T]], list[R]],
        job: object,
        died: Callable[[T], R],
        *,
        settle: Callable[[list[R]], object] | None = None,
        inherited: tuple[int, ...] = (),
    ) -> None:
        self._start = partial(_Feeder[T, R], partial(Worker, function, job, inherited=inherited), died)
        self._settle = settle
        self._lock = threading.Lock()
        self._feeders: list[_Feeder[T, R]] = []
        self._events: queue.SimpleQueue[BaseException | list[R] | None] = queue.SimpleQueue()
        """The results of a chunk, None for a thread that has ended."""

    def run(
        self, chunks: Iterator[list[T]], workers: int, stopping: Callable[[], bool] | None = None
    ) -> Generator[list[R]]:
        """Deal with all chunks; yield results as they come, in the caller's own thread.

        Closing the generator, and ``stopping()``, end the processes in the middle of their work.
        """
        stop = threading.Event()
        threads = [threading.Thread(target=self._feed, args=(chunks, stop), daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        running = workers
        try:
            while running:
                try:
                    event = self._events.get(timeout=None if stopping is None else _LOOK_AGAIN)
                except queue.Empty:
                    if stopping is not None and stopping():
                        return
                    continue
                if isinstance(event, BaseException):
                    raise event
                if event is None:
                    running -= 1
                    continue
                yield event
                if stopping is not None and stopping():
                    return
        finally:
            stop.set()
            if running:
                with self._lock:
                    feeders = list(self._feeders)
                for feeder in feeders:
                    feeder.kill()
            for thread in threads:
                thread.join()

    def _feed(self, chunks: Iterator[list[T]], stop: threading.Event) -> None:
        try:
            with self._start(stop) as feeder:
                with self._lock:
                    self._feeders.append(feeder)
                while not stop.is_set() and (chunk := self._next(chunks)):
                    for results in feeder.results(chunk):
                        if self._settle is not None:
                            self._settle(results)
                        self._events.put(results)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._events.put(error)
        finally:
            self._events.put(None)

    def _next(self, chunks: Iterator[list[T]]) -> list[T]:
        with self._lock:
            return next(chunks, [])


class _Feeder(Generic[T, R]):
    """One process, replaced when it dies."""

    def __init__(self, start: Callable[[], Worker], died: Callable[[T], R], stop: threading.Event) -> None:
        self._start = start
        self._died = died
        self._stop = stop
        self._lock = threading.Lock()
        self._worker = start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.close(kill=self._stop.is_set())

    def kill(self) -> None:
        """End the process in the middle of its work: from another thread, when the work is stopped."""
        with self._lock:
            self._worker.kill()

    def results(self, chunk: list[T]) -> Iterator[list[R]]:
        """Yield the results of a chunk; nothing more once the work is stopped."""
        try:
            yield self._worker.call(chunk)
            return
        except WorkerDied:
            self._replace()
        for item in chunk:
            if self._stop.is_set():
                return
            try:
                yield self._worker.call([item])
            except WorkerDied:
                self._replace()
                if not self._stop.is_set():
                    yield [self._died(item)]

    def _replace(self) -> None:
        with self._lock:
            self._worker.close(kill=True)
            if not self._stop.is_set():
                self._worker = self._start()
