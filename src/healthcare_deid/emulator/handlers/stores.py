"""DICOM and FHIR store methods."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import invalid, unimplemented
from healthcare_deid.emulator.http import parameters
from healthcare_deid.emulator.http.field_masks import merge, update_paths
from healthcare_deid.emulator.http.field_types import Choice, ListOf, MapOf, Scalar
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import Route
from healthcare_deid.emulator.storage.catalog import ResourceKind
from healthcare_deid.errors import ResourceNameError
from healthcare_deid.names import DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.field_types import Fields
    from healthcare_deid.emulator.http.routes import RoutedRequest

_DATASET = "projects/{project}/locations/{location}/datasets/{dataset}"
_METHOD = "projects.locations.datasets"
_VERSIONS = frozenset({"DSTU2", "STU3", "R4", "R5"})
_TOPIC_FIELD: Fields = {"pubsubTopic": Scalar.STRING}
_COMMON: Fields = {
    "name": Scalar.STRING,
    "labels": MapOf(Scalar.STRING),
    "notificationConfig": {**_TOPIC_FIELD, "sendForBulkImport": Scalar.BOOL},
    # Any stream is refused, whatever is in it (fidelity F-39).
    "streamConfigs": ListOf(MapOf(Scalar.ANY)),
}
DICOM_STORE: Fields = {**_COMMON, "notificationConfigs": ListOf(_TOPIC_FIELD)}
"""``DicomStore`` in the API reference."""
FHIR_STORE: Fields = {
    **_COMMON,
    "version": Choice(_VERSIONS | {"VERSION_UNSPECIFIED"}),
    "complexDataTypeReferenceParsing": Choice(
        frozenset({"COMPLEX_DATA_TYPE_REFERENCE_PARSING_UNSPECIFIED", "DISABLED", "ENABLED"})
    ),
    "defaultSearchHandlingStrict": Scalar.BOOL,
    "disableReferentialIntegrity": Scalar.BOOL,
    "disableResourceVersioning": Scalar.BOOL,
    "enableUpdateCreate": Scalar.BOOL,
    "bulkExportGcsDestination": {"uriPrefix": Scalar.STRING},
    "notificationConfigs": ListOf(
        {**_TOPIC_FIELD, "sendFullResource": Scalar.BOOL, "sendPreviousResourceOnDelete": Scalar.BOOL}
    ),
    "validationConfig": {
        "disableFhirpathValidation": Scalar.BOOL,
        "disableProfileValidation": Scalar.BOOL,
        "disableReferenceTypeValidation": Scalar.BOOL,
        "disableRequiredFieldValidation": Scalar.BOOL,
        "enableFhirpathProfileValidation": Scalar.BOOL,
        "enabledImplementationGuides": ListOf(Scalar.STRING),
    },
    "consentConfig": {
        "accessDeterminationLogConfig": {
            "logLevel": Choice(frozenset({"LOG_LEVEL_UNSPECIFIED", "DISABLED", "MINIMUM", "VERBOSE"}))
        },
        "accessEnforced": Scalar.BOOL,
        "consentHeaderHandling": {
            "profile": Choice(frozenset({"SCOPE_PROFILE_UNSPECIFIED", "PERMIT_EMPTY_SCOPE", "REQUIRED_ON_READ"}))
        },
        "enforcedAdminConsents": ListOf(Scalar.STRING),
        "version": Choice(frozenset({"CONSENT_ENFORCEMENT_VERSION_UNSPECIFIED", "V1"})),
    },
}
"""``FhirStore`` in the API reference."""
_LABEL_KEY = re.compile(r"[^\W\d_A-Z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_MAX_LABELS = 64
_MAX_LABEL_BYTES = 128
_TOPIC = re.compile(r"projects/[^/]+/topics/[A-Za-z][\w.~+%-]{0,254}")


class Stores:
    """Handlers of the methods common to DICOM and FHIR stores.

    Args:
        backend: Storage and jobs.
        kind: Kind of store.
    """

    def __init__(self, backend: Backend, kind: ResourceKind) -> None:
        self._backend = backend
        self._kind = kind
        self._variable = "dicomStore" if kind is ResourceKind.DICOM_STORE else "fhirStore"
        self._fields = DICOM_STORE if kind is ResourceKind.DICOM_STORE else FHIR_STORE

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
        if self._kind is ResourceKind.DICOM_STORE:
            routes.append(Route("GET", f"{one}:getDICOMStoreMetrics", f"{method}.getDICOMStoreMetrics", self.metrics))
        return routes

    def create(self, call: RoutedRequest) -> Reply:
        """Handle ``create``."""
        self._backend.catalog.check_dataset(call.dataset, self._permission("create"))
        body = _checked(parameters.resource(call, self._fields))
        if self._kind is ResourceKind.FHIR_STORE and body.setdefault("version", "R4") not in _VERSIONS:
            raise invalid(f"version must be one of {', '.join(sorted(_VERSIONS))}.")
        identifier = call.request.parameter(f"{self._variable}Id") or ""
        make = DicomStoreName if self._kind is ResourceKind.DICOM_STORE else FhirStoreName
        try:
            name = make(call.dataset.project, call.dataset.location, call.dataset.dataset, identifier)
        except ResourceNameError as error:
            raise invalid(f"{self._variable}Id is not a valid ID: {error}") from None
        body = {"name": str(name), **body}
        return Reply.json(self._backend.catalog.create(self._kind, str(name), str(call.dataset), body))

    def list(self, call: RoutedRequest) -> Reply:
        """Handle ``list``, with a label filter."""
        self._backend.catalog.check_dataset(call.dataset, self._permission("list"))
        page = self._backend.catalog.page(
            self._kind,
            str(call.dataset),
            size=parameters.page_size(call),
            token=call.request.parameter("pageToken"),
            labels=parameters.label_filter(call),
        )
        return Reply.json(page.to_api(self._kind))

    def get(self, call: RoutedRequest) -> Reply:
        """Handle ``get``."""
        return Reply.json(self._backend.catalog.get(self._name(call, "get")))

    def patch(self, call: RoutedRequest) -> Reply:
        """Handle ``patch``."""
        name = self._name(call, "update")
        # The version of a FHIR store cannot be changed after its creation.
        paths = update_paths(call.request.parameter("updateMask") or "", self._fields.keys() - {"name", "version"})
        changes = parameters.resource(call, self._fields)

        def changed(body: dict[str, Any]) -> dict[str, Any]:
            return {"name": name, **_checked(merge(body, changes, paths))}

        return Reply.json(self._backend.catalog.patch(name, changed))

    def delete(self, call: RoutedRequest) -> Reply:
        """Handle ``delete``.

        The store and its content are deleted.
        """
        name = self._name(call, "delete")
        self._backend.delete(name)
        return Reply.json({})

    def metrics(self, call: RoutedRequest) -> Reply:
        """Handle ``getDICOMStoreMetrics``.

        Counts and sizes are strings, because protobuf JSON writes an int64 as a string.
        """
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

    def _name(self, call: RoutedRequest, action: str) -> str:
        name = call.dicom_store if self._kind is ResourceKind.DICOM_STORE else call.fhir_store
        self._backend.catalog.check_store(name, self._permission(action))
        return str(name)

    def _permission(self, action: str) -> str:
        return f"healthcare.{self._kind}.{action}"


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    _check_labels(fields.get("labels", {}))
    one, many = fields.get("notificationConfig", {}), fields.get("notificationConfigs", [])
    for notification in (one, *many):
        _check_topic(notification.get("pubsubTopic", ""))
    if fields.get("streamConfigs"):
        raise unimplemented("The emulator does not stream to other stores or to BigQuery (fidelity F-39).")
    return {name: value for name, value in fields.items() if name != "name" and value not in ({}, [])}


def _check_labels(labels: dict[str, str]) -> None:
    """Check the rules for ``DicomStore.labels`` in the API reference.

    Raises:
        ServiceError: 400: a label is invalid.
    """
    if len(labels) > _MAX_LABELS:
        raise invalid(f"A store has at most {_MAX_LABELS} labels.")
    for key, value in labels.items():
        if not (_is_label(key, _LABEL_KEY) and _is_label(value, _LABEL_VALUE)):
            raise invalid(
                "A label key must have 1 to 63 lower-case letters, digits, _ or -, and start with a letter. A label "
                "value may have up to 63 of them. Both are limited to 128 bytes in UTF-8."
            )


def _is_label(text: str, form: re.Pattern[str]) -> bool:
    return (
        form.fullmatch(text) is not None
        # Not a character class: letters of every script are allowed.
        and text == text.lower()
        and len(text.encode()) <= _MAX_LABEL_BYTES
    )


def _check_topic(topic: str) -> None:
    """Check the topic of a notification config.

    Nothing is published (fidelity F-40).

    Raises:
        ServiceError: 400: the topic is not a valid name.
    """
    if topic and not _TOPIC.fullmatch(topic):
        raise invalid("pubsubTopic must have the form projects/{project}/topics/{topic}.")
