"""`AsyncDeidClient`: typed API methods for asyncio programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from healthcare_deid._border import border
from healthcare_deid.client.calls.async_methods.datasets import AsyncDatasetMethods
from healthcare_deid.client.calls.async_methods.deidentify import AsyncDeidentifyMethods
from healthcare_deid.client.calls.async_methods.dicom_stores import AsyncDicomStoreMethods
from healthcare_deid.client.calls.async_methods.instances import AsyncInstanceMethods
from healthcare_deid.client.calls.async_methods.operations import AsyncOperationMethods
from healthcare_deid.client.drivers.async_session import AsyncSession
from healthcare_deid.client.drivers.run_flow import captured_replies
from healthcare_deid.client.sync import POLL, POLL_LOCAL, RETRY, RETRY_LOCAL, DeidClient

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from healthcare_deid.client.http.connection import Http
    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.client.protocol.flow import ApiReply
    from healthcare_deid.client.protocol.retry import PollPolicy, RetryPolicy


class AsyncDeidClient(
    AsyncDeidentifyMethods, AsyncOperationMethods, AsyncDatasetMethods, AsyncDicomStoreMethods, AsyncInstanceMethods
):
    """`DeidClient` for asyncio.

    Names, arguments, results and errors are those of `DeidClient`. A small thread pool sends the requests and pauses
    use the event loop, so no method blocks it. Await `warm` first to load imports and credentials before the first
    call.

    Args:
        project: Project for short names.
        location: Location for short names.
        credentials: As in `DeidClient`.
        http: As in `DeidClient`; called from several threads.
        request_builder: As in `DeidClient`.
        endpoint: As in `DeidClient`.
        api_version: As in `DeidClient`.
        retry: As in `DeidClient`.
        poll: As in `DeidClient`.
        timeout: Seconds allowed for one HTTP attempt.
        app_info: As in `DeidClient`.
        clock: As in `DeidClient`.
    """

    @border
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
        # Built on a DeidClient: connection, retries and credentials are thread-safe, so only the driver differs.
        self._sync = sync
        self._context = sync._context
        self._session = session or AsyncSession(sync._session)

    @classmethod
    def local(
        cls,
        data_dir: str | os.PathLike[str],
        project: str | None = "local",
        location: str | None = "us-central1",
        *,
        api_version: str = "v1",
        retry: RetryPolicy = RETRY_LOCAL,
        poll: PollPolicy = POLL_LOCAL,
        timeout: float = 60.0,
        app_info: str | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """Return a client for an in-process emulator; see `DeidClient.local`.

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
        """Return a client with different options and the same connection.

        Closing either client closes both.
        """
        other = type(self).__new__(type(self))
        sync = self._sync.with_options(project=project, location=location, retry=retry, poll=poll, timeout=timeout)
        other._take(sync, self._session)
        return other

    async def warm(self) -> None:
        """Load imports and credentials in a thread, before the first call.

        Raises:
            CredentialsError: No credentials were found.
        """
        await self._session.call(self._sync.warm)

    async def close(self) -> None:
        """Stop polling and close all connections.

        Operations keep running at the service.
        """
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ignored: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session.sync}>"

    def __reduce__(self) -> NoReturn:
        self._sync.__reduce__()

    def raw_replies(self) -> AbstractContextManager[list[ApiReply]]:
        """Collect raw replies inside a ``with`` block.

        Each holds the status, headers and body of one call made by this task.
        """
        return captured_replies()
