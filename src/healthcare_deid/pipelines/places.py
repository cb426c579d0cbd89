"""Files by path or URL.

Paths use the operating system, URLs use fsspec.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX, beside
from healthcare_deid.engine.runs.urls import file_system, is_url
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = frozenset("*?[")  # glob characters


def folder(place: str) -> str:
    """Normalize the path or URL of the destination folder.

    File names are appended to it, so it gets no trailing separator.

    Raises:
        ConfigError: *place* is empty or a pattern.
    """
    if not place.strip("/") or _MAGIC & set(place):
        raise ConfigError("destination: must be a folder, as a path or a URL")
    return place.rstrip("/") if is_url(place) else os.path.normpath(place)


def check_apart(source: str, destination: str) -> None:
    """Check that source and destination are not inside each other.

    Raises:
        ConfigError: One is inside the other.
    """
    if is_url(source) != is_url(destination):
        return
    # The part of a glob before its first wildcard.
    fixed = source[: min((source.index(sign) for sign in _MAGIC & set(source)), default=len(source))]
    old, new = (
        f"{place.rstrip('/')}/" if is_url(place) else f"{Path(place).resolve()}/" for place in (fixed, destination)
    )
    if old.startswith(new):
        raise ConfigError("the source is inside the destination: originals would be mixed with results")
    if new.startswith(old) and (fixed == source or "**" in source):
        raise ConfigError("the destination is inside the source: results would be read as input")


def matching(pattern: str) -> Iterator[str]:
    """Yield the files of a path, folder or glob in sorted order.

    Folders are read recursively.

    Raises:
        FileNotFoundError: No file matches.
        OSError: A folder cannot be listed.
    """
    found = sorted(_matching(pattern))
    if not found:
        raise FileNotFoundError("no file matches the input")
    yield from found


def _matching(pattern: str) -> Iterator[str]:
    if is_url(pattern):
        system, path = file_system(pattern)
        roots = system.glob(path) if _MAGIC & set(path) else [path]
        for root in roots:
            yield from (system.unstrip_protocol(name) for name in system.find(root))
        return
    if _MAGIC & set(pattern):
        import glob

        roots = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    else:
        roots = [pattern]
    for root in roots:
        if Path(root).is_file():
            yield root
        elif Path(root).is_dir():
            for folder, _, names in os.walk(root, onerror=_unlisted):
                # Files of an interrupted write are not input.
                yield from (f"{folder}/{name}" for name in names if not name.endswith(PARTIAL_SUFFIX))


def _unlisted(error: OSError) -> None:
    """Raise the error, because ``os.walk`` skips a folder that it cannot list."""
    raise OSError(f"a folder of the input cannot be listed ({type(error).__name__})")


def opened(place: str) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: The file cannot be opened.
    """
    if is_url(place):
        system, path = file_system(place)
        return cast("BinaryIO", system.open(path, "rb"))
    return Path(place).open("rb")


def read(place: str) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: The file cannot be read.
    """
    with opened(place) as file:
        return file.read()


def write(place: str, data: bytes) -> None:
    """Write a file atomically.

    Object stores do so by themselves.

    Raises:
        OSError: The file cannot be written.
    """
    if is_url(place):
        system, path = file_system(place)
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, data)
        return
    with beside(Path(place)) as descriptor, open(descriptor, "wb", closefd=False) as file:
        file.write(data)


def move(old: str, new: str) -> None:
    """Move a file, replacing an existing one.

    A file that has already been moved is left alone, because runners retry bundles.

    Raises:
        OSError: The file cannot be moved, or does not exist in either place.
    """
    if is_url(old):
        system, path = file_system(old)
        target = file_system(new)[1]
        if not system.exists(path) and system.exists(target):
            return
        system.makedirs(target.rpartition("/")[0], exist_ok=True)
        system.mv(path, target)
        return
    Path(new).parent.mkdir(parents=True, exist_ok=True)
    try:
        Path(old).replace(new)
    except FileNotFoundError:
        if not Path(new).is_file():
            raise


def remove(place: str) -> None:
    """Remove a file or a folder with its content, if it exists."""
    if is_url(place):
        system, path = file_system(place)
        if system.exists(path):
            system.rm(path, recursive=True)
        return
    local = Path(place)
    if local.is_dir():
        import shutil

        shutil.rmtree(local, ignore_errors=True)
    else:
        local.unlink(missing_ok=True)
