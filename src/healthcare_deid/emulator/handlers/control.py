"""The emulator's own routes (``/_emulator/…``) and the discovery document."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid._version import __version__
from healthcare_deid.config.dialects.json_text import parse_json
from healthcare_deid.emulator.errors import invalid, not_found
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.jobs.logs import ROUTE
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.request import Request

PREFIX = "/_emulator/"
_DISCOVERY = "/$discovery/rest"


class Control:
    """Handlers of the emulator's own routes.

    Args:
        backend: Storage and jobs.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._routes: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "health"): self._health,
            ("POST", "reset"): self._reset,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
        }

    def answer(self, request: Request) -> Reply | None:
        """Handle a request to the emulator itself.

        Returns:
            None for a request to the service.

        Raises:
            ServiceError: The request is invalid.
        """
        if request.path == _DISCOVERY and request.method == "GET":
            return _discovery(request)
        if request.path == "/" and request.method == "GET":
            return self._health(request)
        if not request.path.startswith(PREFIX):
            return None
        path = request.path.removeprefix(PREFIX)
        if request.path.startswith(ROUTE) and request.method == "GET":
            return Reply.json(self._backend.logs.entries(request.path.removeprefix(ROUTE)))
        handler = self._routes.get((request.method, path))
        if handler is None:
            raise not_found("The emulator does not have this route.")
        return handler(request)

    def _health(self, _: Request) -> Reply:
        return Reply.json({"status": "ok", "emulator": "healthcare-deid", "version": __version__})

    def _reset(self, _: Request) -> Reply:
        """Delete all datasets and clear the faults."""
        self._backend.faults.clear()
        for name in self._backend.catalog.datasets():
            self._backend.delete(name)
        self._backend.logs.clear()
        return Reply.json({})

    def _list_faults(self, _: Request) -> Reply:
        return Reply.json({"faults": [fault.to_json() for fault in self._backend.faults.pending]})

    def _add_fault(self, request: Request) -> Reply:
        try:
            wanted: Any = parse_json(request.body)
            self._backend.faults.add_json(wanted)
        except (ConfigError, ValueError, TypeError) as error:
            raise invalid(f"Invalid fault: {error}") from None
        return self._list_faults(request)

    def _clear_faults(self, _: Request) -> Reply:
        self._backend.faults.clear()
        return Reply.json({})


def _discovery(request: Request) -> Reply:
    """Return the discovery document with this emulator as its root.

    It comes from the installed google-api-python-client.
    """
    version = request.parameter("version") or "v1"
    spec = importlib.util.find_spec("googleapiclient")
    for folder in spec.submodule_search_locations or () if spec else ():
        path = Path(folder) / "discovery_cache" / "documents" / f"healthcare.{version}.json"
        if version in {"v1", "v1beta1"} and path.is_file():
            document: dict[str, Any] = json.loads(path.read_bytes())
            document |= {"rootUrl": f"{request.base_url}/", "baseUrl": f"{request.base_url}/"}
            # Clients prefer it when they have a client certificate, and would leave the emulator.
            document.pop("mtlsRootUrl", None)
            return Reply.json(document)
    raise not_found("There is no discovery document for this version. Use v1 or v1beta1.")
