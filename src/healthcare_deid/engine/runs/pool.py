"""Entries handed to worker processes in chunks: one that dies is replaced, and what it may have died of is told."""

from __future__ import annotations

import queue
import threading
from functools import partial
from typing import TYPE_CHECKING, Self

from healthcare_deid.engine.runs.work import CRASHED, Found, work
from healthcare_deid.engine.workers import Worker, WorkerDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.engine.runs.originals import Entry
    from healthcare_deid.engine.runs.work import Workplace


class Pool:
    """Processes, each of which has a thread here that feeds it.

    Args:
        place: What every process needs.
        settle: Called with what was found of a chunk, in several threads.
        inherited: Descriptors of locks that the processes keep open.
    """

    def __init__(
        self, place: Workplace, settle: Callable[[list[Found]], None], *, inherited: tuple[int, ...] = ()
    ) -> None:
        self._start = partial(_Feeder, place, inherited)
        self._settle = settle
        self._lock = threading.Lock()
        self._feeders: list[_Feeder] = []
        self._events: queue.SimpleQueue[BaseException | bool] = queue.SimpleQueue()
        """True for a chunk that is settled, False for a thread that has ended."""

    def run(self, chunks: Iterator[list[Entry]], workers: int) -> Iterator[None]:
        """Deal with all chunks; yield now and then, in the caller's own thread."""
        stop = threading.Event()
        threads = [threading.Thread(target=self._feed, args=(chunks, stop), daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        running = workers
        try:
            while running:
                event = self._events.get()
                if isinstance(event, BaseException):
                    raise event
                if event:
                    yield
                else:
                    running -= 1
        finally:
            stop.set()
            if running:
                for feeder in self._feeders:
                    feeder.kill()
            for thread in threads:
                thread.join()

    def _feed(self, chunks: Iterator[list[Entry]], stop: threading.Event) -> None:
        try:
            with self._start(stop) as feeder:
                self._feeders.append(feeder)
                while not stop.is_set() and (chunk := self._next(chunks)):
                    for found in feeder.found(chunk):
                        self._settle(found)
                        self._events.put(True)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._events.put(error)
        finally:
            self._events.put(False)

    def _next(self, chunks: Iterator[list[Entry]]) -> list[Entry]:
        with self._lock:
            return next(chunks, [])


class _Feeder:
    """One process, replaced when it dies. The files it may have died of are tried again, one by one."""

    def __init__(self, place: Workplace, inherited: tuple[int, ...], stop: threading.Event) -> None:
        self._stop = stop
        self._start = partial(Worker, work, place, inherited=inherited)
        self._worker = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.close(kill=self._stop.is_set())

    def kill(self) -> None:
        """End the process in the middle of its work: from another thread, when the run is stopped."""
        self._worker.kill()

    def found(self, chunk: list[Entry]) -> Iterator[list[Found]]:
        """Yield what was found of the entries of a chunk."""
        try:
            yield self._worker.call(chunk)
            return
        except WorkerDied:
            self._replace()
        for entry in chunk:
            if self._stop.is_set():
                return
            try:
                yield self._worker.call([entry])
            except WorkerDied:
                self._replace()
                if not self._stop.is_set():
                    yield [Found(entry.name, CRASHED)]

    def _replace(self) -> None:
        self._worker.close(kill=True)
        if not self._stop.is_set():
            self._worker = self._start()
