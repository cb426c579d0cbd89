"""Instances in and out of a DICOM store, over DICOMweb. What it needs is imported when it is first called."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from healthcare_deid._border import border
from healthcare_deid.client.calls.async_base import AsyncMethodGroup
from healthcare_deid.client.calls.base import MethodGroup
from healthcare_deid.client.protocol.arguments import callback

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.drivers.session import Session
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.client.transfers.dicomweb import DicomWeb
    from healthcare_deid.client.transfers.transfer import TransferReport
    from healthcare_deid.names import DicomStoreName


class InstanceMethods(MethodGroup):
    """The methods that carry instances."""

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
        from healthcare_deid.client.transfers.transfer import upload

        web = _web(self._session, self._context.tuned(timeout, retry), store)
        return upload(web, paths, parallel=parallel, on_progress=on_progress)

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
        from healthcare_deid.client.transfers.transfer import download

        web = _web(self._session, self._context.tuned(timeout, retry), store)
        return download(web, folder, study=study, overwrite=overwrite, parallel=parallel, on_progress=on_progress)

    def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` of a store, over this client's connection and credentials.

        At most 20 of its requests are under way at a time; its errors are this package's; it logs nothing, since its
        log lines hold URLs.

        Raises:
            MissingExtraError: The extra ``[dicomweb]`` is not installed.
        """
        from healthcare_deid.client.transfers.dicomweb import dicomweb_client

        return dicomweb_client(_web(self._session, self._context.tuned(timeout, retry), store))


class AsyncInstanceMethods(AsyncMethodGroup):
    """The methods that carry instances, to be awaited."""

    @border
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
        from healthcare_deid.client.transfers.transfer import upload

        web, tell = _web(self._session.sync, self._context.tuned(timeout, retry), store), _in_loop(on_progress)
        return await self._session.call(partial(upload, web, paths, parallel=parallel, on_progress=tell))

    @border
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
        from healthcare_deid.client.transfers.transfer import download

        web, tell = _web(self._session.sync, self._context.tuned(timeout, retry), store), _in_loop(on_progress)
        options = partial(download, study=study, overwrite=overwrite, parallel=parallel, on_progress=tell)
        return await self._session.call(partial(options, web, folder))

    async def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` of a store: that library blocks, so call it from threads.

        Arguments, result and errors are those of `DeidClient.dicomweb`.
        """
        from healthcare_deid.client.transfers.dicomweb import dicomweb_client

        web = _web(self._session.sync, self._context.tuned(timeout, retry), store)
        return await self._session.call(partial(dicomweb_client, web))


def _web(session: Session, context: CallContext, store: str | DicomStoreName) -> DicomWeb:
    from healthcare_deid.client.transfers.dicomweb import DicomWeb

    return DicomWeb(session, context, context.dicom_store(store))


def _in_loop(on_progress: Callable[[TransferReport], object] | None) -> Callable[[TransferReport], object] | None:
    """Return a function for another thread that has ``on_progress`` called in this loop."""
    callback("on_progress", on_progress)
    if on_progress is None:
        return None
    loop = asyncio.get_running_loop()
    return lambda report: loop.call_soon_threadsafe(on_progress, report)
