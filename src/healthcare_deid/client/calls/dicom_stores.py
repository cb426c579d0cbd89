"""DICOM stores: create, get, list, delete, measure, import, export. Source: the API's ``dicomStores`` methods."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.calls.base import AsyncMethodGroup, MethodGroup
from healthcare_deid.client.protocol import methods as table
from healthcare_deid.client.protocol.arguments import of_type
from healthcare_deid.config import requests
from healthcare_deid.config.operations import Empty
from healthcare_deid.config.resources import DicomStore, DicomStoreMetrics
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.operation.operation import Operation
    from healthcare_deid.client.protocol.context import CallContext, Started
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.config.requests import DicomFilterConfig
    from healthcare_deid.names import DatasetName, DicomStoreName


def _create(context: CallContext, name: str | DicomStoreName, labels: Mapping[str, str] | None) -> Flow[DicomStore]:
    store = context.dicom_store(name)
    body, query = DicomStore(labels=labels).to_api(), {"dicomStoreId": store.store}
    return context.read(DicomStore, context.call(table.DICOM_STORES_CREATE, store.parent, body=body, query=query))


def _get(context: CallContext, name: str | DicomStoreName) -> Flow[DicomStore]:
    return context.read(DicomStore, context.call(table.DICOM_STORES_GET, context.dicom_store(name)))


def _delete(context: CallContext, name: str | DicomStoreName) -> Flow[None]:
    return context.delete(table.DICOM_STORES_DELETE, context.dicom_store(name))


def stores_page(
    context: CallContext, dataset: DatasetName, labels: str, token: str
) -> Flow[tuple[list[DicomStore], str]]:
    """``dicomStores.list``, one page."""
    query = {"filter": labels} if labels else {}
    return context.page(DicomStore, table.DICOM_STORES_LIST, dataset, "dicomStores", token, query)


def _pages(
    context: CallContext, dataset: str | DatasetName, labels: str
) -> Callable[[str], Flow[tuple[list[DicomStore], str]]]:
    return partial(stores_page, context, context.dataset(dataset), of_type("filter", labels, str))


def metrics(context: CallContext, name: str | DicomStoreName) -> Flow[DicomStoreMetrics]:
    """``dicomStores.getDICOMStoreMetrics``."""
    return context.read(DicomStoreMetrics, context.call(table.DICOM_STORES_METRICS, context.dicom_store(name)))


def _import(context: CallContext, name: str | DicomStoreName, gcs_uri: str) -> Flow[Started]:
    store = context.dicom_store(name)
    source = requests.DicomGcsSource(uri=_location("gcs_uri", gcs_uri))
    body = requests.ImportDicomDataRequest(gcs_source=source).to_api()
    return context.start(context.call(table.DICOM_STORES_IMPORT, store, body=body), store.parent)


def _export(context: CallContext, name: str | DicomStoreName, gcs_uri_prefix: str, filter_config: Any) -> Flow[Started]:
    store = context.dicom_store(name)
    destination = requests.DicomGcsDestination(uri_prefix=_location("gcs_uri_prefix", gcs_uri_prefix))
    body = requests.ExportDicomDataRequest(gcs_destination=destination, filter_config=dicom_filter(filter_config))
    return context.start(context.call(table.DICOM_STORES_EXPORT, store, body=body.to_api()), store.parent)


def dicom_filter(value: Any) -> Any:
    """Take a filter as the message, or as the ``gs://`` URI that is all there is to it."""
    return requests.DicomFilterConfig(resource_paths_gcs_uri=value) if isinstance(value, str) else value


def _location(argument: str, value: str) -> str:
    if not value:  # the message lets it be unset
        raise ConfigError(f"{argument}: gs://bucket/path is needed")
    return value


class DicomStoreMethods(MethodGroup):
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
        return self._run(_create(self._context.tuned(timeout, retry), name, labels))

    def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store. Source: ``dicomStores.get``."""
        return self._run(_get(self._context.tuned(timeout, retry), name))

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
        context = self._context.tuned(timeout, retry)
        return self._pages(_pages(context, dataset, filter))

    def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store and all that is in it. Source: ``dicomStores.delete``."""
        self._run(_delete(self._context.tuned(timeout, retry), name))

    def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return how much a DICOM store holds. Source: ``dicomStores.getDICOMStoreMetrics``."""
        return self._run(metrics(self._context.tuned(timeout, retry), name))

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
        return self._start(_import(self._context.tuned(timeout, retry), store, gcs_uri), Empty)

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
        flow = _export(self._context.tuned(timeout, retry), store, gcs_uri_prefix, filter_config)
        return self._start(flow, Empty)


class AsyncDicomStoreMethods(AsyncMethodGroup):
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
        return await self._run(_create(self._context.tuned(timeout, retry), name, labels))

    async def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store. Source: ``dicomStores.get``."""
        return await self._run(_get(self._context.tuned(timeout, retry), name))

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
        context = self._context.tuned(timeout, retry)
        return self._pages(_pages(context, dataset, filter))

    async def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store and all that is in it. Source: ``dicomStores.delete``."""
        await self._run(_delete(self._context.tuned(timeout, retry), name))

    async def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return how much a DICOM store holds. Source: ``dicomStores.getDICOMStoreMetrics``."""
        return await self._run(metrics(self._context.tuned(timeout, retry), name))

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
        return await self._start(_import(self._context.tuned(timeout, retry), store, gcs_uri), Empty)

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
        flow = _export(self._context.tuned(timeout, retry), store, gcs_uri_prefix, filter_config)
        return await self._start(flow, Empty)
