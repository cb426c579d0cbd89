"""Storage classes, and sizes of studies, series and instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.config.v1.requests import DicomFilterConfig
from healthcare_deid.config.v1.resources import BlobStorageClass
from healthcare_deid.emulator.clock import timestamp
from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.handlers.dicomweb.paths import checked_store
from healthcare_deid.emulator.handlers.dicomweb.retrieve import missing
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.field_types import Choice, Scalar, typed
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import ANY_QUERY, Route
from healthcare_deid.emulator.jobs.resource_filter import resource_filter
from healthcare_deid.emulator.storage.instances import STANDARD
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.field_types import Fields
    from healthcare_deid.emulator.http.routes import RoutedRequest
    from healthcare_deid.emulator.storage.instances import StoredInstance

_SETTINGS: Fields = {"blobStorageClass": Choice(frozenset(item.value for item in BlobStorageClass))}
SET_BLOB_STORAGE: Fields = {
    "blobStorageSettings": _SETTINGS,
    "filterConfig": {"resourcePathsGcsUri": Scalar.STRING},
}
"""``SetBlobStorageSettingsRequest`` in the API reference."""
_STORE = "projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{dicomStore}"
_STUDY = f"{_STORE}/dicomWeb/studies/{{study}}"
_SERIES = f"{_STUDY}/series/{{series}}"
_METHOD = "projects.locations.datasets.dicomStores"
_WEB = f"{_METHOD}.dicomWeb.studies"
_READ = "healthcare.dicomStores.dicomWebRead"


class BlobStorageCalls:
    """Handlers of methods on storage classes and sizes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        settings, instance = "setBlobStorageSettings", f"{_SERIES}/instances/{{instance}}"
        return [
            Route("POST", f"{_STORE}:{settings}", f"{_METHOD}.{settings}", self.set_class, ANY_QUERY),
            Route("POST", f"{_STUDY}:{settings}", f"{_WEB}.{settings}", self.set_class, ANY_QUERY),
            Route("GET", f"{_STUDY}:getStudyMetrics", f"{_WEB}.getStudyMetrics", self.study_metrics),
            Route("GET", f"{_SERIES}:getSeriesMetrics", f"{_WEB}.series.getSeriesMetrics", self.series_metrics),
            Route("GET", f"{instance}:getStorageInfo", f"{_WEB}.series.instances.getStorageInfo", self.storage_info),
        ]

    def set_class(self, call: RoutedRequest) -> Reply:
        """Handle ``setBlobStorageSettings`` for a store, a filter, or a study."""
        name = self._store(call, "healthcare.dicomStores.update")
        body = parameters.bound_request(call, SET_BLOB_STORAGE)
        study = call.optional("study")
        if study is not None and body.get("filterConfig"):
            raise invalid("filterConfig is allowed for a DICOM store only, not for a study.")
        storage_class = storage_class_of(body.get("blobStorageSettings"))
        try:
            only = resource_filter(self._backend.buckets, DicomFilterConfig.from_api(body.get("filterConfig") or {}))
        except ConfigError as error:
            raise parameters.invalid_payload(error) from None
        found = self._backend.instances.find(name, study)
        if study is not None and not found:
            return missing("study")
        ids = [instance.id for instance in found if only is None or only(instance)]
        self._backend.instances.set_storage_class(ids, storage_class, self._backend.operations.now())
        answer = f"type.googleapis.com/google.cloud.healthcare.{call.version}.dicom.SetBlobStorageSettingsResponse"
        # No data is moved, so the operation ends at once (fidelity F-38).
        operation = self._backend.operations.ended(
            call.dataset, "dicom.DicomService.SetBlobStorageSettings", call.version, {"@type": answer}, len(ids)
        )
        return Reply.json(self._backend.logs.describe(operation, call.request))

    def study_metrics(self, call: RoutedRequest) -> Reply:
        """Handle ``getStudyMetrics``."""
        name, study = self._store(call, _READ), call.ids["study"]
        totals = self._backend.instances.totals(name, study)
        if not totals.instances:
            return missing("study")
        return Reply.json(
            {
                "study": f"{name}/dicomWeb/studies/{study}",
                "seriesCount": str(totals.series),
                "instanceCount": str(totals.instances),
                "structuredStorageSizeBytes": str(totals.attributes_size),
                "blobStorageSizeBytes": str(totals.size),
            }
        )

    def series_metrics(self, call: RoutedRequest) -> Reply:
        """Handle ``getSeriesMetrics``."""
        name, study, series = self._store(call, _READ), call.ids["study"], call.ids["series"]
        totals = self._backend.instances.totals(name, study, series)
        if not totals.instances:
            return missing("series")
        return Reply.json(
            {
                "series": f"{name}/dicomWeb/studies/{study}/series/{series}",
                "instanceCount": str(totals.instances),
                "structuredStorageSizeBytes": str(totals.attributes_size),
                "blobStorageSizeBytes": str(totals.size),
            }
        )

    def storage_info(self, call: RoutedRequest) -> Reply:
        """Handle ``getStorageInfo``."""
        name, ids = self._store(call, _READ), call.ids
        found = self._backend.instances.find(name, ids["study"], ids["series"], ids["instance"])
        return Reply.json(_info(found[0])) if found else missing("instance")

    def _store(self, call: RoutedRequest, permission: str) -> str:
        return checked_store(self._backend, call, permission)


def storage_class_of(settings: Mapping[str, Any] | None) -> str:
    """Return the storage class in a ``BlobStorageSettings`` message.

    Unset and unspecified mean STANDARD.

    Raises:
        ServiceError: 400: a field is unknown, or the class does not exist.
    """
    wanted = typed(settings or {}, _SETTINGS, "blobStorageSettings").get("blobStorageClass", STANDARD)
    return STANDARD if wanted == BlobStorageClass.BLOB_STORAGE_CLASS_UNSPECIFIED else str(wanted)


def _info(instance: StoredInstance) -> dict[str, Any]:
    blob = {"sizeBytes": str(instance.size), "storageClass": instance.storage_class}
    if instance.class_changed is not None:
        blob["storageClassUpdateTime"] = timestamp(instance.class_changed)
    return {
        "referencedResource": instance.source,
        "blobStorageInfo": blob,
        "structuredStorageInfo": {"sizeBytes": str(len(instance.attributes_json))},
    }
