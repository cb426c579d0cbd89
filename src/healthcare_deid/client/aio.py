"""`AsyncDeidClient`: the API's methods, typed, from a program with an event loop."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from healthcare_deid.client.async_operation import AsyncOperation
from healthcare_deid.client.async_session import AsyncSession
from healthcare_deid.client.preflight import preflight
from healthcare_deid.client.run import captured_replies
from healthcare_deid.client.state import OperationSnapshot
from healthcare_deid.client.sync import POLL, POLL_NEARBY, RETRY, DeidClient
from healthcare_deid.config.operations import (
    DeidentifyDicomStoreSummary,
    DeidentifyFhirStoreSummary,
    DeidentifySummary,
    Empty,
)
from healthcare_deid.config.resources import Dataset, DicomStore, DicomStoreMetrics

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.clock import Clock
    from healthcare_deid.client.connection import Http
    from healthcare_deid.client.core import Started
    from healthcare_deid.client.effects import Flow, Reply
    from healthcare_deid.client.preflight import PriceTable
    from healthcare_deid.client.retry import PollPolicy, RetryPolicy
    from healthcare_deid.client.transfer import TransferReport
    from healthcare_deid.config.deidentify import DeidentifyConfig
    from healthcare_deid.config.findings import Finding
    from healthcare_deid.config.requests import DicomFilterConfig, FhirFilter
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, OperationName

T = TypeVar("T")


class AsyncDeidClient:
    """`DeidClient` for an event loop: the same names, arguments, results and errors, with ``await``.

    Requests go through a few threads of the client's own, pauses through the loop: nothing here blocks it. `warm` does
    the imports and finds the credentials, which the first call would otherwise do on such a thread.

    Args:
        project: Completes short names.
        location: Completes short names.
        credentials: As for `DeidClient`.
        http: As for `DeidClient`; called from several threads.
        request_builder: As for `DeidClient`.
        endpoint: As for `DeidClient`.
        api_version: As for `DeidClient`.
        retry: As for `DeidClient`.
        poll: As for `DeidClient`.
        timeout: Seconds one HTTP try may take.
        app_info: As for `DeidClient`.
        clock: As for `DeidClient`.
    """

    def __init__(
        self,
        project: str | None = None,
        location: str | None = None,
        *,
        credentials: Any = None,
        http: Http | None = None,
        request_builder: Callable[..., Any] | None = None,
        endpoint: str | None = None,
        api_version: str = "v1",
        retry: RetryPolicy = RETRY,
        poll: PollPolicy = POLL,
        timeout: float = 60.0,
        app_info: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._take(
            DeidClient(
                project,
                location,
                credentials=credentials,
                http=http,
                request_builder=request_builder,
                endpoint=endpoint,
                api_version=api_version,
                retry=retry,
                poll=poll,
                timeout=timeout,
                app_info=app_info,
                clock=clock,
            )
        )

    def _take(self, sync: DeidClient, session: AsyncSession | None = None) -> None:
        self._sync = sync
        self._core = sync._core
        self._session = session or AsyncSession(sync._session)

    @classmethod
    def local(
        cls,
        data_dir: str | os.PathLike[str],
        project: str | None = "local",
        location: str | None = "us-central1",
        *,
        api_version: str = "v1",
        retry: RetryPolicy = RETRY,
        poll: PollPolicy = POLL_NEARBY,
        timeout: float = 60.0,
        app_info: str | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Return a client of the emulator, in this process; as `DeidClient.local`.

        Raises:
            MissingExtraError: The extra ``[local]`` is not installed.
        """
        client = cls.__new__(cls)
        client._take(
            DeidClient.local(
                data_dir,
                project,
                location,
                api_version=api_version,
                retry=retry,
                poll=poll,
                timeout=timeout,
                app_info=app_info,
                clock=clock,
            )
        )
        return client

    def with_options(
        self,
        *,
        project: str | None = None,
        location: str | None = None,
        retry: RetryPolicy | None = None,
        poll: PollPolicy | None = None,
        timeout: float | None = None,
    ) -> Self:
        """Return a client with other options that shares this one's connection; closing either closes both."""
        other = type(self).__new__(type(self))
        sync = self._sync.with_options(project=project, location=location, retry=retry, poll=poll, timeout=timeout)
        other._take(sync, self._session)
        return other

    async def warm(self) -> None:
        """Import what calls need and find the credentials now, on a thread, rather than at the first call.

        Raises:
            CredentialsError: There are none.
        """
        await self._session.call(self._sync.warm)

    async def close(self) -> None:
        """Stop polling and close the connections. Operations go on at the service."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ignored: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.sync.connection}>"

    def raw_replies(self) -> AbstractContextManager[list[Reply]]:
        """Collect the raw replies (status, headers, body) of the calls this task makes inside a ``with`` block."""
        return captured_replies()

    # De-identification

    async def deidentify_dataset(
        self,
        source: str | DatasetName,
        destination: str | DatasetName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifySummary]:
        """De-identify all stores of a dataset into a new dataset. Source: ``datasets.deidentify``.

        Arguments, result and errors are those of `DeidClient.deidentify_dataset`.
        """
        core = self._core.tuned(timeout, retry)
        return await self._started(
            core.deidentify_dataset(source, destination, config, gcs_config_uri), DeidentifySummary
        )

    async def deidentify_dicom_store(
        self,
        source: str | DicomStoreName,
        destination: str | DicomStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifyDicomStoreSummary]:
        """De-identify a DICOM store into another one. Source: ``dicomStores.deidentify``.

        Arguments, result and errors are those of `DeidClient.deidentify_dicom_store`.
        """
        core = self._core.tuned(timeout, retry)
        flow = core.deidentify_dicom_store(source, destination, config, gcs_config_uri, filter_config)
        return await self._started(flow, DeidentifyDicomStoreSummary)

    async def deidentify_fhir_store(
        self,
        source: str | FhirStoreName,
        destination: str | FhirStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        resource_filter: FhirFilter | Sequence[str] | None = None,
        skip_modified_resources: bool | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[DeidentifyFhirStoreSummary]:
        """De-identify a FHIR store into another one. Source: ``fhirStores.deidentify``.

        Arguments, result and errors are those of `DeidClient.deidentify_fhir_store`.
        """
        core = self._core.tuned(timeout, retry)
        flow = core.deidentify_fhir_store(
            source, destination, config, gcs_config_uri, resource_filter, skip_modified_resources
        )
        return await self._started(flow, DeidentifyFhirStoreSummary)

    # Operations

    async def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncOperation[Any]:
        """Return an operation that this or another process started, as it stands now. Source: ``operations.get``.

        Arguments, result and errors are those of `DeidClient.operation`.
        """
        path = self._core.operation_name(name)
        operation: AsyncOperation[Any] = AsyncOperation(
            self._session, OperationSnapshot(path), version=self._core.api_version
        )
        await operation.refresh(timeout=timeout, retry=retry)
        self._core.starts.learn(path.operation)
        return operation

    async def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[AsyncOperation[Any]]:
        """Yield the operations of a dataset, all pages. Source: ``operations.list``."""
        core, token = self._core.tuned(timeout, retry), ""
        name = core.dataset(dataset)
        while True:
            snapshots, token = await self._session.run(core.operations_page(name, token))
            for snapshot in snapshots:
                yield AsyncOperation(self._session, snapshot, version=core.api_version)
            if not token:
                return

    async def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation; it may still end well. Source: ``operations.cancel``."""
        core = self._core.tuned(timeout, retry)
        await self._session.run(core.cancel_operation(core.operation_name(name)))

    # Datasets

    async def create_dataset(
        self,
        name: str | DatasetName,
        *,
        time_zone: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Dataset]:
        """Create a dataset. Source: ``datasets.create``.

        Arguments, result and errors are those of `DeidClient.create_dataset`.
        """
        return await self._started(self._core.tuned(timeout, retry).create_dataset(name, time_zone), Dataset)

    async def get_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Dataset:
        """Return a dataset. Source: ``datasets.get``.

        Arguments, result and errors are those of `DeidClient.get_dataset`.
        """
        return await self._session.run(self._core.tuned(timeout, retry).get_dataset(name))

    async def list_datasets(
        self, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[Dataset]:
        """Yield the datasets of the client's project and location, all pages. Source: ``datasets.list``."""
        core, token = self._core.tuned(timeout, retry), ""
        while True:
            datasets, token = await self._session.run(core.datasets_page(token))
            for item in datasets:
                yield item
            if not token:
                return

    async def delete_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a dataset and all that is in it. Source: ``datasets.delete``."""
        await self._session.run(self._core.tuned(timeout, retry).delete_dataset(name))

    # DICOM stores

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
        return await self._session.run(self._core.tuned(timeout, retry).create_dicom_store(name, labels))

    async def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store. Source: ``dicomStores.get``."""
        return await self._session.run(self._core.tuned(timeout, retry).get_dicom_store(name))

    async def list_dicom_stores(
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
        core, token = self._core.tuned(timeout, retry), ""
        name = core.dataset(dataset)
        while True:
            stores, token = await self._session.run(core.dicom_stores_page(name, filter, token))
            for item in stores:
                yield item
            if not token:
                return

    async def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store and all that is in it. Source: ``dicomStores.delete``."""
        await self._session.run(self._core.tuned(timeout, retry).delete_dicom_store(name))

    async def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return how much a DICOM store holds. Source: ``dicomStores.getDICOMStoreMetrics``."""
        return await self._session.run(self._core.tuned(timeout, retry).get_dicom_store_metrics(name))

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
        return await self._started(self._core.tuned(timeout, retry).import_dicom(store, gcs_uri), Empty)

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
        flow = self._core.tuned(timeout, retry).export_dicom(store, gcs_uri_prefix, filter_config)
        return await self._started(flow, Empty)

    # Instances in and out

    async def upload(
        self,
        store: str | DicomStoreName,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        parallel: int = 8,
        on_progress: Callable[[TransferReport], object] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> TransferReport:
        """Store DICOM files, byte for byte, through DICOMweb; ``on_progress`` is called in the loop.

        Arguments, result and errors are those of `DeidClient.upload`.
        """
        tell = self._in_loop(on_progress)
        upload = partial(self._sync.upload, store, paths, parallel=parallel, on_progress=tell)
        return await self._session.call(partial(upload, timeout=timeout, retry=retry))

    async def download(
        self,
        store: str | DicomStoreName,
        folder: str | os.PathLike[str],
        *,
        study: str | None = None,
        overwrite: bool = False,
        parallel: int = 8,
        on_progress: Callable[[TransferReport], object] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> TransferReport:
        """Retrieve the instances of a store into files; ``on_progress`` is called in the loop.

        Arguments, result and errors are those of `DeidClient.download`.
        """
        tell = self._in_loop(on_progress)
        download = partial(self._sync.download, store, folder, study=study, overwrite=overwrite, on_progress=tell)
        return await self._session.call(partial(download, parallel=parallel, timeout=timeout, retry=retry))

    async def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` of a store: that library blocks, so call it from threads.

        Arguments, result and errors are those of `DeidClient.dicomweb`.
        """
        return await self._session.call(partial(self._sync.dicomweb, store, timeout=timeout, retry=retry))

    # Before it costs anything

    async def preflight(
        self,
        source: str | DatasetName | DicomStoreName | FhirStoreName,
        destination: str | DatasetName | DicomStoreName | FhirStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        prices: PriceTable | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> list[Finding]:
        """Find what would go wrong with a de-identification, and what it would touch. Reads only.

        Arguments, result and errors are those of `DeidClient.preflight`.
        """
        flow = preflight(self._core.tuned(timeout, retry), source, destination, config, prices)
        return await self._session.run(flow)

    @staticmethod
    def _in_loop(
        on_progress: Callable[[TransferReport], object] | None,
    ) -> Callable[[TransferReport], object] | None:
        """Return a function for another thread that has ``on_progress`` called in this loop."""
        if on_progress is None:
            return None
        loop = asyncio.get_running_loop()
        return lambda report: loop.call_soon_threadsafe(on_progress, report)

    async def _started(self, flow: Flow[Started], kind: type[T]) -> AsyncOperation[T]:
        started = await self._session.run(flow)
        return AsyncOperation(self._session, started.snapshot, version=started.version, started=True, kind=kind)
