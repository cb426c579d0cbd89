"""All exceptions of this package.

::

    DeidError
    ├── ConfigError(ValueError)          invalid config: JSON path and rule
    ├── ResourceNameError(ValueError)    invalid resource name
    ├── CredentialsError                 no usable credentials
    ├── ForeignUrlError                  URL outside the client's endpoint
    ├── MissingExtraError(ImportError)   optional dependency not installed
    ├── TransportError                   no reply; ``sent`` says whether the server may have executed the request
    │   ├── ConnectError                 not sent
    │   ├── ConnectionDropped            maybe sent
    │   └── RequestTimeout(TimeoutError) maybe sent
    ├── ApiError                         error reply of the service
    │   ├── BadRequest            400        ├── ResourceExhausted  429
    │   ├── Unauthenticated       401        ├── RequestCancelled   499
    │   ├── PermissionDenied      403        ├── InternalError      500
    │   ├── NotFound              404        ├── NotImplementedByServer 501
    │   ├── AlreadyExists         409        ├── Unavailable        502, 503
    │   └── FailedPrecondition    400, 412   └── DeadlineExceeded   408, 504
    ├── AmbiguousSubmit                  operation may or may not have started
    ├── OperationError                   operation ended without full success
    │   ├── OperationFailed
    │   ├── OperationCancelled
    │   └── PartialFailure
    ├── OperationTimeout(TimeoutError)   operation still running; ``operation`` resumes it
    ├── OperationLost                    operation could not be polled for too long
    ├── ReplyError                       unexpected reply
    ├── TransferError                    DICOM upload or download stopped
    ├── EmulatorError                    emulator cannot start, or is closed
    ├── RunRefused                       run over a folder cannot start or continue as asked
    │   └── RunInProgress                another run is at work on the destination
    └── EngineError                      instance could not be de-identified on this machine
        ├── InvalidDicomError            not DICOM, or damaged
        ├── UnsupportedPixelsError       pixel data that must be inspected and cannot be decoded
        └── ModelNotFoundError           no text-detection model installed

The text of an exception contains no tag value, URL query, key or message of the server: ``str(error)`` is safe to log.
The server's own text is in ``ApiError.message`` and ``OperationError.message``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Sent = Literal["no", "maybe", "yes"]


class DeidError(Exception):
    """Base class of this package's exceptions."""


