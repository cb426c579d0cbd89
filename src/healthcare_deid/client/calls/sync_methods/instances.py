"""Upload, download and DICOMweb methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid._border import border
from healthcare_deid.client.calls.base import MethodGroup

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.client.transfers.dicomweb import DicomWeb
    from healthcare_deid.client.transfers.report import TransferReport
    from healthcare_deid.names import DicomStoreName

# Transfer modules are imported late, so that a program without transfers does not load them before its first request.


class InstanceMethods(MethodGroup):
    """Methods that transfer instances."""

    @border
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
        """Store DICOM files unchanged with DICOMweb.

        Files that are not DICOM are not sent.

        Args:
            store: Store to write to.
            paths: One or more files or directories. Directories are read recursively.
            parallel: Number of concurrent requests, at most 20.
            on_progress: Called in this thread with the counts so far.
            timeout: Seconds allowed for one HTTP attempt. It grows while data is moving.
            retry: Retry policy for each request. Storing the same bytes twice is safe.

        Returns:
            The counts, and the reason for each failure. A failed file does not stop the others.

        Raises:
            TransferError: The store refuses all files. The exception carries the report.
            FileNotFoundError: A path does not exist.
        """
        from healthcare_deid.client.transfers.upload import upload

        return upload(self._web(store, timeout, retry), paths, parallel=parallel, on_progress=on_progress)

    @border
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
        """Retrieve the instances of a store unchanged.

        They are written to ``folder/study/series/instance.dcm``. A file appears under its name only when it is
        complete.

        Args:
            store: Store to read.
            folder: Directory to write to. It is created if missing.
            study: Study Instance UID, to retrieve one study only.
            overwrite: Whether to retrieve instances whose file already exists.
            parallel: Number of concurrent requests, at most 20.
            on_progress: Called in this thread with the counts so far.
            timeout: Seconds allowed for one HTTP attempt. It grows while data is moving.
            retry: Retry policy for each request.

        Returns:
            The counts, and the reason for each failure. A failed instance does not stop the others.

        Raises:
            TransferError: The store refuses all requests. The exception carries the report.
            DeidError: The store cannot be searched.
        """
        from healthcare_deid.client.transfers.download import download

        web = self._web(store, timeout, retry)
        return download(web, folder, study=study, overwrite=overwrite, parallel=parallel, on_progress=on_progress)

    def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` for a store.

        It uses this client's connection and credentials, sends at most 20 requests at a time, and raises this package's
        exceptions. Its logging is off, because its log lines contain URLs.

        Raises:
            MissingExtraError: The extra ``[dicomweb]`` is not installed.
        """
        from healthcare_deid.client.transfers.dicomweb_client import dicomweb_client

        return dicomweb_client(self._web(store, timeout, retry))

    def _web(self, store: str | DicomStoreName, timeout: float | None, retry: RetryPolicy | None) -> DicomWeb:
        from healthcare_deid.client.transfers.dicomweb import DicomWeb

        context = self._context.for_call(timeout, retry)
        return DicomWeb.of_store(self._session, context, context.dicom_store(store))
