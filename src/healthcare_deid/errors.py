"""Every exception this package raises, as one tree.

::

    DeidError
    ├── ConfigError(ValueError)          a config that cannot be right: JSON path and rule
    ├── ResourceNameError(ValueError)    a resource name that cannot be right
    ├── CredentialsError                 no usable credentials
    ├── ForeignUrlError                  a URL that leads away from the client's endpoint
    ├── MissingExtraError(ImportError)   an optional dependency is not installed
    ├── TransportError                   no reply: ``sent`` says whether the server may have acted
    │   ├── ConnectError                 surely not sent
    │   ├── ConnectionDropped            maybe sent
    │   └── RequestTimeout(TimeoutError) maybe sent
    ├── ApiError                         the service answered with an error
    │   ├── BadRequest            400        ├── ResourceExhausted  429
    │   ├── Unauthenticated       401        ├── RequestCancelled   499
    │   ├── PermissionDenied      403        ├── InternalError      500
    │   ├── NotFound              404        ├── NotImplementedByServer 501
    │   ├── AlreadyExists         409        ├── Unavailable        502, 503
    │   └── FailedPrecondition    400, 412   └── DeadlineExceeded   408, 504
    ├── AmbiguousSubmit                  a long-running call may or may not have started
    ├── OperationError                   the operation ended, and not well
    │   ├── OperationFailed
    │   ├── OperationCancelled
    │   └── PartialFailure
    ├── OperationTimeout(TimeoutError)   it still runs: ``operation`` resumes it
    ├── OperationLost                    its state could not be read for too long
    ├── ReplyError                       a reply that is not what the method answers
    ├── TransferError                    a DICOM upload or download that did not complete
    ├── EmulatorError                    the emulator cannot start, or is closed
    ├── RunRefused                       a run over a folder may not begin, or not go on as asked
    └── EngineError                      one instance could not be de-identified on this machine
        ├── InvalidDicomError            not DICOM, or broken beyond reading
        ├── UnsupportedPixelsError       pixel data that must be looked at and cannot be
        └── ModelNotFoundError           no text-detection model is installed

No exception's text carries a tag value, a URL query, a key or the server's message: ``str(error)`` is safe to log.
What the server wrote is kept apart, in ``ApiError.message`` and ``OperationError.message``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Sent = Literal["no", "maybe", "yes"]


class DeidError(Exception):
    """Base of every exception of this package."""


class ConfigError(DeidError, ValueError):
    """A message that the service would refuse, refused before it is sent.

    Attributes:
        problems: One ``(JSON path, rule)`` pair a problem; never a value.
    """

    def __init__(self, message: str, *, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, type_name: str, problems: Sequence[tuple[str, str]]) -> ConfigError:
        """Build the error for a message of type ``type_name`` from its problems."""
        lines = [f"{path}: {rule}" if path else rule for path, rule in problems]
        body = lines[0] if len(lines) == 1 else "".join(f"\n  - {line}" for line in lines)
        return cls(f"{type_name}: {body}", problems=problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ResourceNameError(DeidError, ValueError):
    """A resource name that does not have the form the API wants."""


class CredentialsError(DeidError):
    """No usable credentials, or their refresh failed. Nothing was sent.

    Attributes:
        transient: Whether another try may succeed: the token server could not be reached.
    """

    def __init__(self, text: str, *, transient: bool = False) -> None:
        super().__init__(text)
        self.transient = transient

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ForeignUrlError(DeidError):
    """A URL leads away from the client's endpoint, where its credentials must not go. Nothing was sent.

    Attributes:
        origin: Scheme, host and port of the URL, as a reply or the caller gave it; empty where it has none.
    """

    def __init__(self, endpoint: str, *, origin: str = "") -> None:
        super().__init__(
            f"the URL does not lead to this client's endpoint, {endpoint}, and its credentials go nowhere else: fetch "
            "it without this client, or with one that has endpoint= and credentials for that server (.origin names it)"
        )
        self.origin = origin

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class MissingExtraError(DeidError, ImportError):
    """An optional dependency is needed and not installed; the text names the ``pip install`` to run."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'healthcare-deid[{extra}]'")
        self.extra = extra
        self.purpose = purpose

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.extra, self.purpose)


