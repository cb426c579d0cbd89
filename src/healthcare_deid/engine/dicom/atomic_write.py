"""Atomic writes of result files.

A result appears under its name only when it is complete.

Unchanged ranges of the source are copied through one reusable buffer per thread.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from healthcare_deid.engine.dicom.sources import Range, Source

PARTIAL_SUFFIX = ".healthcare-deid.part"
"""Suffix of a file that is still being written."""
OWNER_ONLY = 0o600
"""Permissions of files that only their owner may read."""
# Large writes through a buffer were faster than sendfile, which works page by page, above all where the range moves
# within its pages.
_BUFFER = 1 << 20
# O_EXCL refuses an existing file. O_BINARY exists on Windows only, which would otherwise translate line breaks.
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# One buffer per thread, because threads may write results at the same time.
_LOCAL = threading.local()


def partial_path(destination: str | os.PathLike[str]) -> str:
    """Return a new random file name in the destination's folder."""
    # Random, and not the process number: in containers every process may have the same number.
    folder = os.path.dirname(os.fspath(destination)) or os.curdir  # noqa: PTH120 - pathlib takes several times as long
    return f"{folder}/.{os.urandom(8).hex()}{PARTIAL_SUFFIX}"


@contextmanager
def beside(destination: Path, mode: int = 0o666) -> Generator[int]:
    """Open a temporary file that replaces the destination on success.

    On failure the temporary file is removed. A destination that already has a partial file's name is written directly,
    as its owner renames it.

    Args:
        destination: The file.
        mode: Its permissions, before the process's umask.

    Returns:
        A context manager that yields the file descriptor.

    Raises:
        OSError: The file cannot be created or renamed, or the destination is a device, a pipe or a socket.
    """
    final = os.fspath(destination)
    partial = final if final.endswith(PARTIAL_SUFFIX) else partial_path(final)
    if partial != final:
        _refuse_special(final)
    try:
        descriptor = os.open(partial, _NEW, mode)
    except FileNotFoundError:
        destination.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(partial, _NEW, mode)
    try:
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        if partial != final:
            os.replace(partial, final)  # noqa: PTH105 - see above
    except BaseException:
        with suppress(OSError):
            os.unlink(partial)  # noqa: PTH108 - see above
        raise


def _refuse_special(path: str) -> None:
    """Raise OSError for what is no file: the superuser's rename would put one in the place of ``/dev/null``."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - see above
    except OSError:
        return  # nothing is there; whatever else is wrong, the opening tells
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "the destination is a device, a pipe or a socket: name a file")


def existing_parent(path: Path) -> Path:
    """Return the nearest existing parent folder, which is on the same disk."""
    return next(parent for parent in path.absolute().parents if parent.is_dir())


def remove_partial_files(folder: Path) -> None:
    """Remove partial files that earlier runs left in a folder tree."""
    for path in folder.rglob(f"*{PARTIAL_SUFFIX}"):
        path.unlink(missing_ok=True)


def write_pieces(pieces: Iterable[bytes | Range], source: Source, destination: Path) -> None:
    """Write bytes and ranges of the source to a new file.

    Raises:
        OSError: The file cannot be written.
        InvalidDicomError: The source ends before a range does.
    """
    with beside(destination) as target:
        copy_pieces(pieces, source, target)


def copy_pieces(pieces: Iterable[bytes | Range], source: Source, target: int) -> None:
    """Write bytes and ranges of the source to an open file.

    Args:
        pieces: The bytes and ranges, in order.
        source: The file that the ranges refer to.
        target: Descriptor of the open file.

    Raises:
        OSError: The file cannot be written.
        InvalidDicomError: The source ends before a range does.
    """
    pending: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            pending.append(piece)
        else:
            _copy(b"".join(pending), source, piece, target)
            pending = []
    _write(target, memoryview(b"".join(pending)))


def _copy(before: bytes, source: Source, piece: Range, target: int) -> None:
    """Write some bytes and a range of the source.

    Usually one system call suffices.
    """
    buffer = _buffer()
    filled = len(before)
    if filled > _BUFFER // 2:
        _write(target, memoryview(before))
        filled = 0
    else:
        buffer[:filled] = before
    offset, left = piece
    while left:
        done = source.read_into(buffer[filled : filled + left], offset)
        if not done:
            raise InvalidDicomError("the file was truncated while it was read", reason="truncated")
        _write(target, buffer[: filled + done])
        filled = 0
        offset += done
        left -= done


def _write(target: int, data: memoryview) -> None:
    while data:
        data = data[os.write(target, data) :]


def _buffer() -> memoryview:
    """Return this thread's buffer."""
    try:
        buffer: memoryview = _LOCAL.buffer
    except AttributeError:
        buffer = _LOCAL.buffer = memoryview(bytearray(_BUFFER))
    return buffer
