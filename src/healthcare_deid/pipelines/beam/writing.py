"""`WriteInstances`: results to a folder, a bucket or a DICOM store."""

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
    """Write (name, bytes) pairs and return the names written.

    A file appears only when it is complete. A retried bundle writes the same bytes to the same names, and a store keeps
    an instance once, so there are no second copies.

    Args:
        destination: Folder, as a path or as a URL that fsspec opens, or the full name of a DICOM store.
        endpoint: Endpoint of the service with the store. Defaults to Google's, or to the emulator named by the
            environment.
    """

    def __init__(self, destination: str, *, endpoint: str | None = None) -> None:
        super().__init__()
        if not destination:
            raise ConfigError("destination: must be a folder, a URL or the name of a DICOM store")
        self._write = _WriteToStore(destination, endpoint) if is_store(destination) else _WriteToFolder(destination)

    def expand(self, pairs: Any) -> Any:
        """Apply the transform."""
        return pairs | "Write" >> beam.ParDo(self._write)

    def display_data(self) -> dict[str, Any]:
        """Return the data shown on the runner's page, without paths."""
        return {"store": isinstance(self._write, _WriteToStore)}


class _WriteToFolder(beam.DoFn):
    """Write to a folder."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder.rstrip("/")
        self._counters = Counters("write")

    def process(self, element: tuple[str, bytes]) -> Iterator[str]:
        """Write a result and yield its name."""
        name, data = element
        # fsspec chains URLs with "::", and Windows treats a backslash as a separator.
        if {"", ".", ".."} & set(re.split(r"[/\\]", name)) or "::" in name:
            raise ConfigError("the name of a result must be a path inside the destination, without '..', '\\' and '::'")
        places.write(f"{self._folder}/{name}", data)
        self._counters.count("succeeded")
        yield name


class _WriteToStore(beam.DoFn):
    """Write to a DICOM store."""

    def __init__(self, store: str, endpoint: str | None) -> None:
        super().__init__()
        self._store = store
        self._endpoint = endpoint
        self._counters = Counters("write")

    def setup(self) -> None:
        """Open the connection."""
        self._writer = StoreWriter(self._store, self._endpoint)

    def teardown(self) -> None:
        """Close the connection."""
        self._writer.close()

    def process(self, element: tuple[str, bytes]) -> Iterator[str]:
        """Store a result and yield its name."""
        name, data = element
        self._writer.write(data)
        self._counters.count("succeeded")
        yield name
