"""DICOM store methods: create, get, list, delete, metrics, import, export.

Source: the API's ``dicomStores`` methods.
"""

# ruff: noqa: ASYNC109 - timeout= limits one HTTP attempt, as in the other client; asyncio.timeout() limits a whole call

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from healthcare_deid.client.calls import requests
from healthcare_deid.client.calls.async_base import AsyncMethodGroup
from healthcare_deid.client.protocol.arguments import require_type
from healthcare_deid.config.v1.operations import Empty

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.config.v1.requests import DicomFilterConfig
    from healthcare_deid.config.v1.resources import DicomStore, DicomStoreMetrics
    from healthcare_deid.names import DatasetName, DicomStoreName


class AsyncDicomStoreMethods(AsyncMethodGroup):
    """DICOM store methods."""

    async def create_dicom_store(
        self,
        name: str | DicomStoreName,
        *,
        labels: Mapping[str, str] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> DicomStore:
        """Create a DICOM store.

        Source: ``dicomStores.create``.

        Raises:
            AlreadyExists: A store with this name exists.
            TransportError: The reply was lost. Unless ``sent`` is ``"no"``, the store may exist now; check with
                `get_dicom_store`.
        """
        return await self._run(requests.create_dicom_store(self._context.for_call(timeout, retry), name, labels))

    async def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store.

        Source: ``dicomStores.get``.
        """
        return await self._run(requests.get_dicom_store(self._context.for_call(timeout, retry), name))

    def list_dicom_stores(
        self,
        dataset: str | DatasetName,
        *,
        filter: str = "",  # noqa: A002 - the API's name
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncIterator[DicomStore]:
        """Yield the DICOM stores of a dataset.

        Source: ``dicomStores.list``, all pages.

        Args:
            dataset: Dataset of the stores.
            filter: Label that stores must have: ``labels.key=value``. The service filters by labels only.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for each call.
        """
        context = self._context.for_call(timeout, retry)
        labels = require_type("filter", filter, str)
        return self._pages(partial(requests.dicom_stores_page, context, context.dataset(dataset), labels))

    async def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store with all its instances.

        Source: ``dicomStores.delete``.
        """
        await self._run(requests.delete_dicom_store(self._context.for_call(timeout, retry), name))

    async def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return the number and size of a store's instances.

        Source: ``dicomStores.getDICOMStoreMetrics``.
        """
        return await self._run(requests.dicom_store_metrics(self._context.for_call(timeout, retry), name))

    async def import_dicom(
        self,
        store: str | DicomStoreName,
        gcs_uri: str,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Empty]:
        """Import instances from Cloud Storage.

        Source: ``dicomStores.import``.

        Args:
            store: Store to write to.
            gcs_uri: ``gs://bucket/path``. The wildcards ``*``, ``**`` and ``?`` are allowed.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for this call.

        Raises:
            AmbiguousSubmit: The reply was lost, and the import may be running.
        """
        return await self._start(requests.import_dicom(self._context.for_call(timeout, retry), store, gcs_uri), Empty)

    async def export_dicom(
        self,
        store: str | DicomStoreName,
        gcs_uri_prefix: str,
        *,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Empty]:
        """Export instances unchanged to Cloud Storage.

        Nothing is de-identified. Source: ``dicomStores.export``.

        Args:
            store: Store to read.
            gcs_uri_prefix: ``gs://bucket/folder``.
            filter_config: Instances to export, as a message or as the ``gs://`` URI of a file that lists them.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for this call.

        Raises:
            AmbiguousSubmit: The reply was lost, and the export may be running.
        """
        context = self._context.for_call(timeout, retry)
        return await self._start(requests.export_dicom(context, store, gcs_uri_prefix, filter_config), Empty)
