"""Lock for one run at a time. The operating system releases it when the process ends, however it ends.

Workers inherit the lock, so a killed run is over only when its last worker has ended.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from healthcare_deid.errors import RunInProgress

if TYPE_CHECKING:
    from pathlib import Path

_POLL = 0.05
_ORPHANS_END_WITHIN = 60.0
"""Seconds to wait for orphaned workers, which end after their current file."""
_FAR = 1 << 20
"""Offset of the locked byte, beyond the text: Windows prevents reading locked bytes."""
_TAKEN = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES})


class RunLock:
    """Exclusive right to write to a destination and its run folder, as a context manager.

    Args:
        file: Lock file in the run folder. It names the owner.
        name: Name of the run.
        destination: Local folder to lock as well, because another run folder may use it.

    Attributes:
        descriptors: File descriptors that workers inherit while the lock is held.

    Raises:
        RunInProgress: Another run holds the lock.
    """

    def __init__(self, file: Path, name: str, destination: Path | None) -> None:
        self._file = file
        self._owner = {"run": name, "process": os.getpid(), "host": socket.gethostname()}
        self._destination = destination
        self._held = contextlib.ExitStack()
        self.descriptors: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        with contextlib.ExitStack() as held:
            held.callback(os.close, descriptor)
            self._take(descriptor)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps(self._owner).encode())
            if self._destination is not None and os.name == "posix":
                folder = os.open(self._destination, os.O_RDONLY)
                held.callback(os.close, folder)
                if not _lock(folder):
                    raise RunInProgress(
                        "another run, which has another run folder, is at work on this destination: wait for its end, "
                        "or stop it"
                    )
                self.descriptors = (descriptor, folder)
            else:
                self.descriptors = (descriptor,)
            self._held = held.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()
        self.descriptors = ()

    def _take(self, descriptor: int) -> None:
        until = time.monotonic() + _ORPHANS_END_WITHIN
        while not _lock(descriptor):
            owner = self._found()
            if not self._is_dead(owner) or time.monotonic() > until:
                raise RunInProgress(
                    f"the run {owner.get('run', 'of another process')} is at work on this destination "
                    f"(process {owner.get('process', '?')} on {owner.get('host', '?')}): wait for its end, or stop it"
                )
            time.sleep(_POLL)

    def _found(self) -> dict[str, object]:
        try:
            return dict(json.loads(self._file.read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    def _is_dead(self, owner: dict[str, object]) -> bool:
        process = owner.get("process")
        if owner.get("host") != self._owner["host"] or not isinstance(process, int):
            return False
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Return whether a process is a zombie; False if the system does not say."""
    with suppress(OSError), open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - not a path of ours
        return file.read().rpartition(b")")[2].split()[:1] == [b"Z"]
    return False


def _lock(descriptor: int) -> bool:
    """Try to take the lock for this process and those that inherit the descriptor; return whether it was free."""
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore] # pyright: ignore[reportAttributeAccessIssue, reportUnnecessaryTypeIgnoreComment]
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True
