"""The border of the package: errors leave a public function without the frames in which they were raised.

Error trackers, ``rich`` and ``pytest -l`` show the local variables of every frame of a traceback, and those of the
engine hold whole datasets, paths and keys. What is left of a traceback is the caller's own line and `border`'s.
"""

from __future__ import annotations

import functools
import inspect
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from healthcare_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

_PATHS = (str, bytes, os.PathLike)


def border(function: Callable[P, T]) -> Callable[P, T]:
    """Make a public function let errors out without its frames, its arguments and the names of files.

    A coroutine function is awaited within.
    """
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, T]", _async_border(function))

    @functools.wraps(function)
    def at_the_border(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
            failure = _outward(error, function, args, kwargs)
        # This frame stays in the traceback, and is shown with its variables.
        del args, kwargs
        try:
            raise failure
        finally:
            del failure

    return at_the_border


def _async_border(function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    async def at_the_border(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            failure = _outward(error, function, args, kwargs)
        del args, kwargs
        try:
            raise failure
        finally:
            del failure

    return at_the_border


def call_back(function: Callable[..., T], *args: object) -> T:
    """Call a function of the caller's: what it raises keeps the caller's own frames."""
    return function(*args)


def bare(error: E) -> E:
    """Take the frames off an error, and the errors behind it; a cause that is this package's stays, as bare as it."""
    theirs = error.__traceback__
    while theirs is not None and theirs.tb_frame.f_code is not call_back.__code__:
        theirs = theirs.tb_next
    if theirs is not None:
        return error.with_traceback(theirs.tb_next)
    cause = error.__cause__
    error.__cause__ = bare(cause) if isinstance(cause, DeidError) else None
    error.__context__ = None
    return error.with_traceback(None)


def place(error: BaseException) -> str:
    """Return where an error was raised, as ``folder/file.py:line``; empty where it was not."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return "".join(f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}" for frame in last)


def _outward(error: Exception, function: Callable[..., Any], args: Any, kwargs: Any) -> Exception:
    """Return a bare error; one of the file system says which argument it is about, in place of the path."""
    if isinstance(error, OSError) and error.filename is not None:
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, _PATHS) else Path()
        del error.filename, error.filename2
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        paths = {name: Path(os.fsdecode(value)) for name, value in given.items() if isinstance(value, _PATHS)}
        about = [name for name, here in paths.items() if path.is_relative_to(here) or here.is_relative_to(path)]
        # A result is written beside its place first.
        about = about or [name for name, here in paths.items() if path.parent == here.parent]
        if len(about) == 1:
            error.strerror = f"{error.strerror} ({about[0]})"
    return bare(error)
