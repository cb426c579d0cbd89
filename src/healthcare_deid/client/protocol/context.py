"""`CallContext`: project, location and policies of a client's calls, and the flows that send them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from healthcare_deid.client.protocol.arguments import of_type, seconds, with_methods
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
class Started:
    """Operation just started, and the API version it was started with."""

    snapshot: OperationSnapshot
    version: str


@dataclass(frozen=True, slots=True)
class CallContext:
    """Names, policies and clock that a client's calls share."""

    project: str | None
    location: str | None
    api_version: str
    timeout: float
    retry: RetryPolicy
    poll: PollPolicy
    clock: Clock
    starts: StartRegistry
    look_ahead: bool = False
    """Whether calls that create a dataset look first if it exists; see `ExactlyOnceStart`."""

    def __post_init__(self) -> None:
        if self.api_version not in API_VERSIONS:
            raise ConfigError(f"api_version: must be {' or '.join(map(repr, API_VERSIONS))}")
        seconds("timeout", self.timeout)
        of_type("retry", self.retry, RetryPolicy)
        of_type("poll", self.poll, PollPolicy)
        with_methods("clock", self.clock, "a Clock", "monotonic", "time", "sleep", "wait", "hold")

    def tuned(self, timeout: float | None, retry: RetryPolicy | None) -> CallContext:
        """Return the context of a call with its own ``timeout=`` and ``retry=``."""
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
        """Return the context with each option that is given."""
        return replace(
            self.tuned(timeout, retry),
            project=project or self.project,
            location=location or self.location,
            poll=poll or self.poll,
        )

    def of_version(self, version: str) -> CallContext:
        """Return the context with another API version."""
        return replace(self, api_version=version)

    # Names

    def dataset(self, name: str | DatasetName) -> DatasetName:
        """Complete a dataset's name."""
        return DatasetName.resolve(name, project=self.project, location=self.location)

    def dicom_store(self, name: str | DicomStoreName) -> DicomStoreName:
        """Complete a DICOM store's name."""
        return DicomStoreName.resolve(name, project=self.project, location=self.location)

    def fhir_store(self, name: str | FhirStoreName) -> FhirStoreName:
        """Complete a FHIR store's name."""
        return FhirStoreName.resolve(name, project=self.project, location=self.location)

    def operation_name(self, name: str | OperationName) -> OperationName:
        """Complete an operation's name."""
        return OperationName.resolve(name, project=self.project, location=self.location)

    def location_name(self) -> LocationName:
        """Return the client's own location."""
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
        """Return the request of a method."""
        return ApiCall(
            method,
            method.path_of(name),
            version=version or self.api_version,
            query=query or {},
            body=body,
            timeout=self.timeout,
        )

    def send(self, call: ApiCall) -> Flow[ApiReply]:
        """Send a call that starts no operation, as often as its method allows."""
        return send(call, policy=self.retry, clock=self.clock)

    def start(self, call: ApiCall, dataset: DatasetName, *, creates: DatasetName | None = None) -> Flow[Started]:
        """Send a call that starts an operation, once.

        Args:
            call: The call.
            dataset: Dataset that lists the operation.
            creates: Dataset that the operation creates.
        """
        look_ahead = self.look_ahead and creates != dataset  # under a dataset that is created, only that is listed
        start = ExactlyOnceStart(
            call, dataset, self.retry, self.clock, self.starts, creates=creates, look_ahead=look_ahead
        )
        snapshot = yield from start.flow()
        return Started(snapshot, call.version)

    def read(self, kind: type[M], call: ApiCall) -> Flow[M]:
        """Send a call and read its answer as a message of ``kind``."""
        reply = yield from self.send(call)
        return read_as(kind, reply.json, call.method)

    def delete(self, method: Method, name: object) -> Flow[None]:
        """Delete a resource."""
        try:
            yield from self.send(self.call(method, name))
        except NotFound as error:
            # After a lost answer, the resource is gone because of an earlier try.
            if error.attempts == 1:
                raise

    def items(
        self, method: Method, name: object, field: str, token: str, query: Mapping[str, str] | None = None
    ) -> Flow[tuple[list[Mapping[str, Any]], str]]:
        """Return the items of one page of a list, and the token of the next page, empty at the end."""
        wanted = {"pageSize": _PAGE_SIZE, **(query or {}), **({"pageToken": token} if token else {})}
        reply = yield from self.send(self.call(method, name, query=wanted))
        items: Any = reply.json.get(field) or []
        following = str(reply.json.get("nextPageToken") or "")
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise ReplyError(f"{method.id}: the answer is not a list", method_id=method.id)
        if following and following == token:
            raise ReplyError(f"{method.id}: the list does not end", method_id=method.id)
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
        """Return one page of a list as messages of ``kind``, and the token of the next page."""
        items, following = yield from self.items(method, name, field, token, query)
        return [read_as(kind, item, method) for item in items], following


def read_as(kind: type[M], value: Mapping[str, Any], method: Method) -> M:
    """Read an answer as a message.

    Raises:
        ReplyError: It is not such a message.
    """
    try:
        return kind.from_api(value)
    except ConfigError as error:
        paths = ", ".join(path for path, _ in error.problems if path)
    raise ReplyError(f"{method.id}: not a {kind.__name__} ({paths})", method_id=method.id, accepted=True)
