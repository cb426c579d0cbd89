"""pydicom's warnings and log lines quote values: they stay unsaid while the engine works."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_at_work: ContextVar[bool] = ContextVar("healthcare_deid_at_work", default=False)
_lock = threading.Lock()


class _WhileAtWork(logging.Filter):
    """Drops pydicom's lines in the threads and tasks that are inside `quiet`, and in no other."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _at_work.get()


for _name in ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.encoders.base", "pydicom.pixels.utils"):
    # A filter holds for the logger's own lines, not for those of the loggers below it.
    logging.getLogger(_name).addFilter(_WhileAtWork())


class _ModulesAtWork:
    """Pattern of the modules whose warnings are dropped. It matches inside `quiet` only."""

    _names = re.compile(r"(pydicom|healthcare_deid\.engine)(\..*)?\Z")

    def match(self, module: str) -> re.Match[str] | None:
        return self._names.match(module) if _at_work.get() else None


# Action, text, category, module and line, as `warnings` keeps them.
_FILTER = ("ignore", None, Warning, _ModulesAtWork(), 0)


@contextmanager
def quiet() -> Generator[None]:
    """Drop what pydicom would say about the data.

    `warnings.catch_warnings` is not for several threads: whoever leaves first would restore the other's filters. A
    filter that comes and goes would make Python forget which warnings it has shown. So one filter stays, in front of a
    user's, and is active in here only.
    """
    filters: list[object] = warnings.filters  # type: ignore[assignment]  # a list, typed as a sequence
    if not filters or filters[0] is not _FILTER:
        with _lock:
            filters[:] = [_FILTER, *(item for item in filters if item is not _FILTER)]
    token = _at_work.set(True)
    try:
        yield
    finally:
        _at_work.reset(token)
