"""Removal of stack frames from exceptions that leave the package.

Error trackers, ``rich`` and ``pytest -l`` show the local variables of every frame in a traceback. Those of the engine
hold datasets, paths and keys. After `border`, a traceback has only the caller's frames and `border`'s own.
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
    """Decorate a public function so that its exceptions carry no PHI.

    Frames, arguments and file names are removed. A coroutine function is awaited inside the decorator.
    """
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, T]", _async_border(function))

    @functools.wraps(function)
    def at_the_border(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - every exception is raised again, without its frames
            failure = _outward(error, function, args, kwargs)
        # This frame stays in the traceback, so its variables are visible: delete them.
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
        except Exception as error:  # noqa: BLE001 - as in border()
            failure = _outward(error, function, args, kwargs)
        del args, kwargs
        try:
            raise failure
        finally:
            del failure

    return at_the_border


def call_back(function: Callable[..., T], *args: object) -> T:
    """Call a user's function.

    `bare` keeps the frames above this call: they are the user's own, and help to debug the callback.
    """
    return function(*args)


def bare(error: E) -> E:
    """Remove the frames and the chain of an exception.

    A cause from this package stays, with its frames removed too.
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code is not call_back.__code__:
        frames = frames.tb_next
    if frames is not None:
        return error.with_traceback(frames.tb_next)
    cause = error.__cause__
    error.__cause__ = bare(cause) if isinstance(cause, DeidError) else None
    # The chain would lead to the frames and texts of other libraries.
    error.__context__ = None
    return error.with_traceback(None)


def place(error: BaseException) -> str:
    """Return where an exception was raised, as ``folder/file.py:line``.

    Returns an empty string if it was never raised.
    """
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return "".join(f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno}" for frame in last)


def _outward(error: Exception, function: Callable[..., Any], args: Any, kwargs: Any) -> Exception:
    """Return the exception to show to the caller.

    An `OSError` names the argument that it is about instead of the path.
    """
    if isinstance(error, OSError) and error.filename is not None:
        path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, _PATHS) else Path()
        # str(error) would show them, and a path may identify a patient.
        del error.filename, error.filename2
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        paths = {name: Path(os.fsdecode(value)) for name, value in given.items() if isinstance(value, _PATHS)}
        about = [name for name, here in paths.items() if path.is_relative_to(here) or here.is_relative_to(path)]
        # Results are first written under a temporary name in the same directory.
        about = about or [name for name, here in paths.items() if path.parent == here.parent]
        # If several arguments match, naming one could be wrong.
        if len(about) == 1:
            error.strerror = f"{error.strerror} ({about[0]})"
    return bare(error)
