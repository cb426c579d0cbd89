"""``import`` and ``export`` of DICOM stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.v1.requests import ExportDicomDataRequest, ImportDicomDataRequest
from healthcare_deid.emulator.errors import invalid, unimplemented
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import ANY_QUERY, Route
from healthcare_deid.emulator.jobs.resource_filter import resource_filter

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import Call

_STORE = "projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{dicomStore}"
_METHOD = "projects.locations.datasets.dicomStores"


class ImportExportCalls:
    """Handlers of the methods that move instances between a store and Cloud Storage."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", f"{_STORE}:import", f"{_METHOD}.import", self.import_, ANY_QUERY),
            Route("POST", f"{_STORE}:export", f"{_METHOD}.export", self.export, ANY_QUERY),
        ]

    def import_(self, call: Call) -> Reply:
        """``dicomStores.import``."""
        self._backend.catalog.check_store(call.dicom_store, "healthcare.dicomStores.import")
        body = parameters.message(call, ImportDicomDataRequest)
        if body.gcs_source is None or body.gcs_source.uri is None:
            raise invalid("gcsSource.uri is required.")
        return Reply.json(
            {"name": self._backend.import_export.import_from(call.dicom_store, body.gcs_source.uri, call.version)}
        )

    def export(self, call: Call) -> Reply:
        """``dicomStores.export``: to Cloud Storage; BigQuery is not emulated."""
        self._backend.catalog.check_store(call.dicom_store, "healthcare.dicomStores.export")
        body = parameters.message(call, ExportDicomDataRequest)
        if body.bigquery_destination is not None:
            raise unimplemented("The emulator does not export to BigQuery.")
        target = body.gcs_destination
        if target is None or target.uri_prefix is None:
            raise invalid("gcsDestination.uriPrefix is required.")
        only = resource_filter(self._backend.buckets, body.filter_config)
        found = [item for item in self._backend.instances.find(str(call.dicom_store)) if only is None or only(item)]
        name = self._backend.import_export.export_to(
            call.dicom_store, target.uri_prefix, target.mime_type, found, call.version
        )
        return Reply.json({"name": name})
