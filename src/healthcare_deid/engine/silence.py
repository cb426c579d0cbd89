"""pydicom's warnings and log lines quote values: they stay unsaid while the engine works."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_at_work: ContextVar[bool] = ContextVar("healthcare_deid_at_work", default=False)
_lock = threading.Lock()
_depth = 0
_PATTERN = r"pydicom(\..*)?|healthcare_deid\.engine(\..*)?"


class _WhileAtWork(logging.Filter):
    """Drops pydicom's lines in the threads and tasks that are inside `quiet`, and in no other."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _at_work.get()


for _name in ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.encoders.base", "pydicom.pixels.utils"):
    # A filter holds for the logger's own lines, not for those of the loggers below it.
    logging.getLogger(_name).addFilter(_WhileAtWork())


@contextmanager
def quiet() -> Generator[None]:
    """Drop what pydicom would say about the data.

    `warnings.catch_warnings` is not for several threads: whoever leaves first would restore the other's filters. Here
    the first to come adds one filter, and the last to leave takes it out.
    """
    token = _at_work.set(True)
    _count(1)
    try:
        yield
    finally:
        _count(-1)
        _at_work.reset(token)


def _count(step: int) -> None:
    global _depth  # noqa: PLW0603 - how many are inside is a fact about the process, as the filters are
    with _lock:
        _depth += step
        if step == 1 and _depth == 1:
            warnings.filterwarnings("ignore", module=_PATTERN)
        elif _depth == 0:
            for index, item in enumerate(warnings.filters):
                if getattr(item[3], "pattern", None) == _PATTERN:
                    del warnings.filters[index]  # type: ignore[attr-defined]  # a list, typed as a sequence
                    break
