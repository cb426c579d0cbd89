"""Checks of the engine's arguments, and errors that quote no value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydicom.dataset import Dataset

from healthcare_deid._border import place
from healthcare_deid.engine.silence import quiet
from healthcare_deid.errors import EngineError, InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def path_of(given: object, argument: str) -> Path:
    """Return an argument as a path.

    Raises:
        TypeError: *given* is not a path.
    """
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{argument}: a path is needed, not {type(given).__name__}")
    return given if isinstance(given, Path) else Path(given)


def check_dataset(given: object) -> None:
    """Raise TypeError unless *given* is a pydicom Dataset.

    Raises:
        TypeError: *given* is not a pydicom Dataset.
    """
    if not isinstance(given, Dataset):
        raise TypeError(f"deidentify takes a pydicom Dataset, not {type(given).__name__}; deidentify_file takes a path")


def of_the_system(error: BaseException) -> OSError | None:
    """Return the operating system's error that pydicom has wrapped in its own, or None.

    It wraps those of reading and writing in errors of their class without a number, whose text names the element.
    """
    cause = error.__cause__
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return OSError(cause.errno, os.strerror(cause.errno))
        cause = cause.__cause__
    return None


def guarded(work: Callable[[], T], *, passing: type[Exception] = EngineError) -> T:
    """Do some work, and let no error out that may quote the data.

    Its frames go at the border, which is the public method's (`healthcare_deid._border`).

    Args:
        work: What to do.
        passing: An error of the caller's own that goes through as it is, beside those below.

    Raises:
        EngineError: The instance cannot be de-identified.
        OSError: A file cannot be read or written.
    """
    try:
        with quiet():
            return work()
    except (EngineError, passing):
        raise
    except OSError as error:
        if error.errno is not None:
            raise
        if (system := of_the_system(error)) is not None:
            raise system from None
        # pydicom's word for data that ends too early
        raise InvalidDicomError("the data ends inside an element", reason="truncated") from None
    except Exception as error:  # noqa: BLE001 - whatever broke, its text may quote a value: only its type and place are told
        raise EngineError(f"the instance could not be processed ({type(error).__name__} at {place(error)})") from None
