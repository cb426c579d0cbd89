"""Exit codes and error messages: one line that is safe to log instead of a traceback."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING

from healthcare_deid import errors

if TYPE_CHECKING:
    from collections.abc import Generator

SERVER_TEXT = "healthcare_deid.server_text"
"""Key of the click context's ``meta``: whether texts of the service are printed."""


class Exit(IntEnum):
    """Exit codes of all commands."""

    SUCCEEDED = 0
    """Everything was done."""
    ERROR = 1
    """The command could not run, or was refused."""
    USAGE = 2
    """The command line is wrong."""
    PARTIAL = 3
    """The command ended and a part of it failed."""
    FAILED = 4
    """The operation ended with an error."""
    CANCELLED = 5
    """The operation was cancelled."""
    TIMEOUT = 6
    """The operation is still running."""
    UNKNOWN = 7
    """The outcome is unknown, or whether it started."""
    FINDINGS = 8
    """The command found something that must not be there."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """SIGTERM."""


class Terminated(KeyboardInterrupt):
    """SIGTERM. Ends a command as Ctrl-C does, through every ``with`` and ``finally``."""


@contextmanager
def terminable() -> Generator[None]:
    """Raise `Terminated` in this thread on SIGTERM, instead of ending without a message."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: object) -> None:
    del number, frame
    raise Terminated


def stopped(error: KeyboardInterrupt, text: str) -> CommandError:
    """Return the error of a command that was stopped, with the exit code for how.

    Args:
        error: Ctrl-C or `Terminated`.
        text: How to continue; may be empty.
    """
    word, code = ("terminated", Exit.TERMINATED) if isinstance(error, Terminated) else ("interrupted", Exit.INTERRUPTED)
    return CommandError(f"{word}{text}", code)


class CommandError(Exception):
    """Error that ends the command with one line and an exit code.

    Args:
        text: The line.
        code: The exit code.
        kind: Class of the underlying error, for machines.
    """

    def __init__(self, text: str, code: Exit = Exit.ERROR, *, kind: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.kind = kind


_CODES: tuple[tuple[type[errors.DeidError], Exit], ...] = (
    (errors.PartialFailure, Exit.PARTIAL),
    (errors.OperationFailed, Exit.FAILED),
    (errors.OperationCancelled, Exit.CANCELLED),
    (errors.OperationTimeout, Exit.TIMEOUT),
    (errors.OperationLost, Exit.UNKNOWN),
    (errors.AmbiguousSubmit, Exit.UNKNOWN),
)
_HINTS: tuple[tuple[type[errors.ApiError], str], ...] = (
    (errors.Unauthenticated, "'gcloud auth application-default login' makes new credentials."),
    (
        errors.PermissionDenied,
        "Either a permission is missing or the dataset does not exist: the service does not tell which.",
    ),
    (errors.NotFound, "No resource has that name."),
    (errors.AlreadyExists, "What was to be made exists: name another, or delete that one."),
)


def command_error(error: errors.DeidError, *, server_text: bool = False) -> CommandError:
    """Return the message and the exit code for an error.

    Args:
        error: The error.
        server_text: Include texts of the service, which may contain data.
    """
    code = next((code for kind, code in _CODES if isinstance(error, kind)), Exit.ERROR)
    text = _text(error)
    message = getattr(error, "message", "") or getattr(error.__cause__, "message", "")
    if server_text and message:
        text = f"{text}\nThe service's own words: {message}"
    return CommandError(text, code, kind=type(error).__name__)


def _text(error: errors.DeidError) -> str:
    match error:
        case errors.ApiError():
            return _api_text(error)
        case errors.PartialFailure():
            count = error.operation.progress
            missing = count.failure or count.secondary_failure or count.pending
            where = f"; the reasons are at {error.operation.logs_url}" if error.operation.logs_url else ""
            return f"{missing} of {count.success + missing} failed and are missing in the destination{where}"
        case errors.OperationTimeout():
            return f"it still runs; 'healthcare-deid operations wait {error.operation.name}' goes on"
        case errors.TransferError() if isinstance(error.__cause__, errors.DeidError):
            return f"the store refuses the transfer: {_text(error.__cause__)}"
        case errors.OperationFailed():
            return str(error).partition(" (the server's text")[0]
        case errors.AmbiguousSubmit() if error.candidates:
            return "\n".join([str(error), "These may be it:", *error.candidates])
        case _:
            return str(error)


def _api_text(error: errors.ApiError) -> str:
    parts = [f"HTTP {error.status}", error.code, f"from {error.method_id}" if error.method_id else ""]
    if error.attempts > 1:
        parts.append(f"after {error.attempts} attempts")
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "--server-text shows the service's words.")
    return f"{' '.join(filter(None, parts))}. {hint}"
