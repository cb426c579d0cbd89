"""The exception tree: drawn once, safe to log, and the same after pickling."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from healthcare_deid import errors
from healthcare_deid.errors import ApiError, ConfigError, DeidError, MissingExtraError, api_error_class

CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
]
CANARY = "RIVERA^ANA"


def test_the_tree_drawn_in_the_docstring_names_every_exception() -> None:
    drawn = set(re.findall(r"\b([A-Z][A-Za-z]+)\b(?=[(\s])", errors.__doc__ or ""))
    assert {cls.__name__ for cls in CLASSES} <= drawn


def test_everything_derives_from_one_base() -> None:
    assert all(issubclass(cls, DeidError) for cls in CLASSES)


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        (400, "INVALID_ARGUMENT", "BadRequest"),
        (400, "FAILED_PRECONDITION", "FailedPrecondition"),
        (401, "UNAUTHENTICATED", "Unauthenticated"),
        (403, "PERMISSION_DENIED", "PermissionDenied"),
        (404, "NOT_FOUND", "NotFound"),
        (409, "ALREADY_EXISTS", "AlreadyExists"),
        (429, "RESOURCE_EXHAUSTED", "ResourceExhausted"),
        (503, "UNAVAILABLE", "Unavailable"),
        (418, "", "ApiError"),
    ],
)
def test_an_http_status_has_its_exception(status: int, code: str, name: str) -> None:
    assert api_error_class(status, code).__name__ == name


def test_the_servers_text_is_kept_apart_from_the_exceptions_text() -> None:
    error = ApiError(status=404, code="NOT_FOUND", message=f"no instance of {CANARY}", method_id="healthcare.x.get")
    assert CANARY not in str(error)
    assert CANARY not in repr(error)
    assert error.message == f"no instance of {CANARY}"
    assert "404 NOT_FOUND from healthcare.x.get" in str(error)


@pytest.mark.parametrize(
    "error",
    [
        ConfigError.of("DicomConfig", [("dicom.keepList", "unknown tag")]),
        MissingExtraError("local", "The emulator"),
        errors.NotFound(status=404, code="NOT_FOUND", message="m", retry_after=2.0, attempts=3),
        errors.ConnectionDropped("the peer hung up", method_id="m", attempts=2),
        errors.AmbiguousSubmit("which one?", candidates=["a", "b"]),
        errors.OperationFailed("failed", code=3, message="m"),
        errors.OperationTimeout("still running"),
        errors.UnsupportedPixelsError("no decoder"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_survives_pickling(error: DeidError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__


def test_transport_errors_say_whether_the_request_left() -> None:
    assert errors.ConnectError("refused").sent == "no"
    assert errors.ConnectionDropped("dropped").sent == "maybe"
    assert errors.RequestTimeout("slow", sent="yes").sent == "yes"
    assert isinstance(errors.RequestTimeout("slow"), TimeoutError)


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    error = MissingExtraError("local", "The emulator")
    assert isinstance(error, ImportError)
    assert str(error) == "The emulator needs an extra: pip install 'healthcare-deid[local]'"
