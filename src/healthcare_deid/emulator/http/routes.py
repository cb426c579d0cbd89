"""Routes: the API method for each verb and path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from healthcare_deid.emulator.errors import ServiceError, invalid_field, not_found, unimplemented
from healthcare_deid.emulator.http.field_masks import camel
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthcare_deid.emulator.http.reply import Reply
    from healthcare_deid.emulator.http.request import Request

VERSIONS = {"v1": "v1", "v1beta1": "v1beta1", "v1alpha2": "v1beta1"}
"""API versions in paths and the version that handles each. ``gcloud alpha`` sends v1alpha2 (fidelity F-31)."""

ANY_QUERY: frozenset[str] | None = None
"""Marks a route whose handler checks the query: searches, and methods whose fields can be set in the query."""


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """Request with its route's variables.

    Attributes:
        request: Request.
        version: ``v1`` or ``v1beta1``.
        ids: Decoded path variables.
    """

    request: Request
    version: str
    ids: Mapping[str, str]

    @property
    def location(self) -> LocationName:
        """Location in the path."""
        return LocationName(self.ids["project"], self.ids["location"])

    @property
    def dataset(self) -> DatasetName:
        """Dataset in the path."""
        return DatasetName(self.ids["project"], self.ids["location"], self.ids["dataset"])

    @property
    def dicom_store(self) -> DicomStoreName:
        """DICOM store in the path."""
        return DicomStoreName(self.ids["project"], self.ids["location"], self.ids["dataset"], self.ids["dicomStore"])

    @property
    def fhir_store(self) -> FhirStoreName:
        """FHIR store in the path."""
        return FhirStoreName(self.ids["project"], self.ids["location"], self.ids["dataset"], self.ids["fhirStore"])

    @property
    def operation(self) -> OperationName:
        """Operation in the path."""
        return OperationName(self.ids["project"], self.ids["location"], self.ids["dataset"], self.ids["operation"])

    def optional(self, name: str) -> str | None:
        """Return a path variable, or None if the path does not have it."""
        return self.ids.get(name)


@dataclass(frozen=True, slots=True)
class Route:
    """API method.

    Attributes:
        verb: HTTP method.
        template: Path after the version, such as ``projects/{project}/locations``. It may end in ``:action``, or in
            ``{name*}`` for the rest of the path.
        method_id: Method ID in the discovery document, without ``healthcare.``.
        handler: Function that handles the request.
        query: Accepted query parameters. `ANY_QUERY` leaves the check to the handler.
        versions: API versions that have the method.
    """

    verb: str
    template: str
    method_id: str
    handler: Callable[[RoutedRequest], Reply]
    query: frozenset[str] | None = frozenset()
    versions: frozenset[str] = field(default=frozenset({"v1", "v1beta1"}))

    @property
    def is_store(self) -> bool:
        """Whether the body holds instances, whose size is not limited."""
        return self.method_id.endswith(("storeInstances", "updateInstances"))

    def check_query(self, request: Request) -> None:
        """Refuse query parameters that the method does not have.

        Raises:
            ServiceError: 400: a parameter is unknown.
        """
        for name, _ in request.query:
            if self.query is not None and camel(name) not in self.query:
                raise unknown_parameter(name)


class Routes:
    """Table of routes."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_shape: dict[tuple[str, str, int], list[tuple[list[str], Route]]] = {}
        self._open_ended: list[tuple[list[str], Route]] = []
        for route in routes:
            path, _, action = route.template.partition(":")
            segments = path.split("/")
            # A bulk data path has any number of segments.
            if segments[-1].endswith("*}"):
                self._open_ended.append((segments, route))
                continue
            self._by_shape.setdefault((route.verb, action, len(segments)), []).append((segments, route))

    def find(self, request: Request) -> tuple[Route, RoutedRequest]:
        """Return the route and variables for a request.

        Raises:
            ServiceError: 404: the method does not exist. 501: the method is not emulated.
            ResourceNameError: A name in the path is malformed.
        """
        head, *segments = request.path.strip("/").split("/")
        version = VERSIONS.get(unquote(head))
        if version is None or not segments:
            raise not_found("Method not found.")
        last, _, action = segments[-1].rpartition(":")
        # Any other colon belongs to an ID: project IDs such as "example.com:project" have one.
        parts, verb = ([*segments[:-1], last], action) if action in _ACTIONS else (segments, "")
        for wanted, route in self._by_shape.get((request.method, verb, len(parts)), ()):
            ids = _match(wanted, parts)
            if ids is not None and version in route.versions:
                return route, _routed_request(request, version, ids)
        for wanted, route in self._open_ended:
            fixed = len(wanted) - 1
            ids = _match(wanted[:-1], segments[:fixed]) if len(segments) > fixed else None
            if ids is not None and route.verb == request.method:
                ids[wanted[-1][1:-2]] = unquote("/".join(segments[fixed:]))
                return route, _routed_request(request, version, ids)
        if _belongs_to_the_api(segments, action):
            raise unimplemented("The emulator does not support this API method (fidelity F-37).")
        raise not_found("Method not found.")


