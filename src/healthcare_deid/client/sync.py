"""`DeidClient`: typed API methods for threaded programs."""

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
# The in-process emulator lists an operation at once, and polling it costs no quota.
RETRY_LOCAL = RetryPolicy(settle=(0.5, 1.0))
POLL_LOCAL = PollPolicy(initial=0.05, maximum=2.0)


class DeidClient(DeidentifyMethods, OperationMethods, DatasetMethods, DicomStoreMethods, InstanceMethods):
    """Client for the Cloud Healthcare API or an emulator.

    Every name argument takes a short name (``"dataset1"``, ``"dataset1/dicomstore1"``), a full resource name, or a name
    object. A client is thread-safe. It connects and looks up credentials on the first call.

    Args:
        project: Project for short names.
        location: Location for short names.
        credentials: google-auth credentials, or a service account key as a path or as JSON text. Defaults to the
            application default credentials. A loopback endpoint gets no credentials.
        http: Transport with the ``request`` method of ``httplib2.Http``. It is used as is.
        request_builder: Replacement for googleapiclient's ``HttpRequest``, such as its ``RequestMockBuilder``.
        endpoint: ``https://host[:port]`` to use instead of Google's. The environment variable
            ``HEALTHCARE_EMULATOR_HOST`` does the same.
        api_version: ``"v1"`` or ``"v1beta1"`` for calls without a config. A config sets the version of its own call.
        retry: Retry policy for all calls.
        poll: Poll policy for all operations.
        timeout: Seconds allowed for one HTTP attempt.
        app_info: ``name/version`` of your program, added to the user agent.
        clock: Source of time. Tests pass `healthcare_deid.testing.FakeClock`.
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
        # Another process can create Google's transport again, but not a user's own object.
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
            # A user's mock expects exactly the requests that the test asked for.
            look_ahead=portable,
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
        """Return a client for an in-process emulator.

        It makes the same calls on this machine and needs no Google account.

        Args:
            data_dir: Directory for the emulator's stores. It is created if missing.
            project: Project for short names. Any name works.
            location: Location for short names. Any name works.
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
        # The transport is an object of this process, but the data directory is enough to open it in another.
        session.recipe = recipe_of(client._context, session.connection, data_dir=str(data_dir))
        # The client opened this emulator, so closing the client must release its data directory.
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
        """Return a client with different options and the same connection.

        Closing either client closes both.
        """
        # Not the constructor, which would open a second connection. type(self) keeps a user's subclass.
        other = type(self).__new__(type(self))
        other._session = self._session
        other._context = self._context.with_options(project, location, retry, poll, timeout)
        return other

    def warm(self) -> None:
        """Load imports and credentials now instead of on the first call.

        Raises:
            CredentialsError: No credentials were found.
        """
        self._session.connection.warm()

    def close(self) -> None:
        """Stop polling and close all connections.

        Operations keep running at the service.
        """
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session}>"

    def __reduce__(self) -> NoReturn:
        raise ConfigError(
            f"{type(self).__name__} cannot be pickled or copied: create one in each process, or pass "
            "operation.name or the operation itself"
        )

    def raw_replies(self) -> AbstractContextManager[list[ApiReply]]:
        """Collect raw replies inside a ``with`` block.

        Each holds the status, headers and body of one call made by this thread.
        """
        return captured_replies()
