"""DICOM stores: create, get, list, delete, measure, import, export. Source: the API's ``dicomStores`` methods."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.client import methods as table
from healthcare_deid.client.arguments import of_type
from healthcare_deid.client.calls.caller import AsyncCaller, Caller
from healthcare_deid.config.v1 import requests
from healthcare_deid.config.v1.operations import Empty
from healthcare_deid.config.v1.resources import DicomStore, DicomStoreMetrics
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from healthcare_deid.client.async_operation import AsyncOperation
    from healthcare_deid.client.core import Core, Started
    from healthcare_deid.client.effects import Flow
    from healthcare_deid.client.operation import Operation
    from healthcare_deid.client.retry import RetryPolicy
    from healthcare_deid.config.v1.requests import DicomFilterConfig
    from healthcare_deid.names import DatasetName, DicomStoreName


def _create(core: Core, name: str | DicomStoreName, labels: Mapping[str, str] | None) -> Flow[DicomStore]:
    store = core.dicom_store(name)
    body, query = DicomStore(labels=labels).to_api(), {"dicomStoreId": store.store}
    return core.read(DicomStore, core.call(table.DICOM_STORES_CREATE, store.parent, body=body, query=query))


def _get(core: Core, name: str | DicomStoreName) -> Flow[DicomStore]:
    return core.read(DicomStore, core.call(table.DICOM_STORES_GET, core.dicom_store(name)))


def _delete(core: Core, name: str | DicomStoreName) -> Flow[None]:
    return core.delete(table.DICOM_STORES_DELETE, core.dicom_store(name))


def stores_page(core: Core, dataset: DatasetName, labels: str, token: str) -> Flow[tuple[list[DicomStore], str]]:
    """``dicomStores.list``, one page."""
    query = {"filter": labels} if labels else {}
    return core.page(DicomStore, table.DICOM_STORES_LIST, dataset, "dicomStores", token, query)


def _pages(core: Core, dataset: str | DatasetName, labels: str) -> Callable[[str], Flow[tuple[list[DicomStore], str]]]:
    return partial(stores_page, core, core.dataset(dataset), of_type("filter", labels, str))


def metrics(core: Core, name: str | DicomStoreName) -> Flow[DicomStoreMetrics]:
    """``dicomStores.getDICOMStoreMetrics``."""
    return core.read(DicomStoreMetrics, core.call(table.DICOM_STORES_METRICS, core.dicom_store(name)))


def _import(core: Core, name: str | DicomStoreName, gcs_uri: str) -> Flow[Started]:
    store = core.dicom_store(name)
    source = requests.DicomGcsSource(uri=_location("gcs_uri", gcs_uri))
    body = requests.ImportDicomDataRequest(gcs_source=source).to_api()
    return core.start(core.call(table.DICOM_STORES_IMPORT, store, body=body), store.parent)


def _export(core: Core, name: str | DicomStoreName, gcs_uri_prefix: str, filter_config: Any) -> Flow[Started]:
    store = core.dicom_store(name)
    destination = requests.DicomGcsDestination(uri_prefix=_location("gcs_uri_prefix", gcs_uri_prefix))
    body = requests.ExportDicomDataRequest(gcs_destination=destination, filter_config=dicom_filter(filter_config))
    return core.start(core.call(table.DICOM_STORES_EXPORT, store, body=body.to_api()), store.parent)


def dicom_filter(value: Any) -> Any:
    """Take a filter as the message, or as the ``gs://`` URI that is all there is to it."""
    return requests.DicomFilterConfig(resource_paths_gcs_uri=value) if isinstance(value, str) else value


def _location(argument: str, value: str) -> str:
    if not value:  # the message lets it be unset
        raise ConfigError(f"{argument}: gs://bucket/path is needed")
    return value


