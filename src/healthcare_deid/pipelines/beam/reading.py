"""`ReadInstances`: files, archives and DICOM stores as (name, bytes)."""

from __future__ import annotations

import os
import tarfile
import zipfile
from contextlib import closing, nullcontext
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam

from healthcare_deid.dicom_stores import StoreReader, is_store
from healthcare_deid.errors import ConfigError, DeidError
from healthcare_deid.pipelines import places
from healthcare_deid.pipelines.beam.common import DEAD, Counters, DeadLetter, dead_letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BATCH = 32
"""Files that a worker gets at once: reading a small one takes less than handing it over."""
# Runners pass elements as protocol buffers, which end at 2 GiB.
_LARGEST = 2_000_000_000
_TOO_LARGE = "the file has 2 GB or more, too large for an element of a pipeline: use Deidentifier.deidentify_file"
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
_UNREADABLE = "the file cannot be read"


class InstancesRead(NamedTuple):
    """Outputs of `ReadInstances`: two PCollections.

    Attributes:
        instances: Pairs of name and bytes.
        dead_letters: A `DeadLetter` for each file that cannot be read.
    """

    instances: Any
    dead_letters: Any


class ReadInstances(beam.PTransform):
    """Read files, archives and DICOM stores.

    Files are not checked for being DICOM.

    Args:
        source: One or more sources. A source is a file, a folder (read recursively) or a glob, as a path or as a URL
            that fsspec opens, or the full name of a DICOM store. Members of ``.zip``, ``.tar`` and ``.tar.gz`` archives
            are read one by one.
        source_names: Whether dead letters contain source names, which may identify patients.
        endpoint: Endpoint of the service with the stores. Defaults to Google's, or to the emulator named by the
            environment.
        batch: Number of files handed to a worker at once.

    Raises:
        ConfigError: There is no source, or *batch* is less than 1.
    """

    def __init__(
        self,
        source: str | Sequence[str],
        *,
        source_names: bool = False,
        endpoint: str | None = None,
        batch: int = BATCH,
    ) -> None:
        super().__init__()
        self._sources = [source] if isinstance(source, str) else list(source)
        if not self._sources or not all(self._sources):
            raise ConfigError("source: must be one or more paths, URLs or names of DICOM stores")
        if batch < 1:
            raise ConfigError("batch: must be 1 or more")
        self._list = _List(endpoint, batch)
        self._read = _Read(endpoint, source_names=source_names)

    def expand(self, begin: Any) -> InstancesRead:
        """Apply the transform."""
        read = (
            begin
            | "Sources" >> beam.Create(self._sources)
            | "List" >> beam.ParDo(self._list)
            # Without it, runners fuse listing and reading, and one worker reads everything.
            | "Spread" >> beam.Reshuffle()
            | "Read" >> beam.ParDo(self._read).with_outputs(DEAD, main="instances")
        )
        return InstancesRead(read["instances"], read[DEAD])

    def display_data(self) -> dict[str, Any]:
        """Return the data shown on the runner's page, without paths."""
        return {"sources": len(self._sources)}


class _List(beam.DoFn):
    """List a source in batches of names."""

    def __init__(self, endpoint: str | None, batch: int) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._batch = batch

    def process(self, element: str) -> Iterator[tuple[str, list[str]]]:
        """Yield batches."""
        store = element if is_store(element) else ""
        with closing(StoreReader(store, self._endpoint)) if store else nullcontext() as reader:
            names = places.matching(element) if reader is None else reader.names()
            while batch := list(islice(names, self._batch)):
                yield store, batch


class _Read(beam.DoFn):
    """Read batches of files."""

    def __init__(self, endpoint: str | None, *, source_names: bool) -> None:
        super().__init__()
        self._endpoint = endpoint
        self._source_names = source_names
        self._counters = Counters("read")
        self._readers: dict[str, StoreReader] = {}

    def setup(self) -> None:
        """Drop connections inherited from the process that built the graph."""
        self._readers = {}

    def teardown(self) -> None:
        """Close all connections."""
        for reader in self._readers.values():
            reader.close()

    def process(self, element: tuple[str, list[str]]) -> Iterator[Any]:
        """Yield (name, bytes) pairs and dead letters."""
        store, names = element
        if store and store not in self._readers:
            self._readers[store] = StoreReader(store, self._endpoint)
        for name in names:
            try:
                for one, data in [(name, self._readers[store].read(name))] if store else _contents(name):
                    yield self._unreadable(one, "too-large", _TOO_LARGE) if data is None else (one, data)
                    self._counters.count("succeeded", int(data is not None))
            except DeidError as error:
                yield self._unreadable(name, "io-error", str(error))
            except Exception as error:  # noqa: BLE001 - archives and file systems raise anything; texts may hold names
                yield self._unreadable(name, "io-error", f"{_UNREADABLE} ({type(error).__name__})")

    def _unreadable(self, name: str, reason: str, text: str) -> Any:
        self._counters.count("failed")
        return dead_letter(DeadLetter(name if self._source_names else "", "", reason, text))

    def __getstate__(self) -> dict[str, Any]:
        # Connections cannot be pickled.
        return {**self.__dict__, "_readers": {}}


def _contents(place: str) -> Iterator[tuple[str, bytes | None]]:
    """Yield the name and bytes of a file or of an archive's members.

    The bytes are None if they are too large.
    """
    with places.opened(place) as file:
        if not place.lower().endswith(_ARCHIVES):
            yield place, _whole(file)
        elif place.lower().endswith(".zip"):
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    if not member.is_dir():
                        large = member.file_size >= _LARGEST
                        yield f"{place}!{member.filename}", None if large else archive.read(member)
        else:
            with tarfile.open(fileobj=file) as archive:
                for one in archive:
                    if one.isdir():
                        continue
                    # extractfile() follows a link within the archive, and returns None for a device or FIFO.
                    content = archive.extractfile(one)
                    if content is None:
                        raise tarfile.ReadError("not a regular file")
                    yield f"{place}!{one.name}", _whole(content)


def _whole(file: IO[bytes]) -> bytes | None:
    """Return the content of a file, or None if it is too large."""
    if not file.seekable():
        data = file.read(_LARGEST)
        return data if len(data) < _LARGEST else None
    # By its size first: read(_LARGEST) allocates as much, even for a small file.
    if file.seek(0, os.SEEK_END) >= _LARGEST:
        return None
    file.seek(0)
    return file.read()
