"""`Session`: state shared by a client and its operations."""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.client.drivers.poller import Poller
from healthcare_deid.client.drivers.run_flow import run
from healthcare_deid.client.http.endpoint import connect
from healthcare_deid.client.http.local import LocalHttp
from healthcare_deid.client.protocol.after_fork import reset_in_child
from healthcare_deid.client.protocol.clock import SystemClock
from healthcare_deid.client.protocol.context import CallContext
from healthcare_deid.client.protocol.exactly_once import StartRegistry
from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.client.http.connection import Connection, Http
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.retry import PollPolicy, RetryPolicy

T = TypeVar("T")

MAXIMUM_PARALLEL = 20
"""Largest number of concurrent DICOMweb requests of a client."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Arguments to create the same client in another process.

    It holds no credentials.
    """

    endpoint: str
    api_version: str
    project: str | None
    location: str | None
    timeout: float
    retry: RetryPolicy
    poll: PollPolicy
    data_dir: str | None = None
    """Data directory of a client made by ``DeidClient.local``."""
    portable: bool = True
    """False for a client with a user's transport, which another process does not have."""
    anonymous: bool = False
    """True if requests carry no token, such as requests to an emulator."""


class Session:
    """State shared by a client and its operations.

    Clients made by ``with_options`` share it too.
    """

    def __init__(self, context: CallContext, connection: Connection, recipe: Recipe) -> None:
        self.context = context
        self.connection = connection
        self.clock = context.clock
        self.recipe = recipe
        self.poller = Poller(context, connection, context.clock)
        self._reset()
        reset_in_child(self)
        self.also_close: Callable[[], object] | None = None
        """Closes the client's in-process emulator, if it has one."""

    def _reset(self) -> None:
        self.dicom_slots = threading.BoundedSemaphore(MAXIMUM_PARALLEL)
        """Held by every DICOMweb request in progress."""

    def __str__(self) -> str:
        """Return the endpoint or emulator that requests are sent to."""
        if self.recipe.data_dir is not None:
            return "the in-process emulator (local), without Google"
        return str(self.connection)

    def run(self, flow: Flow[T]) -> T:
        """Run a flow in this thread."""
        return run(flow, self.connection, self.clock)

    def close(self) -> None:
        """Stop polling and close all connections."""
        self.poller.close()
        self.connection.close()
        if self.also_close is not None:
            self.also_close()


def recipe_of(
    context: CallContext, connection: Connection, *, data_dir: str | None = None, portable: bool = True
) -> Recipe:
    """Return the recipe for a client's context and connection."""
    return Recipe(
        connection.endpoint,
        context.api_version,
        context.project,
        context.location,
        context.timeout,
        context.retry,
        context.poll,
        data_dir,
        portable,
        connection.is_anonymous,
    )


# Cached, so that operations pickled from one client share one connection and poller again.
@functools.lru_cache(maxsize=32)
def session_for(recipe: Recipe) -> Session:
    """Return this process's session for an operation pickled in another.

    Nothing is opened yet.
    """
    http: Http | None = None
    if recipe.data_dir is not None:
        http = LocalHttp(recipe.data_dir)
    elif not recipe.portable:
        http = _NoTransport()
    connection = connect(endpoint=recipe.endpoint, http=http, anonymous=recipe.anonymous)
    context = CallContext(
        project=recipe.project,
        location=recipe.location,
        api_version=recipe.api_version,
        timeout=recipe.timeout,
        retry=recipe.retry,
        poll=recipe.poll,
        # A fake clock belongs to its test process and is not pickled.
        clock=SystemClock(),
        starts=StartRegistry(),
    )
    return Session(context, connection, recipe)


class _NoTransport:
    """Transport of an operation whose client's transport was not picklable."""

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        del uri, method, body, headers
        raise DeidError(
            "this operation was pickled from a client with http= or request_builder=, which cannot be pickled: "
            "create such a client in this process and call client.operation(operation.name)"
        )