class TransportError(DeidError):
    """The request got no reply.

    Attributes:
        sent: Whether the server can have acted on it: ``"no"``, ``"maybe"`` or ``"yes"``.
        method_id: The API method, such as ``healthcare.projects.locations.datasets.get``.
        attempts: How many times it was tried.
    """

    default_sent: ClassVar[Sent] = "maybe"

    def __init__(self, text: str, *, sent: Sent | None = None, method_id: str = "", attempts: int = 1) -> None:
        super().__init__(text)
        self.sent: Sent = sent or self.default_sent
        self.method_id = method_id
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ConnectError(TransportError):
    """No connection: the request surely did not leave.

    Attributes:
        transient: Whether another try may succeed; False for a refused certificate or a proxy that refuses.
    """

    default_sent = "no"

    def __init__(
        self, text: str, *, sent: Sent | None = None, method_id: str = "", attempts: int = 1, transient: bool = True
    ) -> None:
        super().__init__(text, sent=sent, method_id=method_id, attempts=attempts)
        self.transient = transient


class ConnectionDropped(TransportError):
    """The peer hung up before it answered: the request may have been carried out."""


class RequestTimeout(TransportError, TimeoutError):
    """One HTTP try took longer than its timeout: the request may have been carried out."""


class ApiError(DeidError):
    """The service answered with an error.

    Attributes:
        status: HTTP status.
        code: Canonical code name of ``google.rpc.Code``, such as ``"NOT_FOUND"``.
        reason: Machine-readable reason, when the reply gave one.
        message: The server's own text. May hold resource names or data: not part of ``str(error)``.
        details: The reply's ``details``, as sent.
        request_id: The server's id of the request, when it gave one.
        retry_after: Seconds the server asked to wait, when it did.
        method_id: The API method.
        attempts: How many times the call was tried.
        remedy: What the caller can do about it, where more is known than the class says.
    """

    hint: ClassVar[str] = ""

    def __init__(
        self,
        *,
        status: int,
        code: str = "",
        reason: str = "",
        message: str = "",
        details: Sequence[Any] = (),
        request_id: str = "",
        retry_after: float | None = None,
        method_id: str = "",
        attempts: int = 1,
        remedy: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.reason = reason
        self.message = message
        self.details = tuple(details)
        self.request_id = request_id
        self.retry_after = retry_after
        self.method_id = method_id
        self.attempts = attempts
        self.remedy = remedy
        super().__init__()

    def __str__(self) -> str:
        parts = [f"HTTP {self.status}"]
        if self.code:
            parts.append(self.code)
        if self.method_id:
            parts.append(f"from {self.method_id}")
        if self.attempts > 1:
            parts.append(f"after {self.attempts} attempts")
        text = " ".join(parts)
        advice = self.remedy or self.hint
        return f"{text}. {advice}" if advice else f"{text} (the server's text is in .message)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class BadRequest(ApiError):
    """400 INVALID_ARGUMENT: the request itself is wrong; sending it again cannot help."""


class Unauthenticated(ApiError):
    """401: missing, malformed or expired access token."""

    hint = "Check the credentials: 'gcloud auth application-default login' makes new ones."


class PermissionDenied(ApiError):
    """403: missing permission, or a dataset that does not exist (the service hides which)."""

    hint = "Either a permission is missing or the dataset does not exist: the service does not tell which."


class NotFound(ApiError):
    """404: no such resource."""

    hint = "No store, operation or instance of that name; .message has the server's text."


class AlreadyExists(ApiError):
    """409: the resource exists."""

    hint = "What was to be made exists: name another, or delete that one; .message has the server's text."


class FailedPrecondition(ApiError):
    """400 FAILED_PRECONDITION or 412: the resource's state does not allow the call."""


class ResourceExhausted(ApiError):
    """429: quota or rate limit."""


class RequestCancelled(ApiError):
    """499: the call was cancelled."""


class InternalError(ApiError):
    """500: the service failed."""


class NotImplementedByServer(ApiError):
    """501 UNIMPLEMENTED: the service does not do this."""


class Unavailable(ApiError):
    """502 or 503: the service cannot answer now."""


class DeadlineExceeded(ApiError):
    """408 or 504: the service gave up waiting."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    408: DeadlineExceeded,
    409: AlreadyExists,
    412: FailedPrecondition,
    429: ResourceExhausted,
    499: RequestCancelled,
    500: InternalError,
    501: NotImplementedByServer,
    502: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}


def api_error_class(status: int, code: str = "") -> type[ApiError]:
    """Return the exception class for an HTTP status and, where 400 is ambiguous, the canonical code."""
    if status == HTTPStatus.BAD_REQUEST and code == "FAILED_PRECONDITION":
        return FailedPrecondition
    return _BY_STATUS.get(status, ApiError)


class AmbiguousSubmit(DeidError):
    """A long-running call may have started, and it could not be told which operation is ours.

    Attributes:
        candidates: Names of the operations that could be ours; empty when none could be listed.
    """

    def __init__(self, text: str, *, candidates: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.candidates = tuple(candidates)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class OperationError(DeidError):
    """A long-running operation ended, and not well.

    Attributes:
        operation: The operation (an ``Operation`` or ``AsyncOperation``).
        code: Canonical code number of ``google.rpc.Status``; 0 for a partial failure.
        message: The server's own text; not part of ``str(error)``.
        details: The status' details, as sent.
    """

    def __init__(
        self, text: str, *, operation: Any = None, code: int = 0, message: str = "", details: Sequence[Any] = ()
    ) -> None:
        super().__init__(text)
        self.operation = operation
        self.code = code
        self.message = message
        self.details = tuple(details)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class OperationFailed(OperationError):
    """The operation ended with an error."""


class OperationCancelled(OperationError):
    """The operation was cancelled; what it had written stays."""


class PartialFailure(OperationError):
    """The operation ended, and some instances failed: they are missing in the destination."""


class OperationTimeout(DeidError, TimeoutError):
    """``wait(timeout=)`` ran out; the operation still runs, and ``operation`` resumes it."""

    def __init__(self, text: str, *, operation: Any = None) -> None:
        super().__init__(text)
        self.operation = operation

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class OperationLost(DeidError):
    """The operation's state could not be read for too long, or it is past its retention."""

    def __init__(self, text: str, *, operation: Any = None) -> None:
        super().__init__(text)
        self.operation = operation

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ReplyError(DeidError):
    """A reply that is not what the method answers: not JSON, cut short, a redirect, or of another shape.

    Attributes:
        method_id: The API method.
        accepted: Whether the status said that the request was carried out.
    """

    def __init__(self, text: str, *, method_id: str = "", accepted: bool = False) -> None:
        super().__init__(text)
        self.method_id = method_id
        self.accepted = accepted

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class TransferError(DeidError):
    """A DICOM upload or download that had to stop: the store refuses all of it. The refusal is the ``__cause__``.

    Attributes:
        report: What had been transferred by then (a ``TransferReport``).
    """

    def __init__(self, text: str, *, report: Any = None) -> None:
        super().__init__(text)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class EmulatorError(DeidError):
    """The emulator cannot use its folder, or is closed."""


class RunRefused(DeidError):
    """A run over a folder may not begin, or not go on as asked. Nothing was written.

    Attributes:
        differences: How the run's settings differ from those that the destination was made with; never a value.
    """

    def __init__(self, text: str, *, differences: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.differences = tuple(differences)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class EngineError(DeidError):
    """One instance could not be de-identified on this machine.

    Attributes:
        reason: A short, stable word for reports, such as ``"not-dicom"``.
    """

    default_reason: ClassVar[str] = "engine-error"

    def __init__(self, text: str, *, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason or self.default_reason

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidDicomError(EngineError):
    """Not a DICOM instance, or broken beyond reading."""

    default_reason = "not-dicom"


class UnsupportedPixelsError(EngineError):
    """Pixel data that the config wants looked at, and that cannot be decoded or written here."""

    default_reason = "unsupported-pixels"


class ModelNotFoundError(EngineError):
    """No text-detection model is installed."""

    default_reason = "no-model"


def _rebuild(cls: type[DeidError], args: tuple[Any, ...], state: Mapping[str, Any]) -> DeidError:
    """Restore a pickled exception without calling its constructor."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
