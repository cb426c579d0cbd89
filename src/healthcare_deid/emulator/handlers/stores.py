"""DICOM and FHIR stores: create, get, list, patch, delete; metrics of DICOM stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.field_masks import merge, update_paths
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import Route
from healthcare_deid.emulator.storage.catalog import Kind
from healthcare_deid.errors import ResourceNameError
from healthcare_deid.names import DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import Call

_DATASET = "projects/{project}/locations/{location}/datasets/{dataset}"
_METHOD = "projects.locations.datasets"
_DICOM_FIELDS = frozenset({"name", "labels", "notificationConfig", "notificationConfigs", "streamConfigs"})
_FHIR_FIELDS = frozenset(
    {
        "name", "labels", "version", "complexDataTypeReferenceParsing", "consentConfig", "defaultSearchHandlingStrict",
        "disableReferentialIntegrity", "disableResourceVersioning", "enableUpdateCreate", "notificationConfig",
        "notificationConfigs", "streamConfigs", "validationConfig", "bulkExportGcsDestination",
    }
)  # fmt: skip
_FHIR_VERSIONS = frozenset({"DSTU2", "STU3", "R4", "R5"})


class Stores:
    """Handlers of the methods that DICOM and FHIR stores share, for one of the two kinds.

    Args:
        backend: Storage and jobs.
        kind: DICOM or FHIR stores.
    """

    def __init__(self, backend: Backend, kind: Kind) -> None:
        self._backend = backend
        self._kind = kind
        self._variable = "dicomStore" if kind is Kind.DICOM_STORE else "fhirStore"
        self._fields = _DICOM_FIELDS if kind is Kind.DICOM_STORE else _FHIR_FIELDS

    def routes(self) -> list[Route]:
        """Return the routes."""
        many = f"{_DATASET}/{self._kind}"
        one = f"{many}/{{{self._variable}}}"
        method = f"{_METHOD}.{self._kind}"
        routes = [
            Route("POST", many, f"{method}.create", self.create, frozenset({f"{self._variable}Id"})),
            Route("GET", many, f"{method}.list", self.list, parameters.PAGED | {"filter"}),
            Route("GET", one, f"{method}.get", self.get),
            Route("PATCH", one, f"{method}.patch", self.patch, frozenset({"updateMask"})),
            Route("DELETE", one, f"{method}.delete", self.delete),
        ]
        if self._kind is Kind.DICOM_STORE:
            routes.append(Route("GET", f"{one}:getDICOMStoreMetrics", f"{method}.getDICOMStoreMetrics", self.metrics))
        return routes

    def create(self, call: Call) -> Reply:
        """``create``: returns the store."""
        self._backend.catalog.check_dataset(call.dataset, self._permission("create"))
        body = self._checked(parameters.json_object(call))
        if self._kind is Kind.FHIR_STORE and body.setdefault("version", "R4") not in _FHIR_VERSIONS:
            raise invalid(f"version must be one of {', '.join(sorted(_FHIR_VERSIONS))}.")
        identifier = call.request.parameter(f"{self._variable}Id") or ""
        make = DicomStoreName if self._kind is Kind.DICOM_STORE else FhirStoreName
        try:
            name = make(call.dataset.project, call.dataset.location, call.dataset.dataset, identifier)
        except ResourceNameError as error:
            raise invalid(f"{self._variable}Id is not a valid ID: {error}") from None
        body = {"name": str(name), **body}
        return Reply.json(self._backend.catalog.create(self._kind, str(name), str(call.dataset), body))

    def list(self, call: Call) -> Reply:
        """``list``, with a filter for labels."""
        self._backend.catalog.check_dataset(call.dataset, self._permission("list"))
        page = self._backend.catalog.page(
            self._kind,
            str(call.dataset),
            size=parameters.page_size(call),
            token=call.request.parameter("pageToken"),
            labels=parameters.label_filter(call),
        )
        return Reply.json(page.to_api(self._kind))

    def get(self, call: Call) -> Reply:
        """``get``."""
        return Reply.json(self._backend.catalog.get(self._name(call, "get")))

    def patch(self, call: Call) -> Reply:
        """``patch``: changes the fields of the update mask."""
        name = self._name(call, "update")
        paths = update_paths(call.request.parameter("updateMask") or "", self._fields - {"name", "version"})
        changes = parameters.only_fields(parameters.json_object(call), self._fields, self._variable)

        def changed(body: dict[str, Any]) -> dict[str, Any]:
            return {"name": name, **self._checked(merge(body, changes, paths))}

        return Reply.json(self._backend.catalog.patch(name, changed))

    def delete(self, call: Call) -> Reply:
        """``delete``: with all its content."""
        name = self._name(call, "delete")
        self._backend.instances.unlink(self._backend.catalog.delete(name))
        return Reply.json({})

    def metrics(self, call: Call) -> Reply:
        """``getDICOMStoreMetrics``: counts and sizes, as text."""
        name = self._name(call, "get")
        totals = self._backend.instances.totals(name)
        return Reply.json(
            {
                "name": name,
                "studyCount": str(totals.studies),
                "seriesCount": str(totals.series),
                "instanceCount": str(totals.instances),
                "structuredStorageSizeBytes": str(totals.attributes_size),
                "blobStorageSizeBytes": str(totals.size),
            }
        )

    def _name(self, call: Call, action: str) -> str:
        name = call.dicom_store if self._kind is Kind.DICOM_STORE else call.fhir_store
        self._backend.catalog.check_store(name, self._permission(action))
        return str(name)

    def _permission(self, action: str) -> str:
        return f"healthcare.{self._kind}.{action}"

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        fields = parameters.only_fields(body, self._fields, self._variable)
        labels = fields.get("labels", {})
        if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
            raise invalid("labels must be an object of texts.")
        return {name: value for name, value in fields.items() if name != "name" and value not in (None, {}, [])}