def unknown_parameter(name: str) -> ServiceError:
    """Return the 400 error for an unknown query parameter."""
    return invalid_field(
        "",
        f'Invalid JSON payload received. Unknown name "{name[:64]}": Cannot bind query parameter. '
        f"Field '{name[:64]}' could not be found in request message.",
    )


def _belongs_to_the_api(segments: list[str], action: str) -> bool:
    """Return whether the service has methods at this path."""
    # projects/p/locations/l/datasets/d/fhirStores/f/… and locations/l/services/nlp
    in_fhir_store = segments[6:7] == ["fhirStores"] and len(segments) > _STORE_SEGMENTS
    return in_fhir_store or action in _ACTIONS or bool(_OTHER_COLLECTIONS.intersection(segments[4:7:2]))


_STORE_SEGMENTS = 8
_OTHER_COLLECTIONS = frozenset({"annotationStores", "consentStores", "dataMapperWorkspaces", "hl7V2Stores", "services"})
# Custom verbs in the discovery documents. After a colon they are never part of an ID.
_ACTIONS = frozenset(
    {
        "activate", "analyzeEntities", "applyAdminConsents", "applyConsents", "archive", "batchGet", "bulkDelete",
        "cancel", "checkDataAccess", "configureSearch", "deidentify", "deleteRevision", "evaluateUserConsents",
        "executeCohort", "explainDataAccess", "export", "exportHistory", "getDICOMStoreMetrics",
        "getFHIRStoreMetrics", "getHL7v2StoreMetrics", "getIamPolicy", "getSeriesMetrics", "getStorageInfo",
        "getStudyMetrics", "import", "importHistory", "ingest", "listRevisions", "queryAccessibleData", "reject",
        "revoke", "rollback", "setBlobStorageSettings", "setIamPolicy", "testIamPermissions",
    }
)  # fmt: skip


def _match(wanted: list[str], given: list[str]) -> dict[str, str] | None:
    ids: dict[str, str] = {}
    for want, have in zip(wanted, given, strict=True):
        if want.startswith("{"):
            ids[want[1:-1]] = unquote(have)
        elif want != have:
            return None
    return ids


def _routed_request(request: Request, version: str, ids: dict[str, str]) -> RoutedRequest:
    call = RoutedRequest(request, version, ids)
    # Building the name checks it: an ID with a slash or a control character raises ResourceNameError.
    # From specific to general: a store's name includes its dataset's.
    for variable, attribute in _NAMES:
        if variable in ids:
            getattr(call, attribute)
            break
    return call


_NAMES = (
    ("operation", "operation"),
    ("dicomStore", "dicom_store"),
    ("fhirStore", "fhir_store"),
    ("dataset", "dataset"),
    ("location", "location"),
)