class DicomStores(Caller):
    """The methods on DICOM stores."""

    def create_dicom_store(
        self,
        name: str | DicomStoreName,
        *,
        labels: Mapping[str, str] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> DicomStore:
        """Create a DICOM store. Source: ``dicomStores.create``.

        Raises:
            AlreadyExists: It exists.
            TransportError: Where its ``sent`` is not ``"no"``, the store may exist now: `get_dicom_store` tells.
        """
        return self._run(_create(self._core.tuned(timeout, retry), name, labels))

    def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store. Source: ``dicomStores.get``."""
        return self._run(_get(self._core.tuned(timeout, retry), name))

    def list_dicom_stores(
        self,
        dataset: str | DatasetName,
        *,
        filter: str = "",  # noqa: A002 - the API's name
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Iterator[DicomStore]:
        """Yield the DICOM stores of a dataset, all pages. Source: ``dicomStores.list``.

        Args:
            dataset: The dataset.
            filter: By labels only: ``labels.key=value``.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.
        """
        core = self._core.tuned(timeout, retry)
        return self._pages(_pages(core, dataset, filter))

    def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store and all that is in it. Source: ``dicomStores.delete``."""
        self._run(_delete(self._core.tuned(timeout, retry), name))

    def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return how much a DICOM store holds. Source: ``dicomStores.getDICOMStoreMetrics``."""
        return self._run(metrics(self._core.tuned(timeout, retry), name))

    def import_dicom(
        self,
        store: str | DicomStoreName,
        gcs_uri: str,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[Empty]:
        """Import instances from Cloud Storage. Source: ``dicomStores.import``.

        Args:
            store: The store to write to.
            gcs_uri: ``gs://bucket/path``; ``*``, ``**`` and ``?`` stand for parts of names.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.
        """
        return self._start(_import(self._core.tuned(timeout, retry), store, gcs_uri), Empty)

    def export_dicom(
        self,
        store: str | DicomStoreName,
        gcs_uri_prefix: str,
        *,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[Empty]:
        """Export instances to Cloud Storage, as they are: nothing is de-identified. Source: ``dicomStores.export``.

        Args:
            store: The store to read.
            gcs_uri_prefix: ``gs://bucket/folder``.
            filter_config: Which instances: the message, or the ``gs://`` URI of the file that lists them.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.
        """
        flow = _export(self._core.tuned(timeout, retry), store, gcs_uri_prefix, filter_config)
        return self._start(flow, Empty)


class AsyncDicomStores(AsyncCaller):
    """The methods on DICOM stores, to be awaited."""

    async def create_dicom_store(
        self,
        name: str | DicomStoreName,
        *,
        labels: Mapping[str, str] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> DicomStore:
        """Create a DICOM store. Source: ``dicomStores.create``.

        Arguments, result and errors are those of `DeidClient.create_dicom_store`.
        """
        return await self._run(_create(self._core.tuned(timeout, retry), name, labels))

    async def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store. Source: ``dicomStores.get``."""
        return await self._run(_get(self._core.tuned(timeout, retry), name))

    def list_dicom_stores(
        self,
        dataset: str | DatasetName,
        *,
        filter: str = "",  # noqa: A002 - the API's name
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncIterator[DicomStore]:
        """Yield the DICOM stores of a dataset, all pages. Source: ``dicomStores.list``.

        Arguments, result and errors are those of `DeidClient.list_dicom_stores`.
        """
        core = self._core.tuned(timeout, retry)
        return self._pages(_pages(core, dataset, filter))

    async def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store and all that is in it. Source: ``dicomStores.delete``."""
        await self._run(_delete(self._core.tuned(timeout, retry), name))

    async def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return how much a DICOM store holds. Source: ``dicomStores.getDICOMStoreMetrics``."""
        return await self._run(metrics(self._core.tuned(timeout, retry), name))

    async def import_dicom(
        self,
        store: str | DicomStoreName,
        gcs_uri: str,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Empty]:
        """Import instances from Cloud Storage. Source: ``dicomStores.import``.

        Arguments, result and errors are those of `DeidClient.import_dicom`.
        """
        return await self._start(_import(self._core.tuned(timeout, retry), store, gcs_uri), Empty)

    async def export_dicom(
        self,
        store: str | DicomStoreName,
        gcs_uri_prefix: str,
        *,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Empty]:
        """Export instances to Cloud Storage, as they are: nothing is de-identified. Source: ``dicomStores.export``.

        Arguments, result and errors are those of `DeidClient.export_dicom`.
        """
        flow = _export(self._core.tuned(timeout, retry), store, gcs_uri_prefix, filter_config)
        return await self._start(flow, Empty)
