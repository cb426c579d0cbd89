"""Worker processes that survive what they work on: plain child interpreters, spoken to over pipes.

`multiprocessing` would import the caller's own script again in every child, which a notebook and a script without an
``if __name__ == "__main__"`` line do not stand; and its pool ends for good when one child dies.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH = struct.Struct("<Q")
_COMMAND = "from healthcare_deid.engine.workers import serve; serve()"
_serving = False


class WorkerDied(Exception):  # noqa: N818 - an event, which the caller deals with
    """The child ended in the middle of its work."""


class Worker:
    """One child process that applies a function to what it is sent.

    Args:
        function: A function of a module, called as ``function(job, argument)``.
        job: Its first argument, sent once.
        inherited: Open descriptors that the child keeps open as long as it lives: locks. Windows has none.
    """

    def __init__(self, function: Callable[[Any, Any], Any], job: object, *, inherited: tuple[int, ...] = ()) -> None:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
            pass_fds=inherited if os.name == "posix" else (),
        )
        self._started = pickle.dumps((function, job))

    def call(self, argument: object) -> Any:
        """Return ``function(job, argument)``.

        Raises:
            WorkerDied: The child ended before it answered.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if self._started:
                _send(self._process.stdin, self._started)
                self._started = b""
            _send(self._process.stdin, pickle.dumps(argument))
            return pickle.loads(_receive(self._process.stdout))  # noqa: S301 - from our own child
        except (OSError, EOFError):
            raise WorkerDied from None

    def kill(self) -> None:
        """End the child at once; whoever waits for its answer gets `WorkerDied`."""
        self._process.kill()

    def close(self, *, kill: bool = False) -> None:
        """End the child: when it has nothing left to read, or at once."""
        if kill:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # it ended first, with something unsent
                    pipe.close()
        self._process.wait()


def in_worker() -> bool:
    """Return whether this process is such a child: the processes share the cores out, and each uses one."""
    return _serving


def serve() -> None:
    """Be the child: answer until the parent has nothing more to ask."""
    global _serving  # noqa: PLW0603 - it is a fact about the process
    _serving = True
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the answers
    try:
        function, job = pickle.loads(_receive(requests))  # noqa: S301 - from our own parent
        while True:
            argument = pickle.loads(_receive(requests))  # noqa: S301 - from our own parent
            _send(answers, pickle.dumps(function(job, argument)))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        return
    except Exception as error:  # noqa: BLE001 - its text may quote data, and would go to the terminal
        sys.exit(f"a worker process ended: {type(error).__name__}")


def _send(pipe: Any, data: bytes) -> None:
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: BinaryIO | Any) -> bytes:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    data: bytes = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return data
