"""DICOMweb routes and their handlers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.handlers.dicomweb import retrieve, search, store
from healthcare_deid.emulator.handlers.dicomweb.frames import retrieve_bulk, retrieve_frames, retrieve_rendered
from healthcare_deid.emulator.handlers.dicomweb.paths import checked_store
from healthcare_deid.emulator.handlers.dicomweb.search import SearchLevel
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.http.routes import ANY_QUERY, Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.emulator.backend import Backend
    from healthcare_deid.emulator.http.routes import RoutedRequest
    from healthcare_deid.emulator.storage.instances import StoredInstance

_ROOT = "projects/{project}/locations/{location}/datasets/{dataset}/dicomStores/{dicomStore}/dicomWeb"
_STUDIES = f"{_ROOT}/studies"
_STUDY = f"{_STUDIES}/{{study}}"
_ALL_SERIES = f"{_STUDY}/series"
_SERIES = f"{_ALL_SERIES}/{{series}}"
_INSTANCES = f"{_SERIES}/instances"
_INSTANCE = f"{_INSTANCES}/{{instance}}"
_BETA = frozenset({"v1beta1"})
_VIEWPORT = frozenset({"viewport"})
_METHOD = "projects.locations.datasets.dicomStores"
_READ, _WRITE, _DELETE = (f"healthcare.dicomStores.dicomWeb{action}" for action in ("Read", "Write", "Delete"))


class DicomWebCalls:
    """Handlers of the DICOMweb methods."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """Return the routes."""
        study, series, instance = (
            f"{_METHOD}.studies",
            f"{_METHOD}.studies.series",
            f"{_METHOD}.studies.series.instances",
        )
        frames = f"{instance}.frames"
        find = self._search
        return [
            Route("POST", _STUDIES, f"{_METHOD}.storeInstances", self.store),
            Route("POST", _STUDY, f"{study}.storeInstances", self.store),
            Route("GET", _STUDIES, f"{_METHOD}.searchForStudies", find(SearchLevel.STUDIES), ANY_QUERY),
            Route("GET", f"{_ROOT}/series", f"{_METHOD}.searchForSeries", find(SearchLevel.SERIES), ANY_QUERY),
            Route("GET", f"{_ROOT}/instances", f"{_METHOD}.searchForInstances", find(SearchLevel.INSTANCES), ANY_QUERY),
            Route("GET", _ALL_SERIES, f"{study}.searchForSeries", find(SearchLevel.SERIES), ANY_QUERY),
            Route("GET", f"{_STUDY}/instances", f"{study}.searchForInstances", find(SearchLevel.INSTANCES), ANY_QUERY),
            Route("GET", _INSTANCES, f"{series}.searchForInstances", find(SearchLevel.INSTANCES), ANY_QUERY),
            Route("GET", _STUDY, f"{study}.retrieveStudy", self.retrieve),
            Route("GET", _SERIES, f"{series}.retrieveSeries", self.retrieve),
            Route("GET", _INSTANCE, f"{instance}.retrieveInstance", self.retrieve),
            Route("GET", f"{_STUDY}/metadata", f"{study}.retrieveMetadata", self.metadata),
            Route("GET", f"{_SERIES}/metadata", f"{series}.retrieveMetadata", self.metadata),
            Route("GET", f"{_INSTANCE}/metadata", f"{instance}.retrieveMetadata", self.metadata),
            Route("GET", f"{_INSTANCE}/frames/{{frames}}", f"{frames}.retrieveFrames", self.frames),
            Route(
                "GET", f"{_INSTANCE}/frames/{{frames}}/rendered", f"{frames}.retrieveRendered", self.rendered, _VIEWPORT
            ),
            Route("GET", f"{_INSTANCE}/rendered", f"{instance}.retrieveRendered", self.rendered, _VIEWPORT),
            Route("GET", f"{_INSTANCE}/bulkdata/{{path*}}", f"{instance}.bulkdata.retrieveBulkdata", self.bulk),
            Route("PUT", _STUDIES, f"{_METHOD}.updateInstances", self.update, versions=_BETA),
            Route("PUT", _STUDY, f"{study}.updateInstances", self.update, versions=_BETA),
            Route("PATCH", f"{_STUDY}/metadata", f"{study}.updateMetadata", self.update_metadata, versions=_BETA),
            Route("PATCH", f"{_SERIES}/metadata", f"{series}.updateMetadata", self.update_metadata, versions=_BETA),
            Route("PATCH", f"{_INSTANCE}/metadata", f"{instance}.updateMetadata", self.update_one, versions=_BETA),
            Route("DELETE", _STUDY, f"{study}.delete", self.delete_many),
            Route("DELETE", _SERIES, f"{series}.delete", self.delete_many),
            Route("DELETE", _INSTANCE, f"{instance}.delete", self.delete_instance),
        ]

    def store(self, call: RoutedRequest) -> Reply:
        """Handle ``storeInstances``."""
        name = self._store_name(call, _WRITE)
        return store.store(self._backend.instances, name, call.request, call.optional("study"))

    def update(self, call: RoutedRequest) -> Reply:
        """Handle ``updateInstances``.

        Instances replace those with the same UIDs (fidelity F-43).
        """
        name = self._store_name(call, _WRITE)
        return store.store(self._backend.instances, name, call.request, call.optional("study"), replace=True)

    def update_metadata(self, call: RoutedRequest) -> Reply:
        """Handle ``updateMetadata`` of a study or series.

        It starts an operation.
        """
        name = self._store_name(call, _WRITE)
        found = self._backend.instances.find(name, call.ids["study"], call.optional("series"))
        if not found:
            return retrieve.missing(_level(call))
        method = "UpdateSeriesMetadata" if "series" in call.ids else "UpdateStudyMetadata"
        return Reply.json(
            {"name": self._backend.metadata_update.start(call.dataset, found, _patch(call), method, call.version)}
        )

    def update_one(self, call: RoutedRequest) -> Reply:
        """Handle ``updateMetadata`` of an instance.

        It returns the new metadata.
        """
        found = self._found(call)
        if not found:
            return retrieve.missing("instance")
        self._backend.metadata_update.apply(found[0], _patch(call))
        # Read again, because the patch has replaced the file and its index row.
        return retrieve.metadata(self._found(call), call.request)

    def _search(self, level: SearchLevel) -> Callable[[RoutedRequest], Reply]:
        def answer(call: RoutedRequest) -> Reply:
            name = self._store_name(call, _READ)
            study, series = call.optional("study"), call.optional("series")
            return search.search(self._backend.database, name, call.request, level, study, series)

        return answer

    def retrieve(self, call: RoutedRequest) -> Reply:
        """Handle ``retrieveStudy``, ``retrieveSeries`` and ``retrieveInstance``."""
        found = self._found(call)
        if not found:
            return retrieve.missing(_level(call))
        return retrieve.retrieve(found, call.request, single="instance" in call.ids)

    def metadata(self, call: RoutedRequest) -> Reply:
        """Handle ``retrieveMetadata`` at every level."""
        found = self._found(call)
        return retrieve.metadata(found, call.request) if found else retrieve.missing(_level(call))

    def frames(self, call: RoutedRequest) -> Reply:
        """Handle ``retrieveFrames``."""
        found = self._found(call)
        if not found:
            return retrieve.missing("instance")
        return retrieve_frames(found[0], call.ids["frames"], call.request)

    def rendered(self, call: RoutedRequest) -> Reply:
        """Handle ``retrieveRendered`` of a frame or an instance.

        For an instance, the first frame is rendered.
        """
        found = self._found(call)
        if not found:
            return retrieve.missing("instance")
        return retrieve_rendered(found[0], call.ids.get("frames", "1"), call.request)

    def bulk(self, call: RoutedRequest) -> Reply:
        """Handle ``retrieveBulkdata``."""
        found = self._found(call)
        if not found:
            return retrieve.missing("instance")
        return retrieve_bulk(found[0], call.ids["path"], call.request)

    def delete_many(self, call: RoutedRequest) -> Reply:
        """Handle ``studies.delete`` and ``series.delete``.

        The operation has already ended (fidelity F-35).
        """
        name = self._store_name(call, _DELETE)
        study, series = call.ids["study"], call.optional("series")
        if not self._backend.instances.find(name, study, series):
            return retrieve.missing(_level(call))
        method = "DeleteSeries" if series else "DeleteStudy"
        removed = self._backend.instances.remove(name, study, series)
        response = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        operation = self._backend.operations.ended(
            call.dataset, f"dicomweb.DicomWebService.{method}", call.version, response, removed
        )
        return Reply.json(self._backend.logs.describe(operation, call.request))

    def delete_instance(self, call: RoutedRequest) -> Reply:
        """Handle ``instances.delete``."""
        name = self._store_name(call, _DELETE)
        ids = call.ids
        if not self._backend.instances.remove(name, ids["study"], ids["series"], ids["instance"]):
            return retrieve.missing("instance")
        return Reply.json({})

    def _found(self, call: RoutedRequest) -> list[StoredInstance]:
        name = self._store_name(call, _READ)
        return self._backend.instances.find(name, call.ids["study"], call.optional("series"), call.optional("instance"))

    def _store_name(self, call: RoutedRequest, permission: str) -> str:
        return checked_store(self._backend, call, permission)


def _patch(call: RoutedRequest) -> Any:
    try:
        return json.loads(call.request.body)
    except ValueError:
        raise invalid("The body must be a JSON Patch (RFC 6902): a list of operations.") from None


def _level(call: RoutedRequest) -> str:
    return next(level for level in ("instance", "series", "study") if level in call.ids)
