"""Async upload, download and DICOMweb methods."""

# ruff: noqa: ASYNC109 - timeout= limits one HTTP attempt, as in the other client; asyncio.timeout() limits a whole call

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.client.calls.async_base import AsyncMethodGroup
from healthcare_deid.client.protocol.arguments import check_callback
from healthcare_deid.client.transfers.dicomweb import DicomWeb

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.client.transfers.report import TransferReport
    from healthcare_deid.names import DicomStoreName


class AsyncInstanceMethods(AsyncMethodGroup):
    """Methods that transfer instances."""

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
        """Store DICOM files unchanged with DICOMweb.

        Files that are not DICOM are skipped. Arguments, result and errors are those of `DeidClient.upload`.
        *on_progress* is called in the event loop.
        """
        from healthcare_deid.client.transfers.upload import upload

        return await self._transfer(
            partial(upload, self._web(store, timeout, retry), paths, parallel=parallel), on_progress
        )

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
        """Retrieve the instances of a store unchanged into files.

        Arguments, result and errors are those of `DeidClient.download`. *on_progress* is called in the event loop.
        """
        from healthcare_deid.client.transfers.download import download

        web = self._web(store, timeout, retry)
        work = partial(download, web, folder, study=study, overwrite=overwrite, parallel=parallel)
        return await self._transfer(work, on_progress)

    async def dicomweb(
        self, store: str | DicomStoreName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> DICOMwebClient:
        """Return a ``dicomweb_client.DICOMwebClient`` for a store.

        That library blocks, so call it from threads. Arguments, result and errors are those of `DeidClient.dicomweb`.
        """
        from healthcare_deid.client.transfers.dicomweb_client import dicomweb_client

        return await self._session.call(partial(dicomweb_client, self._web(store, timeout, retry)))

    def _web(self, store: str | DicomStoreName, timeout: float | None, retry: RetryPolicy | None) -> DicomWeb:
        context = self._context.for_call(timeout, retry)
        return DicomWeb.of_store(self._session.sync, context, context.dicom_store(store))

    async def _transfer(
        self, work: Callable[..., TransferReport], on_progress: Callable[[TransferReport], object] | None
    ) -> TransferReport:
        """Run a transfer in a thread.

        Cancelling the task stops the transfer before its next item.
        """
        check_callback("on_progress", on_progress)
        loop = asyncio.get_running_loop()
        stop = threading.Event()

        def notify(report: TransferReport) -> Any:
            if on_progress is not None:
                loop.call_soon_threadsafe(on_progress, report)

        try:
            return await self._session.call(partial(work, on_progress=on_progress and notify, stop=stop))
        finally:
            stop.set()
