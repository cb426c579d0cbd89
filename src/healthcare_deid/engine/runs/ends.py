"""Selection of a run's source and destination. Only this module knows every kind of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from healthcare_deid.engine.runs.archives import archive_originals, is_archive
from healthcare_deid.engine.runs.naming import default_run
from healthcare_deid.engine.runs.object_stores import MEMORY, ObjectOriginals, ObjectStore
from healthcare_deid.engine.runs.originals import FileOriginals, FolderOriginals, ListOriginals, Originals
from healthcare_deid.engine.runs.stores import FolderStore, Store
from healthcare_deid.engine.runs.urls import is_url, scheme_of
from healthcare_deid.engine.safe_errors import path_of
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from os import PathLike

_DICOMDIR = "DICOMDIR"
_DICOM_STORE = (
    "{}: a DICOM store is given as DicomStoreOriginals or DicomStoreResults of healthcare_deid.dicom_stores; the "
    "command line takes its name and its URL"
)


def originals_of(given: Any) -> Originals:
    """Return the originals for a source argument.

    Args:
        given: A path, a URL, a list of paths, or originals.

    Raises:
        TypeError: It is something else.
        ConfigError: Runs cannot read from such a URL.
        NotADirectoryError: The path is neither a folder nor a file.
    """
    if isinstance(given, list | tuple):
        return ListOriginals(path_of(_local("source", one), "source") for one in given)
    if isinstance(given, Originals):
        return given
    place = _local("source", given, urls=True)
    if isinstance(place, str):
        if is_archive(Path(place)):
            raise ConfigError("source: an archive is read from this machine only: copy it here first")
        return ObjectOriginals(place)
    if place.is_file():
        if place.name == _DICOMDIR:  # a CD: the files it refers to are beside it
            return FolderOriginals(place.parent)
        return archive_originals(place) if is_archive(place) else FileOriginals(place)
    if not place.is_dir():
        raise NotADirectoryError("the source is neither a folder nor a file")
    return FolderOriginals(place)


def store_of(given: Any) -> Store:
    """Return the store for a destination argument.

    Args:
        given: A path, a URL, or a store.

    Raises:
        TypeError: It is something else.
        ConfigError: Runs cannot write to such a URL.
    """
    if isinstance(given, Store):
        return given
    place = _local("destination", given, urls=True)
    return ObjectStore(place) if isinstance(place, str) else FolderStore(place)


def run_folder_of(run: str | PathLike[str] | None, store: Store) -> Path:
    """Return the run folder: the given one, or the default beside the destination.

    Raises:
        ConfigError: The destination is not a local folder, and no run folder was given.
    """
    if run is not None:
        return path_of(run, "run")
    if store.folder is None:
        raise ConfigError("run: a destination that is not a folder needs a run folder on this machine (--run DIR)")
    return default_run(store.folder)


def folders_of(originals: Originals, store: Store) -> list[Path]:
    """Return the local folders of both ends, for those that have one."""
    sources = originals.paths if isinstance(originals, ListOriginals) else (originals.folder,)
    return [folder for folder in (*sources, store.folder) if folder is not None]


def check_apart(originals: Originals, store: Store) -> None:
    """Raise ValueError if one end contains the other.

    Raises:
        ValueError: The destination is inside the source, or the source inside the destination.
    """
    if isinstance(originals, ListOriginals) and store.folder is not None:
        new = store.folder.resolve()
        inside = any(path.is_dir() and new.is_relative_to(path.resolve()) for path in originals.paths)
        around = any(folder.resolve().is_relative_to(new) for folder in {path.parent for path in originals.paths})
    elif originals.folder is not None and store.folder is not None:
        old, new = originals.folder.resolve(), store.folder.resolve()
        inside, around = new.is_relative_to(old), old.is_relative_to(new)
    else:
        inside, around = _is_below(store.url, originals.url), _is_below(originals.url, store.url)
    if inside:
        raise ValueError("the destination is inside the source: results would be taken for input")
    if around:
        raise ValueError("the source is inside the destination: originals would be among the results, or be replaced")


def workers_for(originals: Originals, store: Store, workers: Any) -> int | None:
    """Return the number of processes a run may use. A store in memory allows only one.

    Raises:
        ValueError: *workers* is not positive, or too large for such a store.
    """
    if not (workers is None or (isinstance(workers, int) and workers >= 1)):
        raise ValueError("workers: a number of processes is needed, at least 1")
    if MEMORY not in (scheme_of(originals.url), scheme_of(store.url)):
        return workers
    if workers not in (None, 1):
        raise ValueError("workers: memory:// exists in this process only, so workers must be 1")
    return 1


def _local(argument: str, given: Any, *, urls: bool = False) -> Path | str:
    """Return a local path, or a URL if one is allowed."""
    if not isinstance(given, str) or not is_url(given):
        return path_of(given, argument)
    scheme = scheme_of(given)
    if scheme == "file":
        parts = urlsplit(given)
        if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
            raise ConfigError(f"{argument}: a file:// URL is file:///path, percent-encoded, on this machine")
        return Path(url2pathname(parts.path))
    if scheme in ("http", "https"):
        raise ConfigError(_DICOM_STORE.format(argument))
    if not urls:
        raise ConfigError(f"{argument}: a list holds paths of this machine; give one URL, without a list")
    return given


def _is_below(inner: str, outer: str) -> bool:
    return bool(outer) and f"{inner}/".startswith(f"{outer.rstrip('/')}/")
