"""`DaemonPool`: worker threads that never keep a program alive.

The interpreter joins the threads of a ``ThreadPoolExecutor`` at exit, daemon or not. Ctrl-C would then wait for a poll
that hangs.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class DaemonPool(Executor):
    """Executor with up to *size* daemon threads.

    The threads end after `shutdown`.
    """

    def __init__(self, size: int, name: str) -> None:
        self._size = size
        self._name = name
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function on a worker thread.

        Raises:
            RuntimeError: The pool has been shut down.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._over:
                raise RuntimeError("the pool has been shut down")
            self._work.put((future, partial(fn, *args, **kwargs)))
            if self._idle:
                # Reserved now: until that thread takes the work, a second submit() would count on it too.
                self._idle -= 1
            elif len(self._threads) < self._size:
                name = f"{self._name}_{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._run, name=name, daemon=True))
                self._threads[-1].start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the threads end after their remaining work.

        Args:
            wait: Ignored; a request that hangs must not block the caller.
            cancel_futures: Whether to cancel work that has not started.
        """
        del wait
        with self._lock:
            self._over = True
            while cancel_futures and not self._work.empty():
                item = self._work.get_nowait()
                if item is not None:
                    item[0].cancel()
            for _ in self._threads:
                self._work.put(None)

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            _work(*item)
            del item  # an idle thread must not keep its last work alive
            with self._lock:
                self._idle += 1


def _work(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001 - result() raises it in the caller
        future.set_exception(error)
    else:
        future.set_result(result)
