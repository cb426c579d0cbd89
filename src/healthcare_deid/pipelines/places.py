"""Files by path or URL: paths by the system's own means, URLs through fsspec."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX, beside
from healthcare_deid.engine.runs.urls import file_system, is_url
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAGIC = frozenset("*?[")


def folder(place: str) -> str:
    """Return a folder's place without what is at its end or only says where we are: names are added to it.

    Raises:
        ConfigError: It is empty, or a pattern.
    """
    if not place.strip("/") or _MAGIC & set(place):
        raise ConfigError("destination: a folder is needed, as a path or a URL")
    return place.rstrip("/") if is_url(place) else os.path.normpath(place)


def check_apart(source: str, destination: str) -> None:
    """Refuse a destination that is inside the source, or around it.

    Raises:
        ConfigError: It is.
    """
    if is_url(source) != is_url(destination):
        return
    fixed = source[: min((source.index(sign) for sign in _MAGIC & set(source)), default=len(source))]
    old, new = (
        f"{place.rstrip('/')}/" if is_url(place) else f"{Path(place).resolve()}/" for place in (fixed, destination)
    )
    if old.startswith(new):
        raise ConfigError("the source is inside the destination: originals would be among the results")
    if new.startswith(old) and (fixed == source or "**" in source):
        raise ConfigError("the destination is inside the source: results would be taken for input")


def matching(pattern: str) -> Iterator[str]:
    """Yield the files that a file's name, a folder's, or a glob stands for, in order; those below folders too.

    Raises:
        FileNotFoundError: No file matches.
        OSError: A folder cannot be listed.
    """
    found = sorted(_matching(pattern))
    if not found:
        raise FileNotFoundError("the input matches no file")
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

        roots = glob.glob(pattern, recursive=True)  # noqa: PTH207 - it takes absolute patterns too
    else:
        roots = [pattern]
    for root in roots:
        if Path(root).is_file():
            yield root
        elif Path(root).is_dir():
            for folder, _, names in os.walk(root, onerror=_unlisted):
                yield from (f"{folder}/{name}" for name in names if not name.endswith(PARTIAL_SUFFIX))


def _unlisted(error: OSError) -> None:
    """Refuse to pass over a folder that cannot be listed."""
    raise OSError(f"a folder of the input cannot be listed ({type(error).__name__})")


def opened(place: str) -> BinaryIO:
    """Open a file to read.

    Raises:
        OSError: It cannot be opened.
    """
    if is_url(place):
        system, path = file_system(place)
        return cast("BinaryIO", system.open(path, "rb"))
    return Path(place).open("rb")


def read(place: str) -> bytes:
    """Return a file's content.

    Raises:
        OSError: It cannot be read.
    """
    with opened(place) as file:
        return file.read()


def write(place: str, data: bytes) -> None:
    """Write a file, whole or not at all; object stores do so by themselves.

    Raises:
        OSError: It cannot be written.
    """
    if is_url(place):
        system, path = file_system(place)
        system.makedirs(path.rpartition("/")[0], exist_ok=True)
        system.pipe_file(path, data)
        return
    with beside(Path(place)) as descriptor, open(descriptor, "wb", closefd=False) as file:
        file.write(data)


def move(old: str, new: str) -> None:
    """Give a file another name, in place of what has it. One that has moved already is left where it is.

    Raises:
        OSError: It cannot be moved, or is in neither place.
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
    """Remove a file, or a folder with all that is in it, if it is there."""
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
