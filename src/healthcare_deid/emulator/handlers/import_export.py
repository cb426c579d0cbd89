"""``import`` and ``export`` methods of DICOM stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.v1.requests import ExportDicomDataRequest, ImportDicomDataRequest
from healthcare_deid.emulator.errors import invalid, unimplemented
from healthcare_deid.emulator.handlers.blob_storage import storage_class_of
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.accept import accepted
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import ANY_QUERY, Route
from healthcare_deid.emulator.jobs.resource_filter import resource_filter
from healthcare_deid.emulator.storage.forms import Form

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import RoutedRequest

_STORE = "projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{dicomStore}"
_METHOD = "projects.locations.datasets.dicomStores"


class ImportExportCalls:
    """Handlers of ``import`` and ``export``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", f"{_STORE}:import", f"{_METHOD}.import", self.import_, ANY_QUERY),
            Route("POST", f"{_STORE}:export", f"{_METHOD}.export", self.export, ANY_QUERY),
        ]

    def import_(self, call: RoutedRequest) -> Reply:
        """Handle ``dicomStores.import``."""
        self._backend.catalog.check_store(call.dicom_store, "healthcare.dicomStores.import")
        body = parameters.message(call, ImportDicomDataRequest)
        settings = body.blob_storage_settings
        storage_class = storage_class_of(None if settings is None else settings.to_api())
        if body.gcs_source is None or body.gcs_source.uri is None:
            raise invalid("gcsSource.uri is required.")
        name = self._backend.import_export.import_from(
            call.dicom_store, body.gcs_source.uri, storage_class, call.version
        )
        return Reply.json({"name": name})

    def export(self, call: RoutedRequest) -> Reply:
        """Handle ``dicomStores.export``.

        Only Cloud Storage is emulated as destination.
        """
        self._backend.catalog.check_store(call.dicom_store, "healthcare.dicomStores.export")
        body = parameters.message(call, ExportDicomDataRequest)
        if body.bigquery_destination is not None:
            raise unimplemented("The emulator does not export to BigQuery (fidelity F-39).")
        target = body.gcs_destination
        if target is None or target.uri_prefix is None:
            raise invalid("gcsDestination.uriPrefix is required.")
        form = _form(target.mime_type)
        only = resource_filter(self._backend.buckets, body.filter_config)
        found = [item for item in self._backend.instances.find(str(call.dicom_store)) if only is None or only(item)]
        name = self._backend.import_export.export_to(call.dicom_store, target.uri_prefix, form, found, call.version)
        return Reply.json({"name": name})


def _form(mime_type: str | None) -> Form:
    if not mime_type:
        return Form("application/dicom")
    wanted = accepted(mime_type)
    if len(wanted) != 1 or wanted[0].multipart or wanted[0].parameters.keys() - {"transfer-syntax"}:
        raise invalid("gcsDestination.mimeType must be one media type, with no parameter other than transfer-syntax.")
    return Form.parse(wanted[0].media_type, wanted[0].transfer_syntax)
