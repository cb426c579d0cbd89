"""`WriteInstances`: results into a folder, a bucket or a DICOM store, each written once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import apache_beam as beam

from healthcare_deid.dicom_stores import StoreWriter, is_store
from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines import places
from healthcare_deid.pipelines.beam.common import Counters

if TYPE_CHECKING:
    from collections.abc import Iterator


class WriteInstances(beam.PTransform):
    """Write pairs of a name and bytes; give the names of what is written.

    A file appears when it is complete. A bundle that is tried again writes the same bytes to the same names, and a
    store has an instance once: there is no second copy, and no half one.

    Args:
        destination: A folder, as a path or as a URL that fsspec opens, or the full name of a DICOM store.
        endpoint: Of the service that has the store; by default Google's, or the emulator that the environment names.
    """

    def __init__(self, destination: str, *, endpoint: str | None = None) -> None:
        super().__init__()
        if not destination:
            raise ConfigError("destination: a folder, a URL or the name of a DICOM store is needed")
        self._write = _Store(destination, endpoint) if is_store(destination) else _Write(destination)

    def expand(self, pairs: Any) -> Any:
        """Apply the transform."""
        return pairs | "Write" >> beam.ParDo(self._write)

    def display_data(self) -> dict[str, Any]:
        """Return what a runner's page shows of the transform: no places."""
        return {"store": isinstance(self._write, _Store)}


class _Write(beam.DoFn):
    """Writes into a folder."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder.rstrip("/")
        self._counters = Counters("write")

    def process(self, element: tuple[str, bytes]) -> Iterator[str]:
        """Write a result, and yield its name."""
        name, data = element
        # "::" chains URLs in fsspec, and some systems take a backslash for a slash.
        if {"", ".", ".."} & set(re.split(r"[/\\]", name)) or "::" in name:
            raise ConfigError("a result's name leads out of the destination")
        places.write(f"{self._folder}/{name}", data)
        self._counters.count("succeeded")
        yield name


class _Store(beam.DoFn):
    """Stores into a DICOM store."""

    def __init__(self, store: str, endpoint: str | None) -> None:
        super().__init__()
        self._store = store
        self._endpoint = endpoint
        self._counters = Counters("write")

    def setup(self) -> None:
        """Connect."""
        self._writer = StoreWriter(self._store, self._endpoint)

    def teardown(self) -> None:
        """Close the connection."""
        self._writer.close()

    def process(self, element: tuple[str, bytes]) -> Iterator[str]:
        """Store a result, and yield its name."""
        name, data = element
        self._writer.write(data)
        self._counters.count("succeeded")
        yield name
