"""`Session`: what the client and its operations share: the connection, the clock, the poller."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.drivers.poller import Poller
from healthcare_deid.client.drivers.run_flow import run
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.http.connection import Connection, Http
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow

T = TypeVar("T")

MAXIMUM_PARALLEL = 20
"""DICOMweb requests a client has under way at a time, at most."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How another process makes the same client: never with credentials, which it finds itself."""

    endpoint: str
    api_version: str
    project: str | None = None
    location: str | None = None
    data_dir: str | None = None
    """Of a client made by ``DeidClient.local``."""


class Session:
    """The shared parts of a client, its copies with other options, and its operations."""

    def __init__(self, context: CallContext, connection: Connection, recipe: Recipe | None) -> None:
        self.context = context
        self.connection = connection
        self.clock = context.clock
        self.recipe = recipe
        self.poller = Poller(context, connection, context.clock)
        self._reset()
        reset_in_child(self)
        self.also_close: Callable[[], object] | None = None
        """What belongs to the client beside its connection: an emulator in this process."""

    def _reset(self) -> None:
        self.dicom_slots = threading.BoundedSemaphore(MAXIMUM_PARALLEL)
        """Held by every DICOMweb request while it is under way."""

    def run(self, flow: Flow[T]) -> T:
        """Run a flow in this thread."""
        return run(flow, self.connection, self.clock)

    def close(self) -> None:
        """Stop polling and close the connections."""
        self.poller.close()
        self.connection.close()
        if self.also_close is not None:
            self.also_close()


class _NoTransport:
    """Stands in for a transport that could not travel with a pickled handle."""

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        del uri, method, body, headers
        raise DeidError(
            "this handle comes from a client with a transport of its own: use client.operation(handle.name) instead"
        )


class _OpenedLater:
    """An emulator in this process, opened when a handle first needs it."""

    def __init__(self, data_dir: str) -> None:
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._http: Http | None = None

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        from healthcare_deid.client.sync import local_emulator

        with self._lock:
            if self._http is None:
                self._http = local_emulator(self._data_dir, None).http()
        return self._http.request(uri, method=method, body=body, headers=headers)


@functools.lru_cache(maxsize=32)
def session_for(recipe: Recipe | None) -> Session:
    """Return this process' session for a handle that came from another one. Nothing is opened by that."""
    from healthcare_deid.client.sync import POLL_NEARBY, DeidClient

    if recipe is None:
        return DeidClient(http=_NoTransport())._session
    project, location, version = recipe.project, recipe.location, recipe.api_version
    if recipe.data_dir is not None:
        later = _OpenedLater(recipe.data_dir)
        local = DeidClient(project, location, http=later, api_version=version, poll=POLL_NEARBY)
        return local._session
    client = DeidClient(project, location, endpoint=recipe.endpoint, api_version=version)
    return client._session
