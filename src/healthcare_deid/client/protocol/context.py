"""`CallContext`: the project, location, policies and clock of a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from healthcare_deid.client.protocol.arguments import require_methods, require_seconds, require_type
from healthcare_deid.client.protocol.exactly_once import ExactlyOnceStart, StartRegistry
from healthcare_deid.client.protocol.flow import ApiCall, ApiReply, Flow
from healthcare_deid.client.protocol.retry import PollPolicy, RetryPolicy, send
from healthcare_deid.config.base.message import Message
from healthcare_deid.errors import ConfigError, NotFound, ReplyError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName, OperationName

if TYPE_CHECKING:
    from healthcare_deid.client.protocol.clock import Clock
    from healthcare_deid.client.protocol.methods import Method
    from healthcare_deid.client.protocol.operation_state import OperationSnapshot

M = TypeVar("M", bound=Message)
API_VERSIONS = ("v1", "v1beta1")
_PAGE_SIZE = "500"


@dataclass(frozen=True, slots=True)
class StartedOperation:
    """Operation just started, with the API version of its call."""

    snapshot: OperationSnapshot
    version: str


@dataclass(frozen=True, slots=True)
class CallContext:
    """Defaults shared by all calls of a client."""

    project: str | None
    location: str | None
    api_version: str
    timeout: float
    retry: RetryPolicy
    poll: PollPolicy
    clock: Clock
    starts: StartRegistry
    look_ahead: bool = False
    """Whether to check that a new dataset does not exist yet; see `ExactlyOnceStart`."""

    def __post_init__(self) -> None:
        # Checked here, so that a wrong option is reported by the constructor and not by the first call.
        if self.api_version not in API_VERSIONS:
            raise ConfigError(f"api_version: must be {' or '.join(map(repr, API_VERSIONS))}")
        require_seconds("timeout", self.timeout)
        require_type("retry", self.retry, RetryPolicy)
        require_type("poll", self.poll, PollPolicy)
        require_methods("clock", self.clock, "a Clock", "monotonic", "time", "sleep", "wait", "hold")

    def for_call(self, timeout: float | None, retry: RetryPolicy | None) -> CallContext:
        """Return a copy for one call's ``timeout=`` and ``retry=``."""
        if timeout is None and retry is None:
            return self
        return replace(
            self,
            timeout=self.timeout if timeout is None else timeout,
            retry=self.retry if retry is None else retry,
        )

    def with_options(
        self,
        project: str | None,
        location: str | None,
        retry: RetryPolicy | None,
        poll: PollPolicy | None,
        timeout: float | None,
    ) -> CallContext:
        """Return a copy with each option that is not None."""
        return replace(
            self.for_call(timeout, retry),
            project=project or self.project,
            location=location or self.location,
            poll=poll or self.poll,
        )

    def of_version(self, version: str) -> CallContext:
        """Return a copy with another API version."""
        return replace(self, api_version=version)

    # Names

    def dataset(self, name: str | DatasetName) -> DatasetName:
        """Resolve a dataset name."""
        return DatasetName.resolve(name, project=self.project, location=self.location)

    def dicom_store(self, name: str | DicomStoreName) -> DicomStoreName:
        """Resolve a DICOM store name."""
        return DicomStoreName.resolve(name, project=self.project, location=self.location)

    def fhir_store(self, name: str | FhirStoreName) -> FhirStoreName:
        """Resolve a FHIR store name."""
        return FhirStoreName.resolve(name, project=self.project, location=self.location)

    def operation_name(self, name: str | OperationName) -> OperationName:
        """Resolve an operation name."""
        return OperationName.resolve(name, project=self.project, location=self.location)

    def location_name(self) -> LocationName:
        """Return the client's default location."""
        return DatasetName.resolve("any", project=self.project, location=self.location).parent

    # Calls

    def call(
        self,
        method: Method,
        name: object,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        version: str | None = None,
    ) -> ApiCall:
        """Build the request for a method."""
        return ApiCall(
            method,
            method.path_of(name),
            version=version or self.api_version,
            query=query or {},
            body=body,
            timeout=self.timeout,
        )

    def send(self, call: ApiCall) -> Flow[ApiReply]:
        """Send a call that does not start an operation, with retries."""
        return send(call, policy=self.retry, clock=self.clock)

    def start(
        self, call: ApiCall, dataset: DatasetName, *, creates: DatasetName | None = None
    ) -> Flow[StartedOperation]:
        """Send a call that starts an operation, exactly once.

        Args:
            call: Request to send.
            dataset: Dataset whose list shows the operation.
            creates: Dataset that the operation creates.
        """
        # The operation of datasets.create is listed under the new dataset. A new dataset lists no other operation, so
        # checking first whether it exists would prove nothing.
        look_ahead = self.look_ahead and creates != dataset
        start = ExactlyOnceStart(
            call, dataset, self.retry, self.clock, self.starts, creates=creates, look_ahead=look_ahead
        )
        snapshot = yield from start.flow()
        return StartedOperation(snapshot, call.version)

    def read(self, kind: type[M], call: ApiCall) -> Flow[M]:
        """Send a call and parse its reply as a message of *kind*."""
        reply = yield from self.send(call)
        return read_as(kind, reply.json, call.method)

    def delete(self, method: Method, name: object) -> Flow[None]:
        """Delete a resource, with retries."""
        try:
            yield from self.send(self.call(method, name))
        except NotFound as error:
            # On a retry, NOT_FOUND means that an earlier attempt deleted it and only its reply was lost.
            if error.attempts == 1:
                raise

    def items(
        self, method: Method, name: object, field: str, token: str, query: Mapping[str, str] | None = None
    ) -> Flow[tuple[list[Mapping[str, Any]], str]]:
        """Return one page of a list and the next page token.

        The token is empty on the last page.
        """
        wanted = {"pageSize": _PAGE_SIZE, **(query or {}), **({"pageToken": token} if token else {})}
        reply = yield from self.send(self.call(method, name, query=wanted))
        items: Any = reply.json.get(field) or []
        following = str(reply.json.get("nextPageToken") or "")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise ReplyError(f"{method.id}: the reply is not a list", method_id=method.id)
        # A server that ignores pageToken would otherwise be asked for its first page forever.
        if following and following == token:
            raise ReplyError(f"{method.id}: the list does not end, its page token repeats", method_id=method.id)
        return cast("list[Mapping[str, Any]]", items), following

    def page(
        self,
        kind: type[M],
        method: Method,
        name: object,
        field: str,
        token: str,
        query: Mapping[str, str] | None = None,
    ) -> Flow[tuple[list[M], str]]:
        """Return one page of messages of *kind* and the next page token."""
        items, following = yield from self.items(method, name, field, token, query)
        return [read_as(kind, item, method) for item in items], following


def read_as(kind: type[M], value: Mapping[str, Any], method: Method) -> M:
    """Parse a reply as a message of *kind*.

    Raises:
        ReplyError: *value* is not a message of *kind*.
    """
    try:
        return kind.from_api(value)
    except ConfigError as error:
        paths = ", ".join(path for path, _ in error.problems if path)
    # Raised outside the except block: the ConfigError would be its context, and its frames hold the reply.
    raise ReplyError(f"{method.id}: not a {kind.__name__} ({paths})", method_id=method.id, accepted=True)
