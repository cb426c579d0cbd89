"""`Core`: every method of the client as a flow, from arguments to result. Shared by `sync` and `aio`; no I/O."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from healthcare_deid.client import methods as table
from healthcare_deid.client.effects import Call, Flow, Reply
from healthcare_deid.client.polling import Job, sort_page
from healthcare_deid.client.starting import Start, Starts, send
from healthcare_deid.client.state import OperationSnapshot, parse_operation
from healthcare_deid.config import requests as v1_requests
from healthcare_deid.config.message import Message
from healthcare_deid.config.resources import Dataset, DicomStore, DicomStoreMetrics
from healthcare_deid.errors import ConfigError, DeidError, NotFound, ReplyError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName, OperationName

if TYPE_CHECKING:
    from healthcare_deid.client.clock import Clock
    from healthcare_deid.client.methods import Method
    from healthcare_deid.client.retry import PollPolicy, RetryPolicy

logger = logging.getLogger("healthcare_deid.client")

M = TypeVar("M", bound=Message)
_PAGE_SIZE = "500"
_BETA = "v1beta1"


@dataclass(frozen=True, slots=True)
class Started:
    """An operation just started."""

    snapshot: OperationSnapshot
    version: str


@dataclass(frozen=True, slots=True)
class Core:
    """What a client's calls share, apart from how they are sent."""

    project: str | None
    location: str | None
    api_version: str
    timeout: float
    retry: RetryPolicy
    poll: PollPolicy
    clock: Clock
    starts: Starts

    def __post_init__(self) -> None:
        if self.api_version not in ("v1", _BETA):
            raise ConfigError(f"api_version: 'v1' or '{_BETA}' is needed")
        if not self.timeout > 0:
            raise ConfigError("timeout: seconds above 0 are needed")

    def tuned(self, timeout: float | None, retry: RetryPolicy | None) -> Core:
        """Return the core with a call's own ``timeout=`` and ``retry=``."""
        if timeout is None and retry is None:
            return self
        return replace(
            self,
            timeout=self.timeout if timeout is None else timeout,
            retry=self.retry if retry is None else retry,
        )

    def with_options(
        self,
        project: str | None,
        location: str | None,
        retry: RetryPolicy | None,
        poll: PollPolicy | None,
        timeout: float | None,
    ) -> Core:
        """Return the core with what is given in place of its own."""
        return replace(
            self.tuned(timeout, retry),
            project=project or self.project,
            location=location or self.location,
            poll=poll or self.poll,
        )

    # Names

    def dataset(self, name: str | DatasetName) -> DatasetName:
        """Complete a dataset's name."""
        return DatasetName.resolve(name, project=self.project, location=self.location)

    def dicom_store(self, name: str | DicomStoreName) -> DicomStoreName:
        """Complete a DICOM store's name."""
        return DicomStoreName.resolve(name, project=self.project, location=self.location)

    def fhir_store(self, name: str | FhirStoreName) -> FhirStoreName:
        """Complete a FHIR store's name."""
        return FhirStoreName.resolve(name, project=self.project, location=self.location)

    def operation_name(self, name: str | OperationName) -> OperationName:
        """Complete an operation's name."""
        return OperationName.resolve(name, project=self.project, location=self.location)

    def location_name(self) -> LocationName:
        """Return the client's own location."""
        return DatasetName.resolve("any", project=self.project, location=self.location).parent

    # De-identification

    def deidentify_dataset(
        self, source: str | DatasetName, destination: str | DatasetName, config: Any, gcs_config_uri: str | None
    ) -> Flow[Started]:
        """``datasets.deidentify``."""
        start, version = self.dataset(source), self._version_for(config, gcs_config_uri)
        body = _requests(version).DeidentifyDatasetRequest(
            destination_dataset=str(self.dataset(destination)), config=config, gcs_config_uri=gcs_config_uri
        )
        return self._start(table.DATASETS_DEIDENTIFY, start, start, body, version)

    def deidentify_dicom_store(
        self,
        source: str | DicomStoreName,
        destination: str | DicomStoreName,
        config: Any,
        gcs_config_uri: str | None,
        filter_config: Any,
    ) -> Flow[Started]:
        """``dicomStores.deidentify``."""
        store, version = self.dicom_store(source), self._version_for(config, gcs_config_uri)
        body = _requests(version).DeidentifyDicomStoreRequest(
            destination_store=str(self.dicom_store(destination)),
            config=config,
            gcs_config_uri=gcs_config_uri,
            filter_config=_dicom_filter(filter_config),
        )
        return self._start(table.DICOM_STORES_DEIDENTIFY, store, store.parent, body, version)

    def deidentify_fhir_store(
        self,
        source: str | FhirStoreName,
        destination: str | FhirStoreName,
        config: Any,
        gcs_config_uri: str | None,
        resource_filter: Any,
        skip_modified_resources: bool | None,
    ) -> Flow[Started]:
        """``fhirStores.deidentify``."""
        store, version = self.fhir_store(source), self._version_for(config, gcs_config_uri)
        body = _requests(version).DeidentifyFhirStoreRequest(
            destination_store=str(self.fhir_store(destination)),
            config=config,
            gcs_config_uri=gcs_config_uri,
            resource_filter=_fhir_filter(resource_filter),
            skip_modified_resources=skip_modified_resources,
        )
        return self._start(table.FHIR_STORES_DEIDENTIFY, store, store.parent, body, version)

    # Operations

    def operation(self, name: OperationName, version: str | None = None) -> Flow[OperationSnapshot]:
        """``operations.get``."""
        reply = yield from self._send(table.OPERATIONS_GET, name, version=version)
        return parse_operation(reply.json, expected=name)

    def operations_page(self, dataset: DatasetName, token: str) -> Flow[tuple[list[OperationSnapshot], str]]:
        """``operations.list``, one page."""
        items, token = yield from self._page(table.OPERATIONS_LIST, dataset, "operations", token)
        return [parse_operation(item) for item in items], token

    def cancel_operation(self, name: OperationName, version: str | None = None) -> Flow[None]:
        """``operations.cancel``."""
        yield from self._send(table.OPERATIONS_CANCEL, name, body={}, version=version)

    def poll_job(self, job: Job) -> Flow[tuple[dict[int, OperationSnapshot | DeidError], int]]:
        """Ask for the operations of one job, once each: a failure waits for the next poll. Returns the list's pages."""
        found: dict[int, OperationSnapshot | DeidError] = {}
        pages, token = 0, ""
        once = replace(self, retry=type(self.retry).never(), api_version=job.version)
        try:
            while job.by_list and len(found) < len(job.trackers) and (token or not pages):
                items, token = yield from once._page(table.OPERATIONS_LIST, job.dataset, "operations", token)
                pages += 1
                found.update(sort_page(items, job.trackers))
        except DeidError as error:
            return {id(tracker): found.get(id(tracker), error) for tracker in job.trackers}, pages
        # What a complete list does not have is asked for by name, to tell expired from overlooked.
        for tracker in job.trackers:
            if id(tracker) not in found:
                try:
                    found[id(tracker)] = yield from once.operation(tracker.name)
                except DeidError as error:
                    found[id(tracker)] = error
        return found, pages

    # Datasets and stores

    def create_dataset(self, name: str | DatasetName, time_zone: str | None) -> Flow[Started]:
        """``datasets.create``."""
        dataset = self.dataset(name)
        return self._start(
            table.DATASETS_CREATE,
            dataset.parent,
            dataset,
            Dataset(time_zone=time_zone),
            self.api_version,
            {"datasetId": dataset.dataset},
        )

    def get_dataset(self, name: str | DatasetName) -> Flow[Dataset]:
        """``datasets.get``."""
        return self._read(table.DATASETS_GET, self.dataset(name), Dataset)

    def datasets_page(self, token: str) -> Flow[tuple[list[Dataset], str]]:
        """``datasets.list``, one page."""
        items, token = yield from self._page(table.DATASETS_LIST, self.location_name(), "datasets", token)
        return [_reply(Dataset, item, table.DATASETS_LIST) for item in items], token

    def delete_dataset(self, name: str | DatasetName) -> Flow[None]:
        """``datasets.delete``."""
        return self._delete(table.DATASETS_DELETE, self.dataset(name))

    def create_dicom_store(self, name: str | DicomStoreName, labels: Mapping[str, str] | None) -> Flow[DicomStore]:
        """``dicomStores.create``."""
        store = self.dicom_store(name)
        body = DicomStore(labels=dict(labels or {})).to_api()
        query = {"dicomStoreId": store.store}
        reply = yield from self._send(table.DICOM_STORES_CREATE, store.parent, body=body, query=query)
        return _reply(DicomStore, reply.json, table.DICOM_STORES_CREATE)

    def get_dicom_store(self, name: str | DicomStoreName) -> Flow[DicomStore]:
        """``dicomStores.get``."""
        return self._read(table.DICOM_STORES_GET, self.dicom_store(name), DicomStore)

    def dicom_stores_page(self, dataset: DatasetName, labels: str, token: str) -> Flow[tuple[list[DicomStore], str]]:
        """``dicomStores.list``, one page."""
        query = {"filter": labels} if labels else {}
        items, token = yield from self._page(table.DICOM_STORES_LIST, dataset, "dicomStores", token, query)
        return [_reply(DicomStore, item, table.DICOM_STORES_LIST) for item in items], token

    def delete_dicom_store(self, name: str | DicomStoreName) -> Flow[None]:
        """``dicomStores.delete``."""
        return self._delete(table.DICOM_STORES_DELETE, self.dicom_store(name))

    def get_dicom_store_metrics(self, name: str | DicomStoreName) -> Flow[DicomStoreMetrics]:
        """``dicomStores.getDICOMStoreMetrics``."""
        return self._read(table.DICOM_STORES_METRICS, self.dicom_store(name), DicomStoreMetrics)

    def import_dicom(self, name: str | DicomStoreName, gcs_uri: str) -> Flow[Started]:
        """``dicomStores.import``."""
        store = self.dicom_store(name)
        body = v1_requests.ImportDicomDataRequest(gcs_source=v1_requests.DicomGcsSource(uri=gcs_uri))
        return self._start(table.DICOM_STORES_IMPORT, store, store.parent, body, self.api_version)

    def export_dicom(self, name: str | DicomStoreName, gcs_uri_prefix: str, filter_config: Any) -> Flow[Started]:
        """``dicomStores.export``."""
        store = self.dicom_store(name)
        body = v1_requests.ExportDicomDataRequest(
            gcs_destination=v1_requests.DicomGcsDestination(uri_prefix=gcs_uri_prefix),
            filter_config=_dicom_filter(filter_config),
        )
        return self._start(table.DICOM_STORES_EXPORT, store, store.parent, body, self.api_version)

    def exists(self, method: Method, name: object) -> Flow[None]:
        """A ``get`` whose answer does not matter: it raises when there is none."""
        yield from self._send(method, name)

    def permissions(self, method: Method, name: object, wanted: tuple[str, ...]) -> Flow[frozenset[str]]:
        """``testIamPermissions``: which of ``wanted`` the caller has."""
        reply = yield from self._send(method, name, body={"permissions": list(wanted)})
        given = reply.json.get("permissions") or ()
        return frozenset(str(item) for item in cast("list[Any]", given))

    # Sending

    def _call(
        self,
        method: Method,
        name: object,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str] | None,
        version: str | None,
    ) -> Call:
        return Call(
            method,
            method.path_of(name),
            version=version or self.api_version,
            query=query or {},
            body=body,
            timeout=self.timeout,
        )

    def _send(
        self,
        method: Method,
        name: object,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> Flow[Reply]:
        return send(self._call(method, name, body, query, version), policy=self.retry, clock=self.clock)

    def _start(
        self,
        method: Method,
        name: object,
        dataset: DatasetName,
        body: Message,
        version: str,
        query: Mapping[str, str] | None = None,
    ) -> Flow[Started]:
        call = self._call(method, name, body.to_api(), query, version)
        snapshot = yield from Start(call, dataset, self.retry, self.clock, self.starts).flow()
        return Started(snapshot, version)

    def _read(self, method: Method, name: object, kind: type[M]) -> Flow[M]:
        reply = yield from self._send(method, name)
        return _reply(kind, reply.json, method)

    def _delete(self, method: Method, name: object) -> Flow[None]:
        try:
            yield from self._send(method, name)
        except NotFound as error:
            # An earlier try, whose answer was lost, has deleted it.
            if error.attempts == 1:
                raise

    def _page(
        self, method: Method, name: object, field: str, token: str, query: Mapping[str, str] | None = None
    ) -> Flow[tuple[list[Mapping[str, Any]], str]]:
        wanted = {"pageSize": _PAGE_SIZE, **(query or {}), **({"pageToken": token} if token else {})}
        reply = yield from self._send(method, name, query=wanted)
        items: Any = reply.json.get(field) or []
        following = str(reply.json.get("nextPageToken") or "")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise ReplyError(f"{method.id}: a list was expected", method_id=method.id)
        if following and following == token:
            raise ReplyError(f"{method.id}: the list does not end", method_id=method.id)
        return cast("list[Mapping[str, Any]]", items), following

    def _version_for(self, config: Any, gcs_config_uri: str | None) -> str:
        if config is None:
            if gcs_config_uri is None:
                logger.warning("de-identifying without a config: the service's defaults decide what is removed")
            return self.api_version
        theirs = _BETA if type(config).__module__.startswith(f"healthcare_deid.config.{_BETA}") else "v1"
        if theirs == "v1" and self.api_version == _BETA:
            raise ConfigError(
                "a v1 config with api_version='v1beta1': the same words mean something else there; convert the config"
            )
        return theirs


def _requests(version: str) -> Any:
    if version == "v1":
        return v1_requests
    from healthcare_deid.config import v1beta1

    return v1beta1


def _dicom_filter(value: Any) -> Any:
    """Take a filter as the message, or as the ``gs://`` URI that is all there is to it."""
    return v1_requests.DicomFilterConfig(resource_paths_gcs_uri=value) if isinstance(value, str) else value


def _fhir_filter(value: Any) -> Any:
    """Take a filter as the message, or as the names of the resources."""
    if value is None or isinstance(value, Message):
        return value
    return v1_requests.FhirFilter(resources=v1_requests.Resources(resources=tuple(value)))


def _reply(kind: type[M], value: Mapping[str, Any], method: Method) -> M:
    """Read a reply as what its method answers."""
    try:
        return kind.from_api(value)
    except ConfigError as error:
        paths = ", ".join(path for path, _ in error.problems if path)
    raise ReplyError(f"{method.id}: not a {kind.__name__} ({paths})", method_id=method.id, accepted=True)
