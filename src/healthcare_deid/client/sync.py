"""`DeidClient`: the API's methods, typed, from a program with threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

from healthcare_deid.client import settings
from healthcare_deid.client.clock import Clock, SystemClock
from healthcare_deid.client.core import Core, Started
from healthcare_deid.client.dicomweb import DicomWeb, dicomweb_client
from healthcare_deid.client.operation import Operation
from healthcare_deid.client.preflight import preflight
from healthcare_deid.client.retry import PollPolicy, RetryPolicy
from healthcare_deid.client.run import captured_replies
from healthcare_deid.client.session import Recipe, Session
from healthcare_deid.client.starting import Starts
from healthcare_deid.client.state import OperationSnapshot
from healthcare_deid.client.transfer import download, upload
from healthcare_deid.config.operations import (
    DeidentifyDicomStoreSummary,
    DeidentifyFhirStoreSummary,
    DeidentifySummary,
    Empty,
)
from healthcare_deid.config.resources import Dataset, DicomStore, DicomStoreMetrics
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.connection import Http
    from healthcare_deid.client.effects import Flow, Reply
    from healthcare_deid.client.preflight import PriceTable
    from healthcare_deid.client.transfer import TransferReport
    from healthcare_deid.config.deidentify import DeidentifyConfig
    from healthcare_deid.config.findings import Finding
    from healthcare_deid.config.requests import DicomFilterConfig, FhirFilter
    from healthcare_deid.emulator import Emulator
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, OperationName

T = TypeVar("T")

RETRY = RetryPolicy()
POLL = PollPolicy()
POLL_NEARBY = PollPolicy(initial=0.05, maximum=2.0)
"""For an emulator in the same process: nobody is far away, and nobody else waits."""


class DeidClient:
    """A client of the Cloud Healthcare API, or of whatever stands in for it.

    Wherever a name can go, a short form (``"dataset1"``, ``"dataset1/dicomstore1"``), a full resource name or a name
    object can. One client serves any number of threads. It connects, and looks for credentials, at the first call.

    Args:
        project: Completes short names.
        location: Completes short names.
        credentials: google-auth credentials, the path of a service-account file, or the content of one. Unset: the
            application default credentials; none at all for a loopback endpoint.
        http: A transport of the shape of ``httplib2.Http``, used as it is.
        request_builder: Called in place of googleapiclient's ``HttpRequest``, such as its ``RequestMockBuilder``.
        endpoint: ``https://host[:port]`` in place of Google's; ``HEALTHCARE_EMULATOR_HOST`` does the same.
        api_version: For calls without a config; a config's own type decides for its call.
        retry: How failed calls are tried again.
        poll: How operations are polled.
        timeout: Seconds one HTTP try may take.
        app_info: ``name/version`` of the program, added to the user agent.
        clock: Where time comes from; a test's `healthcare_deid.testing.FakeClock`.
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
        connection = settings.connect(
            endpoint=endpoint, credentials=credentials, http=http, request_builder=request_builder, app_info=app_info
        )
        portable = http is None and request_builder is None
        recipe = settings.recipe_for(
            connection, project=project, location=location, api_version=api_version, portable=portable
        )
        self._core = Core(
            project=project,
            location=location,
            api_version=api_version,
            timeout=timeout,
            retry=retry,
            poll=poll,
            clock=clock or SystemClock(),
            starts=Starts(),
        )
        self._session = Session(self._core, connection, recipe)

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
        """Return a client of the emulator, in this process: the same calls, on this machine, without a Google account.

        Args:
            data_dir: Where the emulator keeps its stores; made when it does not exist.
            project: Completes short names; any word will do.
            location: As above.
            api_version: As for the constructor.
            retry: As for the constructor.
            poll: As for the constructor; by default quicker, since nobody is far away.
            timeout: As for the constructor.
            app_info: As for the constructor.
            clock: As for the constructor.

        Raises:
            MissingExtraError: The extra ``[local]`` is not installed.
        """
        emulator = local_emulator(data_dir, clock)
        client = cls(
            project,
            location,
            http=emulator.http(),
            api_version=api_version,
            retry=retry,
            poll=poll,
            timeout=timeout,
            app_info=app_info,
            clock=clock,
        )
        connection = client._session.connection
        client._session.recipe = Recipe(connection.endpoint, api_version, project, location, str(data_dir))
        client._session.also_close = emulator.close
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
        other._session = self._session
        other._core = self._core.with_options(project, location, retry, poll, timeout)
        return other

    def warm(self) -> None:
        """Import what calls need and find the credentials now, rather than at the first call.

        Raises:
            CredentialsError: There are none.
        """
        self._session.connection.warm()

    def close(self) -> None:
        """Stop polling and close the connections. Operations go on at the service."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.connection}>"

    def raw_replies(self) -> AbstractContextManager[list[Reply]]:
        """Collect the raw replies (status, headers, body) of the calls this thread makes inside a ``with`` block."""
        return captured_replies()

    # De-identification

    def deidentify_dataset(
        self,
        source: str | DatasetName,
        destination: str | DatasetName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[DeidentifySummary]:
        """De-identify all stores of a dataset into a new dataset. Source: ``datasets.deidentify``.

        Args:
            source: The dataset to read.
            destination: The dataset to make: it must not exist, and lies in the same location.
            config: What to remove; v1's, or v1beta1's, which then is the API version of the call.
            gcs_config_uri: A ``gs://`` object with the config as JSON, instead of ``config``.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.

        Raises:
            AlreadyExists: The destination exists.
            AmbiguousSubmit: It may have started, and it cannot be told which operation it is.
            DeidError: It did not start.
        """
        core = self._core.tuned(timeout, retry)
        return self._started(core.deidentify_dataset(source, destination, config, gcs_config_uri), DeidentifySummary)

    def deidentify_dicom_store(
        self,
        source: str | DicomStoreName,
        destination: str | DicomStoreName,
        config: DeidentifyConfig | Any | None = None,
        *,
        gcs_config_uri: str | None = None,
        filter_config: DicomFilterConfig | str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[DeidentifyDicomStoreSummary]:
        """De-identify a DICOM store into another one. Source: ``dicomStores.deidentify``.

        Args:
            source: The store to read.
            destination: The store to write to: it must exist, in the same location.
            config: What to remove; v1's, or v1beta1's, which then is the API version of the call.
            gcs_config_uri: A ``gs://`` object with the config as JSON, instead of ``config``.
            filter_config: Which instances: the message, or the ``gs://`` URI of the file that lists them.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.

        Raises:
            AmbiguousSubmit: It may have started, and it cannot be told which operation it is.
            DeidError: It did not start.
        """
        core = self._core.tuned(timeout, retry)
        flow = core.deidentify_dicom_store(source, destination, config, gcs_config_uri, filter_config)
        return self._started(flow, DeidentifyDicomStoreSummary)

    def deidentify_fhir_store(
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
    ) -> Operation[DeidentifyFhirStoreSummary]:
        """De-identify a FHIR store into another one. Source: ``fhirStores.deidentify``.

        Args:
            source: The store to read.
            destination: The store to write to: it must exist, in the same location.
            config: What to remove; v1's, or v1beta1's, which then is the API version of the call.
            gcs_config_uri: A ``gs://`` object with the config as JSON, instead of ``config``.
            resource_filter: Which resources: the message, or names such as ``"Patient/1234"``.
            skip_modified_resources: Skip resources that change after the operation began.
            timeout: Seconds one HTTP try may take.
            retry: How the call is tried again.

        Raises:
            AmbiguousSubmit: It may have started, and it cannot be told which operation it is.
            DeidError: It did not start.
        """
        core = self._core.tuned(timeout, retry)
        flow = core.deidentify_fhir_store(
            source, destination, config, gcs_config_uri, resource_filter, skip_modified_resources
        )
        return self._started(flow, DeidentifyFhirStoreSummary)

    # Operations

    def operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Operation[Any]:
        """Return an operation that this or another process started, as it stands now. Source: ``operations.get``.

        An operation the service does not know (any more) is returned too: its state is ``EXPIRED``.
        """
        path = self._core.operation_name(name)
        operation: Operation[Any] = Operation(self._session, OperationSnapshot(path), version=self._core.api_version)
        operation.refresh(timeout=timeout, retry=retry)
        self._core.starts.learn(path.operation)
        return operation

    def list_operations(
        self, dataset: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Iterator[Operation[Any]]:
        """Yield the operations of a dataset, all pages. Source: ``operations.list``."""
        core, token = self._core.tuned(timeout, retry), ""
        name = core.dataset(dataset)
        while True:
            snapshots, token = self._session.run(core.operations_page(name, token))
            for snapshot in snapshots:
                yield Operation(self._session, snapshot, version=core.api_version)
            if not token:
                return

    def cancel_operation(
        self, name: str | OperationName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Ask the service to stop an operation; it may still end well. Source: ``operations.cancel``."""
        core = self._core.tuned(timeout, retry)
        self._session.run(core.cancel_operation(core.operation_name(name)))

    # Datasets

    def create_dataset(
        self,
        name: str | DatasetName,
        *,
        time_zone: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> Operation[Dataset]:
        """Create a dataset. Source: ``datasets.create``.

        Raises:
            AlreadyExists: It exists.
        """
        return self._started(self._core.tuned(timeout, retry).create_dataset(name, time_zone), Dataset)

    def get_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Dataset:
        """Return a dataset. Source: ``datasets.get``.

        Raises:
            PermissionDenied: It does not exist, or may not be seen: the service does not tell which.
        """
        return self._session.run(self._core.tuned(timeout, retry).get_dataset(name))

    def list_datasets(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> Iterator[Dataset]:
        """Yield the datasets of the client's project and location, all pages. Source: ``datasets.list``."""
        core, token = self._core.tuned(timeout, retry), ""
        while True:
            datasets, token = self._session.run(core.datasets_page(token))
            yield from datasets
            if not token:
                return

    def delete_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a dataset and all that is in it. Source: ``datasets.delete``."""
        self._session.run(self._core.tuned(timeout, retry).delete_dataset(name))

    # DICOM stores

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
        return self._session.run(self._core.tuned(timeout, retry).create_dicom_store(name, labels))

    def get_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStore:
        """Return a DICOM store. Source: ``dicomStores.get``."""
        return self._session.run(self._core.tuned(timeout, retry).get_dicom_store(name))

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
        core, token = self._core.tuned(timeout, retry), ""
        name = core.dataset(dataset)
        while True:
            stores, token = self._session.run(core.dicom_stores_page(name, filter, token))
            yield from stores
            if not token:
                return

    def delete_dicom_store(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a DICOM store and all that is in it. Source: ``dicomStores.delete``."""
        self._session.run(self._core.tuned(timeout, retry).delete_dicom_store(name))

    def get_dicom_store_metrics(
        self, name: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DicomStoreMetrics:
        """Return how much a DICOM store holds. Source: ``dicomStores.getDICOMStoreMetrics``."""
        return self._session.run(self._core.tuned(timeout, retry).get_dicom_store_metrics(name))

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
        return self._started(self._core.tuned(timeout, retry).import_dicom(store, gcs_uri), Empty)

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
        flow = self._core.tuned(timeout, retry).export_dicom(store, gcs_uri_prefix, filter_config)
        return self._started(flow, Empty)

    # Instances in and out

    def upload(
        self,
        store: str | DicomStoreName,
        paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        *,
        parallel: int = 8,
        on_progress: Callable[[TransferReport], object] | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> TransferReport:
        """Store DICOM files, byte for byte, through DICOMweb. What is no DICOM file is not sent.

        Args:
            store: The store to write to.
            paths: A file, a folder (with all that is in it), or several of them.
            parallel: Requests under way at a time; 20 at most.
            on_progress: Called in this thread with the counts so far.
            timeout: Seconds of silence after which one try is given up.
            retry: How a request is tried again: storing the same bytes twice is storing them once.

        Returns:
            The counts, and every failure with its reason. A file that fails does not stop the others.

        Raises:
            TransferError: The store refuses everything; the error carries the report.
            FileNotFoundError: A path does not exist.
        """
        return upload(self._web(store, timeout, retry), paths, parallel=parallel, on_progress=on_progress)

    def download(
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
        """Retrieve the instances of a store into ``folder/study/series/instance.dcm``, as they are stored.

        A file is written beside its place and then renamed: one that is there is whole.

        Args:
            store: The store to read.
            folder: Where to write; made when it does not exist.
            study: Only this Study Instance UID.
            overwrite: Write files that are there again, rather than skip them.
            parallel: Requests under way at a time; 20 at most.
            on_progress: Called in this thread with the counts so far.
            timeout: Seconds of silence after which one try is given up.
            retry: How a request is tried again.

        Returns:
            The counts, and every failure with its reason. An instance that fails does not stop the others.

        Raises:
            TransferError: The store refuses everything; the error carries the report.
            DeidError: The store could not be searched.
        """
        return download(
            self._web(store, timeout, retry),
            folder,
            study=study,
            overwrite=overwrite,
            parallel=parallel,
            on_progress=on_progress,
        )

    def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` of a store, over this client's connection and credentials.

        At most 20 of its requests are under way at a time; its errors are this package's; it logs nothing, since its
        log lines hold URLs.

        Raises:
            MissingExtraError: The extra ``[dicomweb]`` is not installed.
        """
        core = self._core.tuned(timeout, retry)
        client: DICOMwebClient = dicomweb_client(self._session, core, core.dicom_store(store))
        return client

    # Before it costs anything

    def preflight(
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

        Names and location, whether source and destination exist as the method wants, permissions, the config's own
        checks, the limits of pixel redaction, and how much there is to do.

        Args:
            source: A dataset, or a store (``"dataset/store"`` is a DICOM store; a FHIR store goes by its full name).
            destination: Of the same kind.
            config: What to remove.
            prices: For an estimate of the cost.
            timeout: Seconds one HTTP try may take.
            retry: How a call is tried again.

        Returns:
            The findings, the worst first. What could not be checked is a finding too.
        """
        return self._session.run(preflight(self._core.tuned(timeout, retry), source, destination, config, prices))

    def _web(self, store: str | DicomStoreName, timeout: float | None, retry: RetryPolicy | None) -> DicomWeb:
        core = self._core.tuned(timeout, retry)
        return DicomWeb(self._session, core, core.dicom_store(store))

    def _started(self, flow: Flow[Started], kind: type[T]) -> Operation[T]:
        started = self._session.run(flow)
        return Operation(self._session, started.snapshot, version=started.version, started=True, kind=kind)


def local_emulator(data_dir: str | os.PathLike[str], clock: Clock | None) -> Emulator:
    """Open the emulator in this process.

    Raises:
        MissingExtraError: The extra ``[local]`` is not installed.
    """
    try:
        # The one upward look of the package: a user who asks for an emulator gets one.
        from healthcare_deid.emulator import Emulator
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("healthcare_deid"):
            raise
        raise MissingExtraError("local", "the local emulator") from None
    return Emulator(data_dir, clock=clock)
