"""Methods that carry instances into and out of a DICOM store, over DICOMweb."""

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

# Imports inside functions keep what transfers need out of the first request of a program that makes none.


class InstanceMethods(MethodGroup):
    """Methods that carry instances."""

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
        """Store DICOM files byte for byte through DICOMweb.

        Files that are not DICOM are not sent.

        Args:
            store: Store to write to.
            paths: A file, a folder with everything in it, or several of them.
            parallel: Requests at a time, 20 at most.
            on_progress: Called in this thread with the counts so far.
            timeout: Seconds one HTTP try may take, and more while data moves.
            retry: Retry policy of each request: storing the same bytes twice is storing them once.

        Returns:
            The counts, and each failure with its reason. A file that fails does not stop the others.

        Raises:
            TransferError: The store refuses everything; the error carries the report.
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
        """Retrieve the instances of a store unchanged into ``folder/study/series/instance.dcm``.

        Instances are written beside their place as they arrive and renamed at the end: a file that is there is whole.

        Args:
            store: Store to read.
            folder: Folder to write to; created if it does not exist.
            study: Study Instance UID, to retrieve one study only.
            overwrite: Retrieve instances whose file exists, too.
            parallel: Requests at a time, 20 at most.
            on_progress: Called in this thread with the counts so far.
            timeout: Seconds one HTTP try may take, and more while data moves.
            retry: Retry policy of each request.

        Returns:
            The counts, and each failure with its reason. An instance that fails does not stop the others.

        Raises:
            TransferError: The store refuses everything; the error carries the report.
            DeidError: The store could not be searched.
        """
        from healthcare_deid.client.transfers.download import download

        web = self._web(store, timeout, retry)
        return download(web, folder, study=study, overwrite=overwrite, parallel=parallel, on_progress=on_progress)

    def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` of a store, over this client's connection and credentials.

        At most 20 of its requests are sent at a time. Its errors are this package's. It logs nothing, because its log
        lines hold URLs.

        Raises:
            MissingExtraError: The extra ``[dicomweb]`` is not installed.
        """
        from healthcare_deid.client.transfers.dicomweb_client import dicomweb_client

        return dicomweb_client(self._web(store, timeout, retry))

    def _web(self, store: str | DicomStoreName, timeout: float | None, retry: RetryPolicy | None) -> DicomWeb:
        from healthcare_deid.client.transfers.dicomweb import DicomWeb

        context = self._context.tuned(timeout, retry)
        return DicomWeb(self._session, context, context.dicom_store(store))
