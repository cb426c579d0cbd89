"""Dataset methods: create, get, list, delete.

Source: the API's ``datasets`` methods.
"""

# ruff: noqa: ASYNC109 - timeout= limits one HTTP attempt, as in the other client; asyncio.timeout() limits a whole call

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
    """Dataset methods."""

    async def create_dataset(
        self,
        name: str | DatasetName,
        *,
        time_zone: str | None = None,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
    ) -> AsyncOperation[Dataset]:
        """Create a dataset.

        Source: ``datasets.create``.

        Args:
            name: Dataset name.
            time_zone: IANA time zone for dates without one, such as ``"Europe/Berlin"``.
            timeout: Seconds allowed for one HTTP attempt.
            retry: Retry policy for this call.

        Raises:
            AlreadyExists: A dataset with this name exists.
            AmbiguousSubmit: The reply was lost, and the dataset may or may not have been created.
        """
        flow = requests.create_dataset(self._context.for_call(timeout, retry), name, time_zone)
        return await self._start(flow, Dataset)

    async def get_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Dataset:
        """Return a dataset.

        Source: ``datasets.get``.

        Raises:
            PermissionDenied: The dataset does not exist, or you have no access to it. The service does not say which.
        """
        return await self._run(requests.get_dataset(self._context.for_call(timeout, retry), name))

    def list_datasets(
        self, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[Dataset]:
        """Yield the datasets in the client's project and location.

        Source: ``datasets.list``, all pages.
        """
        context = self._context.for_call(timeout, retry)
        return self._pages(partial(requests.datasets_page, context, context.location_name()))

    async def delete_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a dataset with all its stores.

        Source: ``datasets.delete``.
        """
        await self._run(requests.delete_dataset(self._context.for_call(timeout, retry), name))
