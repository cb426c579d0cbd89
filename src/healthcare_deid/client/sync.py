"""`DeidClient`: typed methods of the API for programs with threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from healthcare_deid._border import border
from healthcare_deid.client.calls.sync_methods.datasets import DatasetMethods
from healthcare_deid.client.calls.sync_methods.deidentify import DeidentifyMethods
from healthcare_deid.client.calls.sync_methods.dicom_stores import DicomStoreMethods
from healthcare_deid.client.calls.sync_methods.instances import InstanceMethods
from healthcare_deid.client.calls.sync_methods.operations import OperationMethods
from healthcare_deid.client.drivers.run_flow import captured_replies
from healthcare_deid.client.drivers.session import Session, recipe_of
from healthcare_deid.client.http.endpoint import connect
from healthcare_deid.client.http.local import local_emulator
from healthcare_deid.client.protocol.clock import Clock, SystemClock
from healthcare_deid.client.protocol.context import CallContext
from healthcare_deid.client.protocol.exactly_once import StartRegistry
from healthcare_deid.client.protocol.retry import PollPolicy, RetryPolicy
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from healthcare_deid.client.http.connection import Http
    from healthcare_deid.client.protocol.flow import ApiReply

RETRY = RetryPolicy()
POLL = PollPolicy()
RETRY_LOCAL = RetryPolicy(settle=(0.5, 1.0))
"""For an emulator in this process, whose lists do not lag."""
POLL_LOCAL = PollPolicy(initial=0.05, maximum=2.0)
"""For an emulator in this process, which polls do not burden."""


class DeidClient(DeidentifyMethods, OperationMethods, DatasetMethods, DicomStoreMethods, InstanceMethods):
    """Client of the Cloud Healthcare API or of an emulator.

    Every name can be short (``"dataset1"``, ``"dataset1/dicomstore1"``), a full resource name, or a name object. One
    client serves any number of threads. It connects and looks for credentials at the first call.

    Args:
        project: Completes short names.
        location: Completes short names.
        credentials: google-auth credentials, or the path or content of a service account's key file. By default the
            application default credentials; none for a loopback endpoint.
        http: Transport with the ``request`` method of ``httplib2.Http``, used as it is.
        request_builder: Called instead of googleapiclient's ``HttpRequest``, such as its ``RequestMockBuilder``.
        endpoint: ``https://host[:port]`` instead of Google's; the variable ``HEALTHCARE_EMULATOR_HOST`` does the same.
        api_version: ``"v1"`` or ``"v1beta1"`` for calls without a config; a config decides for its own call.
        retry: Retry policy of all calls.
        poll: Poll policy of all operations.
        timeout: Seconds one HTTP try may take.
        app_info: ``name/version`` of your program, added to the user agent.
        clock: Source of time; a test passes `healthcare_deid.testing.FakeClock`.
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
        connection = connect(
            endpoint=endpoint, credentials=credentials, http=http, request_builder=request_builder, app_info=app_info
        )
        portable = http is None and request_builder is None
        self._context = CallContext(
            project=project,
            location=location,
            api_version=api_version,
            timeout=timeout,
            retry=retry,
            poll=poll,
            clock=clock or SystemClock(),
            starts=StartRegistry(),
            look_ahead=portable,  # a transport of the user's, such as a mock, gets no request that was not asked for
        )
        self._session = Session(self._context, connection, recipe_of(self._context, connection, portable=portable))

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
        """Return a client of an emulator in this process: the same calls on this machine, without a Google account.

        Args:
            data_dir: Folder of the emulator's stores; created if it does not exist.
            project: Completes short names; any word will do.
            location: Completes short names; any word will do.
            api_version: As in the constructor.
            retry: As in the constructor, with shorter pauses.
            poll: As in the constructor, with shorter pauses.
            timeout: As in the constructor.
            app_info: As in the constructor.
            clock: As in the constructor.

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
        session = client._session
        session.recipe = recipe_of(client._context, session.connection, data_dir=str(data_dir))
        session.also_close = emulator.close
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
        """Return a client with other options that shares this one's connection.

        Closing either closes both.
        """
        other = type(self).__new__(type(self))
        other._session = self._session
        other._context = self._context.with_options(project, location, retry, poll, timeout)
        return other

    def warm(self) -> None:
        """Import what calls need and find the credentials now instead of at the first call.

        Raises:
            CredentialsError: There are no credentials.
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
        return f"<{type(self).__name__} of {self._session}>"

    def __reduce__(self) -> NoReturn:
        raise ConfigError(
            f"a {type(self).__name__} cannot be pickled or copied: make one in each process, or pass "
            "operation.name (or the operation itself, which can be pickled)"
        )

    def raw_replies(self) -> AbstractContextManager[list[ApiReply]]:
        """Collect the raw replies (status, headers, body) of the calls that this thread makes in a ``with`` block."""
        return captured_replies()
