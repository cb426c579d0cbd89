"""Operation methods: get, list, cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid, unimplemented
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import Route
from healthcare_deid.emulator.storage.catalog import decode_token, encode_token

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import RoutedRequest

_MANY = "projects/{project}/locations/{location}/datasets/{dataset}/operations"
_ONE = f"{_MANY}/{{operation}}"
_METHOD = "projects.locations.datasets.operations"
_LIST_QUERY = parameters.PAGED | {"filter", "returnPartialSuccess"}
_FILTERS = {"": None, "done=true": True, "done:true": True, "done=false": False, "done:false": False}


class OperationCalls:
    """Handlers of operation methods."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", _MANY, f"{_METHOD}.list", self.list, _LIST_QUERY),
            Route("GET", _ONE, f"{_METHOD}.get", self.get),
            Route("POST", f"{_ONE}:cancel", f"{_METHOD}.cancel", self.cancel),
        ]

    def get(self, call: RoutedRequest) -> Reply:
        """Handle ``operations.get``."""
        self._backend.catalog.check_dataset(call.dataset, "healthcare.operations.get")
        record = self._backend.operations.get(str(call.operation))
        # Operations of a few instances end before the first poll. With the fault, a test can see a client wait.
        if self._backend.faults.seems_running(record.name):
            record = replace(record, ended=None)
        return Reply.json(self._backend.logs.describe(record, call.request))

    def list(self, call: RoutedRequest) -> Reply:
        """Handle ``operations.list``.

        The newest operation comes first. The only filter is ``done`` (fidelity O-15).
        """
        self._backend.catalog.check_dataset(call.dataset, "healthcare.operations.list")
        if call.request.parameter("returnPartialSuccess") == "true":
            raise unimplemented("returnPartialSuccess is not supported.")
        text = (call.request.parameter("filter") or "").replace(" ", "").replace('"', "").lower()
        if text not in _FILTERS:
            raise invalid("Invalid filter: only done=true and done=false are supported.")
        records, after = self._backend.operations.page(
            str(call.dataset),
            size=parameters.page_size(call),
            after=decode_token(call.request.parameter("pageToken")),
            done=_FILTERS[text],
        )
        listed = [self._backend.logs.describe(record, call.request) for record in records]
        body = {"operations": listed} if listed else {}
        return Reply.json({**body, "nextPageToken": encode_token(after)} if after else body)

    def cancel(self, call: RoutedRequest) -> Reply:
        """Handle ``operations.cancel``."""
        self._backend.catalog.check_dataset(call.dataset, "healthcare.operations.cancel")
        parameters.resource(call, {})
        self._backend.operations.request_cancel(str(call.operation))
        return Reply.json({})