# Where a built-in exception has the same meaning it is a base class too, so that existing handlers catch it.
class ConfigError(DeidError, ValueError):
    """Invalid config or argument, refused before anything is sent.

    Attributes:
        problems: One ``(JSON path, rule)`` pair per problem, without values.
    """

    def __init__(self, message: str, *, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, type_name: str, problems: Sequence[tuple[str, str]]) -> ConfigError:
        """Build the error for a message of type *type_name*."""
        lines = [f"{path}: {rule}" if path else rule for path, rule in problems]
        body = lines[0] if len(lines) == 1 else "".join(f"\n  - {line}" for line in lines)
        return cls(f"{type_name}: {body}", problems=problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ResourceNameError(DeidError, ValueError):
    """Invalid resource name."""


class CredentialsError(DeidError):
    """No usable credentials, or their refresh failed.

    Nothing was sent.

    Attributes:
        transient: Whether another attempt may succeed, because the token server could not be reached.
    """

    def __init__(self, text: str, *, transient: bool = False) -> None:
        super().__init__(text)
        self.transient = transient

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ForeignUrlError(DeidError):
    """URL at a server other than the client's endpoint.

    Credentials must not be sent there, so nothing was sent.

    Attributes:
        origin: Scheme, host and port of the URL; empty if it has none.
    """

    def __init__(self, endpoint: str, *, origin: str = "") -> None:
        super().__init__(
            f"the URL is not at this client's endpoint, {endpoint}, and its credentials are not sent elsewhere: fetch "
            "it without this client, or with one that has endpoint= and credentials for that server (see .origin)"
        )
        self.origin = origin

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class MissingExtraError(DeidError, ImportError):
    """An optional dependency is not installed.

    The text contains the ``pip install`` command to run.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs an extra: pip install 'healthcare-deid[{extra}]'")
        self.extra = extra
        self.purpose = purpose

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.extra, self.purpose)


class TransportError(DeidError):
    """No reply to a request.

    Attributes:
        sent: Whether the server may have executed the request: ``"no"``, ``"maybe"`` or ``"yes"``.
        method_id: API method, such as ``healthcare.projects.locations.datasets.get``.
        attempts: Number of attempts made.
    """

    # The worst case, unless a subclass knows better.
    default_sent: ClassVar[Sent] = "maybe"

    def __init__(self, text: str, *, sent: Sent | None = None, method_id: str = "", attempts: int = 1) -> None:
        super().__init__(text)
        self.sent: Sent = sent or self.default_sent
        self.method_id = method_id
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ConnectError(TransportError):
    """No connection, so nothing was sent.

    Attributes:
        transient: Whether another attempt may succeed. False if a certificate or a proxy was the reason.
    """

    default_sent = "no"

    def __init__(
        self, text: str, *, sent: Sent | None = None, method_id: str = "", attempts: int = 1, transient: bool = True
    ) -> None:
        super().__init__(text, sent=sent, method_id=method_id, attempts=attempts)
        self.transient = transient


class ConnectionDropped(TransportError):
    """The server closed the connection before it replied.

    The request may have been executed.
    """


class RequestTimeout(TransportError, TimeoutError):
    """One HTTP attempt exceeded its timeout.

    The request may have been executed.
    """


class ApiError(DeidError):
    """Error reply of the service.

    Attributes:
        status: HTTP status.
        code: Name of the ``google.rpc.Code``, such as ``"NOT_FOUND"``.
        reason: Machine-readable reason, if the reply has one.
        message: The server's own text. It may contain resource names or patient data and is not part of ``str(error)``.
        details: ``details`` of the reply, as sent.
        request_id: The server's ID for the request, if the reply has one.
        retry_after: Seconds to wait, if the server asked for it.
        method_id: API method.
        attempts: Number of attempts made.
        remedy: Advice that is more specific than the class's own, if any.
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
        # Without arguments: repr() would show them, and the server's text may contain PHI.
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
        return f"{text}. {advice}" if advice else f"{text} (see .message for the server's text)"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class BadRequest(ApiError):
    """400 INVALID_ARGUMENT: invalid request; sending it again does not help."""


class Unauthenticated(ApiError):
    """401: missing, malformed or expired access token."""

    hint = "Check the credentials: 'gcloud auth application-default login' creates new ones."


class PermissionDenied(ApiError):
    """403: missing permission, or missing dataset.

    The service does not say which.
    """

    hint = "A permission is missing, or the dataset does not exist. The service does not say which."


class NotFound(ApiError):
    """404: the resource does not exist."""

    hint = "The store, operation or instance does not exist; see .message for the server's text."


class AlreadyExists(ApiError):
    """409: the resource already exists."""

    hint = "The resource already exists: choose another name, or delete it; see .message for the server's text."


class FailedPrecondition(ApiError):
    """400 FAILED_PRECONDITION or 412: the resource's state forbids the call."""


class ResourceExhausted(ApiError):
    """429: quota or rate limit exceeded."""


class RequestCancelled(ApiError):
    """499: the call was cancelled."""


class InternalError(ApiError):
    """500: internal error of the service."""


class NotImplementedByServer(ApiError):
    """501 UNIMPLEMENTED: not supported by the service."""


class Unavailable(ApiError):
    """502 or 503: service temporarily unavailable."""


class DeadlineExceeded(ApiError):
    """408 or 504: the service timed out."""


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
    """Return the exception class for an HTTP status.

    The canonical code decides for 400, which stands for two classes.
    """
    if status == HTTPStatus.BAD_REQUEST and code == "FAILED_PRECONDITION":
        return FailedPrecondition
    return _BY_STATUS.get(status, ApiError)


class AmbiguousSubmit(DeidError):
    """An operation may have started, but which one is unknown.

    Attributes:
        candidates: Names of the operations that may be the one; empty if none were listed.
    """

    def __init__(self, text: str, *, candidates: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.candidates = tuple(candidates)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class OperationError(DeidError):
    """A long-running operation ended without full success.

    Attributes:
        operation: The ``Operation`` or ``AsyncOperation``.
        code: Number of the ``google.rpc.Code``; 0 for a partial failure.
        message: The server's own text, which is not part of ``str(error)``.
        details: ``details`` of the status, as sent.
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
    """The operation was cancelled.

    Instances already written stay in the destination.
    """


class PartialFailure(OperationError):
    """The operation ended, but some instances failed.

    They are missing in the destination.
    """


class OperationTimeout(DeidError, TimeoutError):
    """The operation is still running after ``wait(timeout=)``.

    ``operation`` resumes waiting.
    """

    def __init__(self, text: str, *, operation: Any = None) -> None:
        super().__init__(text)
        self.operation = operation

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class OperationLost(DeidError):
    """The operation could not be polled for too long, or has expired."""

    def __init__(self, text: str, *, operation: Any = None) -> None:
        super().__init__(text)
        self.operation = operation

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class ReplyError(DeidError):
    """Unexpected reply: not JSON, truncated, a redirect, or malformed.

    Attributes:
        method_id: API method.
        accepted: Whether the status says that the request was executed.
    """

    def __init__(self, text: str, *, method_id: str = "", accepted: bool = False) -> None:
        super().__init__(text)
        self.method_id = method_id
        self.accepted = accepted

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class TransferError(DeidError):
    """A DICOM upload or download stopped, because the store refuses everything.

    The refusal is the ``__cause__``.

    Attributes:
        report: ``TransferReport`` up to that point.
    """

    def __init__(self, text: str, *, report: Any = None) -> None:
        super().__init__(text)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class EmulatorError(DeidError):
    """The emulator cannot use its data directory, or is closed."""


class RunRefused(DeidError):
    """A run over a folder cannot start, or cannot continue as asked.

    Nothing was written.

    Attributes:
        differences: Differences between this run's settings and those the destination was made with, without values.
    """

    def __init__(self, text: str, *, differences: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.differences = tuple(differences)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class RunInProgress(RunRefused):
    """Another run is at work on the same destination; the text names it. The same command works when that has ended."""


class EngineError(DeidError):
    """An instance could not be de-identified on this machine.

    Attributes:
        reason: Short, stable word for reports, such as ``"not-dicom"``.
    """

    default_reason: ClassVar[str] = "engine-error"

    def __init__(self, text: str, *, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason or self.default_reason

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


class InvalidDicomError(EngineError):
    """Not a DICOM instance, or a damaged one."""

    default_reason = "not-dicom"


class UnsupportedPixelsError(EngineError):
    """Pixel data that cannot be decoded or encoded here.

    The config requires it to be inspected.
    """

    default_reason = "unsupported-pixels"


class ModelNotFoundError(EngineError):
    """No text-detection model is installed."""

    default_reason = "no-model"


def _rebuild(cls: type[DeidError], args: tuple[Any, ...], state: Mapping[str, Any]) -> DeidError:
    """Restore a pickled exception without calling its constructor."""
    # Constructors have keyword-only arguments, which pickle does not pass.
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
