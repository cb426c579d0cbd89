"""The table of routes: which method and path is which API method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from healthcare_deid.emulator.errors import ServiceError, invalid, not_found, unimplemented
from healthcare_deid.emulator.http.field_masks import camel
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthcare_deid.emulator.http.reply import Reply
    from healthcare_deid.emulator.http.request import Request

VERSIONS = {"v1": "v1", "v1beta1": "v1beta1", "v1alpha2": "v1beta1"}
"""API versions in paths, and the version that answers. ``gcloud alpha`` sends v1alpha2 (fidelity F-31)."""

ANY_QUERY: frozenset[str] | None = None
"""Marks a route whose handler reads the query itself: searches, and requests whose fields a query can set."""


@dataclass(frozen=True, slots=True)
class Call:
    """A routed request.

    Attributes:
        request: The request.
        version: ``v1`` or ``v1beta1``.
        ids: Decoded variables of the path.
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
        """Return a variable that only some paths have."""
        return self.ids.get(name)


@dataclass(frozen=True, slots=True)
class Route:
    """One method of the API.

    Attributes:
        verb: HTTP method.
        template: Path after the version, such as ``projects/{project}/locations``. It may end in ``:action``, or in a
            variable ``{name*}`` for the rest of the path.
        method_id: Method ID in the discovery document, without ``healthcare.``.
        handler: Function that answers.
        query: Accepted query parameters; `ANY_QUERY` leaves the check to the handler.
        versions: API versions that have the method.
    """

    verb: str
    template: str
    method_id: str
    handler: Callable[[Call], Reply]
    query: frozenset[str] | None = frozenset()
    versions: frozenset[str] = field(default=frozenset({"v1", "v1beta1"}))

    @property
    def is_store(self) -> bool:
        """Whether the body holds instances, which the service does not limit in size."""
        return self.method_id.endswith(("storeInstances", "updateInstances"))

    def check_query(self, request: Request) -> None:
        """Refuse query parameters that the method does not have.

        Raises:
            ServiceError: 400.
        """
        for name, _ in request.query:
            if self.query is not None and camel(name) not in self.query:
                raise unknown_parameter(name)


class Routes:
    """Lookup of the route for a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_shape: dict[tuple[str, str, int], list[tuple[list[str], Route]]] = {}
        self._open_ended: list[tuple[list[str], Route]] = []
        for route in routes:
            path, _, action = route.template.partition(":")
            segments = path.split("/")
            if segments[-1].endswith("*}"):
                self._open_ended.append((segments, route))
                continue
            self._by_shape.setdefault((route.verb, action, len(segments)), []).append((segments, route))

    def find(self, request: Request) -> tuple[Route, Call]:
        """Return the route and its variables.

        Raises:
            ServiceError: 404: no such method; 501: a method of the API that is not emulated.
            ResourceNameError: A name in the path is malformed.
        """
        head, *segments = request.path.strip("/").split("/")
        version = VERSIONS.get(unquote(head))
        if version is None or not segments:
            raise not_found("Method not found.")
        last, _, action = segments[-1].rpartition(":")
        # Any other colon is part of an ID: projects and DICOM stores may have one.
        parts, verb = ([*segments[:-1], last], action) if action in _ACTIONS else (segments, "")
        for wanted, route in self._by_shape.get((request.method, verb, len(parts)), ()):
            ids = _match(wanted, parts)
            if ids is not None and version in route.versions:
                return route, _call(request, version, ids)
        for wanted, route in self._open_ended:
            fixed = len(wanted) - 1
            ids = _match(wanted[:-1], segments[:fixed]) if len(segments) > fixed else None
            if ids is not None and route.verb == request.method:
                ids[wanted[-1][1:-2]] = unquote("/".join(segments[fixed:]))
                return route, _call(request, version, ids)
        if _belongs_to_the_api(segments, action):
            raise unimplemented("The emulator does not have this method of the API (fidelity F-37).")
        raise not_found("Method not found.")


def unknown_parameter(name: str) -> ServiceError:
    """400 for a query parameter that is no field of the request."""
    return invalid(
        f'Invalid JSON payload received. Unknown name "{name[:64]}": Cannot bind query parameter. '
        f"Field '{name[:64]}' could not be found in request message."
    )


def _belongs_to_the_api(segments: list[str], action: str) -> bool:
    """Return whether the service has methods at a path that has no route here."""
    # projects/p/locations/l/datasets/d/fhirStores/f/… and locations/l/services/nlp
    in_fhir_store = segments[6:7] == ["fhirStores"] and len(segments) > _STORE_SEGMENTS
    return in_fhir_store or action in _ACTIONS or bool(_OTHER_COLLECTIONS.intersection(segments[4:7:2]))


_STORE_SEGMENTS = 8
_OTHER_COLLECTIONS = frozenset({"annotationStores", "consentStores", "dataMapperWorkspaces", "hl7V2Stores", "services"})
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
"""Custom verbs of the discovery documents: after a colon they are never part of an ID."""


def _match(wanted: list[str], given: list[str]) -> dict[str, str] | None:
    ids: dict[str, str] = {}
    for want, have in zip(wanted, given, strict=True):
        if want.startswith("{"):
            ids[want[1:-1]] = unquote(have)
        elif want != have:
            return None
    return ids


def _call(request: Request, version: str, ids: dict[str, str]) -> Call:
    call = Call(request, version, ids)
    # The properties check the names: an ID with a slash or a control character raises.
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
