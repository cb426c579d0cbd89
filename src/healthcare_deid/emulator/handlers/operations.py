"""Long-running operations: get, list, cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.storage.catalog import decode_token, encode_token
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import Route
from healthcare_deid.emulator.errors import invalid, unimplemented

if TYPE_CHECKING:
    from healthcare_deid.emulator.http.routes import Call
    from healthcare_deid.emulator.backend import State

_MANY = "projects/{project}/locations/{location}/datasets/{dataset}/operations"
_ONE = f"{_MANY}/{{operation}}"
_METHOD = "projects.locations.datasets.operations"
_FILTERS = {"": None, "done=true": True, "done:true": True, "done=false": False, "done:false": False}


class OperationCalls:
    """Answers the calls on operations."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", _MANY, f"{_METHOD}.list", self.list),
            Route("GET", _ONE, f"{_METHOD}.get", self.get),
            Route("POST", f"{_ONE}:cancel", f"{_METHOD}.cancel", self.cancel),
        ]

    def get(self, call: Call) -> Reply:
        """``operations.get``."""
        self._state.catalog.check_dataset(call.dataset, "healthcare.operations.get")
        record = self._state.operations.get(str(call.operation))
        if self._state.faults.seems_running(record.name):
            record = replace(record, ended=None)
        return Reply.json(self._state.logs.describe(record, call.request))

    def list(self, call: Call) -> Reply:
        """``operations.list``: newest first; of filters, ``done`` only (fidelity O-15)."""
        self._state.catalog.check_dataset(call.dataset, "healthcare.operations.list")
        if call.request.parameter("returnPartialSuccess") == "true":
            raise unimplemented("returnPartialSuccess is not supported.")
        text = (call.request.parameter("filter") or "").replace(" ", "").replace('"', "").lower()
        if text not in _FILTERS:
            raise invalid("Invalid filter: only done=true and done=false are supported.")
        records, after = self._state.operations.page(
            str(call.dataset),
            size=parameters.page_size(call),
            after=decode_token(call.request.parameter("pageToken")),
            done=_FILTERS[text],
        )
        listed = [self._state.logs.describe(record, call.request) for record in records]
        body = {"operations": listed} if listed else {}
        return Reply.json({**body, "nextPageToken": encode_token(after)} if after else body)

    def cancel(self, call: Call) -> Reply:
        """``operations.cancel``: asks; the answer is empty and at once."""
        self._state.catalog.check_dataset(call.dataset, "healthcare.operations.cancel")
        parameters.only_fields(parameters.json_object(call), frozenset(), "cancel")
        self._state.operations.request_cancel(str(call.operation))
        return Reply.json({})
