"""`DeidClient`: the API's methods, typed, from a program with threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from healthcare_deid._border import border
from healthcare_deid.client.calls.datasets import DatasetMethods
from healthcare_deid.client.calls.deidentify import DeidentifyMethods
from healthcare_deid.client.calls.dicom_stores import DicomStoreMethods
from healthcare_deid.client.calls.instances import InstanceMethods
from healthcare_deid.client.calls.operations import OperationMethods
from healthcare_deid.client.drivers.run_flow import captured_replies
from healthcare_deid.client.drivers.session import Recipe, Session
from healthcare_deid.client.http import endpoint as settings
from healthcare_deid.client.protocol.clock import Clock, SystemClock
from healthcare_deid.client.protocol.context import CallContext
from healthcare_deid.client.protocol.exactly_once import StartRegistry
from healthcare_deid.client.protocol.retry import PollPolicy, RetryPolicy
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from healthcare_deid.client.http.connection import Http
    from healthcare_deid.client.protocol.flow import ApiReply
    from healthcare_deid.emulator import Emulator

RETRY = RetryPolicy()
POLL = PollPolicy()
POLL_NEARBY = PollPolicy(initial=0.05, maximum=2.0)
"""For an emulator in the same process: nobody is far away, and nobody else waits."""


class DeidClient(DeidentifyMethods, OperationMethods, DatasetMethods, DicomStoreMethods, InstanceMethods):
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
        connection = settings.connect(
            endpoint=endpoint, credentials=credentials, http=http, request_builder=request_builder, app_info=app_info
        )
        portable = http is None and request_builder is None
        recipe = settings.recipe_for(
            connection, project=project, location=location, api_version=api_version, portable=portable
        )
        self._context = CallContext(
            project=project,
            location=location,
            api_version=api_version,
            timeout=timeout,
            retry=retry,
            poll=poll,
            clock=clock or SystemClock(),
            starts=StartRegistry(),
        )
        self._session = Session(self._context, connection, recipe)

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
        other._context = self._context.with_options(project, location, retry, poll, timeout)
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

    def raw_replies(self) -> AbstractContextManager[list[ApiReply]]:
        """Collect the raw replies (status, headers, body) of the calls this thread makes inside a ``with`` block."""
        return captured_replies()


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
