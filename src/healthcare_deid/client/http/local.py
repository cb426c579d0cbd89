"""In-process emulator as a transport."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    import os

    from healthcare_deid.client.http.connection import Http
    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.emulator import Emulator


def local_emulator(data_dir: str | os.PathLike[str], clock: Clock | None = None) -> Emulator:
    """Open an in-process emulator.

    Raises:
        MissingExtraError: The extra ``[local]`` is not installed.
    """
    try:
        # The only import from a higher layer in this package, for DeidClient.local().
        from healthcare_deid.emulator import Emulator
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("healthcare_deid"):
            raise
        raise MissingExtraError("local", "the local emulator") from None
    return Emulator(data_dir, clock=clock)


class LocalHttp:
    """Transport that opens the emulator on the first request."""

    def __init__(self, data_dir: str) -> None:
        self._data_dir = data_dir
        self._lock = threading.Lock()
        self._http: Http | None = None

    def request(self, uri: str, method: str = "GET", body: Any = None, headers: Any = None) -> tuple[Any, Any]:
        """Handle a request, with httplib2's signature."""
        with self._lock:
            # Not earlier: unpickling an operation must not open and lock its data directory.
            if self._http is None:
                self._http = local_emulator(self._data_dir).http()
        return self._http.request(uri, method=method, body=body, headers=headers)
