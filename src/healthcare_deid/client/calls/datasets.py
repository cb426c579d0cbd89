"""Datasets: create, get, list, delete. Source: the API's ``datasets`` methods."""

# ruff: noqa: ASYNC109 - a timeout is one HTTP try's, as in the sync client; asyncio.timeout() bounds whole calls

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from healthcare_deid.client.calls.base import AsyncMethodGroup, MethodGroup
from healthcare_deid.client.protocol import methods as table
from healthcare_deid.config.resources import Dataset

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from healthcare_deid.client.operation.async_operation import AsyncOperation
    from healthcare_deid.client.operation.operation import Operation
    from healthcare_deid.client.protocol.context import CallContext, Started
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.client.protocol.retry import RetryPolicy
    from healthcare_deid.names import DatasetName, LocationName


def _create(context: CallContext, name: str | DatasetName, time_zone: str | None) -> Flow[Started]:
    dataset = context.dataset(name)
    body, query = Dataset(time_zone=time_zone).to_api(), {"datasetId": dataset.dataset}
    return context.start(context.call(table.DATASETS_CREATE, dataset.parent, body=body, query=query), dataset)


def _get(context: CallContext, name: str | DatasetName) -> Flow[Dataset]:
    return context.read(Dataset, context.call(table.DATASETS_GET, context.dataset(name)))


def _delete(context: CallContext, name: str | DatasetName) -> Flow[None]:
    return context.delete(table.DATASETS_DELETE, context.dataset(name))


def _page(context: CallContext, location: LocationName, token: str) -> Flow[tuple[list[Dataset], str]]:
    return context.page(Dataset, table.DATASETS_LIST, location, "datasets", token)


class DatasetMethods(MethodGroup):
    """The methods on datasets."""

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
        return self._start(_create(self._context.tuned(timeout, retry), name, time_zone), Dataset)

    def get_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Dataset:
        """Return a dataset. Source: ``datasets.get``.

        Raises:
            PermissionDenied: It does not exist, or may not be seen: the service does not tell which.
        """
        return self._run(_get(self._context.tuned(timeout, retry), name))

    def list_datasets(self, *, timeout: float | None = None, retry: RetryPolicy | None = None) -> Iterator[Dataset]:
        """Yield the datasets of the client's project and location, all pages. Source: ``datasets.list``."""
        context = self._context.tuned(timeout, retry)
        return self._pages(partial(_page, context, context.location_name()))

    def delete_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a dataset and all that is in it. Source: ``datasets.delete``."""
        self._run(_delete(self._context.tuned(timeout, retry), name))


class AsyncDatasetMethods(AsyncMethodGroup):
    """The methods on datasets, to be awaited."""

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
        return await self._start(_create(self._context.tuned(timeout, retry), name, time_zone), Dataset)

    async def get_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> Dataset:
        """Return a dataset. Source: ``datasets.get``.

        Arguments, result and errors are those of `DeidClient.get_dataset`.
        """
        return await self._run(_get(self._context.tuned(timeout, retry), name))

    def list_datasets(
        self, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> AsyncIterator[Dataset]:
        """Yield the datasets of the client's project and location, all pages. Source: ``datasets.list``."""
        context = self._context.tuned(timeout, retry)
        return self._pages(partial(_page, context, context.location_name()))

    async def delete_dataset(
        self, name: str | DatasetName, *, timeout: float | None = None, retry: RetryPolicy | None = None
    ) -> None:
        """Delete a dataset and all that is in it. Source: ``datasets.delete``."""
        await self._run(_delete(self._context.tuned(timeout, retry), name))
