"""``import`` and ``export`` of DICOM stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.v1.requests import ExportDicomDataRequest, ImportDicomDataRequest
from healthcare_deid.emulator.api import reading
from healthcare_deid.emulator.filtering import resource_filter
from healthcare_deid.emulator.messages import Reply
from healthcare_deid.emulator.routing import Route
from healthcare_deid.emulator.status import invalid, unimplemented

if TYPE_CHECKING:
    from healthcare_deid.emulator.routing import Call
    from healthcare_deid.emulator.state import State

_STORE = "projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{dicomStore}"
_METHOD = "projects.locations.datasets.dicomStores"


class TransferCalls:
    """Answers the calls that move instances between a store and Cloud Storage."""

    def __init__(self, state: State) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", f"{_STORE}:import", f"{_METHOD}.import", self.import_),
            Route("POST", f"{_STORE}:export", f"{_METHOD}.export", self.export),
        ]

    def import_(self, call: Call) -> Reply:
        """``dicomStores.import``."""
        self._state.catalog.check_store(call.dicom_store, "healthcare.dicomStores.import")
        body = reading.message(call, ImportDicomDataRequest)
        if body.gcs_source is None or body.gcs_source.uri is None:
            raise invalid("gcsSource.uri is required.")
        return Reply.json(
            {"name": self._state.transfers.import_from(call.dicom_store, body.gcs_source.uri, call.version)}
        )

    def export(self, call: Call) -> Reply:
        """``dicomStores.export``: to Cloud Storage; BigQuery is not emulated."""
        self._state.catalog.check_store(call.dicom_store, "healthcare.dicomStores.export")
        body = reading.message(call, ExportDicomDataRequest)
        if body.bigquery_destination is not None:
            raise unimplemented("The emulator does not export to BigQuery.")
        target = body.gcs_destination
        if target is None or target.uri_prefix is None:
            raise invalid("gcsDestination.uriPrefix is required.")
        only = resource_filter(self._state.buckets, body.filter_config)
        found = [item for item in self._state.instances.find(str(call.dicom_store)) if only is None or only(item)]
        name = self._state.transfers.export_to(
            call.dicom_store, target.uri_prefix, target.mime_type, found, call.version
        )
        return Reply.json({"name": name})
