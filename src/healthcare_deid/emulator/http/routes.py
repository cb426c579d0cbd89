"""The table of routes: which method and path is which API method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from healthcare_deid.emulator.status import not_found
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName, OperationName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthcare_deid.emulator.messages import Reply, Request

VERSIONS = frozenset({"v1", "v1beta1", "v1alpha2"})
"""API versions in paths. ``gcloud alpha`` sends v1alpha2, which is answered as v1beta1."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request, routed.

    Attributes:
        request: The request.
        version: ``v1`` or ``v1beta1``.
        ids: The path's variables, decoded.
    """

    request: Request
    version: str
    ids: Mapping[str, str]

    @property
    def location(self) -> LocationName:
        """The location the path names."""
        return LocationName(self.ids["project"], self.ids["location"])

    @property
    def dataset(self) -> DatasetName:
        """The dataset the path names."""
        return DatasetName(self.ids["project"], self.ids["location"], self.ids["dataset"])

    @property
    def dicom_store(self) -> DicomStoreName:
        """The DICOM store the path names."""
        return DicomStoreName(self.ids["project"], self.ids["location"], self.ids["dataset"], self.ids["dicomStore"])

    @property
    def fhir_store(self) -> FhirStoreName:
        """The FHIR store the path names."""
        return FhirStoreName(self.ids["project"], self.ids["location"], self.ids["dataset"], self.ids["fhirStore"])

    @property
    def operation(self) -> OperationName:
        """The operation the path names."""
        return OperationName(self.ids["project"], self.ids["location"], self.ids["dataset"], self.ids["operation"])

    def optional(self, name: str) -> str | None:
        """Return a variable the path may have."""
        return self.ids.get(name)


@dataclass(frozen=True, slots=True)
class Route:
    """One method of the API.

    Attributes:
        verb: HTTP method.
        template: Path after the version, such as ``projects/{project}/locations``; it may end in ``:action``, or in a
            variable ``{name*}`` for all that follows.
        method_id: Its id in the discovery document, after ``healthcare.``.
        handler: What answers it.
    """

    verb: str
    template: str
    method_id: str
    handler: Callable[[Call], Reply]

    @property
    def is_store(self) -> bool:
        """Whether it stores instances: the one kind of request without a limit on its size."""
        return self.method_id.endswith("storeInstances")


class Routes:
    """Finds the route of a request."""

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
            ServiceError: 404: there is no such method.
            ResourceNameError: The path names nothing that could exist.
        """
        head, *segments = request.path.strip("/").split("/")
        version = unquote(head)
        if version in VERSIONS and segments:
            last, colon, action = segments[-1].rpartition(":")
            candidates = [(segments, "")]
            if colon:  # a project may have a colon in its ID, so the whole segment is tried as well
                candidates.insert(0, ([*segments[:-1], last], action))
            for parts, verb in candidates:
                for wanted, route in self._by_shape.get((request.method, verb, len(parts)), ()):
                    ids = _match(wanted, parts)
                    if ids is not None:
                        return route, _call(request, version, ids)
            for wanted, route in self._open_ended:
                fixed = len(wanted) - 1
                ids = _match(wanted[:-1], segments[:fixed]) if len(segments) > fixed else None
                if ids is not None and route.verb == request.method:
                    ids[wanted[-1][1:-2]] = unquote("/".join(segments[fixed:]))
                    return route, _call(request, version, ids)
        raise not_found("Method not found.")


def _match(wanted: list[str], given: list[str]) -> dict[str, str] | None:
    ids: dict[str, str] = {}
    for want, have in zip(wanted, given, strict=True):
        if want.startswith("{"):
            ids[want[1:-1]] = unquote(have)
        elif want != have:
            return None
    return ids


def _call(request: Request, version: str, ids: dict[str, str]) -> Call:
    call = Call(request, "v1" if version == "v1" else "v1beta1", ids)
    # Reading a name checks it: an ID with a slash or a control character names nothing, and raises.
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
