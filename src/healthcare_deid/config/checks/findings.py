"""Findings of a check: code, severity, place and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Severity of a finding."""

    ERROR = "error"
    """The service refuses the config, or the result is not de-identified as it says."""
    WARNING = "warning"
    """The config is carried out, but the result is probably not the intended one."""
    INFO = "info"
    """The config is carried out as written, with an effect that may surprise."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark on a config, without keys or data.

    Attributes:
        code: Stable name, listed in the guide to the checks, such as ``"key-missing"``.
        severity: Severity.
        path: JSON path, such as ``text.additionalTransformations[2].dateShiftConfig``; empty for the whole config.
        message: The problem.
        remedy: The remedy.
        tags: Tags that it is about, if it is about some.
    """

    code: str
    severity: Severity
    path: str
    message: str
    remedy: str
    tags: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f" at {self.path}" if self.path else ""
        return f"{self.severity} {self.code}{place}: {self.message} {self.remedy}".rstrip()
