"""Methods on datasets: create, get, list, delete. Source: the API's ``datasets`` methods."""

# ruff: noqa: ASYNC109 - timeout= bounds one HTTP try, as in the other client; asyncio.timeout() bounds a whole call

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from healthcare_deid.client.calls import requests
from healthcare_deid.client.calls.async_base import AsyncMethodGroup
from healthcare_deid.config.v1.resources import Dataset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.names import DatasetName


class AsyncDatasetMethods(AsyncMethodGroup):
    """Methods on datasets."""

    async def create_dataset(
        self,
        name: str | DatasetName,
        *,
        time_zone: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Dataset]:
        """Create a dataset. Source: ``datasets.create``.

        Args:
            name: Its name.
            time_zone: IANA name of the time zone for dates without one, such as ``"Europe/Berlin"``.
            timeout: Seconds one HTTP try may take.
            retry: Retry policy of this call.

        Raises:
            AlreadyExists: A dataset of this name exists.
            AmbiguousSubmit: The answer was lost, and it is not known whether the dataset was created.
        """
        flow = requests.create_dataset(self._context.tuned(timeout, retry), name, time_zone)
        return await self._start(flow, Dataset)

    async def get_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Dataset:
        """Return a dataset. Source: ``datasets.get``.

        Raises:
            PermissionDenied: It does not exist or you may not see it; the service does not say which.
        """
        return await self._run(requests.get_dataset(self._context.tuned(timeout, retry), name))

    def list_datasets(
        self, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[Dataset]:
        """Yield the datasets of the client's project and location. Source: ``datasets.list``, all pages."""
        context = self._context.tuned(timeout, retry)
        return self._pages(partial(requests.datasets_page, context, context.location_name()))

    async def delete_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a dataset with all its stores. Source: ``datasets.delete``."""
        await self._run(requests.delete_dataset(self._context.tuned(timeout, retry), name))
