"""Object stores as source and destination of a run, through fsspec: ``s3://bucket/prefix``, ``memory://name``.

An object appears under its name when it is complete, so results need no temporary name. A store without this property
is not accepted as a destination. Errors never contain an object's name or URL.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.dicom.atomic_write import PARTIAL_SUFFIX
from healthcare_deid.engine.runs.originals import PARTIAL, Entry
from healthcare_deid.engine.runs.stores import StagedStore
from healthcare_deid.engine.runs.temporary import temporary_file
from healthcare_deid.engine.runs.urls import file_system, scheme_of
from healthcare_deid.errors import ConfigError, DeidError, EngineError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

MEMORY = "memory"
WHOLE = frozenset({MEMORY, "s3", "s3a"})
"""Schemes of stores in which objects appear atomically, as verified by tests."""
_AT_ONCE = 1 << 26
"""Bytes sent in one request."""
_ITSELF = 1
"""Number of the only entry when the source is a single object and not a prefix."""


class _Bucket:
    """Location in an object store. It can be pickled; every process opens the store anew.

    Args:
        url: The URL.

    Raises:
        ConfigError: The URL names no bucket, or is not one of a store.
        MissingExtraError: The package for its scheme is not installed.
    """

    def __init__(self, url: str) -> None:
        if "::" in url or "?" in url:
            raise ConfigError("a URL of an object store is scheme://bucket/prefix, without '::' and '?'")
        self._given = url
        self._open()

    def _open(self) -> None:
        # Avoid a stale listing: objects written by this run count.
        options = {"use_listings_cache": False, "skip_instance_cache": True}
        self._system, path = file_system(self._given, **options)
        self._root = path.rstrip("/")
        if not self._root.strip("/"):
            raise ConfigError("the URL of an object store names no bucket")

    def __getstate__(self) -> dict[str, Any]:
        return {"_given": self._given}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._given = state["_given"]
        self._open()

    @property
    def url(self) -> str:
        """URL in fsspec's own spelling."""
        return str(self._system.unstrip_protocol(self._root))

    def _sizes(self) -> dict[str, int]:
        """Return the sizes of all objects below this location, by relative name.

        An object at the location itself has an empty name. The listing is flat, because listing by folders would lose
        names with an empty part (``a//b``).
        """
        with _told():
            found: dict[str, dict[str, Any]] = self._system.find(self._root, detail=True)
        # An empty object whose name ends in a slash stands for a folder.
        return {
            name[len(self._root) + 1 :]: info["size"]
            for name, info in found.items()
            if info["type"] == "file" and not (name.endswith("/") and not info["size"])
        }


class ObjectOriginals(_Bucket):
    """Objects below a prefix, or a single object.

    Args:
        url: The URL.
    """

    folder = None

    _listed: dict[str, int] | None = None
    """Listing made for the count and not used yet, so that a bucket is listed once a run."""

    def count(self) -> int | None:
        """Return the number of objects."""
        self._listed = self._sizes()
        return len(self._listed)

    def entries(self) -> Iterator[Entry]:
        """Yield the objects, sorted by name.

        Raises:
            EngineError: They cannot be listed.
        """
        listed, self._listed = self._listed, None
        for name, size in sorted((self._sizes() if listed is None else listed).items()):
            trouble = PARTIAL if name.endswith(PARTIAL_SUFFIX) else None
            if name:
                yield Entry(name, trouble, size=size)
            else:
                yield Entry(self._root.rpartition("/")[2], trouble, number=_ITSELF, size=size)

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield a temporary file that holds the object's bytes.

        Raises:
            EngineError: It cannot be read, or its length has changed since it was listed.
        """
        with temporary_file() as path:
            with _told():
                name = self._root if entry.number == _ITSELF else f"{self._root}/{entry.name}"
                self._system.get_file(name, str(path))
            if entry.size is not None and path.stat().st_size != entry.size:
                raise EngineError("the object was replaced or cut off while it was read", reason="io-error")
            yield path


class ObjectStore(_Bucket, StagedStore):
    """Objects below a prefix, as a destination.

    Args:
        url: The URL.

    Raises:
        ConfigError: Results would not appear atomically there.
    """

    def __init__(self, url: str) -> None:
        if scheme_of(url) not in WHOLE:
            schemes = ", ".join(f"{scheme}://" for scheme in sorted(WHOLE))
            raise ConfigError(f"destination: a folder is needed, or one of {schemes}, where results appear whole")
        super().__init__(url)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._staging = state["_staging"]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_staging": self._staging}

    def names(self) -> Iterator[str]:
        """Yield the names of the objects."""
        yield from self._sizes()

    def has(self, name: str, size: int | None = None) -> bool:
        """Return whether an object of that length exists."""
        with _told():
            try:
                info = self._system.info(f"{self._root}/{name}")
            except FileNotFoundError:
                return False
        return info["type"] == "file" and size in (None, info["size"])

    def commit(self, staged: Path, name: str) -> None:
        """Upload the staged file.

        Raises:
            OSError: It cannot be read.
            EngineError: It cannot be written.
        """
        place = f"{self._root}/{name}"
        with _told():
            if staged.stat().st_size <= _AT_ONCE:
                self._system.pipe_file(place, staged.read_bytes())
            else:
                self._system.put_file(str(staged), place)
        staged.unlink()

    def remove(self, name: str) -> None:
        """Remove an object."""
        with _told(), suppress(FileNotFoundError):
            self._system.rm_file(f"{self._root}/{name}")


@contextmanager
def _told() -> Generator[None]:
    """Replace errors of the store, whose texts quote buckets and keys."""
    try:
        yield
    except (DeidError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - every store raises its own exceptions
        number = error.errno if isinstance(error, OSError) else None
        if number is None:
            number = errno.ENOENT if isinstance(error, FileNotFoundError) else 0
        words = os.strerror(number) if number else type(error).__name__
        raise EngineError(f"the object store cannot be used here: {words}", reason="io-error") from None
